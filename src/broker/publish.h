/* SPDX-License-Identifier: MIT */
/*
 * publish.h - an event goes to everybody who wants it
 *
 * Publishing appends one record to the log and one reference to the queue of
 * each session with a matching subscription: its cost is the number of
 * matches.  It waits for nobody, unless asked to.
 */
#ifndef BROKER_PUBLISH_H
#define BROKER_PUBLISH_H

#include "broker/broker.h"
#include "broker/event.h"
#include "broker/node.h"

struct publication {
	const char *subject;		/* required */
	const struct event *attributes;	/* those named p_... are left out */
	const char *from;		/* p_from, or NULL */
	const char *to;			/* id or handle, or NULL: by subject */
	bool paced;			/* wait for room in the queues of those
					 * who listen, for at most
					 * queue.write.timeout.millis */
	const struct passage *passage;	/* from another node, or NULL */
	const char *key;		/* p_key, or NULL: it can be told from */
	struct session_ref by;		/* others of this session */
};

/*
 * An event with the key of one that the same session published is not published
 * again: DONE, it reaches nobody.  The last KEYS keys are known.
 *
 * DONE: the event is in the log and in *reached_out queues (for p_to 0 or 1;
 * an unknown addressee is no error).  Else why not, with the offending name or
 * limit in *detail_out if that is not NULL (valid until attributes change).
 *
 * An event of another node may have a reserved subject, has the time that its
 * passage says, and is published once: one that is known already reaches
 * nobody.  Known it is after DONE, and after node_skip().
 */
enum outcome publish(struct broker *b, const struct publication *p,
		     unsigned *reached_out, const char **detail_out);

#endif
