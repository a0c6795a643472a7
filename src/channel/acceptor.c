/* SPDX-License-Identifier: MIT */
/*
 * acceptor.c - accept4(2) on a loop
 *
 * A web server mostly sends its request along with the connection, so a new
 * connection is looked at once before it costs a poll handle.
 */
#include "channel/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { ACCEPTS = 64 };		/* of one turn of the loop */

struct silent {
	uv_poll_t poll;
	struct acceptor *acceptor;
	struct silent *older, *newer;
	int64_t since;
	int fd;
	bool wrapped;		/* calls.unwrap() is still to come */
};

struct acceptor {
	uv_poll_t poll;
	int fd;
	struct acceptor_calls calls;
	struct silent *oldest, *newest;
	bool paused;
};

static void unlist(struct silent *s)
{
	struct acceptor *a = s->acceptor;

	*(s->older ? &s->older->newer : &a->oldest) = s->newer;
	*(s->newer ? &s->newer->older : &a->newest) = s->older;
}

static void free_silent(uv_handle_t *h)
{
	free(h->data);
}

/* Ends the wait; the descriptor is given back. */
static int release(struct silent *s)
{
	int fd = s->fd;

	unlist(s);
	uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, free_silent);
	return fd;
}

/* libuv wants descriptors that do not block, libfcgi ones that do. */
static void make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* Is there something to read?  1, or 0: not yet, or -1: the peer has gone. */
static int readable(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return n > 0 ? 1 : -1;
}

static void wait_for(struct acceptor *a, int fd, bool wrapped);

/* Passes a connection on, or what is wrapped in it, when it speaks. */
static void welcome(struct acceptor *a, int fd, bool wrapped)
{
	int speaking = readable(fd);

	if (wrapped && speaking != 0) {
		fd = a->calls.unwrap(a->calls.arg, fd);
		if (fd < 0)
			return;
		make_blocking(fd);
		wrapped = false;
		speaking = readable(fd);
	}
	if (speaking == 0) {
		wait_for(a, fd, wrapped);
	} else if (speaking > 0) {
		a->calls.ready(a->calls.arg, fd);
	} else {
		close(fd);
	}
}

static void speaks(uv_poll_t *poll, int status, int events)
{
	struct silent *s = poll->data;
	struct acceptor *a = s->acceptor;
	bool wrapped = s->wrapped;
	int fd = release(s);

	(void)events;
	make_blocking(fd);
	if (status < 0)
		close(fd);
	else
		welcome(a, fd, wrapped);
}

static void wait_for(struct acceptor *a, int fd, bool wrapped)
{
	static struct log_pace pace;
	struct silent *s = calloc(1, sizeof(*s));
	char others[LOG_OTHERS];

	if (!s || uv_poll_init(a->poll.loop, &s->poll, fd) < 0) {
		if (log_may(&pace, others))
			log_error("no memory for a connection; closed%s",
				  others);
		close(fd);
		free(s);
		return;
	}
	s->poll.data = s;
	s->acceptor = a;
	s->fd = fd;
	s->wrapped = wrapped;
	s->since = clock_ms();
	s->older = a->newest;
	*(a->newest ? &a->newest->newer : &a->oldest) = s;
	a->newest = s;
	uv_poll_start(&s->poll, UV_READABLE, speaks);
}

static void receive(struct acceptor *a, int fd)
{
	if (!a->calls.admit || a->calls.admit(a->calls.arg, fd))
		welcome(a, fd, a->calls.unwrap != NULL);
	else
		close(fd);
}

static void pause_accepting(struct acceptor *a, const char *why)
{
	uv_poll_stop(&a->poll);
	a->paused = true;
	log_warn("not accepting for a second: %s", why);
}

static void incoming(uv_poll_t *poll, int status, int events)
{
	struct acceptor *a = poll->data;
	int i, fd;

	(void)events;
	for (i = 0; status >= 0 && i < ACCEPTS; i++) {
		if (a->calls.busy(a->calls.arg)) {
			pause_accepting(a, "too many requests wait for a "
					"thread");
			return;
		}
		fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			receive(a, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			pause_accepting(a, strerror(errno));
		return;		/* none left, or one that went away */
	}
}

static int start(struct acceptor *a)
{
	return uv_poll_start(&a->poll, UV_READABLE, incoming);
}

struct acceptor *acceptor_start(uv_loop_t *loop, int listen_fd,
				const struct acceptor_calls *calls)
{
	struct acceptor *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return NULL;
	a->fd = listen_fd;
	a->calls = *calls;
	rc = uv_poll_init(loop, &a->poll, listen_fd);
	if (rc < 0) {
		free(a);
		errno = -rc;
		return NULL;
	}
	a->poll.data = a;
	start(a);
	return a;
}

static void note_silence(const struct silent *s, uint64_t timeout)
{
	static struct log_pace pace;
	char others[LOG_OTHERS];

	if (log_may(&pace, others))
		log_warn("%s connected and sent nothing; closed after %llu ms "
			 "(request.timeout.millis)%s", s->wrapped ?
			 "a relay" : "a web server",
			 (unsigned long long)timeout, others);
}

void acceptor_tick(struct acceptor *a, uint64_t timeout)
{
	int64_t now = clock_ms();

	while (a->oldest && now - a->oldest->since >= (int64_t)timeout) {
		note_silence(a->oldest, timeout);
		close(release(a->oldest));
	}
	if (a->paused && !a->calls.busy(a->calls.arg)) {
		a->paused = false;
		start(a);
	}
}

static void free_acceptor(uv_handle_t *h)
{
	free(h->data);
}

void acceptor_stop(struct acceptor *a)
{
	while (a->oldest)
		close(release(a->oldest));
	uv_poll_stop(&a->poll);
	uv_close((uv_handle_t *)&a->poll, free_acceptor);
}
