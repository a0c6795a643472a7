/* SPDX-License-Identifier: MIT */
/*
 * segment.h - a named piece of shared memory, made once, mapped by many
 *
 * Calling sequence: segment_open() with a plan makes the segment if there is
 * none, and attaches to it; without a plan it only attaches.  segment_close()
 * unmaps.  The content behind the head is the caller's (broker/layout.h).
 *
 * Creation is free of races: who holds flock(2) on the segment's descriptor
 * looks whether the magic stands and, if not, makes the whole segment, the
 * magic last.  A creator that dies leaves no magic, and the next one starts
 * over.  All memory is reserved at creation, so that a full /dev/shm is an
 * error then and not a SIGBUS later.
 */
#ifndef SHM_SEGMENT_H
#define SHM_SEGMENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SEGMENT_NAME_MAX 64

/* At offset 0 of every segment. */
struct segment_head {
	uint64_t magic;		/* stored last by the creator */
	uint64_t stamp;		/* layout version and sizes, segment_plan */
	uint64_t size;		/* bytes of the whole segment */
	uint32_t retired;	/* 1: unlinked by segment_retire(), let go */
	uint32_t reserved;
};

struct segment {
	char name[SEGMENT_NAME_MAX];
	struct segment_head *head;	/* the mapping */
	size_t size;
	int made;			/* this call created it */
};

enum segment_status {
	SEGMENT_OK,
	SEGMENT_MISSING,	/* none of that name (attach only) */
	SEGMENT_DENIED,		/* file permissions */
	SEGMENT_FOREIGN,	/* made by another user: not to be trusted */
	SEGMENT_OTHER_LAYOUT,	/* by another version of this program */
	SEGMENT_DAMAGED,	/* its size is not what its head says */
	SEGMENT_NO_SPACE,	/* /dev/shm or memory is full */
	SEGMENT_SYSTEM		/* anything else: errno */
};

struct segment_plan {
	size_t size;
	mode_t mode;		/* permission bits, not changed by umask */
	gid_t group;		/* (gid_t)-1: the creator's */
	/* Fills the zeroed segment; 0, or -1 with errno. */
	int (*fill)(struct segment *s, void *arg);
	void *arg;
};

/*
 * Opens the segment called name ("/pushlet").  stamp is what the head must
 * say.  plan NULL: attach only, whoever owns it, if the permissions let us.
 * With a plan: the owner must be this user or root.  On SEGMENT_OK *s is
 * filled; else nothing is left open, and errno is set for SEGMENT_SYSTEM and
 * SEGMENT_NO_SPACE.
 */
enum segment_status segment_open(struct segment *s, const char *name,
				 uint64_t stamp,
				 const struct segment_plan *plan);

void segment_close(struct segment *s);

/* Takes the name away and marks the segment retired; processes that have it
 * mapped see the mark.  Returns 0, or -1 with errno and nothing changed:
 * ENOENT when it was retired before. */
int segment_retire(struct segment *s);

/* What a status means, as one line without the name; static text, or for
 * SEGMENT_SYSTEM and SEGMENT_NO_SPACE that of errno. */
const char *segment_explain(enum segment_status status);

#endif
