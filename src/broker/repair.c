/* SPDX-License-Identifier: MIT */
/*
 * repair.c - after a lock holder died
 *
 * What is primary is true as it stands (layout.h): a record either was
 * committed or never was.  So nothing is guessed here; the move of a queue and
 * the fan-out that may have been cut short are finished, everything derived is
 * made anew, and every listener is woken, since a doorbell may have been owed.
 * Running it twice, or being killed inside it, does no harm.
 */
#include "broker/view.h"
#include "shm/store.h"

/* A listener needs a live worker; a queue needs ordered counters.  A session
 * whose names do not lead to it is nobody's: void. */
static void mend_session(struct broker *b, struct session *s)
{
	struct worker *w = worker_at(b, s->worker);

	if (!session_reachable(b, s)) {
		STORE(s->slot.state, (uint32_t)SLOT_FREE);
		return;
	}
	STORE(s->first_subscription, NONE);
	STORE(s->subscription_count, 0);
	address_link(b, s);
	if (s->channel)
		session_count(b, s, 1);
	if (s->channel && (!w || w->slot.state != SLOT_LIVE))
		session_unserved(b, s);
	queue_mend(b, s);
}

static void mend_sessions(struct broker *b)
{
	uint32_t i;

	address_clear(b);
	for (i = 0; i < 4; i++)
		STORE(b->map->open[i], 0);
	for (i = 0; i < b->geometry.sessions; i++)
		if (session_at(b, i)->slot.state == SLOT_LIVE)
			mend_session(b, session_at(b, i));
}

static void mend_workers(struct broker *b)
{
	uint32_t i;

	for (i = 0; i < b->geometry.workers; i++)
		if (worker_at(b, i)->pid == 0)
			STORE(worker_at(b, i)->slot.state,
			      (uint32_t)SLOT_FREE);
}

/* Every bit of every worker: a channel whose session just ended has none that
 * would lead to it.  A bit too many only makes a worker look. */
static void wake_all(struct broker *b)
{
	uint32_t w, i;

	for (w = 0; w < b->geometry.workers; w++) {
		if (worker_at(b, w)->slot.state != SLOT_LIVE)
			continue;
		for (i = 0; i < b->geometry.sessions; i++)
			worker_notify(b, w, i);
	}
}

/* A state that nobody stores is damage: void. */
static void mend_states(struct pool *p)
{
	struct slot *s;
	uint32_t i;

	for (i = 0; (s = pool_at(p, i)); i++)
		if (s->state > SLOT_LIVE)
			STORE(s->state, (uint32_t)SLOT_FREE);
}

void repair_all(struct broker *b)
{
	mend_states(&b->workers);
	mend_states(&b->sessions);
	mend_workers(b);
	queue_finish_move(b);
	mend_sessions(b);
	pool_rebuild(&b->workers);
	pool_rebuild(&b->sessions);
	if (b->map->sessions_peak < b->map->sessions.used)
		STORE(b->map->sessions_peak, (uint64_t)b->map->sessions.used);
	subscriptions_rebuild(b);
	eventlog_mend(&b->log);
	eventlog_mend(&b->history);
	node_mend(b);
	if (b->map->history.fanout)	/* it has none */
		STORE(b->map->history.fanout, 0);
	if (b->map->log.fanout)
		publish_fanout(b);
	key_end(b);
	wake_all(b);
	COUNT(b, repairs, 1);
}
