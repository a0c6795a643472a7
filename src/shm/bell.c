/* SPDX-License-Identifier: MIT */
/*
 * bell.c - FUTEX_WAIT and FUTEX_WAKE on a shared word
 */
#include "shm/bell.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shm/store.h"

void bell_ring(uint32_t *word)
{
	if (EXCHANGE(*word, 1) == 0)
		syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void bell_wait(uint32_t *word)
{
	/* A ringer that dies before it rings costs a second, not a sleep
	 * without end. */
	static const struct timespec patience = { .tv_sec = 1 };

	if (LOAD(*word) == 0)
		syscall(SYS_futex, word, FUTEX_WAIT, 0, &patience, NULL, 0);
}

bool bell_answer(uint32_t *word)
{
	return EXCHANGE(*word, 0) != 0;
}
