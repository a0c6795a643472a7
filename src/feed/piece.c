/* SPDX-License-Identifier: MIT */
/*
 * piece.c - bytes, cut alike however they arrive
 */
#include "feed/piece.h"

#include <string.h>

static const char *sooner(const char *bytes, char end, const char *past)
{
	const char *found = memchr(bytes, end, (size_t)(past - bytes));

	return found ? found + 1 : past;
}

/* Where the piece ends, in n bytes after those kept; NULL: not in these. */
static const char *end_of_piece(const struct piece *p, const char *bytes,
				size_t n)
{
	size_t room = PIECE_BYTES - p->kept.len;
	const char *most = bytes + (n < room ? n : room);
	const char *end = sooner(bytes, '>', most);

	if (p->lines)
		end = sooner(bytes, '\n', end);
	if (end < most || n >= room || end[-1] == '>' ||
	    (p->lines && end[-1] == '\n'))
		return end;
	return NULL;
}

static bool give(struct piece *p, const char *at, size_t len)
{
	p->at = at;
	p->len = len;
	return true;
}

static bool give_joined(struct piece *p)
{
	p->joined = true;
	return give(p, buf_str(&p->kept), p->kept.len);
}

/* What was given is done with. */
static void drop_joined(struct piece *p)
{
	if (p->joined)
		buf_clear(&p->kept);
	p->joined = false;
}

bool piece_next(struct piece *p, const char **bytes, size_t *n)
{
	const char *start = *bytes, *end;
	size_t len;

	drop_joined(p);
	if (*n == 0)
		return false;
	end = end_of_piece(p, start, *n);
	len = end ? (size_t)(end - start) : *n;
	*bytes += len;
	*n -= len;
	if (end && p->kept.len == 0)
		return give(p, start, len);
	buf_add(&p->kept, start, len);
	if (!end || buf_failed(&p->kept))
		return false;
	return give_joined(p);
}

bool piece_last(struct piece *p)
{
	drop_joined(p);
	return p->kept.len > 0 && give_joined(p);
}

void piece_release(struct piece *p)
{
	buf_release(&p->kept);
}
