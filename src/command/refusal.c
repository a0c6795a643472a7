/* SPDX-License-Identifier: MIT */
/*
 * refusal.c - why a request was not carried out
 */
#include "command/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define QUOTE_BYTES 40
#define CUT "..."

/* Takes off the end of s a UTF-8 character of which the rest was cut. */
static void drop_broken_end(char *s)
{
	size_t len = strlen(s), at = len;

	while (at > 0 && (s[at - 1] & 0xC0) == 0x80)
		at--;
	if (at > 0)
		at--;
	if (!utf8_valid(s + at, len - at))
		s[at] = '\0';
}

int refuse(struct refusal *r, int status, const char *fmt, ...)
{
	va_list ap;
	int n;

	r->status = status;
	va_start(ap, fmt);
	n = vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(r->text))
		drop_broken_end(r->text);
	return -1;
}

static size_t add_char(char *out, const char *pos, size_t n, unsigned long code)
{
	bool broken = n == 1 && code >= 0x80;

	if (broken || code < 0x20 || (code >= 0x7F && code < 0xA0) ||
	    !utf8_xml_char(code)) {
		*out = '?';
		return 1;
	}
	memcpy(out, pos, n);
	return n;
}

const char *refusal_quote(char *out, const char *text)
{
	const char *end = text + strlen(text), *pos = text, *next;
	unsigned long code;
	size_t len = 0;

	while (pos < end) {
		next = pos;
		code = utf8_next(&next, end);
		if (next - text > QUOTE_BYTES)
			break;
		len += add_char(out + len, pos, (size_t)(next - pos), code);
		pos = next;
	}
	snprintf(out + len, sizeof(CUT), "%s", pos < end ? CUT : "");
	return out;
}
