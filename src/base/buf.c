/* SPDX-License-Identifier: MIT */
/*
 * buf.c - a byte buffer that grows
 *
 * The capacity doubles, so a buffer filled byte by byte copies each byte about
 * once more.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

static int out_of_memory(struct buf *b)
{
	b->failed = true;
	errno = ENOMEM;
	return -1;
}

/* The capacity to take for at least need bytes, or 0 if there is none. */
static size_t grown(const struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;

	while (cap < need) {
		if (cap > SIZE_MAX / 2)
			return 0;
		cap *= 2;
	}
	return cap;
}

int buf_reserve(struct buf *b, size_t n)
{
	size_t cap;
	char *data;

	if (n < b->cap - b->len)	/* the NUL needs its byte, too */
		return 0;
	if (n >= SIZE_MAX - b->len)
		return out_of_memory(b);
	cap = grown(b, b->len + n + 1);
	data = cap ? realloc(b->data, cap) : NULL;
	if (!data)
		return out_of_memory(b);
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
}

char *buf_extend(struct buf *b, size_t n)
{
	char *at;

	if (b->failed)
		out_of_memory(b);
	if (b->failed || buf_reserve(b, n) != 0)
		return NULL;
	at = b->data + b->len;
	b->len += n;
	b->data[b->len] = '\0';
	return at;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0 || b->failed || buf_reserve(b, n) != 0)
		return;
	memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (b->failed)
		return;
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (buf_reserve(b, (size_t)n) != 0)
		return;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}
