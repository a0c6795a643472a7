/* SPDX-License-Identifier: MIT */
/*
 * session.h - one client's membership, for as long as its lease runs
 *
 * A session is joined, then found by its id with every request (which renews
 * its lease), then leaves, expires, or is aborted.  While a listener serves it
 * the lease does not run.
 *
 * Invariants (session_check()):
 *	a live session's id and handle end with its own index (name.h)
 *	a listener's worker is a live worker
 *	the number of its subscriptions, parts included, is that of its list
 *	the open channels of each mode are counted
 */
#ifndef BROKER_SESSION_H
#define BROKER_SESSION_H

#include "broker/broker.h"
#include "broker/layout.h"

enum session_mode { MODE_STREAM, MODE_PULL, MODE_POLL };

/* The word for a mode, and the mode of a word (-1: none). */
const char *session_mode_name(unsigned mode);
int session_mode_of(const char *name);

/* What a request needs to know of its session: a copy. */
struct session_view {
	struct session_ref ref;
	char id[SESSION_ID_SIZE];
	char handle[SESSION_HANDLE_SIZE];
	unsigned format;		/* adapter number */
	enum session_mode mode;
	bool listened;			/* some listen set the mode */
	bool yielded;			/* to less than it asked for */
};

/* Makes a session.  address is the text of where the client is (address.h).
 * DONE with *view_out, SEGMENT_FULL or TOO_MANY_SESSIONS. */
enum outcome session_join(struct broker *b, unsigned format,
			  const char *address, struct session_view *view_out);

/* The session of an id, its lease renewed.  DONE or GONE. */
enum outcome session_find(struct broker *b, const char *id,
			  struct session_view *view_out);

/* Copies the handle of a session, for messages; "-" when it is gone. */
void session_handle(struct broker *b, struct session_ref ref,
		    char handle_out[SESSION_HANDLE_SIZE]);

/* Makes a session reliable: its events are numbered and stay queued until they
 * are acknowledged (delivery.h).  DONE or GONE. */
enum outcome session_rely(struct broker *b, struct session_ref ref);

/* Ends a session.  DONE or GONE. */
enum outcome session_leave(struct broker *b, struct session_ref ref);

/* Ends all sessions whose lease is over, unless another process looked within
 * the last second.  Returns how many it ended. */
unsigned session_expire(struct broker *b);

#endif
