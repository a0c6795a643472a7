/* SPDX-License-Identifier: MIT */
/*
 * steer.c - kick and drain
 *
 * Neither touches a channel: that belongs to its process, which finds the order
 * in the segment, by its doorbell or with its next tick.
 */
#include "broker/steer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "broker/name.h"
#include "broker/session.h"
#include "broker/view.h"
#include "shm/store.h"

enum { LATE = 60000 };		/* ms that a drain stays in force */

/* As much of a text as there is room for; no part of a character. */
static void set_reason(struct session *s, const char *reason)
{
	char text[REASON_SIZE] = "";
	size_t n = strlen(reason);

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	while (n > 0 && !utf8_valid(reason, n))
		n--;
	snprintf(text, sizeof(text), "%.*s", (int)n, reason);
	store_bytes(s->reason, text, sizeof(text));
}

enum outcome steer_kick(struct broker *b, const char *handle,
			const char *reason)
{
	struct session *s = NULL;

	if (!name_is_handle(handle))
		return GONE;
	broker_lock(b);
	s = session_named(b, handle);
	if (s && (s->flags & SESSION_ABORTED || !session_current(s, clock_ms())))
		s = NULL;
	if (s && s->channel) {
		set_reason(s, reason);
		session_abort(b, s);
	} else if (s) {
		session_end(b, s, "abort");
		COUNT(b, aborts, 1);
	}
	broker_unlock(b);
	return s ? DONE : GONE;
}

unsigned steer_drain(struct broker *b, unsigned seconds)
{
	unsigned i, n = 0;

	broker_lock(b);
	for (i = 0; i < 4; i++)
		n += b->map->open[i];
	STORE(b->map->drain.until, 0);
	STORE(b->map->drain.channels, b->map->channels);
	STORE(b->map->drain.until, clock_ms() + (int64_t)seconds * 1000);
	broker_unlock(b);
	return n;
}

bool steer_draining(struct broker *b, struct drain *order_out)
{
	order_out->until = LOAD(b->map->drain.until);
	order_out->channels = LOAD(b->map->drain.channels);
	return order_out->until && clock_ms() - LATE < order_out->until;
}

uint64_t steer_share(const struct drain *order, uint64_t n, int64_t tick)
{
	int64_t left = order->until - clock_ms();
	uint64_t turns = left > 0 ? (uint64_t)(left / tick) + 1 : 1;

	return (n + turns - 1) / turns;
}
