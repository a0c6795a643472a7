/* SPDX-License-Identifier: MIT */
/*
 * doorbell.c - wait, wake the loop, wait for its answer, and again
 *
 * The loop may also be woken for other reasons and then answers a bell that
 * the thread has not reported; the extra post lets the thread wait at the
 * bell once more than needed, which does no harm.
 */
#include "channel/doorbell.h"

#include <errno.h>
#include <signal.h>

static void *wait_at_door(void *arg)
{
	struct doorbell *d = arg;

	for (;;) {
		worker_wait(d->broker, d->worker);
		if (__atomic_load_n(&d->quit, __ATOMIC_ACQUIRE))
			return NULL;
		uv_async_send(d->wake);
		uv_sem_wait(&d->answered);
	}
}

int doorbell_start(struct doorbell *d, struct broker *b, uint32_t worker,
		   uv_async_t *wake)
{
	sigset_t all, before;
	int rc;

	d->broker = b;
	d->worker = worker;
	d->wake = wake;
	d->quit = false;
	uv_sem_init(&d->answered, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&d->thread, NULL, wait_at_door, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		uv_sem_destroy(&d->answered);
	errno = rc;
	return rc ? -1 : 0;
}

void doorbell_answer(struct doorbell *d,
		     void (*each)(void *arg, uint32_t session), void *arg)
{
	worker_answer(d->broker, d->worker, each, arg);
	uv_sem_post(&d->answered);
}

void doorbell_stop(struct doorbell *d)
{
	__atomic_store_n(&d->quit, true, __ATOMIC_RELEASE);
	uv_sem_post(&d->answered);
	worker_ring(d->broker, d->worker);
	pthread_join(d->thread, NULL);
	uv_sem_destroy(&d->answered);
}
