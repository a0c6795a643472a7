/* SPDX-License-Identifier: MIT */
/*
 * words.h - words that are not to be published
 *
 * A word is found where it stands alone, between characters that are no letters
 * and no digits; "*" at its beginning or end lets more of them follow there.
 * Upper and lower case are alike in the Latin, Greek and Cyrillic alphabets.
 */
#ifndef COMMAND_WORDS_H
#define COMMAND_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct word {
	struct word *next;		/* with the same hash */
	uint32_t before, behind;	/* not 0: more may stand there */
	unsigned count;
	uint32_t codes[];		/* characters, in lower case */
};

struct words {
	struct word *by_first[256];
};

/* Adds a word.  Returns NULL, or what is wrong with it.  (lines.h) */
const char *words_add(void *words, const char *text);
void words_release(struct words *w);

/* Is one in n bytes of text (UTF-8)?  1: yes, and the text with a "*" for each
 * character of those it has is appended to masked_out; 0: no; -1: no memory. */
int words_find(const struct words *w, const char *text, size_t n,
	       struct buf *masked_out);

/* A character in lower case. */
uint32_t words_lower(uint32_t code);

#endif
