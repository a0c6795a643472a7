/* SPDX-License-Identifier: MIT */
/*
 * owner.h - whose a session is: the property session.bind
 *
 * A session keeps the address it was joined from, and the user.  To who is not
 * its owner an id is one that does not exist.
 */
#ifndef BROKER_OWNER_H
#define BROKER_OWNER_H

#include <stdbool.h>

#include "broker/broker.h"

#define OWNER_USER 63			/* bytes of a user's name at most */

/* Notes the user of a session that nobody knows yet; one whose name is too long
 * is as none.  DONE or GONE. */
enum outcome owner_set(struct broker *b, struct session_ref ref,
		       const char *user);

/* May this user, from this address (text, address.h), use the session of an id,
 * by session.bind?  An id of no session: no. */
bool owner_is(struct broker *b, const char *id, enum session_bind bind,
	      const char *user, const char *address);

#endif
