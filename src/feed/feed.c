/* SPDX-License-Identifier: MIT */
/*
 * feed.c - bytes become events: lines, or XML elements
 */
#include "feed/feed_kind.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void feed_fault(struct feed *f, unsigned long line, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "line %lu: ", line);
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	f->calls.fault(f->calls.arg, text);
}

bool feed_event(struct feed *f, const struct outgoing *event)
{
	if (f->calls.event(f->calls.arg, event))
		return true;
	f->state = FEED_STOPPED;
	return false;
}

enum feed_state feed_bytes(struct feed *f, const char *bytes, size_t n)
{
	if (f->state == FEED_ON && n > 0)
		f->take(f, bytes, n);
	return f->state;
}

size_t feed_piece(const struct feed *f, const char *bytes, size_t n)
{
	const char *end = memchr(bytes, f->delimiter, n);

	return end ? (size_t)(end - bytes) + 1 : n;
}

enum feed_state feed_end(struct feed *f)
{
	if (f->state == FEED_ON)
		f->end(f);
	return f->state;
}

void feed_free(struct feed **f)
{
	if (!*f)
		return;
	(*f)->release(*f);
	free(*f);
	*f = NULL;
}
