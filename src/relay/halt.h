/* SPDX-License-Identifier: MIT */
/*
 * halt.h - waiting, which SIGTERM ends
 *
 * Signals are blocked but for the time of halt_wait(), so that none comes
 * between a look at halt_asked() and the wait.
 */
#ifndef RELAY_HALT_H
#define RELAY_HALT_H

#include <stdbool.h>
#include <stdint.h>

#define FOREVER INT64_MAX

/* To be called once, first. */
void halt_init(void);

/* In a child that is to become another program: signals as they were. */
void halt_undo(void);

/* Has SIGTERM or SIGINT come? */
bool halt_asked(void);

/* Returns the deadline (clock_ms()); once we were asked to halt, at most so many
 * milliseconds from then: what is under way has a moment to end. */
int64_t halt_deadline(int64_t deadline, int64_t grace);

/* Waits until fd (-1: none) is readable or the deadline is over; less long
 * when a signal comes, for a child that ended too.  Does not wait FOREVER once
 * we were asked to halt. */
void halt_wait(int fd, int64_t deadline);

#endif
