/* SPDX-License-Identifier: MIT */
/*
 * timing.c - heartbeats, and streams that are long enough
 */
#include "channel/timing.h"

#include "base/clock.h"
#include "broker/listener.h"
#include "channel/reactor_own.h"

static void heartbeats_due(uv_timer_t *timer);

/* The next heartbeat is that of the quietest channel. */
void timing_arm(struct reactor *r)
{
	int64_t due;

	if (!r->roster.quietest) {
		uv_timer_stop(&r->heartbeat);
		return;
	}
	due = r->roster.quietest->quiet_since +
	      (int64_t)r->rules.read_timeout - clock_ms();
	uv_timer_start(&r->heartbeat, heartbeats_due,
		       due > 0 ? (uint64_t)due : 0, 0);
}

/* A channel to which nothing was written for the read timeout. */
static void beat(struct reactor *r, struct channel *c)
{
	struct buf out = BUF_INIT;

	roster_touch(&r->roster, c);
	if (c->ending || c->held.len)
		return;		/* it has more to read than it can */
	if (c->mode == MODE_STREAM) {
		record_room(&out);
		channel_heartbeat(c, &out);
		if (channel_say(c, &out) == PEER_GONE)
			reactor_lose(r, c);
		else
			reactor_watch(c);
	} else {
		channel_heartbeat(c, &out);
		listener_detach(r->broker, c->ref, c->number);
		channel_refresh(c, &out, deliver_wait(&r->deliver, c));
		reactor_part(r, c, channel_finish(c, &out));
	}
}

static void heartbeats_due(uv_timer_t *timer)
{
	struct reactor *r = timer->data;
	int64_t limit = clock_ms() - (int64_t)r->rules.read_timeout;

	while (r->roster.quietest &&
	       r->roster.quietest->quiet_since <= limit)
		beat(r, r->roster.quietest);
	timing_arm(r);
}

void timing_tick(struct reactor *r)
{
	int64_t limit = clock_ms() - (int64_t)r->rules.stream_max * 1000;
	struct channel *c, *next;

	if (!r->rules.stream_max)
		return;
	for (c = r->roster.oldest; c && c->opened <= limit; c = next) {
		next = c->newer;
		if (!c->ending && c->mode == MODE_STREAM)
			reactor_send_back(r, c);
	}
}
