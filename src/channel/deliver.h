/* SPDX-License-Identifier: MIT */
/*
 * deliver.h - one batch of channels: take, write, commit
 *
 * For up to DELIVER_BATCH channels at a time, so that the segment lock is
 * taken twice a batch and held briefly, and a loop with much to do comes back
 * to its other duties.  The order within a batch:
 *
 *	1. commit what channels wrote since (held bytes that went later)
 *	2. take events for all
 *	3. write them
 *	4. commit what the kernel took whole, and detach pulls that are done
 *	5. end those: their client's next request finds them detached
 */
#ifndef CHANNEL_DELIVER_H
#define CHANNEL_DELIVER_H

#include "broker/delivery.h"
#include "channel/channel.h"
#include "channel/render.h"

#define DELIVER_BATCH 64

/* What the reactor does with a channel after a batch. */
enum verdict {
	IDLE,		/* wait for the doorbell, or for room to write */
	AGAIN,		/* its queue holds more */
	ENDED,		/* last words written or held: close when flushed */
	TIRED,		/* a stream over its bytes: to be sent back */
	LOST		/* the peer has gone: detach and close */
};

struct deliver {
	struct broker *broker;
	struct render *render;
	struct properties rules;	/* wait ranges */
	struct deliveries deliveries;
	struct buf record;		/* with one channel's events */
	struct take takes[DELIVER_BATCH];
	struct commit commits[DELIVER_BATCH];
};

/* Returns 0, or -1 with ENOMEM. */
int deliver_init(struct deliver *d, struct broker *b);
void deliver_release(struct deliver *d);

/* n is at most DELIVER_BATCH.  No channel may be ending. */
void deliver_batch(struct deliver *d, struct channel **channels, unsigned n,
		   enum verdict *verdicts_out);

/* A wait for the refresh of a channel: random within the range its mode has;
 * streams use that of pull. */
uint64_t deliver_wait(const struct deliver *d, const struct channel *c);

#endif
