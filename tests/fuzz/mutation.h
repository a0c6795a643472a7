/* SPDX-License-Identifier: MIT */
/*
 * mutation.h - inputs, and other inputs made of them
 *
 * What is made depends on the stocks and a number, and on nothing else.
 */
#ifndef FUZZ_MUTATION_H
#define FUZZ_MUTATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define MUTATION_MOST 4096	/* bytes */

/* Texts: the files of a directory, or the words of a dictionary. */
struct stock {
	struct buf *items;
	size_t n;
};

/* Reads a file to the end of out.  Returns 0, or -1 with errno. */
int stock_file(struct buf *out, const char *path);

/* Reads a dictionary of libFuzzer: lines NAME="TEXT" or "TEXT", in which \\,
 * \" and \xNN are one byte.  A file that is not there has no words. */
void stock_words(struct stock *s, const char *path);

/* Adds an empty text; the caller fills it. */
struct buf *stock_add(struct stock *s);

void stock_release(struct stock *s);

/* Writes one of the seeds, changed in some places, to out.  Returns its
 * length.  There must be a seed; there need not be words. */
size_t mutate(uint64_t number, const struct stock *seeds,
	      const struct stock *words, uint8_t out[MUTATION_MOST]);

#endif
