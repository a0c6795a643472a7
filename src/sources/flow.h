/* SPDX-License-Identifier: MIT */
/*
 * flow.h - so many events a second
 *
 * A bucket that holds what a tenth of a second brings, and at least one, kept
 * as the time at which it is full again.
 */
#ifndef SOURCES_FLOW_H
#define SOURCES_FLOW_H

#include <stdint.h>

struct flow {
	int64_t interval;	/* microseconds of an event */
	int64_t full_at;	/* microseconds */
};

/* rate: events a second, 1 to 1000000.  The bucket is full. */
void flow_init(struct flow *f, uint64_t rate);

/* Milliseconds until there is an event in the bucket; 0: there is one. */
int64_t flow_wait(const struct flow *f, int64_t now_ms);

/* Takes one. */
void flow_take(struct flow *f, int64_t now_ms);

#endif
