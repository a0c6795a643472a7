/* SPDX-License-Identifier: MIT */
/*
 * passing.h - brings one connection to pushletd, or to an end
 */
#ifndef RELAY_PASSING_H
#define RELAY_PASSING_H

#include <stdint.h>
#include <sys/un.h>

#include "relay/starter.h"

struct passing {
	struct sockaddr_un address;	/* of pushletd's relay socket */
	int64_t patience;		/* ms to wait for it */
	struct starter starter;
};

/* Hands the connection over, or answers its request with 503 and logs why.
 * Then closes it.  Takes at most the patience and a second for the answer; a
 * fraction of a second when SIGTERM comes. */
void passing_on(struct passing *p, int connection);

#endif
