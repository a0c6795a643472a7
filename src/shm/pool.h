/* SPDX-License-Identifier: MIT */
/*
 * pool.h - slots of one size in the segment, named by index and generation
 *
 * A slot is free or in use by one store to its state; that is the primary
 * record.  The free list is derived: pool_rebuild() makes it anew from the
 * states.  A generation belongs to one use of a slot, so that a name kept from
 * an earlier use finds nothing instead of somebody else.
 *
 * Invariants while nobody holds the lock (pool_check()):
 *   used == the number of slots whose state is not SLOT_FREE
 *   the free list holds every free slot exactly once, and nothing else
 */
#ifndef SHM_POOL_H
#define SHM_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define NONE UINT32_MAX		/* no index */

enum { SLOT_FREE = 0, SLOT_LIVE = 1 };	/* further states: the owner's */

/* The first field of every slot. */
struct slot {
	uint32_t state;
	uint32_t generation;	/* 1 at first use; 0: never used */
	uint32_t next_free;	/* derived; index or NONE; only while free */
	uint32_t reserved;
};

/* In the segment. */
struct pool_head {
	uint32_t max;		/* slots; fixed at creation */
	uint32_t stride;	/* bytes a slot; fixed at creation */
	uint32_t first_free;	/* derived */
	uint32_t used;		/* derived */
};

/* A process's view of a pool: never in the segment.  max and stride are its
 * own copies: damage to the head must not lead it out of the slots. */
struct pool {
	struct pool_head *head;
	char *slots;
	uint32_t max;
	uint32_t stride;
};

/* Only by the creator, on zeroed memory.  stride >= sizeof(struct slot). */
void pool_init(struct pool *p, uint32_t max, uint32_t stride);

/* The slot of an index; NULL when there is no such index (NONE included). */
void *pool_at(const struct pool *p, uint32_t index);

/* Takes a slot off the free list and gives it a new generation; its state is
 * still SLOT_FREE: the caller fills it, then stores the state.  NONE when all
 * are used. */
uint32_t pool_take(struct pool *p);

/* Frees a slot, committed or not; its generation ends with it. */
void pool_give(struct pool *p, uint32_t index);

/* Makes the derived part anew. */
void pool_rebuild(struct pool *p);

/* Appends a line per broken invariant; returns their number. */
int pool_check(const struct pool *p, const char *name, struct buf *report);

#endif
