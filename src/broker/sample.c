/* SPDX-License-Identifier: MIT */
/*
 * sample.c - a ring whose order is that of its times
 */
#include "broker/sample.h"

#include <string.h>

#include "base/clock.h"
#include "broker/view.h"
#include "shm/store.h"

enum { PERIOD = 1000 };		/* ms between two samples, by whoever */

/* The oldest one: it is written over. */
static struct sample *oldest(struct broker *b)
{
	struct sample *s = b->map->samples, *found = s;

	for (; s < b->map->samples + SAMPLES; s++)
		if (s->time < found->time)
			found = s;
	return found;
}

void sample_due(struct broker *b)
{
	int64_t now = clock_ms();
	struct sample *s;

	if (sweep_waits(LOAD(b->map->sample_due), now, PERIOD))
		return;
	broker_lock(b);
	if (!sweep_waits(b->map->sample_due, now, PERIOD)) {
		STORE(b->map->sample_due, now + PERIOD);
		s = oldest(b);
		STORE(s->time, 0);
		store_bytes(&s->counts, &b->map->counts, sizeof(s->counts));
		STORE(s->time, now);
	}
	broker_unlock(b);
}

/* The newest sample that is at least so old, if it is not much older. */
static const struct sample *sample_before(struct broker *b, int64_t time)
{
	const struct sample *s, *found = NULL;

	for (s = b->map->samples; s < b->map->samples + SAMPLES; s++)
		if (s->time > 0 && s->time <= time &&
		    (!found || s->time > found->time))
			found = s;
	return found && time - found->time <= 3 * PERIOD ? found : NULL;
}

/* The oldest sample that is not older. */
static const struct sample *sample_since(struct broker *b, int64_t time)
{
	const struct sample *s, *found = NULL;

	for (s = b->map->samples; s < b->map->samples + SAMPLES; s++)
		if (s->time > time && (!found || s->time < found->time))
			found = s;
	return found;
}

/* Each count less what it was. */
static struct counts difference(const struct counts *now,
				const struct counts *then)
{
	struct counts d;
	uint64_t a[sizeof(d) / sizeof(uint64_t)], t[sizeof(a) / sizeof(*a)];
	size_t i;

	memcpy(a, now, sizeof(a));
	memcpy(t, then, sizeof(t));
	for (i = 0; i < sizeof(a) / sizeof(*a); i++)
		a[i] = a[i] > t[i] ? a[i] - t[i] : 0;
	memcpy(&d, a, sizeof(d));
	return d;
}

struct pace sample_pace(struct broker *b, unsigned seconds)
{
	int64_t now = clock_ms(), then = now - (int64_t)seconds * 1000;
	const struct sample *s = sample_before(b, then);
	struct pace p;

	memset(&p, 0, sizeof(p));
	if (!s && seconds > 1)
		s = sample_since(b, then);	/* it is younger than that */
	if (!s || s->time >= now)
		return p;
	p.ms = now - s->time;
	p.counts = difference(&b->map->counts, &s->counts);
	return p;
}
