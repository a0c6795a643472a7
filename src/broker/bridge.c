/* SPDX-License-Identifier: MIT */
/*
 * bridge.c - the seat of the bridge, and reading the log for it
 */
#include "broker/bridge.h"

#include <string.h>

#include "base/clock.h"
#include "broker/view.h"
#include "shm/bell.h"
#include "shm/proc.h"
#include "shm/store.h"

enum {
	BATCH_BYTES = 256 * 1024,
	BATCH_STEPS = 4096		/* records looked at under one lock */
};

/* Takes the seat if it is still as it was seen. */
static bool sit_down(struct broker *b, struct proc before, struct proc self)
{
	struct bridge *seat = &b->map->bridge;
	bool mine;

	broker_lock(b);
	mine = seat->pid == before.pid && seat->started == before.started;
	if (mine) {
		STORE(seat->pid, 0);
		STORE(seat->started, self.started);
		STORE(seat->since, clock_unix());
		STORE(seat->connected, 0);
		STORE(seat->changed, clock_unix());
		STORE(seat->pid, self.pid);
	}
	broker_unlock(b);
	return mine;
}

/* Whether the other one lives is asked without the lock: it costs file reads. */
uint32_t bridge_enter(struct broker *b)
{
	struct proc self = proc_self(), other;

	do {
		broker_lock(b);
		other.pid = b->map->bridge.pid;
		other.started = b->map->bridge.started;
		broker_unlock(b);
		if (other.pid && proc_alive(other))
			return other.pid;
	} while (!sit_down(b, other, self));
	return 0;
}

void bridge_exit(struct broker *b)
{
	struct proc self = proc_self();

	broker_lock(b);
	if (b->map->bridge.pid == self.pid &&
	    b->map->bridge.started == self.started)
		STORE(b->map->bridge.pid, 0);
	broker_unlock(b);
}

uint64_t bridge_epoch(const struct broker *b)
{
	return LOAD(b->map->born);
}

void bridge_outlive(struct broker *b, uint64_t epoch)
{
	broker_lock(b);
	if (b->map->born <= epoch)
		STORE(b->map->born, epoch + 1);
	broker_unlock(b);
}

/* Copies an event into the batch.  False when there is no room for it. */
static bool take(struct bridge_batch *batch, const struct log_record *r)
{
	struct buf *to = &batch->bytes;

	if (batch->count == BRIDGE_EVENTS ||
	    (batch->count && to->len + r->packed_bytes > BATCH_BYTES) ||
	    to->cap - to->len <= r->packed_bytes)
		return false;
	batch->events[batch->count].number = r->number;
	batch->events[batch->count].offset = to->len;
	batch->events[batch->count++].n = r->packed_bytes;
	buf_add(to, r + 1, r->packed_bytes);
	return true;
}

static bool wanted(const struct bridge_place *place,
		   const struct log_record *r)
{
	return r->kind == LOG_EVENT && r->number && r->origin == 0 &&
	       r->number >= place->number;
}

/* The room is made before the lock is taken. */
static void make_room(struct bridge_place *place, struct bridge_batch *batch)
{
	size_t n = place->need > BATCH_BYTES ? place->need : BATCH_BYTES;

	batch->count = 0;
	buf_clear(&batch->bytes);
	buf_reserve(&batch->bytes, n + 1);
	place->need = 0;
}

bool bridge_read(struct broker *b, struct bridge_place *place,
		 struct bridge_batch *batch)
{
	unsigned steps = BATCH_STEPS;
	const struct log_record *r;

	make_room(place, batch);
	broker_lock(b);
	for (; steps; steps--) {
		r = eventlog_next(&b->log, place->position);
		if (!r)
			break;
		if (wanted(place, r) && !take(batch, r)) {
			place->need = r->packed_bytes;
			break;
		}
		place->position = r->position + r->bytes;
	}
	broker_unlock(b);
	return r;
}

void bridge_sent(struct broker *b, uint64_t number, uint64_t events,
		 uint64_t lost)
{
	struct bridge *seat = &b->map->bridge;

	broker_lock(b);
	if (seat->sent < number)
		STORE(seat->sent, number);
	if (lost)
		STORE(seat->unsent, seat->unsent + lost);
	if (events)
		COUNT(b, sent, events);
	broker_unlock(b);
}

uint64_t bridge_given(struct broker *b)
{
	return LOAD(b->map->numbered);
}

uint64_t bridge_sent_number(struct broker *b)
{
	return LOAD(b->map->bridge.sent);
}

void bridge_note(struct broker *b, bool connected)
{
	struct bridge *seat = &b->map->bridge;

	if (LOAD(seat->connected) == connected)
		return;
	STORE(seat->connected, (uint32_t)connected);
	STORE(seat->changed, clock_unix());
}

void bridge_wait(struct broker *b)
{
	bell_wait(&b->map->bridge.bell);
}

void bridge_answer(struct broker *b)
{
	bell_answer(&b->map->bridge.bell);
}

void bridge_ring(struct broker *b)
{
	bell_ring(&b->map->bridge.bell);
}
