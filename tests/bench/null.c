/* SPDX-License-Identifier: MIT */
/*
 * null.c - the null responder: what any FastCGI push server must do at least
 *
 * usage: null SOCKET FIFO
 *
 * Accepts FastCGI on a unix socket, sends a head, and copies each line that it
 * reads from the fifo to every open connection, as one FCGI_STDOUT record.
 * There are no sessions, no queues and no formats.  A request with "plain" in
 * its query is answered at once and ends.
 *
 * It is the limit of this road: lines that are there at once are sent by one
 * call, one buffer serves all connections, and while one of them has no room
 * nothing more is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	FDS = 65536,
	RECORD_HEAD = 8,
	READ = 65536,			/* of the fifo */
	RECORDS = 4 * READ,		/* the same with heads */
	REQUEST = 16384,
	BATCH = 256
};

#define HEAD "Content-Type: text/plain;charset=UTF-8\r\n\r\n"
#define PLAIN "<event p_event=\"data\" p_subject=\"/bench\" />"

struct connection {
	int fd;
	unsigned place;			/* in the list of open ones */
	bool open;			/* its request was read */
	char *request;			/* what came of it; NULL: nothing */
	size_t got;
	size_t sent;			/* of the records */
};

static struct {
	int epoll, door, fifo;
	struct connection *at[FDS];
	struct connection *open[FDS];
	unsigned n;
	unsigned behind;		/* have not all of the records yet */
	bool deaf;			/* nothing is read because of them */
	char line[READ];		/* lines, the last perhaps not whole */
	size_t got;
	char records[RECORDS];
	size_t len;
} null;

/* -- connections -------------------------------------------------------- */

static void watch(int operation, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	epoll_ctl(null.epoll, operation, fd, &e);
}

static void drop(struct connection *c)
{
	struct connection *last;

	if (c->open) {
		null.behind -= c->sent < null.len;
		last = null.open[--null.n];
		null.open[c->place] = last;
		last->place = c->place;
	}
	null.at[c->fd] = NULL;
	close(c->fd);
	free(c->request);
	free(c);
}

static void admit(void)
{
	struct connection *c;
	int fd, i;

	for (i = 0; i < 64; i++) {
		fd = accept4(null.door, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		c = fd < FDS ? calloc(1, sizeof(*c)) : NULL;
		if (!c) {
			close(fd);
			continue;
		}
		c->fd = fd;
		null.at[fd] = c;
		watch(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP);
	}
}

/* -- records ------------------------------------------------------------ */

static size_t put_record(char *out, int type, const char *text, size_t n)
{
	unsigned char head[RECORD_HEAD] = {
		1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8),
		(unsigned char)n, 0, 0
	};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), text, n);
	return sizeof(head) + n;
}

/* FastCGI: FCGI_STDIN is 5, FCGI_STDOUT 6, FCGI_END_REQUEST 3. */
static bool request_whole(const struct connection *c)
{
	const unsigned char *p = (const void *)c->request;
	size_t at = 0, n;

	for (; at + RECORD_HEAD <= c->got; at += RECORD_HEAD + n + p[at + 6]) {
		n = (size_t)p[at + 4] << 8 | p[at + 5];
		if (p[at + 1] == 5 && n == 0)
			return true;
	}
	return false;
}

static bool wants_plain(const struct connection *c)
{
	const char *query = memmem(c->request, c->got, "QUERY_STRING", 12);

	return query && c->got - (size_t)(query - c->request) >= 17 &&
	       memcmp(query + 12, "plain", 5) == 0;
}

static void answer(struct connection *c)
{
	static const char nothing[8];
	char out[512];
	size_t n = put_record(out, 6, HEAD, strlen(HEAD));

	if (wants_plain(c)) {
		n += put_record(out + n, 6, PLAIN, strlen(PLAIN));
		n += put_record(out + n, 6, "", 0);
		n += put_record(out + n, 3, nothing, sizeof(nothing));
		send(c->fd, out, n, MSG_NOSIGNAL);
		drop(c);
		return;
	}
	send(c->fd, out, n, MSG_NOSIGNAL);
	free(c->request);
	c->request = NULL;
	c->open = true;
	c->sent = null.len;
	c->place = null.n;
	null.open[null.n++] = c;
}

