/* SPDX-License-Identifier: MIT */
/*
 * fields.h - the fields of one request, whatever they came in as
 *
 * Collects names and values into an event and applies, to each as it comes,
 * the rules that form.h and xmlbody.h have in common: names must be XML names
 * without colon, the first value of a name counts, and the limits.  Names that
 * begin with p_ have limits of their own, as large again.
 */
#ifndef COMMAND_FIELDS_H
#define COMMAND_FIELDS_H

#include <stddef.h>

#include "broker/event.h"
#include "command/refusal.h"

struct fields {
	struct event *e;
	const struct event_limits *limits;
	struct refusal *why;
	struct fields_used {
		unsigned count;
		size_t bytes;		/* packed */
	} app, protocol;		/* protocol: p_... */
};

/* What e holds already counts.  All three must outlive f. */
void fields_begin(struct fields *f, struct event *e,
		  const struct event_limits *limits, struct refusal *why);

/* Adds a field; name ends with NUL, value is value_len bytes of UTF-8.
 * Returns 0, also when the name is there already (nothing changes); -1 with
 * why filled: status 200, or 500 when memory has run out. */
int fields_add(struct fields *f, const char *name, const char *value,
	       size_t value_len);

#endif
