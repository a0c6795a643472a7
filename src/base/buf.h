/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a byte buffer that grows
 *
 * A zeroed struct is an empty buffer (BUF_INIT).  Appending never returns an
 * error: when memory runs out the buffer is marked failed, keeps what it has,
 * and ignores later appends; the caller tests buf_failed() once, at the end.
 *
 * Invariants: len < cap whenever data != NULL; data[len] == '\0'.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;		/* NULL while nothing was ever appended */
	size_t len;		/* bytes in use, without the final NUL */
	size_t cap;		/* bytes allocated */
	bool failed;		/* an append was lost for want of memory */
};

#define BUF_INIT { NULL, 0, 0, false }

/* Frees the memory and makes it an empty, unfailed buffer again. */
void buf_release(struct buf *b);

/* Forgets the content and the failure, keeps the memory. */
void buf_clear(struct buf *b);

/* Makes room for n more bytes.  Returns 0, or -1 with ENOMEM (and failed). */
int buf_reserve(struct buf *b, size_t n);

/* Appends n bytes for the caller to fill, and returns where they are until the
 * next call; or NULL with ENOMEM (and failed). */
char *buf_extend(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Removes the first n bytes (n <= len); the rest moves to the front. */
void buf_drop(struct buf *b, size_t n);

static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}

/* The content as a string; "" for a buffer never used.  Valid until the next
 * call that changes the buffer. */
static inline const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

#endif
