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
	if (s->queue.tail > s->queue.head ||
	    s->queue.head - s->queue.tail > b->geometry.queue) {
		STORE(s->queue.tail, s->queue.head);
		STORE(s->queue.settled, s->queue.tail);
	}
	if (s->queue.sent < s->queue.tail || s->queue.sent > s->queue.head)
		STORE(s->queue.sent, s->queue.tail);
	if (s->queue.carried > s->queue.head)
		STORE(s->queue.carried, s->queue.head);
	if (s->queue.settled > s->queue.tail)
		STORE(s->queue.settled, s->queue.tail);
	if (s->queue.known > s->queue.tail - s->queue.settled)
		STORE(s->queue.known, 0);
}

/* Writes what the move says.  Doing it again, or a part of it, does no harm. */
static void carry_out(struct broker *b, struct session *s)
{
	const struct queue_move *move = &b->map->move;

	if (move->gone)
		STORE(ref_at(b, s, move->gone - 1)->position, 0);
	STORE(s->queue.tail, move->to.tail);
	STORE(s->queue.sent, move->to.sent);
	STORE(s->queue.settled, move->to.settled);
	STORE(s->queue.known, move->to.known);
	STORE(s->queue.delivered, move->to.delivered);
	STORE(s->queue.lost, move->to.lost);
}

void queue_finish_move(struct broker *b)
{
	const struct queue_move *move = &b->map->move;
	struct session *s;

	if (!move->session)
		return;
	s = session_at(b, move->session - 1);
	/* Else it is damage. */
	if (s && move->to.head == s->queue.head)
		carry_out(b, s);
	STORE(b->map->move.session, 0);
}

/* gone: 0, or 1 more than the counter of a reference counted as lost. */
static void move_queue(struct broker *b, struct session *s,
		       const struct queue *to, uint64_t gone)
{
	uint64_t lost = to->lost - s->queue.lost;
	uint64_t delivered = to->delivered - s->queue.delivered;

	store_bytes(&b->map->move.to, to, sizeof(*to));
	STORE(b->map->move.gone, gone);
	STORE(b->map->move.session, session_index(b, s) + 1);
	carry_out(b, s);
	STORE(b->map->move.session, 0);
	if (lost)
		COUNT(b, lost, lost);
	if (delivered)
		COUNT(b, delivered, delivered);
}

/* Was the oldest handed to a listener, or even carried by a response? */
static bool handed_out(const struct queue *q)
{
	return q->tail < q->sent || q->tail < q->carried;
}

/* Lets the oldest go.  What a listener has already is neither delivered nor
 * lost yet: queue_commit() settles it.  What was counted as lost before is not
 * lost again. */
static void drop_oldest(struct broker *b, struct session *s)
{
	struct queue q = s->queue;
	bool counted = ref_at(b, s, q.tail)->position == 0;
	bool known = counted || !handed_out(&q);

	if (known && q.settled < q.tail)
		q.known++;
	else if (known)
		q.settled = q.tail + 1;
	if (q.sent <= q.tail)
		q.sent = q.tail + 1;
	q.tail++;
	if (known && !counted)
		q.lost++;
	move_queue(b, s, &q, 0);
}

/* The abort policy: its channel tells the client; without one there is nobody
 * to tell, and the next sweep ends the session (not we: the lists it is in may
 * be walked right now). */
bool queue_push(struct broker *b, struct session *s, struct ref ref)
{
	queue_mend(b, s);
	if (s->queue.head > 0 &&
	    ref_at(b, s, s->queue.head - 1)->position == ref.position)
		return false;
	if (s->flags & SESSION_ABORTED)
		return false;
	if (s->queue.head - s->queue.tail >= b->geometry.queue) {
		if (b->map->rules.overflow == OVERFLOW_ABORT &&
		    !handed_out(&s->queue)) {
			session_abort(b, s);
			return false;
		}
		drop_oldest(b, s);
	}
	store_bytes(ref_at(b, s, s->queue.head), &ref, sizeof(ref));
	STORE(s->queue.head, s->queue.head + 1);
	COUNT(b, queued, 1);
	if (s->channel)
		worker_notify(b, s->worker, session_index(b, s));
	return true;
}

const struct ref *queue_next(struct broker *b, const struct session *s)
{
	if (s->queue.sent >= s->queue.head)
		return NULL;
	return ref_at(b, s, s->queue.sent);
}

void queue_overrun(struct broker *b, struct session *s)
{
	struct queue q = s->queue;

	/* What was handed out but never committed comes here again. */
	if (!ref_at(b, s, q.sent)->position) {
		STORE(s->queue.sent, q.sent + 1);
		return;
	}
	q.sent++;
	q.lost++;
	move_queue(b, s, &q, q.sent);
}

/* How many references before the counter are not those of lost events. */
static uint64_t events_before(struct broker *b, const struct session *s,
			      uint64_t counter)
{
	uint64_t i, n = 0;

	for (i = s->queue.tail; i < counter; i++)
		n += ref_at(b, s, i)->position != 0;
	return n;
}

void queue_carry(struct session *s, uint64_t counter)
{
	if (counter > s->queue.head)
		counter = s->queue.head;
	if (counter > s->queue.carried)
		STORE(s->queue.carried, counter);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What was dropped while a listener had it: all before the counter arrived,
 * the others will never.  Those whose fate is known are the youngest of them,
 * but for rare mixtures. */
static void settle_dropped(struct queue *fresh, uint64_t counter)
{
	uint64_t open = fresh->tail - fresh->settled - fresh->known;
	uint64_t arrived = counter <= fresh->settled ? 0 :
			   least(counter - fresh->settled, open);

	fresh->settled = fresh->tail;
	fresh->known = 0;
	fresh->delivered += arrived;
	fresh->lost += open - arrived;
}

void queue_commit(struct broker *b, struct session *s, uint64_t counter)
{
	struct queue q;

	queue_mend(b, s);
	q = s->queue;
	counter = least(counter, q.head);
	if (q.settled == q.tail && counter <= q.tail)
		return;
	settle_dropped(&q, counter);
	if (counter > q.tail) {
		q.delivered += events_before(b, s, counter);
		if (q.sent < counter)
			q.sent = counter;
		q.tail = q.settled = counter;
	}
	move_queue(b, s, &q, 0);
}

int queue_check(struct broker *b, struct buf *report)
{
	uint32_t i;
	int broken = 0;

	for (i = 0; i < b->geometry.sessions; i++) {
		struct session *s = session_at(b, i);

		if (s->slot.state != SLOT_LIVE)
			continue;
		if (s->queue.tail <= s->queue.sent &&
		    s->queue.sent <= s->queue.head &&
		    s->queue.carried <= s->queue.head &&
		    s->queue.settled <= s->queue.tail &&
		    s->queue.known <= s->queue.tail - s->queue.settled &&
		    s->queue.head - s->queue.tail <= b->geometry.queue)
			continue;
		buf_printf(report, "queue of session %.*s: tail %llu, sent "
			   "%llu, head %llu\n", SESSION_HANDLE_SIZE, s->handle,
			   (unsigned long long)s->queue.tail,
			   (unsigned long long)s->queue.sent,
			   (unsigned long long)s->queue.head);
		broken++;
	}
	return broken;
}
