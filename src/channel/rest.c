/* SPDX-License-Identifier: MIT */
/*
 * rest.c - after much work, a moment in which more of it may gather
 */
#include "channel/rest.h"

#define MS 1000000ull			/* in nanoseconds */

enum { TIMES = 4, LONGEST = 10 };	/* ms */

void rest_init(struct rest *r, uv_loop_t *loop, uv_async_t *wake)
{
	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	r->wake = wake;
	r->until = 0;
}

void rest_after(struct rest *r, uint64_t began)
{
	uint64_t now = uv_hrtime(), rest = TIMES * (now - began);

	r->until = now + (rest < LONGEST * MS ? rest : LONGEST * MS);
}

static void over(uv_timer_t *timer)
{
	struct rest *r = timer->data;

	uv_async_send(r->wake);
}

bool rest_now(struct rest *r)
{
	uint64_t now = uv_hrtime();

	if (now + MS > r->until)
		return false;	/* or less than the timer can tell */
	if (!uv_is_active((uv_handle_t *)&r->timer))
		uv_timer_start(&r->timer, over, (r->until - now) / MS, 0);
	return true;
}
