/* SPDX-License-Identifier: MIT */
/*
 * render.c - a hash table by log position, trimmed first in, first out
 */
#include "channel/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
	BUCKETS = 1024,		/* a power of two */
	KEEP_EVENTS = 1024,
	KEEP_BYTES = 1 << 20,
	FORMATS = 8		/* rows adapter.c may have */
};

struct entry {
	struct entry *next;		/* of the bucket */
	struct entry *younger;
	uint64_t position;
	struct buf shared[FORMATS];	/* empty until asked for */
	unsigned attributes[FORMATS];
	size_t n;
	char packed[];
};

struct render {
	struct entry *buckets[BUCKETS];
	struct entry *oldest, **youngest;
	unsigned events;
	size_t bytes;
};

struct render *render_new(void)
{
	struct render *r = calloc(1, sizeof(*r));

	if (r)
		r->youngest = &r->oldest;
	return r;
}

static struct entry **bucket(struct render *r, uint64_t position)
{
	return &r->buckets[(position / 16 * 0x9e3779b97f4a7c15ULL >> 32) &
			   (BUCKETS - 1)];
}

static struct entry *find(struct render *r, uint64_t position)
{
	struct entry *e = *bucket(r, position);

	while (e && e->position != position)
		e = e->next;
	return e;
}

static bool has(void *arg, uint64_t position)
{
	return find(arg, position) != NULL;
}

static void keep(void *arg, uint64_t position, const char *packed, size_t n)
{
	struct render *r = arg;
	struct entry **b = bucket(r, position);
	struct entry *e = malloc(sizeof(*e) + n);

	if (!e)
		return;		/* has() tells */
	memset(e, 0, sizeof(*e));
	e->position = position;
	e->n = n;
	memcpy(e->packed, packed, n);
	e->next = *b;
	*b = e;
	*r->youngest = e;
	r->youngest = &e->younger;
	r->events++;
	r->bytes += n;
}

struct intake render_intake(struct render *r)
{
	return (struct intake){ has, keep, r };
}

int render_get(struct render *r, uint64_t position, const struct adapter *a,
	       struct rendered *out)
{
	struct entry *e = find(r, position);
	unsigned f = adapter_number(a);

	must(f < FORMATS);
	if (!e)
		return -1;
	if (!e->shared[f].len) {
		/* An acknowledgement always comes before it. */
		adapter_between(a, &e->shared[f]);
		e->attributes[f] = adapter_shared(a, &e->shared[f], e->packed,
						  e->n);
		if (buf_failed(&e->shared[f])) {
			buf_release(&e->shared[f]);	/* there may be later */
			return -1;
		}
		r->bytes += e->shared[f].len;
	}
	out->bytes = buf_str(&e->shared[f]);
	out->len = e->shared[f].len;
	out->attributes = e->attributes[f];
	return 0;
}

static void drop_oldest(struct render *r)
{
	struct entry *e = r->oldest, **link = bucket(r, e->position);
	int f;

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	r->oldest = e->younger;
	if (!r->oldest)
		r->youngest = &r->oldest;
	r->events--;
	r->bytes -= e->n;
	for (f = 0; f < FORMATS; f++) {
		r->bytes -= e->shared[f].len;
		buf_release(&e->shared[f]);
	}
	free(e);
}

void render_trim(struct render *r)
{
	while (r->events > KEEP_EVENTS || (r->oldest && r->bytes > KEEP_BYTES))
		drop_oldest(r);
}

void render_free(struct render **r)
{
	while (*r && (*r)->oldest)
		drop_oldest(*r);
	free(*r);
	*r = NULL;
}
