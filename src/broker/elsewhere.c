/* SPDX-License-Identifier: MIT */
/*
 * elsewhere.c - a table of counts that is replaced as a whole
 */
#include "broker/elsewhere.h"

#include <string.h>

#include "base/clock.h"
#include "broker/properties.h"
#include "broker/view.h"
#include "shm/store.h"

enum { FULL = ELSEWHERE_SLOTS / 2, STEPS = 64 };

/* Does what the table says still hold? */
static bool current(const struct broker *b)
{
	int64_t until = b->map->elsewhere.until;

	return until && sweep_waits(until, clock_ms(), ELSEWHERE_MS);
}

/* The place of a subject, or a free one; NULL: neither within STEPS. */
static const struct elsewhere_count *find(const struct elsewhere *table,
					  uint64_t hash)
{
	unsigned i;

	for (i = 0; i < STEPS; i++) {
		const struct elsewhere_count *c =
			&table->counts[(hash + i) % ELSEWHERE_SLOTS];

		if (c->subject == hash || c->subject == 0)
			return c;
	}
	return NULL;
}

/* 0 is no subject's. */
static uint64_t hash_of(const struct broker *b, const char *subject, size_t n)
{
	uint64_t hash = topic_hash(b, subject, n);

	return hash ? hash : 1;
}

void elsewhere_add(const struct broker *b, struct elsewhere *fresh,
		   const char *subject, size_t n, uint32_t online)
{
	uint64_t hash = hash_of(b, subject, n);
	const struct elsewhere_count *found = find(fresh, hash);
	struct elsewhere_count *out;

	/* It counts its subjects as long as it is fresh. */
	if (!found || (found->subject == 0 && fresh->reserved == FULL))
		return;
	out = &fresh->counts[found - fresh->counts];
	fresh->reserved += out->subject == 0;
	out->subject = hash;
	out->online += online;
}

void elsewhere_store(struct broker *b, const struct elsewhere *fresh)
{
	struct elsewhere *table = &b->map->elsewhere;

	broker_lock(b);
	STORE(table->until, 0);
	STORE(table->sessions, fresh->sessions);
	STORE(table->watchers, fresh->watchers);
	store_bytes(table->counts, fresh->counts, sizeof(table->counts));
	STORE(table->until, clock_ms() + ELSEWHERE_MS);
	broker_unlock(b);
}

uint32_t elsewhere_online(const struct broker *b, const char *subject, size_t n)
{
	const struct elsewhere_count *found;
	uint64_t hash;

	if (!current(b))
		return 0;
	hash = hash_of(b, subject, n);
	found = find(&b->map->elsewhere, hash);
	return found && found->subject == hash ? found->online : 0;
}

uint64_t elsewhere_sessions(const struct broker *b)
{
	return current(b) ? b->map->elsewhere.sessions : 0;
}

bool elsewhere_watched(const struct broker *b)
{
	return current(b) && b->map->elsewhere.watchers > 0;
}

/* topic_each(): the first subscription of a subject. */
static bool count_one(struct broker *b, const struct subscription *head,
		      void *arg)
{
	struct census *out = arg;
	struct buf *to = &out->subjects;

	if (!subscription_fits(b, head) ||
	    topic_reserved(head->text, head->subject_bytes))
		return true;
	if (out->count == CENSUS_MAX ||
	    to->cap - to->len <= (size_t)head->subject_bytes + 1)
		return false;
	buf_add(to, head->text, head->subject_bytes);
	buf_putc(to, '\0');
	out->online[out->count++] = head->online;
	return true;
}

void census_read(struct broker *b, struct census *out)
{
	out->count = 0;
	buf_clear(&out->subjects);
	buf_reserve(&out->subjects,
		    (size_t)CENSUS_MAX * (b->geometry.subject_bytes + 2));
	broker_lock(b);
	out->sessions = b->map->sessions.used;
	out->watchers = b->map->rules.meta_events == META_ON ?
		(uint32_t)b->map->watchers : 0;
	topic_each(b, count_one, out);
	broker_unlock(b);
}
