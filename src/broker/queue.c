/* SPDX-License-Identifier: MIT */
/*
 * queue.c - what each session is still owed
 *
 * A ring of references per session; see struct session in layout.h.  Many
 * publishers push, one listener takes; all under the lock.
 */
#include "broker/properties.h"
#include "broker/view.h"
#include "shm/store.h"

struct ref *queue_of(struct broker *b, const struct session *s)
{
	char *base = (char *)b->map + b->at.queues;

	return (struct ref *)base +
	       (size_t)session_index(b, s) * queue_ring(&b->geometry);
}

static struct ref *ref_at(struct broker *b, const struct session *s,
			  uint64_t counter)
{
	return queue_of(b, s) + counter % queue_ring(&b->geometry);
}

void queue_mend(struct broker *b, struct session *s)
{
	if (s->queue_tail > s->queue_head ||
	    s->queue_head - s->queue_tail > b->geometry.queue) {
		STORE(s->queue_tail, s->queue_head);
		STORE(s->queue_settled, s->queue_tail);
	}
	if (s->queue_sent < s->queue_tail || s->queue_sent > s->queue_head)
		STORE(s->queue_sent, s->queue_tail);
	if (s->queue_carried > s->queue_head)
		STORE(s->queue_carried, s->queue_head);
	if (s->queue_settled > s->queue_tail)
		STORE(s->queue_settled, s->queue_tail);
	if (s->queue_known > s->queue_tail - s->queue_settled)
		STORE(s->queue_known, 0);
}

static void lose(struct broker *b, struct session *s, uint64_t n)
{
	if (n == 0)
		return;
	STORE(s->lost, s->lost + n);
	COUNT(b, lost, n);
}

static void deliver(struct broker *b, struct session *s, uint64_t n)
{
	if (n == 0)
		return;
	STORE(s->delivered, s->delivered + n);
	COUNT(b, delivered, n);
}

/* Was the oldest handed to a listener, or even carried by a response? */
static bool handed_out(const struct session *s)
{
	return s->queue_tail < s->queue_sent ||
	       s->queue_tail < s->queue_carried;
}

/* Lets the oldest go.  What a listener has already is neither delivered nor
 * lost yet: queue_commit() settles it.  What was counted as lost before is not
 * lost again. */
static void drop_oldest(struct broker *b, struct session *s)
{
	bool counted = ref_at(b, s, s->queue_tail)->position == 0;
	bool known = counted || !handed_out(s);

	if (known && s->queue_settled < s->queue_tail)
		STORE(s->queue_known, s->queue_known + 1);
	else if (known)
		STORE(s->queue_settled, s->queue_tail + 1);
	if (s->queue_sent <= s->queue_tail)
		STORE(s->queue_sent, s->queue_tail + 1);
	STORE(s->queue_tail, s->queue_tail + 1);
	if (known && !counted)
		lose(b, s, 1);
}

/* The abort policy: its channel tells the client; without one there is nobody
 * to tell, and the next sweep ends the session (not we: the lists it is in may
 * be walked right now). */
bool queue_push(struct broker *b, struct session *s, struct ref ref)
{
	queue_mend(b, s);
	if (s->queue_head > 0 &&
	    ref_at(b, s, s->queue_head - 1)->position == ref.position)
		return false;
	if (s->flags & SESSION_ABORTED)
		return false;
	if (s->queue_head - s->queue_tail >= b->geometry.queue) {
		if (b->map->rules.overflow == OVERFLOW_ABORT &&
		    !handed_out(s)) {
			session_abort(b, s);
			return false;
		}
		drop_oldest(b, s);
	}
	store_bytes(ref_at(b, s, s->queue_head), &ref, sizeof(ref));
	STORE(s->queue_head, s->queue_head + 1);
	COUNT(b, queued, 1);
	if (s->channel)
		worker_notify(b, s->worker, session_index(b, s));
	return true;
}

const struct ref *queue_next(struct broker *b, const struct session *s)
{
	if (s->queue_sent >= s->queue_head)
		return NULL;
	return ref_at(b, s, s->queue_sent);
}

void queue_overrun(struct broker *b, struct session *s)
{
	struct ref *ref = ref_at(b, s, s->queue_sent);

	/* What was handed out but never committed comes here again. */
	if (ref->position) {
		STORE(ref->position, 0);
		lose(b, s, 1);
	}
	STORE(s->queue_sent, s->queue_sent + 1);
}

/* How many references before the counter are not those of lost events. */
static uint64_t events_before(struct broker *b, const struct session *s,
			      uint64_t counter)
{
	uint64_t i, n = 0;

	for (i = s->queue_tail; i < counter; i++)
		n += ref_at(b, s, i)->position != 0;
	return n;
}

void queue_carry(struct session *s, uint64_t counter)
{
	if (counter > s->queue_head)
		counter = s->queue_head;
	if (counter > s->queue_carried)
		STORE(s->queue_carried, counter);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What was dropped while a listener had it: all before the counter arrived,
 * the others will never.  Those whose fate is known are the youngest of them,
 * but for rare mixtures. */
static void settle_dropped(struct broker *b, struct session *s,
			   uint64_t counter)
{
	uint64_t open = s->queue_tail - s->queue_settled - s->queue_known;
	uint64_t arrived = counter <= s->queue_settled ? 0 :
			   least(counter - s->queue_settled, open);

	if (s->queue_settled == s->queue_tail)
		return;
	STORE(s->queue_settled, s->queue_tail);
	STORE(s->queue_known, 0);
	deliver(b, s, arrived);
	lose(b, s, open - arrived);
}

void queue_commit(struct broker *b, struct session *s, uint64_t counter)
{
	uint64_t n;

	queue_mend(b, s);
	counter = least(counter, s->queue_head);
	settle_dropped(b, s, counter);
	if (counter <= s->queue_tail)
		return;
	n = events_before(b, s, counter);
	if (s->queue_sent < counter)
		STORE(s->queue_sent, counter);
	/* In this order: what is settled beyond the tail is mended. */
	STORE(s->queue_settled, counter);
	STORE(s->queue_tail, counter);
	deliver(b, s, n);
}

int queue_check(struct broker *b, struct buf *report)
{
	uint32_t i;
	int broken = 0;

	for (i = 0; i < b->geometry.sessions; i++) {
		struct session *s = session_at(b, i);

		if (s->slot.state != SLOT_LIVE)
			continue;
		if (s->queue_tail <= s->queue_sent &&
		    s->queue_sent <= s->queue_head &&
		    s->queue_carried <= s->queue_head &&
		    s->queue_settled <= s->queue_tail &&
		    s->queue_known <= s->queue_tail - s->queue_settled &&
		    s->queue_head - s->queue_tail <= b->geometry.queue)
			continue;
		buf_printf(report, "queue of session %.*s: tail %llu, sent "
			   "%llu, head %llu\n", SESSION_HANDLE_SIZE, s->handle,
			   (unsigned long long)s->queue_tail,
			   (unsigned long long)s->queue_sent,
			   (unsigned long long)s->queue_head);
		broken++;
	}
	return broken;
}
