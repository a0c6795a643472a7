/* SPDX-License-Identifier: MIT */
/*
 * escape.h - copy text, writing some characters in another way
 *
 * What the adapters share: a syntax says which characters it cannot hold as
 * they are, and how it writes those.  All others are copied in runs.
 */
#ifndef CHANNEL_ESCAPE_H
#define CHANNEL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* What stands for a character that a syntax cannot hold at all: U+FFFD. */
#define ESCAPE_REPLACEMENT "\xEF\xBF\xBD"

struct escape {
	bool special[128];		/* not written as they are: ASCII */
	bool (*special_wide)(unsigned long code);	/* and beyond */
	void (*write)(struct buf *out, unsigned long code);
};

/* Appends n bytes of s.  Bytes that are not UTF-8 become U+FFFD. */
void escape_add(struct buf *out, const struct escape *how, const char *s,
		size_t n);

#endif
