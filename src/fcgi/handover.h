/* SPDX-License-Identifier: MIT */
/*
 * handover.h - an accepted connection goes from a relay to pushletd
 *
 *	relay                      unix socket  pushletd
 *	handover_offer()    -> version, descriptor -> handover_take()
 *	handover_answer()   <- taken, or why not   <- handover_accept(), _refuse()
 *
 * Each hand-over has a connection of its own.  The offer is one byte with one
 * descriptor (SCM_RIGHTS); the answer is one byte, and a text after a refusal.
 *
 * The accepted connection has changed hands if and only if the answer "taken"
 * could be sent: from handover_withdraw() on that fails, so the two never both
 * serve a connection, and never both let it go.
 */
#ifndef FCGI_HANDOVER_H
#define FCGI_HANDOVER_H

#include <stddef.h>

enum handover {
	HANDOVER_OPEN,		/* no answer yet */
	HANDOVER_TAKEN,
	HANDOVER_REFUSED,
	HANDOVER_LOST		/* it ended without an answer: not taken */
};

/* ---- the relay's side ---- */

/* Offers a connection, which stays the caller's until it is taken.  Never
 * blocks.  Returns 0, or -1 with errno; an answer may be there all the same. */
int handover_offer(int fd, int connection);

/* The answer, if it is there; never blocks.  why_out gets the text of a
 * refusal, cut to size bytes with its NUL. */
enum handover handover_answer(int fd, char *why_out, size_t size);

/* Takes the offer back.  Returns as handover_answer() does, but never
 * HANDOVER_OPEN: what is not taken by now never will be. */
enum handover handover_withdraw(int fd, char *why_out, size_t size);

/* ---- pushletd's side ---- */

/*
 * Reads an offer that has come in.  Returns the descriptor, close-on-exec and
 * a connected stream socket as far as can be told, or -1 and in *why_out a
 * constant text that says what is wrong with it; nothing it brought is left
 * open then.
 */
int handover_take(int fd, const char **why_out);

/* Says that the connection is taken.  Returns 0, or -1 when the relay does not
 * want that any more: then it must not be touched. */
int handover_accept(int fd);

/* Says why not, if the relay still listens. */
void handover_refuse(int fd, const char *why);

#endif
