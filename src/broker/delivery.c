/* SPDX-License-Identifier: MIT */
/*
 * delivery.c - copying out under the lock
 *
 * References are small and copied for each session; an event is copied once
 * for all of them, through the intake.
 */
#include "broker/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/session.h"
#include "broker/view.h"
#include "shm/store.h"

void deliveries_release(struct deliveries *d)
{
	free(d->items);
	buf_release(&d->labels);
	d->items = NULL;
	d->count = d->cap = 0;
}

/* A place for one more, or NULL: no memory, so it waits in its queue. */
static struct delivery *add(struct deliveries *d)
{
	struct delivery *items;
	unsigned cap = d->cap ? 2 * d->cap : 64;

	if (d->count == d->cap) {
		items = realloc(d->items, cap * sizeof(*items));
		if (!items)
			return NULL;
		d->items = items;
		d->cap = cap;
	}
	return &d->items[d->count];
}

/* The sid and label of the subscription, if it is still there. */
static void describe(struct broker *b, const struct ref *ref,
		     struct deliveries *d, struct delivery *out)
{
	struct subscription *sub = subscription_at(b, ref->subscription);

	out->sid[0] = '\0';
	out->label = 0;
	out->label_bytes = NO_LABEL;
	if (ref->subscription == NONE)
		return;
	subscription_sid(out->sid, ref->subscription, ref->generation);
	if (!sub || sub->slot.state != SLOT_LIVE ||
	    sub->slot.generation != ref->generation ||
	    sub->label_bytes == NO_LABEL || !subscription_fits(b, sub))
		return;
	out->label = (uint32_t)d->labels.len;
	out->label_bytes = sub->label_bytes;
	buf_add(&d->labels, sub->text + sub->subject_bytes, sub->label_bytes);
	buf_putc(&d->labels, '\0');
}

/* Copies one reference and, if nobody did yet, its event.  False: out of
 * memory. */
static bool copy(struct broker *b, const struct ref *ref,
		 const struct log_record *r, const struct intake *intake,
		 struct deliveries *d, uint64_t counter)
{
	struct delivery *item = add(d);

	if (!item)
		return false;
	if (!intake->has(intake->arg, r->position))
		intake->keep(intake->arg, r->position, (const char *)(r + 1),
			     r->packed_bytes);
	if (!intake->has(intake->arg, r->position))
		return false;
	describe(b, ref, d, item);
	if (buf_failed(&d->labels))
		return false;
	item->position = r->position;
	item->counter = counter;
	d->count++;
	return true;
}

/* The references of one session, oldest first; those whose event the log has
 * overrun are lost. */
static void take_events(struct broker *b, struct session *s, struct take *t,
			const struct intake *intake, struct deliveries *d)
{
	const struct log_record *r;
	const struct ref *ref;
	size_t bytes = 0;

	queue_mend(b, s);
	while (t->count < t->max && (ref = queue_next(b, s))) {
		r = eventlog_at(&b->log, ref->position);
		if (r && t->count && bytes + r->packed_bytes > t->room)
			break;
		if (r && !copy(b, ref, r, intake, d, s->queue.sent))
			break;
		if (!r && t->count)
			break;		/* told with the next batch */
		if (!r) {
			queue_overrun(b, s);
			continue;
		}
		t->count++;
		bytes += r->packed_bytes;
		STORE(s->queue.sent, s->queue.sent + 1);
	}
	t->lost = s->queue.lost - s->lost_told;
	t->more = queue_next(b, s) != NULL;
}

static void take_one(struct broker *b, struct take *t,
		     const struct intake *intake, struct deliveries *d)
{
	struct session *s = session_of(b, t->ref);

	t->first = d->count;
	t->count = 0;
	t->lost = 0;
	t->more = false;
	t->reason[0] = t->reason[sizeof(t->reason) - 1] = '\0';
	t->reliable = s && s->flags & SESSION_RELIABLE;
	if (!s) {
		t->result = TAKEN_GONE;
	} else if (s->channel != t->channel) {
		t->result = TAKEN_REPLACED;
	} else if (s->flags & SESSION_ABORTED) {
		t->result = TAKEN_ABORTED;
		memcpy(t->reason, s->reason, sizeof(t->reason) - 1);
	} else {
		t->result = TAKEN;
		take_events(b, s, t, intake, d);
	}
}

void delivery_take(struct broker *b, struct take *takes, unsigned n,
		   const struct intake *intake, struct deliveries *d)
{
	unsigned i;

	d->count = 0;
	buf_clear(&d->labels);
	broker_lock(b);
	for (i = 0; i < n; i++)
		take_one(b, &takes[i], intake, d);
	broker_unlock(b);
}

static void commit_one(struct broker *b, const struct commit *c, int64_t now)
{
	struct session *s = session_of(b, c->ref);

	if (!s || s->channel != c->channel)
		return;
	if (s->flags & SESSION_RELIABLE || s->served_as != MODE_STREAM)
		queue_carry(s, c->counter);
	else
		queue_commit(b, s, c->counter);
	if (c->lost_told)
		STORE(s->lost_told, s->lost_told + c->lost_told);
	STORE(s->served, now);
	if (c->detach)
		session_unserved(b, s);
}

void delivery_commit(struct broker *b, const struct commit *commits,
		     unsigned n)
{
	int64_t now = clock_ms();
	unsigned i;

	broker_lock(b);
	for (i = 0; i < n; i++)
		commit_one(b, &commits[i], now);
	broker_unlock(b);
}

/* What a client has that does not say so: of a stream what was committed. */
static uint64_t without_a_word(const struct session *s)
{
	return s->mode == MODE_STREAM ? s->queue.settled : s->queue.carried;
}

enum outcome delivery_acknowledge(struct broker *b, struct session_ref ref,
				  const uint64_t *ack, uint64_t *settled_out)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s && (ack || !(s->flags & SESSION_RELIABLE)))
		queue_commit(b, s, ack ? *ack : without_a_word(s));
	if (s)
		*settled_out = s->queue.settled;
	broker_unlock(b);
	return s ? DONE : GONE;
}
