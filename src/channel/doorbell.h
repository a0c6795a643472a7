/* SPDX-License-Identifier: MIT */
/*
 * doorbell.h - the thread that turns a worker's bell into a loop's wake-up
 *
 * A futex cannot be polled, so a small thread waits at it and sends an
 * uv_async.  It waits again only when the loop has answered: a bell that
 * stays rung does not make it spin.
 */
#ifndef CHANNEL_DOORBELL_H
#define CHANNEL_DOORBELL_H

#include <pthread.h>
#include <uv.h>

#include "broker/worker.h"

struct doorbell {
	struct broker *broker;
	uint32_t worker;
	uv_async_t *wake;
	pthread_t thread;
	uv_sem_t answered;
	bool quit;		/* atomic */
};

/* Starts the thread; signals stay blocked in it.  wake must be initialised.
 * Returns 0 or -1 with errno. */
int doorbell_start(struct doorbell *d, struct broker *b, uint32_t worker,
		   uv_async_t *wake);

/* In the loop, when woken: answers the bell, as worker_answer(). */
void doorbell_answer(struct doorbell *d,
		     void (*each)(void *arg, uint32_t session), void *arg);

/* Ends the thread. */
void doorbell_stop(struct doorbell *d);

#endif
