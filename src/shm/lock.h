/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the lock of a segment, which outlives its holders
 *
 * A robust process-shared mutex.  When the holder died, the next one gets the
 * lock with everything behind it perhaps half changed; it must re-establish
 * every invariant before anyone else looks.  That is the repair callback,
 * which runs with the lock held; a process that dies inside it leaves the same
 * duty to the next.
 *
 * Rule: no system call that can block is made while holding it.
 */
#ifndef SHM_LOCK_H
#define SHM_LOCK_H

#include <pthread.h>

struct shared_lock {
	pthread_mutex_t mutex;
};

/* Called by the creator of the segment, before anyone else can see it.
 * Returns 0 or -1 with errno. */
int lock_init(struct shared_lock *l);

/* Takes the lock, waiting for it.  When its last holder died: calls
 * repair(arg) first, then goes on as if nothing had been. */
void lock_take(struct shared_lock *l, void (*repair)(void *), void *arg);

void lock_give(struct shared_lock *l);

#endif
