/* SPDX-License-Identifier: MIT */
/*
 * load.c - thousands of clients in one thread, and what they see
 *
 * usage: load PORT
 *
 * Reads commands from standard input, one a line, words separated by blanks,
 * and answers each with one line, a JSON object:
 *
 *	clients N LOOP TARGET...  N more clients with this script (client.h);
 *	                          answers when all are ready
 *	mark                      all counts, and the event numbers, start at 0
 *	events N MS               waits until each client got N events since
 *	                          mark, or for so long; tells
 *	answers N MS              the same for N whole answers a client
 *	run MS                    waits so long, and tells
 *	close                     ends all clients
 *
 * Latencies are in microseconds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client.h"

enum { OPENING = 64, BATCH = 256, WORDS = SCRIPT_MAX + 3, LINE = 8192,
       SCRIPTS = 16 };
#define SECOND 1000000000ull

struct load {
	int epoll;
	uint16_t port;
	struct client **clients;
	unsigned n, cap;
	unsigned ready;
	struct script scripts[SCRIPTS];
	unsigned scripts_used;
	struct tally tally;
	uint64_t marked;
	bool command;			/* there is one to read */
};

/* -- clients ------------------------------------------------------------ */

static void watch(struct load *l, struct client *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e);
}

static bool add_client(struct load *l, const struct script *script)
{
	struct client *c = calloc(1, sizeof(*c));

	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 1024;
		l->clients = realloc(l->clients,
				     l->cap * sizeof(*l->clients));
	}
	if (!c || !l->clients)
		abort();
	c->script = script;
	c->tally = &l->tally;
	l->clients[l->n++] = c;
	if (client_connect(c) < 0)
		return false;
	watch(l, c);
	return true;
}

static void serve(struct load *l, struct client *c)
{
	bool was = c->ready, moved;
	int fd = c->fd;

	if (client_read(c, &moved) < 0) {
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd >= 0 ? c->fd : fd,
			  NULL);
		return;
	}
	if (moved)
		watch(l, c);
	l->ready += c->ready && !was;
}

static void turn(struct load *l, uint64_t until)
{
	struct epoll_event events[BATCH];
	uint64_t now = client_now();
	int i, n, ms = until > now ? (int)((until - now) / 1000000) + 1 : 0;

	n = epoll_wait(l->epoll, events, BATCH, ms);
	for (i = 0; i < n; i++) {
		if (events[i].data.ptr)
			serve(l, events[i].data.ptr);
		else
			l->command = true;
	}
}

static void close_all(struct load *l)
{
	unsigned i;

	for (i = 0; i < l->n; i++) {
		client_close(l->clients[i]);
		free(l->clients[i]);
	}
	l->n = l->ready = 0;
	while (l->scripts_used > 0) {
		struct script *s = &l->scripts[--l->scripts_used];

		for (i = 0; i < s->n; i++)
			free(s->targets[i]);
	}
}

/* -- telling ------------------------------------------------------------ */

static double micro(const struct load *l, double share)
{
	return (double)histogram_at(&l->tally.latencies, share) / 1000;
}

/* A complaint as a JSON string can hold it. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '"' ||
		    *text == '\\' || (unsigned char)*text > '~')
			*text = '?';
}

static void tell(struct load *l)
{
	struct tally *t = &l->tally;

	clean(t->complaint);
	printf("{\"clients\":%u,\"ready\":%u,\"deliveries\":%" PRIu64
	       ",\"answers\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"wrong\":%"
	       PRIu64 ",\"bytes\":%" PRIu64 ",\"reconnects\":%" PRIu64
	       ",\"seconds\":%.6f,\"span\":%.6f,", l->n, l->ready,
	       t->deliveries, t->answers, t->lost, t->wrong, t->bytes,
	       t->reconnects, (double)(client_now() - l->marked) / SECOND,
	       (double)(t->last - t->first) / SECOND);
	printf("\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,"
	       "\"max\":%.1f,\"error\":\"%s\"}\n", micro(l, 0.5), micro(l, 0.9),
	       micro(l, 0.99), micro(l, 0.999), micro(l, 1), t->complaint);
	fflush(stdout);
}

/* -- commands ----------------------------------------------------------- */

