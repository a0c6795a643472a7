/* SPDX-License-Identifier: MIT */
/*
 * options.h - what pushletd was told on its command line and in its file
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

#include "broker/overrides.h"

struct options {
	struct overrides overrides;	/* -c, -n, -o, -v */
	const char *address;		/* -s, or NULL: an inherited socket */
	const char *relay;		/* -r, or NULL: no relays */
	unsigned mode;			/* -m */
	unsigned threads;		/* -t */
	unsigned workers;		/* -w; 0: no master */
	bool foreground;		/* -f */
};

enum options_result { OPTIONS_GO, OPTIONS_EXIT, OPTIONS_WRONG };

/* Reads the command line.  OPTIONS_EXIT after -h or -V, which print to
 * standard output; OPTIONS_WRONG after a complaint on standard error.  The
 * texts stay argv's. */
enum options_result options_read(struct options *o, int argc, char **argv);

#endif
