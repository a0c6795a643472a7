/* SPDX-License-Identifier: MIT */
/*
 * render.h - events copied once and rendered once per format
 *
 * Between the log and the channels of a process: holds the events of the
 * current batch and some of the last ones, and the part of their rendering
 * that all receivers share.
 */
#ifndef CHANNEL_RENDER_H
#define CHANNEL_RENDER_H

#include "broker/delivery.h"
#include "channel/adapter.h"

struct render;

/* What all receivers of an event get in one format. */
struct rendered {
	const char *bytes;	/* valid until render_trim() */
	size_t len;
	unsigned attributes;	/* the index at which own ones go on */
};

/* NULL when out of memory. */
struct render *render_new(void);
void render_free(struct render **r);

/* For delivery_take(): events go in here. */
struct intake render_intake(struct render *r);

/* The shared part of an event that was taken in.  Returns 0, or -1 when out of
 * memory or when it is not there. */
int render_get(struct render *r, uint64_t position, const struct adapter *a,
	       struct rendered *out);

/* Between two batches: lets the oldest go while there are too many. */
void render_trim(struct render *r);

#endif
