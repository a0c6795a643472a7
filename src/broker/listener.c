/* SPDX-License-Identifier: MIT */
/*
 * listener.c - who serves a session
 *
 * The number of the channel is the primary record; it is stored last when a
 * channel attaches and alone when it detaches.
 */
#include "broker/listener.h"

#include "base/clock.h"
#include "broker/view.h"
#include "shm/store.h"

/* The channel that serves it, if any, must learn that it does no more. */
static void evict(struct broker *b, struct session *s)
{
	if (!s->channel)
		return;
	worker_notify(b, s->worker, session_index(b, s));
	session_unserved(b, s);
}

enum outcome listener_mode(struct broker *b, struct session_ref ref,
			   enum session_mode mode)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s) {
		evict(b, s);
		STORE(s->mode, (uint8_t)mode);
		STORE(s->flags, (uint16_t)(s->flags | SESSION_LISTENED));
		STORE(s->served, clock_ms());
	}
	broker_unlock(b);
	return s ? DONE : GONE;
}

enum outcome listener_attach(struct broker *b, struct session_ref ref,
			     uint32_t worker, uint64_t *channel_out)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s) {
		evict(b, s);
		STORE(b->map->channels, b->map->channels + 1);
		STORE(s->worker, worker);
		STORE(s->channel, b->map->channels);
		*channel_out = s->channel;
	}
	broker_unlock(b);
	return s ? DONE : GONE;
}

void listener_detach(struct broker *b, struct session_ref ref,
		     uint64_t channel)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s && s->channel == channel) {
		session_unserved(b, s);
		if (s->flags & SESSION_ABORTED)
			session_end(b, s);
	}
	broker_unlock(b);
}
