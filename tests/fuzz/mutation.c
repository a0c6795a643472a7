/* SPDX-License-Identifier: MIT */
/*
 * mutation.c - each change replaces some bytes by others
 */
#include "mutation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* -- stocks --------------------------------------------------------------- */

struct buf *stock_add(struct stock *s)
{
	s->items = realloc(s->items, (s->n + 1) * sizeof(*s->items));
	must(s->items);
	s->items[s->n] = (struct buf)BUF_INIT;
	return &s->items[s->n++];
}

void stock_release(struct stock *s)
{
	while (s->n > 0)
		buf_release(&s->items[--s->n]);
	free(s->items);
	s->items = NULL;
}

int stock_file(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "rb");
	char bytes[4096];
	size_t n;
	int bad;

	if (!f)
		return -1;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(out, bytes, n);
	bad = ferror(f);
	fclose(f);
	return bad ? -1 : 0;
}

/* The byte that begins at *pos, behind which *pos is then. */
static char read_byte(const char **pos)
{
	char digits[3] = "";
	const char *s = *pos;

	if (s[0] != '\\' || !s[1]) {
		*pos += 1;
		return s[0];
	}
	if (s[1] != 'x' || !s[2] || !s[3]) {
		*pos += 2;
		return s[1];
	}
	memcpy(digits, s + 2, 2);
	*pos += 4;
	return (char)strtol(digits, NULL, 16);
}

static void read_word(struct stock *s, const char *line)
{
	const char *pos = strchr(line, '"'), *end = strrchr(line, '"');
	struct buf *word;

	if (*line == '#' || pos == end)
		return;
	word = stock_add(s);
	for (pos++; pos < end;)
		buf_putc(word, read_byte(&pos));
}

void stock_words(struct stock *s, const char *path)
{
	struct buf text = BUF_INIT;
	char *line, *rest;

	if (stock_file(&text, path) == 0 && text.data)
		for (line = strtok_r(text.data, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			read_word(s, line);
	buf_release(&text);
}

/* -- changes -------------------------------------------------------------- */

struct draft {
	uint64_t random;	/* its state */
	uint8_t *bytes;
	size_t n;
};

/* A number below n: Vigna's splitmix64. */
static size_t below(struct draft *d, size_t n)
{
	uint64_t z = d->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (size_t)((z ^ z >> 31) % n);
}

/* Puts n bytes in the place of `gone' ones; as many as there is room for. */
static void replace(struct draft *d, size_t at, size_t gone, const void *bytes,
		    size_t n)
{
	uint8_t *place = d->bytes + at;
	size_t behind;

	if (gone > d->n - at)
		gone = d->n - at;
	behind = d->n - at - gone;
	if (n > MUTATION_MOST - at - behind)
		n = MUTATION_MOST - at - behind;
	memmove(place + n, place + gone, behind);
	if (n)
		memcpy(place, bytes, n);
	d->n = at + n + behind;
}

/* Some bytes of any value, or such as mean something to many readers. */
static void put_bytes(struct draft *d, size_t at, size_t gone)
{
	static const char known[] = "\0\n\r\t \"'%&+,./:;<=>?[\\]{}09-\x7f\x80\xc3\xff";
	uint8_t bytes[4];
	size_t i, n = below(d, sizeof(bytes)) + 1;

	for (i = 0; i < n; i++)
		bytes[i] = below(d, 2) ? (uint8_t)below(d, 256) :
			   (uint8_t)known[below(d, sizeof(known) - 1)];
	replace(d, at, gone ? n : 0, bytes, n);
}

static void put_piece(struct draft *d, size_t at, const uint8_t *from, size_t n)
{
	uint8_t copy[MUTATION_MOST];
	size_t begin, length, times = below(d, 8) ? 1 : below(d, 40) + 1;

	if (n == 0)
		return;
	begin = below(d, n);
	length = below(d, n - begin) + 1;
	if (length > sizeof(copy))
		length = sizeof(copy);
	memcpy(copy, from + begin, length);
	while (times--)
		replace(d, at, 0, copy, length);
}

static void change(struct draft *d, const struct stock *seeds,
		   const struct stock *words)
{
	const struct buf *other = &seeds->items[below(d, seeds->n)];
	size_t at = below(d, d->n + 1), kind = below(d, 8);

	if (kind < 2 && words->n) {
		other = &words->items[below(d, words->n)];
		replace(d, at, kind ? other->len : 0, buf_str(other),
			other->len);
	} else if (kind == 2) {
		put_piece(d, at, (const uint8_t *)buf_str(other), other->len);
	} else if (kind == 3) {
		put_piece(d, at, d->bytes, d->n);
	} else if (kind == 4) {
		replace(d, at, below(d, 32) + 1, NULL, 0);
	} else if (kind == 5 && at < d->n) {
		d->bytes[at] ^= (uint8_t)(1 << below(d, 8));
	} else {
		put_bytes(d, at, kind & 1);
	}
}

size_t mutate(uint64_t number, const struct stock *seeds,
	      const struct stock *words, uint8_t out[MUTATION_MOST])
{
	struct draft d = { .random = number, .bytes = out };
	const struct buf *seed = &seeds->items[below(&d, seeds->n)];
	size_t changes = below(&d, 6) + 1;

	replace(&d, 0, 0, buf_str(seed), seed->len);
	while (changes--)
		change(&d, seeds, words);
	return d.n;
}
