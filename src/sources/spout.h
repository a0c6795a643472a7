/* SPDX-License-Identifier: MIT */
/*
 * spout.h - where the events of all sources leave for the segment
 *
 * The segment may be missing at the start, be destroyed, and be made again:
 * events are lost meanwhile, which is said once, and how many, when there is
 * one again.
 */
#ifndef SOURCES_SPOUT_H
#define SOURCES_SPOUT_H

#include <stdbool.h>

#include "feed/feed.h"
#include "pushlet.h"
#include "shm/segment.h"

struct spout {
	char segment[SEGMENT_NAME_MAX];
	struct pushlet *pushlet;	/* NULL: not attached yet */
	bool away;			/* it was said that there is none */
	unsigned long lost;
	struct pushlet_error error;	/* of the last failure */
};

/* Another segment, or the first. */
void spout_name(struct spout *s, const char *segment);

/* False: the event itself is bad, and s->error says why. */
bool spout_publish(struct spout *s, const struct outgoing *event);

/* Does anybody want it?  Nobody does while there is no segment. */
bool spout_wanted(struct spout *s, const char *subject, bool below);

/* Looks for a segment if there was none; now and then. */
void spout_tick(struct spout *s);

/* Sums up and lets go. */
void spout_close(struct spout *s);

#endif
