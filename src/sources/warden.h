/* SPDX-License-Identifier: MIT */
/*
 * warden.h - a process that ends what we started when we cannot
 *
 * It waits at a pipe that we alone hold open.  Process groups are written into
 * it before their command runs; when the pipe closes without a farewell (we
 * were killed) it ends the groups it knows: SIGTERM, and SIGKILL to what is
 * left after two seconds.  One that dies is replaced by warden_start() again,
 * and told again.
 */
#ifndef SOURCES_WARDEN_H
#define SOURCES_WARDEN_H

#include <stdbool.h>
#include <sys/types.h>

struct warden {
	pid_t pid;		/* 0: there is none */
	int fd;			/* the pipe, or -1 */
};

/* Forks it.  Returns 0 or -1 with errno. */
int warden_start(struct warden *w);

/* A group has begun, or is gone.  May be called by the process that is about
 * to become the command.  Returns 0, or -1 with errno: it was not told. */
int warden_tell(const struct warden *w, pid_t group, bool begun);

/* It was reaped. */
void warden_died(struct warden *w);

/* Closes the pipe and waits for its end. */
void warden_stop(struct warden *w);

#endif
