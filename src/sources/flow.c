/* SPDX-License-Identifier: MIT */
/*
 * flow.c - so many events a second
 */
#include "sources/flow.h"

enum { SECOND = 1000000, CAPACITY = SECOND / 10 };

void flow_init(struct flow *f, uint64_t rate)
{
	f->interval = SECOND / (int64_t)rate;
	f->full_at = 0;
}

int64_t flow_wait(const struct flow *f, int64_t now_ms)
{
	int64_t now = now_ms * 1000;
	int64_t used = f->full_at > now ? f->full_at - now : 0;
	int64_t capacity = f->interval > CAPACITY ? f->interval : CAPACITY;
	int64_t over = used + f->interval - capacity;

	return over > 0 ? (over + 999) / 1000 : 0;
}

void flow_take(struct flow *f, int64_t now_ms)
{
	int64_t now = now_ms * 1000;

	f->full_at = (f->full_at > now ? f->full_at : now) + f->interval;
}
