/* SPDX-License-Identifier: MIT */
/*
 * span.h - a bridge between one segment and one Redis: both directions
 *
 * feed.c carries what is published here to Redis, intake.c what other nodes
 * put there to this segment, each in a thread and with a link of its own.
 * What either got to is known to Redis and to the segment: here is nothing
 * that could be lost.
 */
#ifndef BRIDGE_SPAN_H
#define BRIDGE_SPAN_H

#include <pthread.h>
#include <stdbool.h>

#include "bridge/link.h"
#include "bridge/place.h"
#include "broker/bridge.h"

#define PREFIX_SIZE 64
#define KEY_SIZE (PREFIX_SIZE + NODE_SIZE + 16)

enum direction { OUT, IN };

struct span {
	struct broker *broker;
	struct place place;
	char node[NODE_SIZE];
	char prefix[PREFIX_SIZE];
	char maxlen[24];
	int halt_fd;			/* readable: halt */

	/* Which links stand; the lock is for these. */
	pthread_mutex_t lock;
	bool up[2];
	bool told;			/* that Redis is away */
	int64_t told_at;		/* clock_ms() */
	struct buf why;			/* the reason told */
};

/* Threads: they end when it is time to halt. */
void *feed_run(void *span);
void *intake_run(void *span);

/* PREFIX:WHAT:NODE; without a node (NULL) PREFIX:WHAT. */
void span_key(const struct span *s, char key_out[KEY_SIZE], const char *what,
	      const char *node);

/* A link stands, or not any more, and why.  Says when Redis went, and when all
 * is well again. */
void span_up(struct span *s, enum direction d);
void span_down(struct span *s, enum direction d, const char *why);

/* How long to wait before trying again, ms: longer from time to time, and
 * never the same for all.  *turn counts from 0. */
int span_patience(unsigned *turn);

/* How long Redis may take to answer, ms. */
#define ANSWER_MS 5000

#endif
