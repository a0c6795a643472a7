/* SPDX-License-Identifier: MIT */
/*
 * event.h - an event: a list of named values
 *
 * The list is kept packed, in the very bytes that a log record holds, so that
 * publishing copies it once and rendering reads it in place:
 *
 *	attribute = u16 name length, u32 value length (host byte order,
 *		    unaligned), name, NUL, value, NUL
 *
 * Names are unique within an event; the order is that of adding.
 */
#ifndef BROKER_EVENT_H
#define BROKER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct event {
	struct buf packed;
	unsigned count;		/* attributes */
};

#define EVENT_INIT { BUF_INIT, 0 }

/* What an attribute takes besides its two texts: the lengths, two NULs. */
#define ATTR_EXTRA (sizeof(uint16_t) + sizeof(uint32_t) + 2)

/* What one event may be: the properties event.max.bytes (packed),
 * event.max.attributes and subject.max.bytes. */
struct event_limits {
	size_t bytes;
	unsigned attributes;
	size_t subject;
};

/* One attribute, pointing into the packed bytes; both texts end with NUL. */
struct attr {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* May an attribute be called this?  Any XML name in UTF-8 without colon, but
 * xmlns: that would change what the element is, for those who get the event as
 * XML. */
bool event_name_valid(const char *name, size_t n);

void event_release(struct event *e);
void event_clear(struct event *e);

/*
 * Appends an attribute.  Returns 0; -1 with EEXIST when the name is there
 * already (nothing changes), ENOMEM, or E2BIG when the name is longer than
 * 65,535 bytes or the value than 2^31.
 */
int event_add(struct event *e, const char *name, const char *value);
int event_add_n(struct event *e, const char *name, size_t name_len,
		const char *value, size_t value_len);
int event_add_int(struct event *e, const char *name, int64_t value);

/* The value of an attribute, or NULL.  Valid until the event changes. */
const char *event_get(const struct event *e, const char *name);

/*
 * Walks packed attributes: *pos starts at their first byte, each call moves it
 * behind one attribute.  Returns false at the end, and also where the bytes do
 * not hold a whole attribute: damaged bytes end the walk, never overrun it.
 */
bool attr_next(const char **pos, const char *end, struct attr *attr_out);

/* Does the packed text hold whole attributes from start to end? */
bool attr_valid(const char *packed, size_t n);

#endif
