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
#define CRASH_POINT() do { if (crash_point) crash_point(); } while (0)
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
