/* SPDX-License-Identifier: MIT */
/*
 * steer.h - what an operator does to sessions and channels
 */
#ifndef BROKER_STEER_H
#define BROKER_STEER_H

#include "broker/broker.h"
#include "broker/layout.h"

/* Ends the session of a handle.  Its channel, if any, says abort with the
 * reason, which is cut to REASON_SIZE ("": there is none to say), and the
 * session is no use from now on.  DONE or GONE (an id is no handle). */
enum outcome steer_kick(struct broker *b, const char *handle,
			const char *reason);

/* Every channel that is open now shall end with a refresh, spread over so many
 * seconds.  A new drain replaces one that is under way.  Returns how many are
 * open. */
unsigned steer_drain(struct broker *b, unsigned seconds);

/* For whoever has channels, about once a second: is there a drain?  It stays
 * in force for a while after its end, for those who come late.  Needs no
 * lock. */
bool steer_draining(struct broker *b, struct drain *order_out);

/* How many of n channels to end now, by who asks every tick ms. */
uint64_t steer_share(const struct drain *order, uint64_t n, int64_t tick);

#endif
