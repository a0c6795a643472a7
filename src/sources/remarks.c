/* SPDX-License-Identifier: MIT */
/*
 * remarks.c - what is to be logged of one source, so many lines a second
 */
#include "sources/remarks.h"

#include <string.h>

#include "base/log.h"

enum { PER_SECOND = 20, LINE_BYTES = 1000 };

void remarks_tick(struct remarks *r, int64_t now)
{
	if (now - r->since < 1000)
		return;
	if (r->left_out)
		log_warn("%s: %lu more lines were left out", r->name,
			 r->left_out);
	r->since = now;
	r->said = 0;
	r->left_out = 0;
}

void remark(struct remarks *r, int64_t now, const char *text)
{
	remarks_tick(r, now);
	if (r->said < PER_SECOND) {
		r->said++;
		log_info("%s: %s", r->name, text);
	} else {
		r->left_out++;
	}
}

void remarks_flush(struct remarks *r, int64_t now)
{
	if (r->line.len > 0)
		remark(r, now, buf_str(&r->line));
	buf_clear(&r->line);
	r->cut = false;
}

/* A part of a line. */
static void gather(struct remarks *r, const char *bytes, size_t n)
{
	size_t room = LINE_BYTES - r->line.len;

	if (r->cut)
		return;
	if (n > room) {
		buf_add(&r->line, bytes, room);
		buf_puts(&r->line, "...");
		r->cut = true;
	} else {
		buf_add(&r->line, bytes, n);
	}
}

void remarks_add(struct remarks *r, int64_t now, const char *bytes, size_t n)
{
	const char *end = bytes + n, *newline;

	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		gather(r, bytes, (size_t)(newline - bytes));
		remarks_flush(r, now);
		bytes = newline + 1;
	}
	gather(r, bytes, (size_t)(end - bytes));
}

void remarks_release(struct remarks *r)
{
	buf_release(&r->line);
}
