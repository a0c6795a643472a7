/* SPDX-License-Identifier: MIT */
/*
 * reactor.c - what wakes channels, and what becomes of them
 *
 * Channels found ready are collected and served, in batches, at the end of what
 * woke us.  A channel is closed in one place, and its memory freed when libuv
 * has let go of its handle.  What the clock does to them is in timing.c.
 */
#include "channel/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/listener.h"
#include "broker/worker.h"
#include "channel/drain.h"
#include "channel/reactor_own.h"
#include "channel/timing.h"

enum { PARTING = 500 };		/* ms for last words when stopping */

static void freed(uv_handle_t *h)
{
	channel_free(h->data);
}

static void close_channel(struct reactor *r, struct channel *c)
{
	roster_remove(&r->roster, c);
	ready_remove(&r->ready, c);
	/* In this order: uv_close() takes the descriptor out of the poll set,
	 * and behind close() its number may be another thread's. */
	uv_close((uv_handle_t *)&c->poll, freed);
	close(c->fd);
	if (r->stopping && !r->roster.oldest)
		uv_stop(&r->loop);
}

void reactor_lose(struct reactor *r, struct channel *c)
{
	listener_detach(r->broker, c->ref, c->number);
	close_channel(r, c);
}

void reactor_part(struct reactor *r, struct channel *c, enum written w)
{
	if (w == HELD)
		reactor_watch(c);
	else
		close_channel(r, c);
}

void reactor_send_back(struct reactor *r, struct channel *c)
{
	struct buf last = BUF_INIT;

	listener_detach(r->broker, c->ref, c->number);
	channel_refresh(c, &last, deliver_wait(&r->deliver, c));
	reactor_part(r, c, channel_finish(c, &last));
}

/* Ends it without more ado: another one serves the session now. */
static void dismiss(struct reactor *r, struct channel *c)
{
	struct buf last = BUF_INIT;

	reactor_part(r, c, channel_finish(c, &last));
}

static void conclude(struct reactor *r, struct channel *c, enum verdict v)
{
	switch (v) {
	case LOST:
		reactor_lose(r, c);
		return;
	case ENDED:
		reactor_part(r, c, c->held.len ? HELD : WRITTEN);
		return;
	case TIRED:
		reactor_send_back(r, c);
		return;
	case AGAIN:
		ready_add(&r->ready, c);
		break;
	case IDLE:
		break;
	}
	if (c->wrote)
		roster_touch(&r->roster, c);
	c->wrote = false;
	reactor_watch(c);
}

/* Serves what is ready: each once, so that a flood for a few does not keep
 * the loop from its other duties; the rest gets its turn right after. */
static void serve_ready(struct reactor *r)
{
	struct channel *batch[DELIVER_BATCH];
	enum verdict verdicts[DELIVER_BATCH];
	unsigned n, i, left = r->ready.count;
	uint64_t began = uv_hrtime();
	bool wrote = false;

	while (left > 0) {
		n = ready_take(&r->ready, batch,
			       left < DELIVER_BATCH ? left : DELIVER_BATCH);
		left -= n;
		if (n == 0)
			break;
		deliver_batch(&r->deliver, batch, n, verdicts);
		for (i = 0; i < n; i++) {
			wrote |= batch[i]->wrote;
			conclude(r, batch[i], verdicts[i]);
		}
	}
	if (r->ready.count)
		uv_async_send(&r->wake);
	else if (wrote)
		rest_after(&r->rest, began);
}

static void room_to_write(struct reactor *r, struct channel *c)
{
	switch (channel_flush(c)) {
	case PEER_GONE:
		reactor_lose(r, c);
		return;
	case HELD:
		return;
	case WRITTEN:
		break;
	}
	if (c->ending) {
		close_channel(r, c);
		return;
	}
	reactor_watch(c);
	ready_add(&r->ready, c);	/* to commit it, and for what came meanwhile */
	serve_ready(r);
}

