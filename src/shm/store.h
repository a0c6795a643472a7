/* SPDX-License-Identifier: MIT */
/*
 * store.h - the only ways to change the segment
 *
 * A process may die between any two stores, so their order is part of the
 * design: every change goes through these, and the compiler keeps them in
 * program order (each is a release store between two compiler fences; what
 * another process sees is ordered by the segment lock).  Built with
 * -DCRASH_POINTS, each calls crash_point() first, where a test may end the
 * process.
 */
#ifndef SHM_STORE_H
#define SHM_STORE_H

#include <stddef.h>
#include <string.h>

#ifdef CRASH_POINTS
/* Set by a test: called before every store. */
extern void (*crash_point)(void);
static inline void store_crash_point(void)
{
	if (crash_point)
		crash_point();
}
#define CRASH_POINT() store_crash_point()
#else
#define CRASH_POINT() ((void)0)
#endif

/* One store of a naturally aligned field of at most 8 bytes: it happens
 * wholly or not at all. */
#define STORE(field, value) \
	do { \
		CRASH_POINT(); \
		__atomic_signal_fence(__ATOMIC_SEQ_CST); \
		__atomic_store_n(&(field), (value), __ATOMIC_RELEASE); \
		__atomic_signal_fence(__ATOMIC_SEQ_CST); \
	} while (0)

/* The same where others change the field without the lock: each is one step
 * that nobody comes between.  The first two give what was there before; the
 * last stores only if *expected is there, else it puts into *expected what
 * is, and gives false. */
#define STORE_BITS(field, bits) \
	(CRASH_POINT(), __atomic_fetch_or(&(field), (bits), __ATOMIC_ACQ_REL))
#define EXCHANGE(field, value) \
	(CRASH_POINT(), \
	 __atomic_exchange_n(&(field), (value), __ATOMIC_ACQ_REL))
#define STORE_IF(field, expected, value) \
	(CRASH_POINT(), \
	 __atomic_compare_exchange_n(&(field), (expected), (value), 0, \
				     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))

/* Reads a field that others may change while we do not hold the lock. */
#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)

/* Copies bytes that nobody reads before a later STORE makes them real: a
 * crash may leave any part of them. */
static inline void store_bytes(void *to, const void *from, size_t n)
{
	CRASH_POINT();
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memcpy(to, from, n);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#endif
