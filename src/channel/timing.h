/* SPDX-License-Identifier: MIT */
/*
 * timing.h - what the clock does to channels
 *
 * A channel to which nothing was written for queue.read.timeout.millis gets a
 * heartbeat, or its answer; a stream that is older than stream.max.seconds is
 * sent back.
 */
#ifndef CHANNEL_TIMING_H
#define CHANNEL_TIMING_H

#include "channel/reactor.h"

enum { TICK = 1000 };		/* ms between two calls of timing_tick() */

/* Sets the clock for the next heartbeat, that of the quietest channel. */
void timing_arm(struct reactor *r);

/* Ends the streams that are long enough. */
void timing_tick(struct reactor *r);

#endif
