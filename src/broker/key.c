/* SPDX-License-Identifier: MIT */
/*
 * key.c - the last keys of a session, hashed, in a ring
 *
 * A key is noted with the fan-out of its event, by whoever finishes that: there
 * is no event without its key, and no key without its event.  A death between
 * the two stores of note() leaves the newest key where the next one goes.
 */
#include <string.h>

#include "broker/view.h"
#include "shm/store.h"

/* 0 means that there is no key. */
static uint64_t hash(const struct broker *b, const char *key)
{
	uint64_t h = topic_hash(b, key, strlen(key));

	return h ? h : 1;
}

static bool noted(const struct session *s, uint64_t h)
{
	unsigned i;

	for (i = 0; i < KEYS; i++)
		if (s->keys[i] == h)
			return true;
	return false;
}

bool key_known(const struct broker *b, const struct session *s,
	       const char *key)
{
	return noted(s, hash(b, key));
}

void key_begin(struct broker *b, const struct session *s, const char *key)
{
	struct keyed *k = &b->map->keyed;

	STORE(k->session, session_index(b, s));
	STORE(k->generation, s->slot.generation);
	STORE(k->hash, hash(b, key));
}

static void note(struct session *s, uint64_t h)
{
	STORE(s->keys[s->keys_next % KEYS], h);
	STORE(s->keys_next, s->keys_next + 1);
}

void key_settle(struct broker *b)
{
	const struct keyed *k = &b->map->keyed;
	struct session *s;

	if (!k->hash)
		return;
	s = session_of(b, (struct session_ref){ k->session, k->generation });
	if (s && !noted(s, k->hash))	/* a repair may come here again */
		note(s, k->hash);
}

void key_end(struct broker *b)
{
	if (b->map->keyed.hash)
		STORE(b->map->keyed.hash, 0);
}
