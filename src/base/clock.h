/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the two clocks: one for periods, one for people
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds on CLOCK_MONOTONIC: the same in every process of a machine,
 * never set back; all deadlines and leases use it. */
static inline int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Seconds since 1970, as p_time carries them. */
static inline int64_t clock_unix(void)
{
	return time(NULL);	/* an event's cost: no finer clock is read */
}

/* The same in milliseconds. */
static inline uint64_t clock_unix_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

#endif
