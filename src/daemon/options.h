/* SPDX-License-Identifier: MIT */
/*
 * options.h - what pushletd was told on its command line and in its file
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

#include "broker/properties.h"

#define OVERRIDES_MAX 64

struct options {
	const char *file;		/* -c, or NULL */
	const char *name;		/* -n, or NULL */
	const char *address;		/* -s, or NULL: an inherited socket */
	const char *relay;		/* -r, or NULL: no relays */
	unsigned mode;			/* -m */
	unsigned threads;		/* -t */
	unsigned workers;		/* -w; 0: no master */
	bool foreground;		/* -f */
	bool verbose;			/* -v */
	const char *overrides[OVERRIDES_MAX]; /* -o, in order */
	unsigned overrides_count;
};

enum options_result { OPTIONS_GO, OPTIONS_EXIT, OPTIONS_WRONG };

/* Reads the command line.  OPTIONS_EXIT after -h or -V, which print to
 * standard output; OPTIONS_WRONG after a complaint on standard error.  The
 * texts stay argv's. */
enum options_result options_read(struct options *o, int argc, char **argv);

/* Defaults, then the file, then -o, -n and -v.  Complaints and notices are
 * logged, a line each.  Returns 0 or -1. */
int options_properties(const struct options *o, struct properties *p);

#endif
