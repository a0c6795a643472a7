/* SPDX-License-Identifier: MIT */
/*
 * server.h - one process that serves
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "daemon/listen.h"
#include "daemon/options.h"

/* One of them at least. */
struct sockets {
	struct listen_socket web;	/* the web server connects to it */
	struct listen_socket relay;	/* relays do, and bring connections */
};

/*
 * Serves until SIGTERM or SIGINT.  A segment that is destroyed meanwhile is
 * made anew, by the properties as they are then.  ready(arg) is called once,
 * when requests are accepted.  Returns the exit status of the process.
 */
int server_run(const struct options *o, const struct properties *p,
	       const struct sockets *sockets,
	       void (*ready)(void *arg), void *arg);

#endif
