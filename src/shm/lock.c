/* SPDX-License-Identifier: MIT */
/*
 * lock.c - a pthread mutex, robust and shared
 *
 * ENOTRECOVERABLE cannot come up: it needs an unlock before
 * pthread_mutex_consistent(), and there is one path only.
 */
#include "shm/lock.h"

#include <errno.h>

#include "base/log.h"

int lock_init(struct shared_lock *l)
{
	pthread_mutexattr_t attr;
	int rc;

	rc = pthread_mutexattr_init(&attr);
	if (rc == 0) {
		pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		rc = pthread_mutex_init(&l->mutex, &attr);
		pthread_mutexattr_destroy(&attr);
	}
	errno = rc;
	return rc ? -1 : 0;
}

void lock_take(struct shared_lock *l, void (*repair)(void *), void *arg)
{
	int rc = pthread_mutex_lock(&l->mutex);

	if (rc == EOWNERDEAD) {
		repair(arg);
		rc = pthread_mutex_consistent(&l->mutex);
	}
	must(rc == 0);
}

void lock_give(struct shared_lock *l)
{
	int rc = pthread_mutex_unlock(&l->mutex);

	must(rc == 0);
}
