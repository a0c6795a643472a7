/* SPDX-License-Identifier: MIT */
/*
 * options.h - what pushlet-bridge was told on its command line and in its file
 */
#ifndef BRIDGE_OPTIONS_H
#define BRIDGE_OPTIONS_H

#include <stdbool.h>

#include "broker/properties.h"

#define OVERRIDES_MAX 64

struct options {
	const char *file;		/* -c, or NULL */
	const char *name;		/* -n, or NULL */
	bool verbose;			/* -v */
	const char *overrides[OVERRIDES_MAX]; /* -o, in order */
	unsigned overrides_count;
};

enum options_result { OPTIONS_GO, OPTIONS_EXIT, OPTIONS_WRONG };

/* Reads the command line.  OPTIONS_EXIT after -h or -V, which print to
 * standard output; OPTIONS_WRONG after a complaint.  The texts stay argv's. */
enum options_result options_read(struct options *o, int argc, char **argv);

/* Defaults, then the file, then -o, -n and -v.  Complaints and notices are
 * logged, a line each.  Returns 0 or -1. */
int options_properties(const struct options *o, struct properties *p);

#endif
