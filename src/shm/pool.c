/* SPDX-License-Identifier: MIT */
/*
 * pool.c - a LIFO free list threaded through the slots
 *
 * Last in, first out keeps the used slots few and warm.
 */
#include "shm/pool.h"

#include "shm/store.h"

static struct slot *slot_at(const struct pool *p, uint32_t index)
{
	return pool_at(p, index);
}

void pool_init(struct pool *p, uint32_t max, uint32_t stride)
{
	p->max = max;
	p->stride = stride;
	STORE(p->head->max, max);
	STORE(p->head->stride, stride);
	pool_rebuild(p);
}

void *pool_at(const struct pool *p, uint32_t index)
{
	if (index >= p->max)
		return NULL;
	return p->slots + (size_t)index * p->stride;
}

uint32_t pool_take(struct pool *p)
{
	uint32_t index = p->head->first_free;
	struct slot *s = slot_at(p, index);

	if (!s || s->state != SLOT_FREE)
		return NONE;
	STORE(p->head->first_free, s->next_free);
	STORE(p->head->used, p->head->used + 1);
	STORE(s->next_free, NONE);
	STORE(s->generation, s->generation + 1 ? s->generation + 1 : 1);
	return index;
}

void pool_give(struct pool *p, uint32_t index)
{
	struct slot *s = slot_at(p, index);

	if (!s)
		return;
	STORE(s->state, SLOT_FREE);
	STORE(s->next_free, p->head->first_free);
	STORE(p->head->first_free, index);
	STORE(p->head->used, p->head->used - 1);
}

void pool_rebuild(struct pool *p)
{
	uint32_t i, first = NONE, used = 0;

	/* Downwards, so that low indexes are handed out first. */
	for (i = p->max; i-- > 0;) {
		struct slot *s = slot_at(p, i);

		if (s->state != SLOT_FREE) {
			used++;
			continue;
		}
		STORE(s->next_free, first);
		first = i;
	}
	STORE(p->head->first_free, first);
	STORE(p->head->used, used);
}

int pool_check(const struct pool *p, const char *name, struct buf *report)
{
	uint32_t i, in_use = 0, listed = 0;
	int broken = 0;

	for (i = 0; i < p->max; i++)
		in_use += slot_at(p, i)->state != SLOT_FREE;
	if (in_use != p->head->used) {
		buf_printf(report, "%s: %u in use, counted as %u\n", name,
			   in_use, p->head->used);
		broken++;
	}
	for (i = p->head->first_free; i != NONE; listed++) {
		struct slot *s = slot_at(p, i);

		if (!s || s->state != SLOT_FREE || listed > p->max)
			break;
		i = s->next_free;
	}
	if (i != NONE || listed + in_use != p->max) {
		buf_printf(report, "%s: free list holds %u of %u free%s\n",
			   name, listed, p->max - in_use,
			   i != NONE ? ", then goes astray" : "");
		broken++;
	}
	return broken;
}
