/* SPDX-License-Identifier: MIT */
/*
 * server.h - one process that serves
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "daemon/listen.h"
#include "daemon/options.h"

/*
 * Serves until SIGTERM or SIGINT.  A segment that is destroyed meanwhile is
 * made anew, by the properties as they are then.  ready(arg) is called once,
 * when requests are accepted.  Returns the exit status of the process.
 */
int server_run(const struct options *o, const struct properties *p,
	       const struct listen_socket *socket,
	       void (*ready)(void *arg), void *arg);

#endif
