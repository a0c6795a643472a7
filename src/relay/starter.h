/* SPDX-License-Identifier: MIT */
/*
 * starter.h - starts a pushletd when there is none, but only one
 *
 * Relays that miss a pushletd at the same time compete for a lock on a file
 * beside the socket.  The lock is held until the start has come to its end,
 * also when the relay that began it is gone.
 */
#ifndef RELAY_STARTER_H
#define RELAY_STARTER_H

#include <stddef.h>
#include <sys/types.h>

struct starter {
	char **program;		/* pushletd and its arguments, or NULL: none is
				 * to be started */
	const char *socket;	/* path */
	const char *log;	/* a file for its messages, or NULL: ours */
	int lock;		/* descriptor while we may start one, or -1 */
	pid_t child;		/* that starts one, or 0 */
};

enum start {
	START_WAIT,		/* it is under way, here or elsewhere */
	START_NOT		/* and will not be */
};

/*
 * One step of starting, to be called again and again while nobody listens at
 * the socket: take the lock; start (nobody may listen still, now that we have
 * the lock); see whether that failed.  START_NOT: why_out has the reason.
 */
enum start starter_step(struct starter *s, char *why_out, size_t size);

/* There is a pushletd, or we do not care any more. */
void starter_end(struct starter *s);

#endif
