/* SPDX-License-Identifier: MIT */
/*
 * escape.c - copy text, writing some characters in another way
 *
 * Every value of every event comes through here once per format: plain bytes
 * cost a table look-up each and one memcpy() per run.
 */
#include "channel/escape.h"

#include "base/utf8.h"

/* Where the run of bytes that need no change ends, from s on. */
static const char *run_end(const struct escape *how, const char *s,
			   const char *end)
{
	const char *next;
	unsigned long code;

	while (s < end) {
		if ((unsigned char)*s < 0x80) {
			if (how->special[(unsigned char)*s])
				break;
			s++;
			continue;
		}
		next = s;
		code = utf8_next(&next, end);
		if (next == s + 1 || how->special_wide(code))
			break;
		s = next;
	}
	return s;
}

void escape_add(struct buf *out, const struct escape *how, const char *s,
		size_t n)
{
	const char *end = s + n, *run = s, *next;
	unsigned long code;

	while (run < end) {
		s = run_end(how, run, end);
		buf_add(out, run, (size_t)(s - run));
		if (s == end)
			break;
		next = s;
		code = utf8_next(&next, end);
		if (code >= 0x80 && next == s + 1)
			buf_puts(out, ESCAPE_REPLACEMENT);
		else
			how->write(out, code);
		run = next;
	}
}
