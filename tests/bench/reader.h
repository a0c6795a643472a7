/* SPDX-License-Identifier: MIT */
/*
 * reader.h - the bytes of HTTP answers, taken apart as they come
 *
 * Answers follow one another on a connection; their body is chunked, or has a
 * Content-Length.  Body bytes are handed on as they arrive, in pieces of any
 * size.
 */
#ifndef BENCH_READER_H
#define BENCH_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { READER_ROOM = 8192 };	/* the most that may be kept, see below */

struct reader {
	int state;
	size_t left;		/* of the chunk, or of the body */
	bool closes;		/* the connection ends with this answer */
	struct buf kept;	/* the beginning of a line, or of a head */
};

struct reader_calls {
	void (*head)(void *arg, int status);
	void (*body)(void *arg, char *bytes, size_t n);
	void (*end)(void *arg);		/* of an answer */
};

/*
 * Takes n bytes that arrived.  There must be READER_ROOM bytes before them
 * that may be overwritten: what was kept of the bytes before is put there.
 * Returns 0, or -1 when that is no HTTP.
 */
int reader_take(struct reader *r, char *bytes, size_t n,
		const struct reader_calls *calls, void *arg);

void reader_release(struct reader *r);

#endif
