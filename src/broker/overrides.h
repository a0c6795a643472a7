/* SPDX-License-Identifier: MIT */
/*
 * overrides.h - what the command line of a program says of its properties
 *
 * For programs with the options -c, -n, -o and -v.  Each later one of file, -o
 * and -n overrides the ones before.
 */
#ifndef BROKER_OVERRIDES_H
#define BROKER_OVERRIDES_H

#include <stdbool.h>

#include "broker/properties.h"

#define OVERRIDES_MAX 64

struct overrides {
	const char *file;		/* -c, or NULL: properties_file() */
	const char *name;		/* -n, or NULL */
	bool verbose;			/* -v */
	const char *pairs[OVERRIDES_MAX]; /* -o, in order */
	unsigned count;
};

/* Adds a KEY=VALUE, whose text stays the caller's.  Returns 0; or -1 when there
 * are OVERRIDES_MAX, which it says on standard error in the program's name. */
int overrides_add(struct overrides *v, const char *pair, const char *program);

/* The properties that are in force: defaults, file, overrides.  Complaints and notices are logged, a line each.
 * Returns 0 or -1. */
int overrides_read(const struct overrides *v, struct properties *out);

#endif
