/* SPDX-License-Identifier: MIT */
/*
 * rest.h - after much work, a moment in which more of it may gather
 *
 * Each event sent by itself costs the web server a read and a write for each
 * stream.  A loop that has just spent milliseconds on a round of deliveries
 * rests for a few times as long, but 10 ms at most: what comes meanwhile goes
 * out together, in fewer and larger records.  A loop with little to do never
 * rests, nor does one that is behind already.
 *
 * Only the loop's thread uses it.
 */
#ifndef CHANNEL_REST_H
#define CHANNEL_REST_H

#include <stdbool.h>
#include <uv.h>

struct rest {
	uv_timer_t timer;
	uv_async_t *wake;
	uint64_t until;		/* uv_hrtime() */
};

/* wake is sent when a rest is over in which somebody asked. */
void rest_init(struct rest *r, uv_loop_t *loop, uv_async_t *wake);

/* A round that began at that uv_hrtime() has ended. */
void rest_after(struct rest *r, uint64_t began);

/* Is it resting?  Then wake will be sent at the end. */
bool rest_now(struct rest *r);

#endif