static void polled(uv_poll_t *poll, int status, int events)
{
	struct channel *c = poll->data;
	struct reactor *r = c->reactor;

	if (status < 0 || (events & (UV_READABLE | UV_DISCONNECT) &&
			   channel_hung_up(c)))
		reactor_lose(r, c);
	else if (events & UV_WRITABLE)
		room_to_write(r, c);
}

void reactor_watch(struct channel *c)
{
	bool write = c->held.len > 0;

	if (uv_is_active((uv_handle_t *)&c->poll) && write == c->watching_write)
		return;
	c->watching_write = write;
	uv_poll_start(&c->poll, UV_READABLE | UV_DISCONNECT |
		      (write ? UV_WRITABLE : 0), polled);
}

static void turn_away(struct reactor *r, struct channel *c)
{
	listener_detach(r->broker, c->ref, c->number);
	if (c->fd >= 0)
		close(c->fd);
	channel_free(c);
}

/* Two channels of one session may arrive in either order; the number tells
 * which is newer.  Is this one? */
static bool supersede(struct reactor *r, struct channel *c)
{
	struct channel *other = roster_of(&r->roster, c->ref.index);

	if (other && other->number > c->number)
		return false;
	if (other && !other->ending)
		dismiss(r, other);
	roster_name(&r->roster, c);
	return true;
}

static void adopt(struct reactor *r, struct channel *c)
{
	if (c->fd < 0 || uv_poll_init(&r->loop, &c->poll, c->fd) < 0) {
		turn_away(r, c);
		return;
	}
	c->poll.data = c;
	c->reactor = r;
	roster_add(&r->roster, c);
	reactor_watch(c);
	if (!uv_is_active((uv_handle_t *)&r->heartbeat))
		timing_arm(r);
	if (!supersede(r, c))
		dismiss(r, c);
	else if (r->stopping)
		reactor_send_back(r, c);
	else
		ready_add(&r->ready, c);
}

/* Was somebody there? */
static bool empty_inbox(struct reactor *r)
{
	struct channel *first = inbox_take(&r->inbox), *c, *next;

	for (c = first; c; c = next) {
		next = c->newer;
		adopt(r, c);
	}
	return first;
}

void reactor_adopt(struct reactor *r, struct channel *c, int fd, int request)
{
	c->fd = fd;
	c->request = request;
	inbox_put(&r->inbox, c);
	uv_async_send(&r->wake);
}

static void session_ready(void *arg, uint32_t session)
{
	struct reactor *r = arg;
	struct channel *c = roster_of(&r->roster, session);

	if (!c)
		return;
	if (c->held.len == 0) {
		ready_add(&r->ready, c);
		return;
	}
	/* It takes nothing before it has room, of which the poll tells; a loss
	 * or the end of the session is seen to with the next tick. */
	c->overdue = r->overdue = true;
}

/* Those whose bell rang while they held something. */
static void serve_overdue(struct reactor *r)
{
	struct channel *c;

	if (!r->overdue)
		return;
	r->overdue = false;
	for (c = r->roster.oldest; c; c = c->newer) {
		if (c->overdue)
			ready_add(&r->ready, c);
		c->overdue = false;
	}
}

/* The segment was destroyed: nobody's session exists any more. */
static void retire(struct reactor *r)
{
	struct channel *c, *next;
	struct buf last = BUF_INIT;

	if (r->retired)
		return;
	r->retired = true;
	r->stopping = true;
	log_warn("segment %s was destroyed; ending all channels",
		 broker_name(r->broker));
	for (c = r->roster.oldest; c; c = next) {
		next = c->newer;
		if (c->ending)
			continue;
		channel_abort(c, &last, "the server was stopped for good");
		reactor_part(r, c, channel_finish(c, &last));
	}
	uv_stop(&r->loop);
}

