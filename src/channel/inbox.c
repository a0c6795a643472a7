/* SPDX-License-Identifier: MIT */
/*
 * inbox.c - a locked list; a channel brings its own link, so nothing can fail
 */
#include "channel/inbox.h"

void inbox_init(struct inbox *i)
{
	pthread_mutex_init(&i->lock, NULL);
	i->first = NULL;
	i->last = &i->first;
}

void inbox_release(struct inbox *i)
{
	pthread_mutex_destroy(&i->lock);
}

void inbox_put(struct inbox *i, struct channel *c)
{
	c->newer = NULL;
	pthread_mutex_lock(&i->lock);
	*i->last = c;
	i->last = &c->newer;
	pthread_mutex_unlock(&i->lock);
}

struct channel *inbox_take(struct inbox *i)
{
	struct channel *first;

	pthread_mutex_lock(&i->lock);
	first = i->first;
	i->first = NULL;
	i->last = &i->first;
	pthread_mutex_unlock(&i->lock);
	return first;
}
