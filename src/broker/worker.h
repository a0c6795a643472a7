/* SPDX-License-Identifier: MIT */
/*
 * worker.h - processes that hold open channels, and their doorbells
 *
 * Invariants (worker_check()): a live worker has a pid.  Spurious ready bits
 * do no harm; missing ones are set again by repair.
 */
#ifndef BROKER_WORKER_H
#define BROKER_WORKER_H

#include "broker/broker.h"

/* Enters this process.  DONE with its index; SEGMENT_FULL after the dead have
 * been looked for. */
enum outcome worker_enter(struct broker *b, uint32_t *worker_out);

/* Leaves; sessions it still serves have no listener then. */
void worker_exit(struct broker *b, uint32_t worker);

/* Removes workers whose process died.  Returns how many. */
unsigned worker_reap(struct broker *b);

/* The same, unless another process looked within the last seconds. */
unsigned worker_reap_due(struct broker *b);

/* Waits until somebody rings this worker.  May return early. */
void worker_wait(struct broker *b, uint32_t worker);

/* Rings a worker oneself: to wake one's own waiting thread. */
void worker_ring(struct broker *b, uint32_t worker);

/* Answers the bell and calls each(arg, session index) for every session that
 * was marked ready since the last time. */
void worker_answer(struct broker *b, uint32_t worker,
		   void (*each)(void *arg, uint32_t session), void *arg);

#endif
