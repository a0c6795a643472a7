/* SPDX-License-Identifier: MIT */
/*
 * pace.c - a publisher that would rather wait than overflow a queue
 *
 * A queue counts as full long before it is: what stands behind many others is
 * late, and other publishers, who do not wait, need room too.
 *
 * It waits for one full queue at a time, without the lock, and looks at that
 * queue's counters alone: naps that grow from TINY to LONG cost next to
 * nothing, and need no word from who empties queues.  Then it looks at all
 * receivers again, with the lock.
 */
#include <time.h>

#include "base/clock.h"
#include "broker/view.h"
#include "shm/store.h"

enum {
	AHEAD = 32,			/* events that a paced one may wait
					 * behind: as many as go out at a time */
	TINY = 50, LONG = 1000		/* us */
};

struct search {
	struct session_ref full;	/* index NONE: there is room */
};

/* The head is read last, so that it is not before the others. */
static bool queue_is_full(const struct broker *b, const struct session *s)
{
	uint64_t tail = LOAD(s->queue.tail);
	uint64_t carried = LOAD(s->queue.carried);
	uint64_t head = LOAD(s->queue.head);

	return head - tail >= b->geometry.queue ||
	       head - (carried > tail ? carried : tail) >= AHEAD;
}

/* Without the lock this is a hint, which is all that is needed. */
static bool is_full(const struct broker *b, const struct session *s)
{
	return LOAD(s->slot.state) == SLOT_LIVE && LOAD(s->channel) &&
	       !(LOAD(s->flags) & SESSION_ABORTED) && queue_is_full(b, s);
}

static void look_at(struct broker *b, struct session *s, struct search *out)
{
	if (s && out->full.index == NONE && is_full(b, s))
		out->full = (struct session_ref){ session_index(b, s),
						  s->slot.generation };
}

/* topic_match(): one more receiver. */
static void look_at_receiver(struct broker *b, uint32_t index, void *arg)
{
	struct subscription *part = subscription_at(b, index);

	look_at(b, session_of(b, (struct session_ref){
		part->session, part->session_generation }), arg);
}

/* A listening receiver without room, or index NONE. */
static struct session_ref find_full(struct broker *b, const char *subject,
				    size_t n, struct session_ref target)
{
	struct search search = { { NONE, 0 } };

	if (target.index != NONE)
		look_at(b, session_of(b, target), &search);
	else
		topic_match(b, subject, n, look_at_receiver, &search);
	return search.full;
}

static void nap(long us)
{
	struct timespec t = { 0, us * 1000 };

	nanosleep(&t, NULL);
}

/* False when the deadline came first. */
static bool await_room(struct broker *b, struct session_ref ref,
		       int64_t deadline)
{
	struct session *s = session_at(b, ref.index);
	long us = TINY;

	while (LOAD(s->slot.generation) == ref.generation && is_full(b, s) &&
	       !broker_retired(b)) {
		if (clock_ms() >= deadline)
			return false;
		nap(us);
		us = us < LONG / 2 ? 2 * us : LONG;
	}
	return true;
}

void pace_wait(struct broker *b, const char *subject, size_t n,
	       struct session_ref target)
{
	int64_t deadline = clock_ms() + (int64_t)b->map->rules.write_timeout;
	struct session_ref full = find_full(b, subject, n, target);
	bool in_time = true;

	while (full.index != NONE && in_time) {
		broker_unlock(b);
		in_time = await_room(b, full, deadline);
		broker_lock(b);
		if (in_time)
			full = find_full(b, subject, n, target);
	}
}
