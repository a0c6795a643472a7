/* SPDX-License-Identifier: MIT */
/*
 * proc.h - is that process still there?
 *
 * A pid alone is not a name: it is used again.  A pid and the time its process
 * started (field 22 of /proc/PID/stat, in clock ticks since boot) are.
 */
#ifndef SHM_PROC_H
#define SHM_PROC_H

#include <stdbool.h>
#include <stdint.h>

struct proc {
	uint32_t pid;
	uint64_t started;	/* 0 where /proc does not tell */
};

struct proc proc_self(void);

/* May say true of a dead process whose pid was used again, only where /proc
 * is not mounted; never says false of a living one. */
bool proc_alive(struct proc p);

#endif
