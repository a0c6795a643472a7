/* SPDX-License-Identifier: MIT */
/*
 * drain.c - a process's part of a drain
 */
#include "channel/drain.h"

#include "broker/steer.h"

static bool is_meant(const struct channel *c, const struct drain *order)
{
	return !c->ending && !c->tired && c->number <= order->channels;
}

void drain_some(struct broker *b, struct roster *roster, struct ready *ready,
		int64_t tick)
{
	struct channel *c;
	struct drain order;
	uint64_t n = 0;

	if (!steer_draining(b, &order))
		return;
	for (c = roster->oldest; c; c = c->newer)
		n += is_meant(c, &order);
	n = steer_share(&order, n, tick);
	for (c = roster->oldest; c && n; c = c->newer) {
		if (!is_meant(c, &order))
			continue;
		c->tired = true;
		ready_add(ready, c);
		n--;
	}
}
