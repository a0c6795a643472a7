/* SPDX-License-Identifier: MIT */
/*
 * roster.h - the open channels of a process, in the orders they are needed
 *
 * By age, for the longest life of a stream; by the time of the last write, for
 * heartbeats; and the newest channel of each session.  The first two lists
 * only grow at one end, so what is due next is always at the other.
 *
 * Only the loop's thread uses it, but for roster_count().
 */
#ifndef CHANNEL_ROSTER_H
#define CHANNEL_ROSTER_H

#include "channel/channel.h"

struct roster {
	struct channel *oldest, *newest;
	struct channel *quietest, *liveliest;
	struct channel **by_session;	/* by index of the session */
	uint32_t sessions;
	unsigned count;			/* atomic */
};

/* For sessions with indexes below sessions.  Returns 0 or -1 with ENOMEM. */
int roster_init(struct roster *r, uint32_t sessions);

/* Frees the roster's own memory; no channel may be left in it. */
void roster_release(struct roster *r);

void roster_add(struct roster *r, struct channel *c);
void roster_remove(struct roster *r, struct channel *c);

/* It has been written to just now. */
void roster_touch(struct roster *r, struct channel *c);

/* The newest channel of a session, or NULL. */
struct channel *roster_of(const struct roster *r, uint32_t session);

/* Makes c the one that roster_of() finds. */
void roster_name(struct roster *r, struct channel *c);

/* How many there are; from any thread, as a hint. */
unsigned roster_count(const struct roster *r);

#endif
