/* SPDX-License-Identifier: MIT */
/*
 * xmlbody.h - one XML element, whose attributes are an event
 *
 * Parsed by libxml2 from memory, as untrusted: no DTD, no entities but the five
 * predefined and character references, no network, no XInclude, bounded depth
 * and size.  Any tag name; a leading XML declaration is allowed; content and
 * child elements of the element are ignored.  A name prefix counts as
 * part of no event: names with a colon are refused.  Limits as in form.h.
 */
#ifndef COMMAND_XMLBODY_H
#define COMMAND_XMLBODY_H

#include "broker/event.h"
#include "command/refusal.h"

/* Adds the attributes of the root element to e.  Returns 0, or -1 with why
 * filled: 400 "POST body ...: what libxml2 says of line and column", 200 for
 * limits as in form.h, 503 without memory. */
int xmlbody_parse(const char *body, size_t n, const struct event_limits *limits,
		  struct event *e, struct refusal *why);

/* Lets libxml2 get ready while there is memory; any number of times. */
void xmlbody_prepare(void);

#endif
