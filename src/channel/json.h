/* SPDX-License-Identifier: MIT */
/*
 * json.h - an event as a JSON object, for all formats made of those
 *
 * RFC 8259; every value is a string.  "<", U+2028 and U+2029 are escaped, so
 * that the object is safe inside a script, too.
 */
#ifndef CHANNEL_JSON_H
#define CHANNEL_JSON_H

#include "channel/adapter.h"

/* "{", then "name":"value" with a comma before all but the first.  The caller
 * adds "}". */
void json_open(struct buf *out);
void json_attr(struct buf *out, const struct attr *a, unsigned index);

/* Writes a character that a string cannot hold as it is: the short escapes, or
 * \u and four digits.  The format js uses it as well (and escapes the single
 * quote, which JSON never asks for). */
void json_write(struct buf *out, unsigned long code);

#endif
