/* SPDX-License-Identifier: MIT */
/*
 * name.h - ids and handles of sessions, as text
 *
 *	[NODE-]RANDOM INDEX
 *
 * NODE is the machine the session joined at, if that is one of several (the
 * property node); who routes requests needs it, and it is no secret.  RANDOM is
 * 32 hexadecimal digits of an id and 12 of a handle.  INDEX, 6 digits, names
 * the session's slot, so there is no index of ids to keep or to repair.
 */
#ifndef BROKER_NAME_H
#define BROKER_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/layout.h"

enum name_kind { NAME_OTHER, NAME_ID, NAME_HANDLE };

/* What a text is by its form; the session need not exist. */
enum name_kind name_kind(const char *text);

/* Is it the handle of some session, by its form? */
static inline bool name_is_handle(const char *text)
{
	return name_kind(text) == NAME_HANDLE;
}

/* The length of NODE at the front of an id or a handle; 0: it has none. */
size_t name_node(const char *name);

/* Does the id or handle say that its session joined at another machine than
 * node?  Not if it says nothing. */
bool name_foreign(const char *name, const char *node);

/* The slot of an id or a handle. */
uint32_t name_index(const char *name);

/* Completes a name that is RANDOM alone.  There is room for the longest one; a
 * node that is none is left out. */
void name_complete(char *name, const char *node, uint32_t index);

#endif
