/* SPDX-License-Identifier: MIT */
/*
 * owner.c - whose a session is
 */
#include "broker/owner.h"

#include <string.h>

#include "broker/name.h"
#include "broker/session.h"
#include "broker/view.h"
#include "shm/store.h"

_Static_assert(OWNER_USER + 1 == sizeof(((struct session *)0)->user),
	       "the longest name fits");

enum outcome owner_set(struct broker *b, struct session_ref ref,
		       const char *user)
{
	struct session *s;
	size_t n = strlen(user);

	broker_lock(b);
	s = session_of(b, ref);
	if (s)
		store_bytes(s->user, n > OWNER_USER ? "" : user,
			    n > OWNER_USER ? 1 : n + 1);
	broker_unlock(b);
	return s ? DONE : GONE;
}

static bool same_user(const struct session *s, const char *user)
{
	return strnlen(s->user, sizeof(s->user)) == strlen(user) &&
	       memcmp(s->user, user, strlen(user)) == 0;
}

bool owner_is(struct broker *b, const char *id, enum session_bind bind,
	      const char *user, const char *address)
{
	const struct session *s = NULL;
	struct address a;
	bool is;

	address_read(&a, address, strlen(address));
	broker_lock(b);
	if (name_kind(id) == NAME_ID)
		s = session_named(b, id);
	is = s && (!(bind & BIND_USER) || same_user(s, user)) &&
	     (!(bind & BIND_ADDRESS) || address_same_site(&s->address, &a));
	broker_unlock(b);
	return is;
}
