/* SPDX-License-Identifier: MIT */
/*
 * adapter.h - how events look in one p_format
 *
 * A response is start, then events, then finish.  An event is written in
 * pieces, so that what all receivers of an event share is rendered once:
 *
 *	open, attr (index 0, 1, ...), attr ..., close
 *
 * The shared part is open and the attributes of the event; the receiver's own
 * part (p_sid, p_seq, ...) is more attrs and close.  Every piece escapes what
 * it writes for its syntax; nothing a publisher sends can leave its value.
 * Characters that the format cannot carry at all (control characters in XML)
 * become U+FFFD.
 *
 * A new format is one file that defines one struct adapter, and one row in the
 * table of broker/format.h.
 */
#ifndef CHANNEL_ADAPTER_H
#define CHANNEL_ADAPTER_H

#include "base/buf.h"
#include "broker/event.h"

struct adapter {
	const char *name;		/* p_format */
	const char *content_type;	/* of the response head */

	/* before the first event; may be NULL */
	void (*start)(struct buf *out);
	void (*open)(struct buf *out);
	void (*attr)(struct buf *out, const struct attr *a, unsigned index);
	void (*close)(struct buf *out);
	/* Written for an event whose p_event is refresh, instead of open/
	 * attr/close; NULL: it is an event like any other.  wait is in
	 * milliseconds, url is the URL to fetch, as sent (unescaped). */
	void (*refresh)(struct buf *out, const char *url, unsigned wait);
	/* ends a whole response; may be NULL */
	void (*finish)(struct buf *out);
};

/* The adapter of a p_format name, or NULL. */
const struct adapter *adapter_find(const char *name);

/* The number a session stores for its format, and back.  adapter_number() of a
 * row of the table; adapter_at() of any number: NULL when it names no row. */
unsigned adapter_number(const struct adapter *a);
const struct adapter *adapter_at(unsigned number);

/* What a session gets that names no format at join. */
const struct adapter *adapter_default(void);

/* The names of all formats, separated by ", ", for error messages.  Static. */
const char *adapter_names(void);

/* The shared part of an event: open and all attributes.  Returns how many
 * attributes were written, the index at which own ones continue. */
unsigned adapter_shared(const struct adapter *a, struct buf *out,
			const char *packed, size_t n);

/* One own attribute, at *index, which it counts up. */
void adapter_own(const struct adapter *a, struct buf *out, unsigned *index,
		 const char *name, const char *value);
void adapter_own_int(const struct adapter *a, struct buf *out, unsigned *index,
		     const char *name, uint64_t value);

/* A whole event (refresh included, from its p_url and p_wait). */
void adapter_event(const struct adapter *a, struct buf *out,
		   const struct event *e);

#endif
