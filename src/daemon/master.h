/* SPDX-License-Identifier: MIT */
/*
 * master.h - a small process that keeps workers alive
 *
 * The master serves nothing and holds nothing: it starts workers, passes
 * SIGTERM, SIGINT and SIGHUP on to them, and starts another for one that died.
 * Workers end when the master does.
 */
#ifndef DAEMON_MASTER_H
#define DAEMON_MASTER_H

/*
 * Runs n processes of work(arg, ready_fd), whose return value is their exit
 * status; each writes a byte to ready_fd once it serves.  ready(arg) is called
 * when all do for the first time.  Returns the exit status of the master:
 * failure when a worker failed before it was ready.
 */
int master_run(unsigned n, int (*work)(void *arg, int ready_fd),
	       void (*ready)(void *arg), void *arg);

#endif
