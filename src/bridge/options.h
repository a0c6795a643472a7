/* SPDX-License-Identifier: MIT */
/*
 * options.h - what pushlet-bridge was told on its command line and in its file
 */
#ifndef BRIDGE_OPTIONS_H
#define BRIDGE_OPTIONS_H

#include <stdbool.h>

#include "broker/overrides.h"

struct options {
	struct overrides overrides;	/* -c, -n, -o, -v */
};

enum options_result { OPTIONS_GO, OPTIONS_EXIT, OPTIONS_WRONG };

/* Reads the command line.  OPTIONS_EXIT after -h or -V, which print to
 * standard output; OPTIONS_WRONG after a complaint.  The texts stay argv's. */
enum options_result options_read(struct options *o, int argc, char **argv);

#endif
