/* SPDX-License-Identifier: MIT */
/*
 * subscription.h - which events a session wants
 *
 * Invariants (subscription_check(), topic_check()):
 *	every live subscription belongs to a live session, and is in its list
 *	every part leads from exactly one live first part
 *	every live subscription and part is in the topic index once, by subject
 *	lengths[n] is the number of different subjects of n bytes
 */
#ifndef BROKER_SUBSCRIPTION_H
#define BROKER_SUBSCRIPTION_H

#include "broker/broker.h"

#define SID_SIZE 24		/* text of a sid with its NUL */

/* Writes the text of a sid. */
void subscription_sid(char sid_out[SID_SIZE], uint32_t index,
		      uint32_t generation);

/*
 * Subscribes a session to one or more subjects, separated by commas (empty
 * ones are skipped).  label may be NULL.  The last events of the history that
 * match are queued for it first, marked p_history, as far as history.max and
 * its queue allow.  DONE with the sid, or GONE, NO_SUBJECT, SUBJECT_TOO_LONG,
 * BAD_TEXT, TOO_MANY_SUBSCRIPTIONS, SEGMENT_FULL, NO_MEMORY; nothing has
 * changed then.
 */
enum outcome subscription_add(struct broker *b, struct session_ref ref,
			      const char *subjects, const char *label,
			      uint64_t last, char sid_out[SID_SIZE]);

/* The same, but a subscription of the session to just these subjects with just
 * this label, if there is one, serves, and nothing is replayed: a client that
 * listens again and again with its subject does not pile them up. */
enum outcome subscription_ensure(struct broker *b, struct session_ref ref,
				 const char *subjects, const char *label,
				 uint64_t last, char sid_out[SID_SIZE]);

/*
 * Ends one subscription.  Appends the subjects (as a comma list) and, if it
 * had one, the label; *labelled_out tells.  DONE, GONE, NO_SUCH_SUBSCRIPTION.
 */
enum outcome subscription_remove(struct broker *b, struct session_ref ref,
				 const char *sid, struct buf *subjects_out,
				 struct buf *label_out, bool *labelled_out);

/* Does anybody want events of that subject or, with below, of one that begins
 * like it? */
bool subscription_wanted(struct broker *b, const char *subject, bool below);

/* Ends all of a session's.  DONE or GONE. */
enum outcome subscription_clear(struct broker *b, struct session_ref ref);

#endif