static void listen_to(struct connection *c)
{
	ssize_t n;

	if (!c->request)
		c->request = malloc(REQUEST);
	n = recv(c->fd, c->request + c->got,
		 c->open ? REQUEST : REQUEST - c->got, 0);
	if (n < 0 && errno == EAGAIN)
		return;		/* meant for who had the number before */
	if (n <= 0) {
		drop(c);
		return;
	}
	if (c->open)
		return;
	c->got += (size_t)n;
	if (request_whole(c))
		answer(c);
	else if (c->got == REQUEST)
		drop(c);
}

/* -- copying ------------------------------------------------------------ */

/* Sends what there is; is all of it gone? */
static bool copy(struct connection *c)
{
	ssize_t n = send(c->fd, null.records + c->sent, null.len - c->sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		c->sent += (size_t)n;
	return c->sent == null.len;
}

static void copy_to_all(void)
{
	unsigned i;

	for (i = 0; i < null.n; i++) {
		null.open[i]->sent = 0;
		if (copy(null.open[i]))
			continue;
		null.behind++;
		watch(EPOLL_CTL_MOD, null.open[i]->fd,
		      EPOLLIN | EPOLLRDHUP | EPOLLOUT);
	}
	null.deaf = null.behind > 0;
	if (null.deaf)
		watch(EPOLL_CTL_MOD, null.fifo, 0);
}

/* Makes a record of each whole line. */
static void pack(void)
{
	char *start = null.line, *end = null.line + null.got, *newline;

	null.len = 0;
	while ((newline = memchr(start, '\n', (size_t)(end - start)))) {
		null.len += put_record(null.records + null.len, 6, start,
				       (size_t)(newline - start));
		start = newline + 1;
	}
	null.got = (size_t)(end - start);
	memmove(null.line, start, null.got);
}

static void hear(void)
{
	ssize_t n = read(null.fifo, null.line + null.got,
			 sizeof(null.line) - null.got);

	if (n <= 0)
		return;
	null.got += (size_t)n;
	pack();
	if (null.len)
		copy_to_all();
}

static void catch_up(struct connection *c)
{
	if (!copy(c))
		return;
	watch(EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLRDHUP);
	null.behind--;
}

/* -- running ------------------------------------------------------------ */

static void happen(const struct epoll_event *e)
{
	struct connection *c;
	int fd = e->data.fd;

	if (fd == null.door) {
		admit();
		return;
	}
	if (fd == null.fifo) {
		hear();
		return;
	}
	c = null.at[fd];
	if (c && e->events & (EPOLLHUP | EPOLLERR))
		drop(c);
	else if (c && e->events & EPOLLOUT && c->sent < null.len)
		catch_up(c);
	else if (c)
		listen_to(c);
}

/* All have all: what came meanwhile is read now. */
static void hear_again(void)
{
	if (!null.deaf || null.behind)
		return;
	null.deaf = false;
	watch(EPOLL_CTL_MOD, null.fifo, EPOLLIN);
}

static void run(void)
{
	struct epoll_event events[BATCH];
	int i, n;

	for (;;) {
		n = epoll_wait(null.epoll, events, BATCH, -1);
		for (i = 0; i < n; i++)
			happen(&events[i]);
		hear_again();
	}
}

static int open_door(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, 4096) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: null SOCKET FIFO\n", stderr);
		return 2;
	}
	null.epoll = epoll_create1(EPOLL_CLOEXEC);
	null.door = open_door(argv[1]);
	/* Open for writing too: the end of a feed is not the end of all. */
	null.fifo = open(argv[2], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (null.epoll < 0 || null.door < 0 || null.fifo < 0) {
		perror("null");
		return 1;
	}
	watch(EPOLL_CTL_ADD, null.door, EPOLLIN);
	watch(EPOLL_CTL_ADD, null.fifo, EPOLLIN);
	puts("ready");
	fflush(stdout);
	run();
	return 0;
}
