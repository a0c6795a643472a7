/* SPDX-License-Identifier: MIT */
/*
 * node.c - numbers given, and numbers known
 *
 * The number of an event published here is stored with its record and counted
 * within the fan-out, which repair repeats: none is skipped, none given twice.
 * The number of an event from elsewhere goes the same way.
 */
#include "broker/node.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "broker/view.h"
#include "shm/store.h"

enum { FORGET = 24 * 60 * 60 };	/* seconds that an unseen node keeps its place */

uint64_t node_number(struct broker *b, const char *subject, size_t n)
{
	const struct rules *r = &b->map->rules;

	if (!r->node[0] ||
	    !topic_listed(r->bridge_include, CROSSING_SIZE, subject, n) ||
	    topic_listed(r->bridge_exclude, CROSSING_SIZE, subject, n))
		return 0;
	return b->map->numbered + 1;
}

struct node *node_at(struct broker *b, uint32_t origin)
{
	struct node *n;

	if (origin == 0 || origin > NODES_MAX)
		return NULL;
	n = &b->map->nodes[origin - 1];
	return n->state == SLOT_LIVE ? n : NULL;
}

static struct mark *mark_of(struct node *n)
{
	struct mark *marks = n->mark;

	return &marks[n->current & 1];
}

static void set_mark(struct node *n, struct mark m)
{
	uint32_t other = ~n->current & 1;

	store_bytes(&n->mark[other], &m, sizeof(m));
	STORE(n->current, other);
}

void node_settle(struct broker *b, const struct log_record *r)
{
	struct node *n;

	if (r->number == 0)
		return;
	if (r->origin == 0) {
		if (b->map->numbered < r->number)
			STORE(b->map->numbered, r->number);
		b->bridge_owed = true;
		return;
	}
	n = node_at(b, r->origin);
	if (n && mark_of(n)->number < r->number) {
		STORE(mark_of(n)->number, r->number);
		COUNT(b, received, 1);
	}
}

/* Is it older than this segment, and was it there when we met the node? */
static bool is_past(const struct broker *b, const struct node *n,
		    const struct passage *p)
{
	if (p->epoch >= b->map->born)
		return false;
	return p->epoch < n->past.epoch || (p->epoch == n->past.epoch &&
					    p->number <= n->past.number);
}

bool node_expect(struct broker *b, const struct passage *p, bool *past_out)
{
	struct node *n = node_at(b, p->origin);
	struct mark m;
	uint64_t lost;

	if (!n)
		return false;
	m = *mark_of(n);
	if (p->epoch < m.epoch ||
	    (p->epoch == m.epoch && p->number <= m.number))
		return false;
	*past_out = is_past(b, n, p);
	lost = p->number - 1 - (p->epoch == m.epoch ? m.number : 0);
	/* What went before we met is none of ours. */
	if (m.epoch == 0 && *past_out)
		lost = 0;
	if (lost || p->epoch != m.epoch) {
		set_mark(n, (struct mark){ p->epoch, p->number - 1,
					   m.missed + lost });
		COUNT(b, missed, lost);
	}
	return true;
}

/* An epoch that begins with an entry of nobody's. */
static void renew(struct broker *b, const struct passage *p)
{
	struct node *n = node_at(b, p->origin);

	if (n && p->epoch > mark_of(n)->epoch)
		set_mark(n, (struct mark){ p->epoch, 0, mark_of(n)->missed });
}

void node_skip(struct broker *b, const struct passage *p)
{
	struct mark *m;
	bool past;

	broker_lock(b);
	if (p->number == 0) {
		renew(b, p);
	} else if (node_expect(b, p, &past)) {
		m = mark_of(node_at(b, p->origin));
		STORE(m->number, p->number);
		COUNT(b, received, 1);
	}
	broker_unlock(b);
}

/* The place of an origin, whoever lives there. */
static struct node *place_of(struct broker *b, uint32_t origin)
{
	struct node *nodes = b->map->nodes;

