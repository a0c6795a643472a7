/* SPDX-License-Identifier: MIT */
/*
 * client.c - one of the many clients of a load
 *
 * It must cost little beside what it measures: one read for what has arrived,
 * one look at each byte of it, no memory of its own but for pieces of events.
 */
#include "client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_ID " p_id=\""
#define STAMP " b=\""
#define LOST " p_lost=\""

static char room[READER_ROOM + 262144];	/* one for all: read, then used */

uint64_t client_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((format(printf, 2, 3)))
static void complain(struct client *c, const char *fmt, ...)
{
	va_list ap;

	c->failed = true;
	if (c->tally->complaint[0])
		return;
	va_start(ap, fmt);
	vsnprintf(c->tally->complaint, sizeof(c->tally->complaint), fmt, ap);
	va_end(ap);
}

/* -- events ------------------------------------------------------------- */

static const char *attribute(const char *event, size_t n, const char *name)
{
	const char *found = memmem(event, n, name, strlen(name));

	return found ? found + strlen(name) : NULL;
}

static void take_id(struct client *c, const char *event, size_t n)
{
	const char *id = attribute(event, n, BODY_ID), *end;

	end = id ? memchr(id, '"', n - (size_t)(id - event)) : NULL;
	if (end && end - id < CLIENT_ID)
		snprintf(c->id, sizeof(c->id), "%.*s", (int)(end - id), id);
}

/* A number that is not the next: is it said how many were lost? */
static void take_gap(struct client *c, const char *event, size_t n,
		     uint64_t number)
{
	const char *text = attribute(event, n, LOST);
	uint64_t lost = text ? strtoull(text, NULL, 10) : 0;

	c->tally->lost += lost;
	if (number != c->next + lost) {
		c->tally->wrong++;
		complain(c, "event %" PRIu64 " instead of %" PRIu64 ", %" PRIu64
			 " said to be lost", number, c->next, lost);
	}
}

static void take_event(struct client *c, const char *event, size_t n,
		       uint64_t now)
{
	const char *stamp = attribute(event, n, STAMP);
	struct tally *t = c->tally;
	uint64_t number, made;
	char *end;

	if (!stamp) {
		take_id(c, event, n);
		return;
	}
	number = strtoull(stamp, &end, 10);
	made = strtoull(end, NULL, 10);
	if (number != c->next)
		take_gap(c, event, n, number);
	c->next = number + 1;
	t->deliveries++;
	if (!t->first)
		t->first = now;
	t->last = now;
	histogram_add(&t->latencies, now > made ? now - made : 0);
}

/* Whole events; a '>' inside of one is escaped.  Returns the bytes used. */
static size_t take_events(struct client *c, const char *p, size_t n)
{
	uint64_t now = client_now();
	const char *start = p, *end = p + n, *gt;

	while ((gt = memchr(p, '>', (size_t)(end - p)))) {
		take_event(c, p, (size_t)(gt - p), now);
		p = gt + 1;
	}
	return (size_t)(p - start);
}

/* -- answers ------------------------------------------------------------ */

static void take_head(void *arg, int status)
{
	struct client *c = arg;

	if (status != 200)
		complain(c, "HTTP status %d for %.100s", status,
			 c->script->targets[c->step]);
	if (c->step >= c->script->loop)
		c->ready = true;
}

static void take_body(void *arg, char *bytes, size_t n)
{
	struct client *c = arg;
	size_t used;

	c->tally->bytes += n;
	if (c->text.len > 0) {
		buf_add(&c->text, bytes, n);
		buf_drop(&c->text,
			 take_events(c, c->text.data, c->text.len));
		return;
	}
	used = take_events(c, bytes, n);
	buf_add(&c->text, bytes + used, n - used);
}

static void take_end(void *arg)
{
	struct client *c = arg;

	buf_clear(&c->text);
	c->done = true;
	c->tally->answers += c->step >= c->script->loop;
	if (++c->step == c->script->n)
		c->step = c->script->loop;
}

static const struct reader_calls calls = { take_head, take_body, take_end };

/* -- the connection ----------------------------------------------------- */

static int send_request(struct client *c)
{
	const char *target = c->script->targets[c->step];
	const char *at = strchr(target, '@');
	size_t before = at ? (size_t)(at - target) : strlen(target);
	char request[1024];
	int n;

	n = snprintf(request, sizeof(request), "GET %.*s%s%s HTTP/1.1\r\n"
		     "Host: 127.0.0.1\r\n\r\n", (int)before, target,
		     at ? c->id : "", at ? at + 1 : "");
	c->done = false;
	if (n >= (int)sizeof(request) ||
	    send(c->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		return -1;
	return 0;
}

/* Ended by a reset: so many connections must not wait for their end. */
static void hang_up(struct client *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (c->fd < 0)
		return;
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->fd);
	c->fd = -1;
	reader_release(&c->reader);
}

int client_connect(struct client *c)
{
	const struct sockaddr *to = (const void *)&c->script->address;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 &&
	    connect(c->fd, to, sizeof(c->script->address)) == 0 &&
	    send_request(c) == 0)
		return 0;
	complain(c, "connection: %s", strerror(errno));
	return -1;
}

/* The server ends a connection now and then, between two answers. */
static int connect_again(struct client *c, bool *moved_out)
{
	c->tally->reconnects++;
	hang_up(c);
	*moved_out = true;
	return client_connect(c);
}

int client_read(struct client *c, bool *moved_out)
{
	ssize_t n = recv(c->fd, room + READER_ROOM, sizeof(room) - READER_ROOM,
			 MSG_DONTWAIT);
	bool closes = c->reader.closes;

	*moved_out = false;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		complain(c, "connection closed: %s",
			 n < 0 ? strerror(errno) : "by the server");
	else if (reader_take(&c->reader, room + READER_ROOM, (size_t)n, &calls,
			     c) < 0)
		complain(c, "no HTTP: %.60s", room + READER_ROOM);
	if (c->failed)
		return -1;
	if (!c->done)
		return 0;
	closes = c->reader.closes;
	return closes ? connect_again(c, moved_out) : send_request(c);
}

void client_close(struct client *c)
{
	hang_up(c);
	reader_release(&c->reader);
	buf_release(&c->text);
}
