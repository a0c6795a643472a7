/* SPDX-License-Identifier: MIT */
/*
 * remarks.h - what is to be logged of one source, so many lines a second
 */
#ifndef SOURCES_REMARKS_H
#define SOURCES_REMARKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct remarks {
	const char *name;	/* stands before each line */
	int64_t since;		/* the current second */
	unsigned said;		/* in it */
	unsigned long left_out;
	struct buf line;	/* of remarks_add(), not complete yet */
	bool cut;		/* its rest is left out */
};

/* Logs a line, unless there were too many in this second. */
void remark(struct remarks *r, int64_t now, const char *text);

/* The same of any bytes, line by line. */
void remarks_add(struct remarks *r, int64_t now, const char *bytes, size_t n);

/* What is there of a line is one. */
void remarks_flush(struct remarks *r, int64_t now);

/* Says how many were left out, when a new second has begun. */
void remarks_tick(struct remarks *r, int64_t now);

void remarks_release(struct remarks *r);

#endif
