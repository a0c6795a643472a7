/* SPDX-License-Identifier: MIT */
/*
 * entry.h - an event as an entry of a stream
 *
 * Its id is EPOCH-NUMBER; its fields are the event's attributes by name and
 * value, all but p_event, which is always data:
 *
 *	p_subject /rate/nok p_time 1763758810 p_from 3f.. value 0.085
 *
 * What is read here comes from elsewhere, and is believed as little as what a
 * client sends.
 */
#ifndef BRIDGE_ENTRY_H
#define BRIDGE_ENTRY_H

#include <hiredis.h>

#include "bridge/link.h"
#include "broker/event.h"
#include "broker/layout.h"

#define ENTRY_ID_SIZE 48

void entry_id(char id_out[ENTRY_ID_SIZE], uint64_t epoch, uint64_t number);

/* The epoch and the number of an id; false for what is no such.  A number of 0
 * is none of ours. */
bool entry_read_id(struct mark *mark_out, const char *id);

/* Adds the fields of a packed event to a command. */
void entry_write(struct args *args, const char *packed, size_t n);

struct entry {
	struct event attributes;	/* the caller releases it */
	const char *subject, *from, *to;	/* NULL: none */
	int64_t time;
};

/*
 * Takes the fields of an entry apart; the texts are r's.  e is empty or one
 * read before.  Returns NULL, or what is wrong with it.  Names and values of
 * attributes are left to publish() to judge.
 */
const char *entry_read(struct entry *e, const redisReply *r);

#endif
