/* SPDX-License-Identifier: MIT */
/*
 * reader.c - the bytes of HTTP answers, taken apart as they come
 */
#include "reader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD, SIZE, CHUNK, CHUNK_END, LAST, LENGTH };

/* The text behind "name" in the head, or NULL. */
static const char *field(const char *head, size_t n, const char *name)
{
	const char *found = memmem(head, n, name, strlen(name));

	return found ? found + strlen(name) : NULL;
}

/* Returns how many bytes it used, 0 for not enough, -1 for nonsense. */
static long take_head(struct reader *r, const char *p, size_t n,
		      const struct reader_calls *calls, void *arg)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4), *length, *chunked;
	size_t size;

	if (!end)
		return n < READER_ROOM ? 0 : -1;
	size = (size_t)(end - p) + 4;
	if (strncmp(p, "HTTP/1.1 ", 9) != 0)
		return -1;
	length = field(p, size, "\r\nContent-Length: ");
	/* Without either it ends with the connection. */
	chunked = field(p, size, "\r\nTransfer-Encoding: chunked");
	r->left = length ? strtoul(length, NULL, 10) : SIZE_MAX;
	r->closes = field(p, size, "\r\nConnection: close");
	r->state = chunked ? SIZE : LENGTH;
	calls->head(arg, (int)strtol(p + 9, NULL, 10));
	if (length && r->left == 0) {
		r->state = HEAD;
		calls->end(arg);
	}
	return (long)size;
}

static long take_size(struct reader *r, const char *p, size_t n)
{
	const char *end = memchr(p, '\n', n);
	char *stop;

	if (!end)
		return n < 20 ? 0 : -1;
	r->left = strtoul(p, &stop, 16);
	if (stop == p || *stop != '\r')
		return -1;
	r->state = r->left ? CHUNK : LAST;
	return end - p + 1;
}

/* The line break behind a chunk, or behind the last one. */
static long take_break(struct reader *r, const char *p, size_t n,
		       const struct reader_calls *calls, void *arg)
{
	bool last = r->state == LAST;

	if (n < 2)
		return 0;
	if (memcmp(p, "\r\n", 2) != 0)
		return -1;
	r->state = last ? HEAD : SIZE;
	if (last)
		calls->end(arg);
	return 2;
}

static long take_body(struct reader *r, char *p, size_t n,
		      const struct reader_calls *calls, void *arg)
{
	bool chunk = r->state == CHUNK;

	if (n > r->left)
		n = r->left;
	r->left -= n;
	calls->body(arg, p, n);
	if (r->left == 0) {
		r->state = chunk ? CHUNK_END : HEAD;
		if (!chunk)
			calls->end(arg);
	}
	return (long)n;
}

static long take_some(struct reader *r, char *p, size_t n,
		      const struct reader_calls *calls, void *arg)
{
	switch (r->state) {
	case HEAD:
		return take_head(r, p, n, calls, arg);
	case SIZE:
		return take_size(r, p, n);
	case CHUNK:
	case LENGTH:
		return take_body(r, p, n, calls, arg);
	default:
		return take_break(r, p, n, calls, arg);
	}
}

int reader_take(struct reader *r, char *bytes, size_t n,
		const struct reader_calls *calls, void *arg)
{
	size_t kept = r->kept.len;
	long used;

	if (kept > 0) {
		bytes -= kept;
		n += kept;
		memcpy(bytes, r->kept.data, kept);
		buf_clear(&r->kept);
	}
	for (; n > 0; bytes += used, n -= (size_t)used) {
		used = take_some(r, bytes, n, calls, arg);
		if (used < 0)
			return -1;
		if (used == 0)
			break;
	}
	buf_add(&r->kept, bytes, n);
	return 0;
}

void reader_release(struct reader *r)
{
	buf_release(&r->kept);
	*r = (struct reader){ .state = HEAD };
}
