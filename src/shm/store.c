/* SPDX-License-Identifier: MIT */
/*
 * store.c - where a test hooks in
 *
 * Only a build with -DCRASH_POINTS has anything here.
 */
#include "shm/store.h"

#ifdef CRASH_POINTS
void (*crash_point)(void);
#else
/* ISO C wants a declaration in every file. */
typedef int store_has_no_hook;
#endif
