/* SPDX-License-Identifier: MIT */
/*
 * adapter.h - how events look in one p_format
 *
 * A response is start, then events with between between them, then finish.  An
 * event is written in pieces, so that what all receivers of an event share is
 * rendered once:
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

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "broker/event.h"

struct adapter {
	const char *name;		/* p_format */
	const char *content_type;	/* of the response head */
	bool reliable;			/* its sessions are, asked or not */
	bool returns;			/* to the URL of its listen, whatever
					 * a refresh says */
	/* The format whose events look just the same: what is rendered for one
	 * serves both.  NULL: it stands for itself. */
	const struct adapter *like;
	const char *between;		/* two events; NULL: nothing */
	const char *padding;		/* means nothing behind an event, how
					 * often ever */

	/* Before the first event; may be NULL.  callback is the function that
	 * the body is to call, for formats that do; else NULL. */
	void (*start)(struct buf *out, const char *callback);
	void (*open)(struct buf *out);
	void (*attr)(struct buf *out, const struct attr *a, unsigned index);
	/* eid is the number of the event for its session (p_eid); 0: none. */
	void (*close)(struct buf *out, uint64_t eid);
	/* Written for an event whose p_event is refresh, instead of open/
	 * attr/close; NULL: it is an event like any other.  It has a p_url;
	 * wait is its p_wait, in milliseconds.  Where clients return by
	 * themselves it is for every event that has a p_wait. */
	void (*refresh)(struct buf *out, const struct event *e, unsigned wait);
	/* ends a whole response; may be NULL */
	void (*finish)(struct buf *out);
};

/* The adapter of a p_format name, or NULL. */
const struct adapter *adapter_find(const char *name);

/* The number a session stores for its format, and back.  adapter_number() of a
 * row of the table; adapter_at() of any number: NULL when it names no row. */
unsigned adapter_number(const struct adapter *a);
const struct adapter *adapter_at(unsigned number);

/* The format of an answer that calls a function (p_callback) in a session of
 * this format; NULL when there is none. */
const struct adapter *adapter_calling(const struct adapter *a);

/* May a function that an answer calls be named so?  Names of JavaScript joined
 * by dots, in ASCII, at most 64 bytes: nothing else can stand in the answer. */
bool adapter_callback_valid(const char *name);

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

/* A whole event (refresh included, from its p_url and p_wait).  first: of its
 * response. */
void adapter_event(const struct adapter *a, struct buf *out,
		   const struct event *e, bool first);

/* What comes between two events, if anything. */
void adapter_between(const struct adapter *a, struct buf *out);

#endif
