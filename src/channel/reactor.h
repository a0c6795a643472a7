/* SPDX-License-Identifier: MIT */
/*
 * reactor.h - one loop per process, which owns all suspended channels
 *
 * Calling sequence: reactor_new(), put further handles on reactor_loop(),
 * reactor_run() until it returns, reactor_free().  reactor_adopt() may be
 * called from any thread, everything else from the loop's.
 *
 * One turn of the loop (libuv's order): timers (heartbeats, the tick), then
 * what came in: connections of channels (hang-ups, room to write), and the
 * wake-up, upon which new channels are adopted, the doorbell is answered, and
 * ready channels are served in batches (deliver.h) - unless the loop rests
 * after much of that (rest.h).
 */
#ifndef CHANNEL_REACTOR_H
#define CHANNEL_REACTOR_H

#include <uv.h>

#include "broker/broker.h"
#include "broker/properties.h"
#include "channel/channel.h"

/* Makes the loop and starts the thread that waits at this worker's doorbell.
 * tick(arg) is called about once a second.  NULL with errno. */
struct reactor *reactor_new(struct broker *b, uint32_t worker,
			    const struct properties *p,
			    void (*tick)(void *arg), void *arg);

uv_loop_t *reactor_loop(struct reactor *r);

/* Takes over a channel and its connection.  fd -1: the peer went before; the
 * channel is detached and freed. */
void reactor_adopt(struct reactor *r, struct channel *c, int fd, int request);

/* Takes over the properties that may change. */
void reactor_settle(struct reactor *r, const struct properties *p);

/* Returns after reactor_stop(), or when the segment was destroyed. */
void reactor_run(struct reactor *r);

/* Ends every channel with a refresh (so that its client comes back) and, once
 * they are gone or half a second later, the loop. */
void reactor_stop(struct reactor *r);

/* Channels still there are closed.  Sets *r to NULL. */
void reactor_free(struct reactor **r);

#endif