static void woken(uv_async_t *wake)
{
	struct reactor *r = wake->data;
	bool came = empty_inbox(r);

	if (broker_retired(r->broker)) {
		retire(r);
		return;
	}
	if (!came && rest_now(&r->rest))
		return;		/* the bell stays rung */
	doorbell_answer(&r->doorbell, session_ready, r);
	serve_ready(r);
}

static void ticked(uv_timer_t *timer)
{
	struct reactor *r = timer->data;

	if (broker_retired(r->broker)) {
		retire(r);
		return;
	}
	session_expire(r->broker);
	worker_reap_due(r->broker);
	timing_tick(r);
	drain_some(r->broker, &r->roster, &r->ready, TICK);
	serve_overdue(r);
	serve_ready(r);
	r->on_tick(r->tick_arg);
}

static void parted(uv_timer_t *timer)
{
	struct reactor *r = timer->data;

	uv_stop(&r->loop);
}

static void add_timer(struct reactor *r, uv_timer_t *t)
{
	uv_timer_init(&r->loop, t);
	t->data = r;
}

static int set_up_loop(struct reactor *r)
{
	int rc = uv_loop_init(&r->loop);

	if (rc == 0)
		rc = uv_async_init(&r->loop, &r->wake, woken);
	if (rc < 0) {
		errno = -rc;
		return -1;
	}
	r->wake.data = r;
	add_timer(r, &r->heartbeat);
	add_timer(r, &r->tick);
	add_timer(r, &r->parting);
	rest_init(&r->rest, &r->loop, &r->wake);
	uv_timer_start(&r->tick, ticked, TICK, TICK);
	inbox_init(&r->inbox);
	ready_init(&r->ready);
	return 0;
}

struct reactor *reactor_new(struct broker *b, uint32_t worker,
			    const struct properties *p,
			    void (*tick)(void *arg), void *arg)
{
	struct reactor *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->broker = b;
	r->on_tick = tick;
	r->tick_arg = arg;
	if (roster_init(&r->roster, broker_sessions_max(b)) < 0 ||
	    deliver_init(&r->deliver, b) < 0 || set_up_loop(r) < 0)
		goto fail;
	reactor_settle(r, p);
	if (doorbell_start(&r->doorbell, b, worker, &r->wake) == 0)
		return r;
fail:
	deliver_release(&r->deliver);
	roster_release(&r->roster);
	free(r);
	return NULL;
}

uv_loop_t *reactor_loop(struct reactor *r)
{
	return &r->loop;
}

void reactor_settle(struct reactor *r, const struct properties *p)
{
	r->rules = *p;
	r->deliver.rules = *p;
	timing_arm(r);
}

void reactor_run(struct reactor *r)
{
	uv_run(&r->loop, UV_RUN_DEFAULT);
}

void reactor_stop(struct reactor *r)
{
	struct channel *c, *next;

	if (r->stopping)
		return;
	r->stopping = true;
	empty_inbox(r);
	for (c = r->roster.oldest; c; c = next) {
		next = c->newer;
		if (!c->ending)
			reactor_send_back(r, c);
	}
	if (r->roster.oldest)
		uv_timer_start(&r->parting, parted, PARTING, 0);
	else
		uv_stop(&r->loop);
}

static void close_any(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void reactor_free(struct reactor **r_ptr)
{
	struct reactor *r = *r_ptr;

	doorbell_stop(&r->doorbell);
	uv_run(&r->loop, UV_RUN_NOWAIT);	/* a signal that came before */
	empty_inbox(r);
	r->stopping = false;	/* the loop must run once more, to close */
	while (r->roster.oldest)
		reactor_lose(r, r->roster.oldest);
	uv_walk(&r->loop, close_any, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_loop_close(&r->loop);
	inbox_release(&r->inbox);
	deliver_release(&r->deliver);
	roster_release(&r->roster);
	free(r);
	*r_ptr = NULL;
}