static void mark(struct load *l)
{
	unsigned i;

	memset(&l->tally, 0, sizeof(l->tally));
	for (i = 0; i < l->n; i++)
		l->clients[i]->next = 0;
	l->marked = client_now();
}

static void wait_for(struct load *l, const uint64_t *count, uint64_t target,
		     uint64_t ms)
{
	uint64_t until = client_now() + ms * 1000000;

	while (!l->tally.complaint[0] && *count < target &&
	       client_now() < until)
		turn(l, until);
}

/* clients N LOOP TARGET... */
static void open_clients(struct load *l, char **words, unsigned n)
{
	uint64_t until = client_now() + 60 * SECOND;
	unsigned count = (unsigned)strtoul(words[1], NULL, 10), i, all;
	struct script *s = &l->scripts[l->scripts_used++];

	*s = (struct script){
		.address = { .sin_family = AF_INET, .sin_port = htons(l->port),
			     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		.loop = (unsigned)strtoul(words[2], NULL, 10),
		.n = n - 3,
	};
	for (i = 0; i < s->n; i++)
		s->targets[i] = strdup(words[3 + i]);
	all = l->n + count;
	while (!l->tally.complaint[0] && l->ready < all &&
	       client_now() < until) {
		while (l->n < all && l->n - l->ready < OPENING &&
		       add_client(l, s))
			;
		turn(l, until);
	}
}

static void obey(struct load *l, char **words, unsigned n)
{
	uint64_t first = n > 1 ? strtoull(words[1], NULL, 10) : 0;
	uint64_t ms = n > 2 ? strtoull(words[2], NULL, 10) : 0;

	if (strcmp(words[0], "clients") == 0 && n > 3 &&
	    l->scripts_used < SCRIPTS)
		open_clients(l, words, n);
	else if (strcmp(words[0], "mark") == 0)
		mark(l);
	else if (strcmp(words[0], "events") == 0 && n == 3)
		wait_for(l, &l->tally.deliveries, first * l->n, ms);
	else if (strcmp(words[0], "answers") == 0 && n == 3)
		wait_for(l, &l->tally.answers, first * l->n, ms);
	else if (strcmp(words[0], "run") == 0 && n == 2)
		wait_for(l, &l->tally.answers, UINT64_MAX, first);
	else if (strcmp(words[0], "close") == 0)
		close_all(l);
	else
		snprintf(l->tally.complaint, sizeof(l->tally.complaint),
			 "no such command, or wrong words: %.100s", words[0]);
	tell(l);
}

/* Waits for a line while the clients go on. */
static bool next_line(struct load *l, struct buf *input, char line[LINE])
{
	char bytes[4096], *end;
	ssize_t n;

	while (!(end = memchr(buf_str(input), '\n', input->len))) {
		while (!l->command)
			turn(l, client_now() + SECOND);
		l->command = false;
		n = read(STDIN_FILENO, bytes, sizeof(bytes));
		if (n <= 0)
			return false;
		buf_add(input, bytes, (size_t)n);
	}
	snprintf(line, LINE, "%.*s", (int)(end - input->data), input->data);
	buf_drop(input, (size_t)(end - input->data) + 1);
	return true;
}

static unsigned split(char *line, char *words[WORDS])
{
	char *save, *word = strtok_r(line, " ", &save);
	unsigned n;

	for (n = 0; word && n < WORDS; n++) {
		words[n] = word;
		word = strtok_r(NULL, " ", &save);
	}
	return n;
}

static void obey_all(struct load *l)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };
	struct buf input = BUF_INIT;
	char line[LINE], *words[WORDS];
	unsigned n;

	epoll_ctl(l->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e);
	while (next_line(l, &input, line)) {
		n = split(line, words);
		if (n > 0)
			obey(l, words, n);
	}
	buf_release(&input);
	close_all(l);
}

int main(int argc, char **argv)
{
	static struct load l;

	l.port = argc == 2 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0;
	if (l.port == 0) {
		fputs("usage: load PORT\n", stderr);
		return 1;
	}
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	obey_all(&l);
	free(l.clients);
	return 0;
}
