/* SPDX-License-Identifier: MIT */
/*
 * bell.h - a doorbell in shared memory: one word, one waiter, any ringers
 *
 * The word is 1 while rung and not yet answered.  Ringing a bell that is rung
 * already costs no system call.  The waiter answers (clears) first and looks
 * for work after, so that a ring in between is never lost.  futex(2).
 */
#ifndef SHM_BELL_H
#define SHM_BELL_H

#include <stdbool.h>
#include <stdint.h>

/* May be called with or without the segment lock; never blocks. */
void bell_ring(uint32_t *word);

/* Returns once the bell is rung; also after a second, and after a signal
 * handler: callers look for work anyhow, and loop. */
void bell_wait(uint32_t *word);

/* Clears the word; was it rung? */
bool bell_answer(uint32_t *word);

#endif
