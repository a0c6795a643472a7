/* SPDX-License-Identifier: MIT */
/*
 * feed_kind.h - inside feed/: what the kinds of feeds have in common
 */
#ifndef FEED_FEED_KIND_H
#define FEED_FEED_KIND_H

#include "feed/feed.h"

/* The first member of the struct of each kind. */
struct feed {
	struct feed_calls calls;
	enum feed_state state;
	char delimiter;			/* no event ends elsewhere */
	void (*take)(struct feed *f, const char *bytes, size_t n);
	void (*end)(struct feed *f);
	void (*release)(struct feed *f);
};

/* Makes "line N: TEXT" of it. */
void feed_fault(struct feed *f, unsigned long line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Hands the event over.  False: it was the last. */
bool feed_event(struct feed *f, const struct outgoing *event);

#endif
