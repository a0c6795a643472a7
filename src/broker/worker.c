/* SPDX-License-Identifier: MIT */
/*
 * worker.c - worker slots, ready bits, the dead
 *
 * Ready sessions are bits, not a list: setting one twice is harmless, two
 * workers may hold one for the same session, and nothing needs repair but to
 * set them all.
 */
#include "broker/worker.h"

#include <string.h>

#include "base/clock.h"
#include "broker/view.h"
#include "shm/bell.h"
#include "shm/proc.h"
#include "shm/store.h"

enum { REAP_PERIOD = 5000 };	/* ms between two rounds, by whoever */

uint64_t *worker_ready(struct broker *b, uint32_t worker)
{
	char *base = (char *)b->map + b->at.ready;

	return (uint64_t *)base +
	       (size_t)worker * b->geometry.ready_words;
}

void worker_notify(struct broker *b, uint32_t worker, uint32_t session)
{
	if (!worker_at(b, worker))
		return;
	STORE_BITS(worker_ready(b, worker)[session / 64],
		   1ull << (session % 64));
	b->bells[worker / 64] |= 1ull << (worker % 64);
	b->bells_owed = true;
}

/* Fills a slot and commits it. */
static void enter(struct broker *b, uint32_t index, struct proc self)
{
	struct worker *w = worker_at(b, index);
	uint32_t i;

	for (i = 0; i < b->geometry.ready_words; i++)
		STORE(worker_ready(b, index)[i], 0);
	STORE(w->pid, self.pid);
	STORE(w->started, self.started);
	STORE(w->since, clock_unix());
	STORE(w->bell, 0);
	STORE(w->slot.state, (uint32_t)SLOT_LIVE);
}

static uint32_t try_enter(struct broker *b, struct proc self)
{
	uint32_t index;

	broker_lock(b);
	index = pool_take(&b->workers);
	if (index != NONE)
		enter(b, index, self);
	else
		COUNT(b, refused, 1);
	broker_unlock(b);
	return index;
}

enum outcome worker_enter(struct broker *b, uint32_t *worker_out)
{
	struct proc self = proc_self();

	*worker_out = try_enter(b, self);
	if (*worker_out == NONE && worker_reap(b) > 0)
		*worker_out = try_enter(b, self);
	return *worker_out == NONE ? SEGMENT_FULL : DONE;
}

/* Frees a worker; its sessions wait for their client's next request. */
static void release(struct broker *b, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < b->geometry.sessions; i++) {
		struct session *s = session_at(b, i);

		if (s->slot.state == SLOT_LIVE && s->channel &&
		    s->worker == index)
			session_unserved(b, s);
	}
	pool_give(&b->workers, index);
}

void worker_exit(struct broker *b, uint32_t worker)
{
	broker_lock(b);
	if (worker_at(b, worker)->slot.state == SLOT_LIVE)
		release(b, worker);
	broker_unlock(b);
}

/* Frees the worker if it still is that dead process. */
static unsigned bury(struct broker *b, uint32_t index, struct proc dead)
{
	struct worker *w = worker_at(b, index);
	unsigned n = 0;

	broker_lock(b);
	if (w->slot.state == SLOT_LIVE && w->pid == dead.pid &&
	    w->started == dead.started) {
		release(b, index);
		COUNT(b, workers_reaped, 1);
		n = 1;
	}
	broker_unlock(b);
	return n;
}

/* Whether a process lives is asked without the lock: it costs file reads. */
unsigned worker_reap(struct broker *b)
{
	uint32_t i;
	unsigned n = 0;

	for (i = 0; i < b->geometry.workers; i++) {
		struct worker *w = worker_at(b, i);
		struct proc p;

		if (LOAD(w->slot.state) != SLOT_LIVE)
			continue;
		p.pid = LOAD(w->pid);
		p.started = LOAD(w->started);
		if (!proc_alive(p))
			n += bury(b, i, p);
	}
	return n;
}

unsigned worker_reap_due(struct broker *b)
{
	int64_t now = clock_ms(), due = LOAD(b->map->reap_due);

	/* Many processes tick: one of them takes this round. */
	if (sweep_waits(due, now, REAP_PERIOD) ||
	    !STORE_IF(b->map->reap_due, &due, now + REAP_PERIOD))
		return 0;
	return worker_reap(b);
}

void worker_wait(struct broker *b, uint32_t worker)
{
	bell_wait(&worker_at(b, worker)->bell);
}

void worker_ring(struct broker *b, uint32_t worker)
{
	bell_ring(&worker_at(b, worker)->bell);
}

void worker_answer(struct broker *b, uint32_t worker,
		   void (*each)(void *arg, uint32_t session), void *arg)
{
	uint64_t *ready = worker_ready(b, worker), word;
	uint32_t i, bit;

	bell_answer(&worker_at(b, worker)->bell);
	for (i = 0; i < b->geometry.ready_words; i++) {
		if (!LOAD(ready[i]))
			continue;
		word = EXCHANGE(ready[i], 0);
		for (; word; word &= word - 1) {
			bit = (uint32_t)__builtin_ctzll(word);
			each(arg, i * 64 + bit);
		}
	}
}

int worker_check(struct broker *b, struct buf *report)
{
	uint32_t i;
	int broken = 0;

	for (i = 0; i < b->geometry.workers; i++) {
		struct worker *w = worker_at(b, i);

		if (w->slot.state != SLOT_LIVE || w->pid)
			continue;
		buf_printf(report, "worker %u: no process\n", i);
		broken++;
	}
	return broken;
}
