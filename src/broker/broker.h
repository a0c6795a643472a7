/* SPDX-License-Identifier: MIT */
/*
 * broker.h - a process's view of one segment
 *
 * Calling sequence: broker_open(), then any functions of session.h,
 * subscription.h, publish.h, listener.h, delivery.h, worker.h, status.h from
 * any thread, then broker_close().  Each of those takes the segment lock for
 * itself, for a bounded time, and rings the doorbells it owes after giving it
 * back.  None of them may be called by who holds the lock; the ones that need
 * it held are in view.h.
 *
 * Whoever finds that the last holder of the lock died repairs the segment
 * first (repair.h): that needs no call.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "broker/event.h"
#include "broker/layout.h"
#include "broker/properties.h"
#include "shm/segment.h"

struct broker;

/* Why an operation did not happen. */
enum outcome {
	DONE = 0,
	GONE,			/* no such session, or its lease ended */
	NO_SUCH_SUBSCRIPTION,	/* of this session */
	NO_SUBJECT,		/* none given, or nothing but commas */
	SUBJECT_TOO_LONG,	/* over geometry.subject_bytes, with label */
	TOO_MANY_SUBSCRIPTIONS,	/* session.max.subscriptions */
	TOO_MANY_SESSIONS,	/* address.max.sessions */
	SEGMENT_FULL,		/* sessions, subscriptions or workers used up */
	BAD_TEXT,		/* not UTF-8 */
	BAD_NAME,		/* an attribute name that is no XML name */
	TOO_MANY_ATTRIBUTES,	/* event.max.attributes */
	EVENT_TOO_LARGE,	/* event.max.bytes */
	RESERVED_SUBJECT,	/* /meta is the server's */
	NO_MEMORY		/* of this process */
};

/* A session, kept by somebody: says "gone" when the slot is used anew. */
struct session_ref {
	uint32_t index;
	uint32_t generation;
};

/*
 * Opens the segment that p names.  create: make it if there is none, by p's
 * limits (a segment that is there keeps its own; a difference is said in
 * report), and set its rules to p's.  Returns SEGMENT_OK with *b_out, or why not with errno as in
 * segment.h.  p is copied.
 */
enum segment_status broker_open(struct broker **b_out,
				const struct properties *p, bool create,
				struct buf *report);

/* Detaches and sets *b to NULL.  The segment stays. */
void broker_close(struct broker **b);

/* Sets the rules of the segment (layout.h), for every process that has it
 * open, to p's. */
void broker_settle(struct broker *b, const struct properties *p);

/* The segment's name. */
const char *broker_name(const struct broker *b);

/* The name of this machine among several; "": it is alone.  Needs no lock. */
void broker_node(const struct broker *b, char out[NODE_SIZE]);

/* Did this broker_open() make the segment? */
bool broker_made(const struct broker *b);

/* Was the segment destroyed under us?  Needs no lock. */
bool broker_retired(const struct broker *b);

/* What an event of this segment may be, by its geometry and rules. */
struct event_limits broker_event_limits(const struct broker *b);

/* How many sessions the segment can hold: one more than the largest index. */
uint32_t broker_sessions_max(const struct broker *b);

/* One more refusal in the counts: by a rule, not for want of room. */
void broker_count_refusal(struct broker *b);

/* How p_from and p_to name sessions: enum publish_from. */
int broker_publish_from(const struct broker *b);

/*
 * Takes the lock and verifies every invariant that the headers state; changes
 * nothing.  Appends a line per broken one.  Returns how many are broken.
 */
int broker_check(struct broker *b, struct buf *report);

/* Re-establishes every invariant, as the next lock holder would after a
 * crash. */
void broker_repair(struct broker *b);

/* The same with a look before and after it, under one lock: a line per broken
 * invariant found, and per one left.  Returns how many are left. */
int broker_mend(struct broker *b, struct buf *found, struct buf *left);

/* Removes the segment's name and tells every process that has it open to let
 * go.  Returns 0 or -1 with errno. */
int broker_destroy(struct broker *b);

#endif
