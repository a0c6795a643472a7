/* SPDX-License-Identifier: MIT */
/*
 * child.h - a command of a source: started, signalled, gone
 *
 * It runs by /bin/sh -c as the leader of a session and process group of its
 * own, with /dev/null as its standard input, and gets SIGTERM should we die.
 * All of its group counts: child_gone() holds when nothing of it is left.
 * Whoever starts children is to be a subreaper (prctl(2)) and reap all.
 */
#ifndef SOURCES_CHILD_H
#define SOURCES_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "sources/warden.h"

struct child {
	pid_t pid;		/* and its group's; 0: there is none */
	bool reaped;		/* it, not all of its group */
	int out, err;		/* what it prints, non-blocking; -1: closed */
};

/* Starts it; user NULL: as this process.  Returns 0 or -1 with errno. */
int child_start(struct child *c, const char *command, const char *user,
		const struct warden *warden);

/* To all of the group. */
void child_signal(const struct child *c, int number);

/* Is nothing of the group left? */
bool child_gone(const struct child *c);

void child_close_out(struct child *c);
void child_close_err(struct child *c);

#endif
