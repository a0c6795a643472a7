/* SPDX-License-Identifier: MIT */
/*
 * roster.c - two doubly linked lists through the channels, and an array
 */
#include "channel/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

int roster_init(struct roster *r, uint32_t sessions)
{
	memset(r, 0, sizeof(*r));
	r->by_session = calloc(sessions, sizeof(*r->by_session));
	r->sessions = sessions;
	return r->by_session ? 0 : -1;
}

void roster_release(struct roster *r)
{
	free(r->by_session);
	r->by_session = NULL;
}

static void list_by_age(struct roster *r, struct channel *c)
{
	c->older = r->newest;
	c->newer = NULL;
	*(r->newest ? &r->newest->newer : &r->oldest) = c;
	r->newest = c;
}

static void unlist_by_age(struct roster *r, struct channel *c)
{
	*(c->older ? &c->older->newer : &r->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &r->newest) = c->older;
}

static void list_by_quiet(struct roster *r, struct channel *c)
{
	c->quieter = r->liveliest;
	c->livelier = NULL;
	*(r->liveliest ? &r->liveliest->livelier : &r->quietest) = c;
	r->liveliest = c;
}

static void unlist_by_quiet(struct roster *r, struct channel *c)
{
	*(c->quieter ? &c->quieter->livelier : &r->quietest) = c->livelier;
	*(c->livelier ? &c->livelier->quieter : &r->liveliest) = c->quieter;
}

void roster_add(struct roster *r, struct channel *c)
{
	list_by_age(r, c);
	c->quiet_since = clock_ms();
	list_by_quiet(r, c);
	__atomic_add_fetch(&r->count, 1, __ATOMIC_RELAXED);
}

void roster_remove(struct roster *r, struct channel *c)
{
	if (roster_of(r, c->ref.index) == c)
		r->by_session[c->ref.index] = NULL;
	unlist_by_age(r, c);
	unlist_by_quiet(r, c);
	__atomic_sub_fetch(&r->count, 1, __ATOMIC_RELAXED);
}

void roster_touch(struct roster *r, struct channel *c)
{
	c->quiet_since = clock_ms();
	unlist_by_quiet(r, c);
	list_by_quiet(r, c);
}

struct channel *roster_of(const struct roster *r, uint32_t session)
{
	return session < r->sessions ? r->by_session[session] : NULL;
}

void roster_name(struct roster *r, struct channel *c)
{
	if (c->ref.index < r->sessions)
		r->by_session[c->ref.index] = c;
}

unsigned roster_count(const struct roster *r)
{
	return __atomic_load_n(&r->count, __ATOMIC_RELAXED);
}
