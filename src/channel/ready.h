/* SPDX-License-Identifier: MIT */
/*
 * ready.h - channels that may have something to write, first come first served
 *
 * A chain through the channels themselves: adding cannot fail.
 *
 * Invariant: a channel is in it once if and only if its flag ready is set.
 */
#ifndef CHANNEL_READY_H
#define CHANNEL_READY_H

#include "channel/channel.h"

struct ready {
	struct channel *first, **last;	/* chained by next_ready */
	unsigned count;
};

void ready_init(struct ready *r);

/* Adds a channel, unless it is there or is ending. */
void ready_add(struct ready *r, struct channel *c);

/* Takes up to max, in order.  Returns how many. */
unsigned ready_take(struct ready *r, struct channel **out, unsigned max);

/* Removes a channel, if it is there.  Costs a walk. */
void ready_remove(struct ready *r, struct channel *c);

#endif
