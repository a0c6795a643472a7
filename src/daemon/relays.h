/* SPDX-License-Identifier: MIT */
/*
 * relays.h - who may hand connections over, and taking them
 *
 * What is refused is logged with its reason, once a second (log_may()).
 */
#ifndef DAEMON_RELAYS_H
#define DAEMON_RELAYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/properties.h"

struct relays {
	uid_t user;		/* may, as root may */
};

/* Takes over relay.user.  Returns 0, or -1 after logging that there is no such
 * user; then nothing changed. */
int relays_settle(struct relays *r, const struct properties *p);

/* May the process at the other end of this connection hand any over?  If not,
 * it is told so. */
bool relays_admit(struct relays *r, int fd);

/* Takes the connection that a relay's brings, and closes the relay's.  Returns
 * its descriptor, or -1 after logging what is wrong. */
int relays_take(int fd);

#endif
