/* SPDX-License-Identifier: MIT */
/*
 * form.h - application/x-www-form-urlencoded into an event
 *
 * https://url.spec.whatwg.org/#application/x-www-form-urlencoded, made strict:
 * "&" separates (";" is data), "+" is a space, %XX a byte.  A repeated name
 * keeps its first value, an empty name is skipped, a name without "=" has the
 * value "".  Refused with status 400: a "%" not followed by two hexadecimal
 * digits, bytes that are not UTF-8, NUL.  Refused as nack (status 200): names
 * that are no XML names, more attributes or bytes than the limits.  Names that
 * begin with p_ do not count against the limits of the event, but have a limit
 * of their own: as many again.
 */
#ifndef COMMAND_FORM_H
#define COMMAND_FORM_H

#include "broker/event.h"
#include "command/refusal.h"

/* Adds the fields of n bytes of text to e.  Returns 0, or -1 with why filled;
 * e then holds the fields before the mistake and, if that is of status 200,
 * the p_ fields behind it too. */
int form_parse(const char *text, size_t n, const struct event_limits *limits,
	       struct event *e, struct refusal *why);

#endif
