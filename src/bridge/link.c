/* SPDX-License-Identifier: MIT */
/*
 * link.c - hiredis without blocking, and poll(2) around it
 */
#include "bridge/link.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { CONNECT_MS = 3000, ANSWER_MS = 5000, LIST_MAX = 16 };

__attribute__((format(printf, 2, 0)))
static int set_why(struct link *l, const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	buf_clear(&l->why);
	buf_puts(&l->why, text);
	link_close(l);
	return -1;
}

int link_fail(struct link *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_why(l, fmt, args);
	va_end(args);
	return -1;
}

void link_close(struct link *l)
{
	if (l->redis)
		redisFree(l->redis);
	l->redis = NULL;
}

static int fail_as_redis_says(struct link *l)
{
	return link_fail(l, "%s", l->redis->errstr[0] ? l->redis->errstr :
			 "hiredis failed");
}

/* Waits for events on the link.  Returns them; 0 after the time; -1 when it is
 * time to halt. */
static int await(const struct link *l, short events, int64_t until)
{
	struct pollfd fds[2] = {
		{ .fd = l->halt_fd, .events = POLLIN },
		{ .fd = l->redis ? l->redis->fd : -1, .events = events },
	};
	int64_t left = until - clock_ms();

	if (poll(fds, 2, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
		return -1;
	if (fds[0].revents)
		return -1;
	return fds[1].revents;
}

bool link_pause(const struct link *l, int ms)
{
	struct pollfd halt = { .fd = l->halt_fd, .events = POLLIN };

	return poll(&halt, 1, ms) > 0;
}

/* Has the connection come about? */
static int await_connection(struct link *l)
{
	socklen_t n = sizeof(int);
	int rc, error = 0;

	rc = await(l, POLLOUT, clock_ms() + CONNECT_MS);
	if (rc < 0)
		return link_fail(l, "asked to halt");
	if (rc == 0)
		return link_fail(l, "no connection within %d ms", CONNECT_MS);
	if (getsockopt(l->redis->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	return error ? link_fail(l, "%s", strerror(error)) : 0;
}

/* Asks for something that is to be answered with OK. */
static int insist(struct link *l)
{
	redisReply *r = link_expect(l, ANSWER_MS);

	if (!r)
		return -1;
	freeReplyObject(r);
	return 0;
}

static int authenticate(struct link *l, const struct place *place)
{
	struct buf password = BUF_INIT, why = BUF_INIT;
	int rc;

	if (!place->password_file[0])
		return 0;
	rc = place_password(place, &password, &why);
	if (rc < 0)
		link_fail(l, "%s", buf_str(&why));
	else if (place->user[0])
		rc = link_ask_list(l, "AUTH", place->user, buf_str(&password),
				   NULL);
	else
		rc = link_ask_list(l, "AUTH", buf_str(&password), NULL);
	if (password.data)
		explicit_bzero(password.data, password.len);
	buf_release(&password);
	buf_release(&why);
	return rc == 0 ? insist(l) : -1;
}

static int choose_database(struct link *l, const struct place *place)
{
	char db[16];

	if (place->db == 0)
		return 0;
	snprintf(db, sizeof(db), "%u", place->db);
	return link_ask_list(l, "SELECT", db, NULL) == 0 ? insist(l) : -1;
}

int link_open(struct link *l, const struct place *place)
{
	link_close(l);
	l->redis = place->path[0] ? redisConnectUnixNonBlock(place->path) :
		redisConnectNonBlock(place->host, place->port);
	if (!l->redis)
		return link_fail(l, "out of memory");
	if (l->redis->err)
		return fail_as_redis_says(l);
	if (await_connection(l) < 0 || authenticate(l, place) < 0 ||
	    choose_database(l, place) < 0)
		return -1;
	return 0;
}

void args_add_n(struct args *args, const char *text, size_t n)
{
	if (args->n < LINK_WORDS) {
		args->text[args->n] = text;
		args->len[args->n] = n;
	}
	args->n++;
}

void args_add(struct args *args, const char *text)
{
	args_add_n(args, text, strlen(text));
}

static int append(struct link *l, unsigned n, const char **text,
		  const size_t *len)
{
	if (!l->redis)
		return -1;
	if (redisAppendCommandArgv(l->redis, (int)n, text, len) == REDIS_OK)
		return 0;
	return fail_as_redis_says(l);
}

int link_ask(struct link *l, struct args *args)
{
	if (args->n > LINK_WORDS)
		return link_fail(l, "a command of %u words", args->n);
	return append(l, args->n, args->text, args->len);
}

int link_ask_list(struct link *l, ...)
{
	const char *text[LIST_MAX + 1];
	unsigned n = 0;
	va_list args;

	va_start(args, l);
	while (n < LIST_MAX && (text[n] = va_arg(args, const char *)))
		n++;
	va_end(args);
	return append(l, n, text, NULL);
}

/* Moves bytes, both ways, as far as that goes now. */
static int exchange(struct link *l, int events, int *flushed)
{
	if (!*flushed && redisBufferWrite(l->redis, flushed) != REDIS_OK)
		return fail_as_redis_says(l);
	if (events & (POLLIN | POLLERR | POLLHUP) &&
	    redisBufferRead(l->redis) != REDIS_OK)
		return fail_as_redis_says(l);
	return 0;
}

redisReply *link_answer(struct link *l, int ms)
{
	int64_t until = clock_ms() + ms;
	int flushed = 0, events = 0;
	void *reply = NULL;

	while (l->redis) {
		if (exchange(l, events, &flushed) < 0)
			return NULL;
		if (redisGetReplyFromReader(l->redis, &reply) != REDIS_OK) {
			fail_as_redis_says(l);
			return NULL;
		}
		if (reply)
			return reply;
		events = await(l, (short)(POLLIN | (flushed ? 0 : POLLOUT)),
			       until);
		if (events < 0)
			return NULL;
		if (events == 0 && clock_ms() >= until)
			link_fail(l, "no answer within %d ms", ms);
	}
	return NULL;
}

redisReply *link_expect(struct link *l, int ms)
{
	redisReply *r = link_answer(l, ms);

	if (!r || r->type != REDIS_REPLY_ERROR)
		return r;
	link_fail(l, "Redis says: %s", r->str);
	freeReplyObject(r);
	return NULL;
}
