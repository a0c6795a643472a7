/* SPDX-License-Identifier: MIT */
/*
 * permit.h - what the properties allow, made ready to be asked
 *
 * Made anew whenever the properties are reread, while threads still ask the one
 * before: each holds the one that it asks.
 */
#ifndef COMMAND_PERMIT_H
#define COMMAND_PERMIT_H

#include "base/buf.h"
#include "base/rule.h"
#include "broker/properties.h"
#include "command/words.h"

struct permit {
	unsigned held;			/* atomic */
	struct properties properties;	/* in force with it */
	struct rulebook rules;
	struct network *banned;		/* addresses */
	size_t banned_count, banned_room;
	struct words words;
};

/* The caller holds it.  NULL, with why in report, a line each, when it cannot
 * be made. */
struct permit *permit_new(const struct properties *p, struct buf *report);

/* Is an address (network.h) in ban.addresses.file? */
bool permit_banned(const struct permit *permit, const uint8_t *address);

struct permit *permit_hold(struct permit *permit);

/* The last one who drops it frees it.  NULL: nothing. */
void permit_drop(struct permit *permit);

#endif
