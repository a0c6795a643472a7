/* SPDX-License-Identifier: MIT */
/*
 * delivery.h - events out of the queues: take, write, commit
 *
 * A worker takes for many channels under one lock, renders and writes without
 * it, and commits what the kernel took under one lock.  A crash in between
 * repeats an event; it never loses one.
 */
#ifndef BROKER_DELIVERY_H
#define BROKER_DELIVERY_H

#include "broker/broker.h"
#include "broker/layout.h"
#include "broker/subscription.h"

enum taken {
	TAKEN,			/* zero or more events, and see more */
	TAKEN_GONE,		/* the session left or expired */
	TAKEN_REPLACED,		/* another channel serves the session now */
	TAKEN_ABORTED		/* the session must get an abort, then leave */
};

/* What one channel asks for, and gets. */
struct take {
	struct session_ref ref;
	uint64_t channel;
	unsigned max;			/* events at most; 0: only ask after the
					 * session */
	size_t room;			/* stop once so many packed bytes are
					 * taken; the first is always taken */

	enum taken result;
	unsigned first, count;		/* deliveries, below */
	uint64_t lost;			/* lost before the first of them */
	bool more;			/* the queue holds more */
	bool reliable;			/* the client wants them numbered */
	char reason[REASON_SIZE];	/* of TAKEN_ABORTED; "": a full queue */
};

struct delivery {
	uint64_t position;		/* of the event in the log */
	uint64_t counter;		/* of the queue; commit counter + 1 */
	char sid[SID_SIZE];		/* "" for a unicast */
	uint32_t label, label_bytes;	/* in labels; label_bytes 0xffff: none */
};

struct deliveries {
	struct delivery *items;		/* owned; count of cap in use */
	unsigned count, cap;
	struct buf labels;
};

#define DELIVERIES_INIT { NULL, 0, 0, BUF_INIT }

void deliveries_release(struct deliveries *d);

/* Where the events themselves go.  Both are called with the lock held: no
 * waiting.  A position that was in a queue is never used again. */
struct intake {
	bool (*has)(void *arg, uint64_t position);
	void (*keep)(void *arg, uint64_t position, const char *packed,
		     size_t n);
	void *arg;
};

/* Takes for n channels.  d is emptied first. */
void delivery_take(struct broker *b, struct take *takes, unsigned n,
		   const struct intake *intake, struct deliveries *d);

/* What one channel got rid of. */
struct commit {
	struct session_ref ref;
	uint64_t channel;
	uint64_t counter;		/* all before it arrived; 0: nothing */
	uint64_t lost_told;		/* losses reported along with them */
	bool detach;			/* and the channel ends, as with
					 * listener_detach() */
};

/* Commits for n channels; those replaced meanwhile are skipped.  Events of a
 * stream leave the queue with that; those of a pull or poll, and all of a
 * reliable session, when they are acknowledged. */
void delivery_commit(struct broker *b, const struct commit *commits,
		     unsigned n);

/* The client is back.  ack is how many events of the session it has (the
 * p_eid of the last one); NULL: it does not say, so what responses carried
 * counts as arrived, unless the session is reliable.  DONE or GONE; DONE with
 * the ack that would say what is known now. */
enum outcome delivery_acknowledge(struct broker *b, struct session_ref ref,
				  const uint64_t *ack, uint64_t *settled_out);

#endif
