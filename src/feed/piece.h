/* SPDX-License-Identifier: MIT */
/*
 * piece.h - bytes, cut alike however they arrive
 *
 * A piece is all up to a '>', or PIECE_BYTES if there is none in so many; of
 * lines, up to a newline, too.
 */
#ifndef FEED_PIECE_H
#define FEED_PIECE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PIECE_BYTES 4096

struct piece {
	bool lines;		/* the caller's */
	const char *at;
	size_t len;		/* > 0 */

	/* Private. */
	struct buf kept;	/* what has arrived of the next */
	bool joined;		/* at is there */
};

/*
 * The next piece of the *n bytes at *bytes, which go past it: p->at, valid as
 * long as they are and until the next call.  False: there is no more, the rest
 * was kept, all was taken; or no memory, as buf_failed(&p->kept) says.
 */
bool piece_next(struct piece *p, const char **bytes, size_t *n);

/* What was kept as the last piece; false: nothing. */
bool piece_last(struct piece *p);

void piece_release(struct piece *p);

#endif
