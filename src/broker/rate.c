/* SPDX-License-Identifier: MIT */
/*
 * rate.c - so many a second, of a session or an address
 */
#include "broker/rate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "broker/view.h"
#include "shm/store.h"

#define SECOND 1000000			/* in units of a bucket */

static int64_t now_micros(void)
{
	return clock_ms() * 1000;
}

/* How far from full a bucket is, as a time; one that is further than could be
 * is damaged, and full. */
static int64_t lacking(int64_t full_at, int64_t now)
{
	return full_at <= now || full_at - now > 2 * SECOND ? 0 : full_at - now;
}

/* Takes one out of a bucket, or returns the milliseconds to wait. */
static unsigned take_one(int64_t *full_at, uint64_t rate)
{
	int64_t one = SECOND / (int64_t)rate, now = now_micros();
	int64_t lacks = lacking(*full_at, now), over = lacks + one - SECOND;

	if (over > 0)
		return (unsigned)((over + 999) / 1000);
	STORE(*full_at, now + lacks + one);
	return 0;
}

unsigned rate_publish(struct broker *b, struct session_ref ref, uint64_t rate)
{
	struct session *s;
	unsigned wait = 0;

	broker_lock(b);
	s = session_of(b, ref);
	if (s)
		wait = take_one(&s->publish_full, rate);
	broker_unlock(b);
	return wait;
}

/* The bucket of a site. */
static struct rate *find(struct broker *b, const struct address *a)
{
	uint64_t site = address_hash(b, a);
	struct rate *set = &b->rates[site % (RATES / RATE_WAYS) * RATE_WAYS];
	struct rate *fullest = set;
	int i;

	for (i = 0; i < RATE_WAYS; i++) {
		if (set[i].site == site)
			return &set[i];
		if (set[i].full_at < fullest->full_at)
			fullest = &set[i];
	}
	STORE(fullest->full_at, (int64_t)0);
	STORE(fullest->site, site);
	return fullest;
}

unsigned rate_request(struct broker *b, const struct address *a, uint64_t rate)
{
	unsigned wait;

	broker_lock(b);
	wait = take_one(&find(b, a)->full_at, rate);
	broker_unlock(b);
	return wait;
}