	return nodes + origin - 1;
}

static uint32_t find(struct broker *b, const char *name)
{
	uint32_t i;

	for (i = 1; i <= NODES_MAX; i++)
		if (node_at(b, i) &&
		    strncmp(node_at(b, i)->name, name, NODE_SIZE) == 0)
			return i;
	return 0;
}

/* A place for one more: a free one, else that of who was not seen for longest,
 * if that is long enough. */
static uint32_t find_place(struct broker *b)
{
	int64_t seen, oldest = clock_unix() - FORGET;
	uint32_t i, place = 0;

	for (i = 1; i <= NODES_MAX; i++) {
		if (!node_at(b, i))
			return i;
		seen = LOAD(node_at(b, i)->seen);
		if (seen < oldest) {
			oldest = seen;
			place = i;
		}
	}
	return place;
}

static void fill(struct node *n, const char *name, struct mark past)
{
	struct node fresh = { .state = SLOT_FREE, .past = past };
	size_t len = strlen(name);

	memcpy((char *)&fresh, name, len < NODE_SIZE ? len : NODE_SIZE - 1);
	STORE(n->state, (uint32_t)SLOT_FREE);
	store_bytes(n, &fresh, sizeof(fresh));
	STORE(n->state, (uint32_t)SLOT_LIVE);
}

uint32_t node_enter(struct broker *b, const char *name, struct mark last)
{
	uint32_t i;

	broker_lock(b);
	i = find(b, name);
	if (i == 0) {
		i = find_place(b);
		if (i)
			fill(place_of(b, i), name, last);
	}
	broker_unlock(b);
	return i;
}

struct mark node_mark(struct broker *b, uint32_t origin)
{
	struct mark m = { 0 };

	broker_lock(b);
	if (node_at(b, origin))
		m = *mark_of(node_at(b, origin));
	broker_unlock(b);
	return m;
}

void node_seen(struct broker *b, uint32_t origin)
{
	STORE(place_of(b, origin)->seen, clock_unix());
}

void node_blame(struct broker *b, uint32_t origin)
{
	struct node *n = place_of(b, origin);

	STORE(n->bad, n->bad + 1);
}

/* The highest number of the log. */
static uint64_t highest(struct broker *b)
{
	const struct log_record *r = eventlog_next(&b->log, 0);
	uint64_t n = 0;

	for (; r; r = eventlog_next(&b->log, r->position + r->bytes))
		if (r->kind == LOG_EVENT && r->origin == 0 && r->number > n)
			n = r->number;
	return n;
}

/* Is the place free, or that of the only node with its name? */
static bool is_sound(struct broker *b, uint32_t origin)
{
	const struct node *n = place_of(b, origin);

	if (n->state != SLOT_LIVE)
		return n->state == SLOT_FREE;
	return n->name[0] && memchr(n->name, '\0', NODE_SIZE) &&
	       find(b, n->name) == origin;
}

void node_mend(struct broker *b)
{
	uint64_t n = highest(b);
	uint32_t i;

	for (i = 1; i <= NODES_MAX; i++)
		if (!is_sound(b, i))
			STORE(place_of(b, i)->state, (uint32_t)SLOT_FREE);
	if (b->map->numbered < n)
		STORE(b->map->numbered, n);
}

int node_check(struct broker *b, struct buf *report)
{
	uint64_t n = highest(b);
	uint32_t i;
	int broken = 0;

	for (i = 1; i <= NODES_MAX; i++) {
		if (is_sound(b, i))
			continue;
		buf_printf(report, "node %u: its name is none, or another's\n",
			   i);
		broken++;
	}
	if (n > b->map->numbered) {
		buf_printf(report, "nodes: %llu numbers were given, but the "
			   "log has %llu\n",
			   (unsigned long long)b->map->numbered,
			   (unsigned long long)n);
		broken++;
	}
	return broken;
}
