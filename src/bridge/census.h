/* SPDX-License-Identifier: MIT */
/*
 * census.h - how many are at each node, by Redis
 *
 * PREFIX:counts:NODE is a hash with the fields sessions, watchers (who hear of
 * others, below /meta), and "s:SUBJECT" for each subject somebody subscribed
 * to.  It lasts as long as its node writes it.
 */
#ifndef BRIDGE_CENSUS_H
#define BRIDGE_CENSUS_H

#include "bridge/span.h"
#include "broker/elsewhere.h"

/* What this node told of itself last. */
struct told {
	struct census now, last;
	int64_t due, change_due;	/* clock_ms() */
	char key[KEY_SIZE];
	char (*numbers)[12];		/* CENSUS_MAX of them */
	struct args *args;		/* the caller's, to be used here */
};

/* -1: no memory. */
int told_init(struct told *t, const struct span *s, struct args *args);
void told_release(struct told *t);

/* Tells it anew: now and then, and when it has changed.  Returns 0, or -1 with
 * the link closed. */
int told_tell(struct told *t, const struct span *s, struct link *l);

/* Asks for the counts of a node; takes the answer into the draft. */
int census_ask(const struct span *s, struct link *l, const char *node);
int census_take(const struct span *s, struct link *l, struct elsewhere *draft);

#endif
