/* SPDX-License-Identifier: MIT */
/*
 * link.h - a connection to Redis that waits for nothing without end
 *
 * Every wait ends when the halt descriptor becomes readable, or with a time.
 * After a failure the link is closed, and link->why says what it was.
 */
#ifndef BRIDGE_LINK_H
#define BRIDGE_LINK_H

#include <hiredis.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "bridge/place.h"

#define LINK_WORDS 8448		/* of the largest event, and more */

struct link {
	redisContext *redis;		/* NULL: closed */
	int halt_fd;			/* set by the caller */
	struct buf why;			/* released by the caller */
};

/* Connects, says who we are, chooses the database.  Returns 0 or -1. */
int link_open(struct link *l, const struct place *place);

void link_close(struct link *l);

/* A command in words, the bytes of which may hold anything.  Too large for a
 * stack.  It begins with n = 0. */
struct args {
	unsigned n;
	const char *text[LINK_WORDS];
	size_t len[LINK_WORDS];
};

/* Adds a word that ends with NUL; or of n bytes.  What does not fit makes the
 * command fail when it is asked. */
void args_add(struct args *args, const char *text);
void args_add_n(struct args *args, const char *text, size_t n);

/* Puts a command behind those not yet sent.  Returns 0 or -1. */
int link_ask(struct link *l, struct args *args);

/* The same with at most 16 words that are given, NULL behind the last. */
int link_ask_list(struct link *l, ...) __attribute__((sentinel));

/*
 * Sends what was asked, waits for the next answer for at most ms.  The caller
 * frees it (freeReplyObject); an error of Redis is an answer.  NULL: the link
 * is closed, or it is time to halt.
 */
redisReply *link_answer(struct link *l, int ms);

/* The same, when any error is a failure: it closes the link. */
redisReply *link_expect(struct link *l, int ms);

/* Closes the link for a reason of the caller's; returns -1. */
int link_fail(struct link *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Waits so long, or until it is time to halt, which is what it returns. */
bool link_pause(const struct link *l, int ms);

#endif
