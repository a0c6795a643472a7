/* SPDX-License-Identifier: MIT */
/*
 * ready.c - a singly linked queue
 */
#include "channel/ready.h"

void ready_init(struct ready *r)
{
	r->first = NULL;
	r->last = &r->first;
	r->count = 0;
}

void ready_add(struct ready *r, struct channel *c)
{
	if (c->ready || c->ending)
		return;
	c->ready = true;
	c->next_ready = NULL;
	*r->last = c;
	r->last = &c->next_ready;
	r->count++;
}

/* Takes out the channel that a link leads to. */
static struct channel *unlink_at(struct ready *r, struct channel **link)
{
	struct channel *c = *link;

	*link = c->next_ready;
	if (!*link)
		r->last = link;
	c->ready = false;
	r->count--;
	return c;
}

unsigned ready_take(struct ready *r, struct channel **out, unsigned max)
{
	unsigned n = 0;

	while (n < max && r->first)
		out[n++] = unlink_at(r, &r->first);
	return n;
}

void ready_remove(struct ready *r, struct channel *c)
{
	struct channel **link = &r->first;

	if (!c->ready)
		return;
	while (*link != c)
		link = &(*link)->next_ready;
	unlink_at(r, link);
}
