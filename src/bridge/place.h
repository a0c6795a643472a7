/* SPDX-License-Identifier: MIT */
/*
 * place.h - where Redis is, and who we are there
 */
#ifndef BRIDGE_PLACE_H
#define BRIDGE_PLACE_H

#include "base/buf.h"
#include "broker/properties.h"

struct place {
	char path[104];			/* of a unix socket, or "" */
	char host[256];
	int port;
	unsigned db;
	char user[64];			/* "": the default one */
	char password_file[256];	/* "": no password */
};

/* redis://HOST[:PORT][/DB] or unix:/PATH, as bridge.redis has it.  Returns 0,
 * or -1 with a line that says what is allowed in why. */
int place_read(struct place *place, const struct properties *p,
	       struct buf *why);

/* The first line of the password file.  Returns 0, or -1 with why.  One that
 * others may read is warned of, once. */
int place_password(const struct place *place, struct buf *password_out,
		   struct buf *why);

/* For messages: "unix:/PATH" or "HOST:PORT". */
void place_name(const struct place *place, struct buf *out);

#endif
