/* SPDX-License-Identifier: MIT */
/*
 * inbox.h - channels on their way from their request's thread to the loop
 */
#ifndef CHANNEL_INBOX_H
#define CHANNEL_INBOX_H

#include <pthread.h>

#include "channel/channel.h"

struct inbox {
	pthread_mutex_t lock;
	struct channel *first, **last;	/* chained by their field newer */
};

void inbox_init(struct inbox *i);
void inbox_release(struct inbox *i);

/* From any thread.  The caller then wakes the loop. */
void inbox_put(struct inbox *i, struct channel *c);

/* Takes them all, in the order they came, chained by newer; NULL: none. */
struct channel *inbox_take(struct inbox *i);

#endif
