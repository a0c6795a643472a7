/* SPDX-License-Identifier: MIT */
/*
 * closeup.h - one session, or all subjects, copied out for operators
 */
#ifndef BROKER_CLOSEUP_H
#define BROKER_CLOSEUP_H

#include "broker/status.h"
#include "broker/subscription.h"

struct closeup_subscription {
	char sid[SID_SIZE];
	char *subjects;			/* comma list; owned */
	char *label;			/* owned; NULL: none */
};

struct closeup {
	struct status_session session;
	bool reliable;			/* its client names what arrived */
	bool yielded;			/* asked for more than its mode */
	bool aborted;			/* over; its channel is to say so */
	unsigned served_as;		/* mode of its channel */
	uint64_t sent;			/* of the queued: handed to the channel */
	uint64_t untold;		/* of the lost: not yet reported */
	struct closeup_subscription *subscriptions;	/* owned */
	unsigned n;
};

/* All that is known of the session of a handle.  DONE with *out, which the
 * caller releases; GONE (an id is no handle); NO_MEMORY. */
enum outcome closeup_read(struct broker *b, const char *handle,
			  struct closeup *out);
void closeup_release(struct closeup *c);

struct closeup_subject {
	char *subject;			/* owned */
	unsigned sessions;		/* that subscribed to just this */
};

/* Every subject that somebody subscribed to, in the order of its bytes: an
 * array on the heap, *n_out long, for closeup_subjects_free().  NULL when empty;
 * then, if memory ran out, with errno ENOMEM, else 0. */
struct closeup_subject *closeup_subjects(struct broker *b, unsigned *n_out);
void closeup_subjects_free(struct closeup_subject *list, unsigned n);

#endif
