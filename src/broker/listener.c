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

/* What there is room for, up to what is wished: streams take half of the
 * slots, streams and waiting pulls all of them. */
static enum session_mode room_for(const struct broker *b,
				  enum session_mode wish)
{
	uint64_t slots = b->map->rules.listen_slots;
	uint64_t streams = b->map->open[MODE_STREAM];
	uint64_t waiting = streams + b->map->open[MODE_PULL];

	if (slots == 0)
		return wish;
	if (wish == MODE_STREAM && streams >= (slots + 1) / 2)
		wish = MODE_PULL;
	return waiting >= slots ? MODE_POLL : wish;
}

static void attach(struct broker *b, struct session *s, uint32_t worker,
		   enum session_mode mode, struct place *out)
{
	STORE(b->map->channels, b->map->channels + 1);
	STORE(s->worker, worker);
	STORE(s->served_as, (uint32_t)mode);
	STORE(s->channel, b->map->channels);
	session_count(b, s, 1);
	out->mode = mode;
	out->channel = s->channel;
}

/* The mode of the session, and whether it would have had another one. */
static void set_mode(struct session *s, enum session_mode wish,
		     enum session_mode mode)
{
	unsigned flags = s->flags & ~(unsigned)SESSION_YIELDED;

	STORE(s->mode, (uint8_t)mode);
	STORE(s->flags, (uint16_t)(flags | SESSION_LISTENED |
				   (mode == wish ? 0 : SESSION_YIELDED)));
	STORE(s->served, clock_ms());
}

enum outcome listener_listen(struct broker *b, struct session_ref ref,
			     uint32_t worker, enum session_mode wish,
			     struct place *place_out)
{
	struct session *s;

	*place_out = (struct place){ .mode = wish };
	broker_lock(b);
	s = session_of(b, ref);
	if (s) {
		evict(b, s);
		place_out->mode = room_for(b, wish);
		set_mode(s, wish, place_out->mode);
		if (place_out->mode == MODE_STREAM)
			attach(b, s, worker, MODE_STREAM, place_out);
	}
	broker_unlock(b);
	return s ? DONE : GONE;
}

enum outcome listener_attach(struct broker *b, struct session_ref ref,
			     uint32_t worker, enum session_mode wish,
			     struct place *place_out)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s) {
		evict(b, s);
		attach(b, s, worker, room_for(b, wish), place_out);
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
			session_end(b, s, "abort");
	}
	broker_unlock(b);
}
