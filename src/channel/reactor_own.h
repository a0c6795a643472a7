/* SPDX-License-Identifier: MIT */
/*
 * reactor_own.h - a reactor from inside: for reactor.c and timing.c alone
 */
#ifndef CHANNEL_REACTOR_OWN_H
#define CHANNEL_REACTOR_OWN_H

#include "channel/deliver.h"
#include "channel/doorbell.h"
#include "channel/inbox.h"
#include "channel/reactor.h"
#include "channel/ready.h"
#include "channel/rest.h"
#include "channel/roster.h"

struct reactor {
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t heartbeat, tick, parting;
	struct broker *broker;
	struct properties rules;
	void (*on_tick)(void *arg);
	void *tick_arg;

	struct inbox inbox;
	struct doorbell doorbell;
	struct roster roster;
	struct ready ready;
	struct rest rest;
	struct deliver deliver;
	bool stopping, retired;
	bool overdue;			/* channels are */
};

/* The peer has gone: what it was not sent stays in the queue. */
void reactor_lose(struct reactor *r, struct channel *c);

/* Last words were spoken, or try to be. */
void reactor_part(struct reactor *r, struct channel *c, enum written w);

/* Ends a response so that its client comes back. */
void reactor_send_back(struct reactor *r, struct channel *c);

/* Polls for hang-ups always, for room while something is held. */
void reactor_watch(struct channel *c);

#endif
