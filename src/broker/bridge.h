/* SPDX-License-Identifier: MIT */
/*
 * bridge.h - what the process that carries events to other nodes does here
 *
 * The log is what it reads, wherever it got to; it need not live for events to
 * be kept for it.  Of two bridges the second one is refused.
 */
#ifndef BROKER_BRIDGE_H
#define BROKER_BRIDGE_H

#include "broker/broker.h"
#include "broker/layout.h"

enum { BRIDGE_EVENTS = 256 };	/* most in a batch */

/* Events of this node that are to cross, oldest first. */
struct bridge_batch {
	unsigned count;
	struct {
		uint64_t number;
		size_t offset;		/* of its packed attributes in bytes */
		size_t n;
	} events[BRIDGE_EVENTS];
	struct buf bytes;
};

/* A place in the log.  All zero: its beginning. */
struct bridge_place {
	uint64_t position;
	uint64_t number;		/* below it events are passed over */
	size_t need;			/* room that one event takes */
};

/* Makes this process the bridge.  Returns 0; or the pid of one that lives. */
uint32_t bridge_enter(struct broker *b);

/* Is not it any more. */
void bridge_exit(struct broker *b);

/* Under which epoch the numbers of this segment go. */
uint64_t bridge_epoch(const struct broker *b);

/* Takes a higher epoch than that one, which is not ours: the clock was set
 * back since the segment before this one was made. */
void bridge_outlive(struct broker *b, uint64_t epoch);

/*
 * Fills the batch with what follows the place, which moves.  Returns whether
 * there may be more now; a batch without events is the end otherwise.  The
 * caller releases batch->bytes at last.
 */
bool bridge_read(struct broker *b, struct bridge_place *place,
		 struct bridge_batch *batch);

/* So many events up to that number are elsewhere now; so many were lost before
 * they got there, since the log has overrun them. */
void bridge_sent(struct broker *b, uint64_t number, uint64_t events,
		 uint64_t lost);

/* The last number that was given here; that is elsewhere, as noted. */
uint64_t bridge_given(struct broker *b);
uint64_t bridge_sent_number(struct broker *b);

/* Are other nodes within reach? */
void bridge_note(struct broker *b, bool connected);

/* Waits until something is published that crosses; may return early. */
void bridge_wait(struct broker *b);

/* Clears the bell: comes before bridge_read(). */
void bridge_answer(struct broker *b);

/* Wakes who waits, from another thread or a signal handler. */
void bridge_ring(struct broker *b);

#endif
