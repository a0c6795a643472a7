/* SPDX-License-Identifier: MIT */
/*
 * words.c - words that are not to be published
 */
#include "command/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Ranges of capital letters, and how far their small ones are; 1: each capital
 * is followed by its small letter, and is even, or odd. */
static const struct {
	uint32_t first, last;
	uint32_t distance;
} capitals[] = {
	{ 'A', 'Z', 32 },
	{ 0xC0, 0xD6, 32 },
	{ 0xD8, 0xDE, 32 },
	{ 0x100, 0x136, 1 },
	{ 0x139, 0x147, 1 },
	{ 0x14A, 0x176, 1 },
	{ 0x179, 0x17D, 1 },
	{ 0x391, 0x3A1, 32 },
	{ 0x3A3, 0x3AB, 32 },
	{ 0x400, 0x40F, 80 },
	{ 0x410, 0x42F, 32 },
	{ 0x460, 0x480, 1 },
	{ 0x1E00, 0x1E94, 1 },
	{ 0x1EA0, 0x1EFE, 1 },
};

uint32_t words_lower(uint32_t code)
{
	size_t i;

	for (i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++) {
		if (code < capitals[i].first || code > capitals[i].last)
			continue;
		if (capitals[i].distance > 1)
			return code + capitals[i].distance;
		return code + ((code - capitals[i].first) % 2 == 0);
	}
	return code;
}

/* A letter or a digit; beyond ASCII all but the usual punctuation. */
static bool in_word(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		       (c >= 'a' && c <= 'z');
	return c >= 0xC0 && !(c >= 0x2000 && c <= 0x206F) &&
	       !(c >= 0x3000 && c <= 0x303F);
}

/* Appends the characters of a text in lower case.  Returns how many. */
static unsigned decode(uint32_t *out, const char *text, size_t n)
{
	const char *end = text + n;
	unsigned count = 0;

	while (text < end)
		out[count++] = words_lower((uint32_t)utf8_next(&text, end));
	return count;
}

const char *words_add(void *words, const char *text)
{
	struct words *all = words;
	size_t n = strlen(text);
	bool before = *text == '*', behind = n > 1 && text[n - 1] == '*';
	struct word *w;

	text += before;
	n -= (size_t)before + behind;
	if (n == 0 || !utf8_valid(text, n))
		return n ? "not UTF-8" : "a word, not '*' alone";
	w = malloc(sizeof(*w) + n * sizeof(w->codes[0]));
	if (!w)
		return "no memory";
	w->before = before;
	w->behind = behind;
	w->count = decode(w->codes, text, n);
	w->next = all->by_first[w->codes[0] % 256];
	all->by_first[w->codes[0] % 256] = w;
	return NULL;
}

void words_release(struct words *w)
{
	struct word *word, *next;
	int i;

	for (i = 0; i < 256; i++)
		for (word = w->by_first[i]; word; word = next) {
			next = word->next;
			free(word);
		}
	memset(w, 0, sizeof(*w));
}

/* Does the word stand at this place of the text? */
static bool stands(const struct word *w, const uint32_t *text, unsigned n,
		   unsigned at)
{
	if (w->count > n - at ||
	    memcmp(w->codes, text + at, w->count * sizeof(*text)) != 0)
		return false;
	if (!w->before && at > 0 && in_word(text[at - 1]) &&
	    in_word(text[at]))
		return false;
	at += w->count;
	return w->behind || at == n || !in_word(text[at]) ||
	       !in_word(text[at - 1]);
}

/* How many characters the longest word takes that stands there, or 0. */
static unsigned longest(const struct words *all, const uint32_t *text,
			unsigned n, unsigned at)
{
	const struct word *w = all->by_first[text[at] % 256];
	unsigned most = 0;

	for (; w; w = w->next)
		if (w->count > most && stands(w, text, n, at))
			most = w->count;
	return most;
}

int words_find(const struct words *all, const char *text, size_t n,
	       struct buf *masked_out)
{
	uint32_t *codes = malloc((n ? n : 1) * sizeof(*codes));
	const char *end = text + n, *pos = text;
	unsigned i, count, here, hidden = 0;
	int found = 0;

	if (!codes)
		return -1;
	count = decode(codes, text, n);
	for (i = 0; i < count; i++, text = pos) {
		utf8_next(&pos, end);
		here = longest(all, codes, count, i);
		found |= here > 0;
		hidden = here > hidden ? here : hidden;
		if (hidden == 0) {
			buf_add(masked_out, text, (size_t)(pos - text));
			continue;
		}
		buf_putc(masked_out, '*');
		hidden--;
	}
	free(codes);
	return buf_failed(masked_out) ? -1 : found;
}
