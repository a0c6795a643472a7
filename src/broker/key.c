/* SPDX-License-Identifier: MIT */
/*
 * key.c - the last keys of a session, hashed, in a ring
 *
 * A death between the two stores of key_note() leaves the newest key where the
 * next one goes.
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

bool key_known(const struct broker *b, const struct session *s,
	       const char *key)
{
	uint64_t h = hash(b, key);
	unsigned i;

	for (i = 0; i < KEYS; i++)
		if (s->keys[i] == h)
			return true;
	return false;
}

void key_note(const struct broker *b, struct session *s, const char *key)
{
	STORE(s->keys[s->keys_next % KEYS], hash(b, key));
	STORE(s->keys_next, s->keys_next + 1);
}
