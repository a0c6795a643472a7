/* SPDX-License-Identifier: MIT */
/*
 * fields.h - the fields of one request, whatever they came in as
 *
 * Collects names and values into an event and applies, to each as it comes,
 * the rules that form.h and xmlbody.h have in common: names must be XML names
 * without colon, the first value of a name counts, and the limits.  Names that
 * begin with p_ have limits of their own, as large again.
 *
 * A field that breaks a rule does not end the collecting: its refusal is kept,
 * and of what follows the p_ fields still count, since they tell whose request
 * it is and so in which format the refusal must be said.
 */
#ifndef COMMAND_FIELDS_H
#define COMMAND_FIELDS_H

#include <stdbool.h>
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
	bool refused;			/* why is filled, with status 200 */
};

/* What e holds already counts.  All three must outlive f. */
void fields_begin(struct fields *f, struct event *e,
		  const struct event_limits *limits, struct refusal *why);

/* Adds a field; name ends with NUL, value is value_len bytes of UTF-8.
 * Returns 0, also when the name is there already (nothing changes) and when
 * the field is refused; -1 with why filled, status 500, when memory has run
 * out. */
int fields_add(struct fields *f, const char *name, const char *value,
	       size_t value_len);

/* After the last field: 0, or -1 when one was refused (why: the first). */
int fields_end(const struct fields *f);

#endif
