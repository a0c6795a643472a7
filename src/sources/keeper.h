/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - keeps all sources: starts, rereads, stops
 */
#ifndef SOURCES_KEEPER_H
#define SOURCES_KEEPER_H

#include "sources/settings.h"

struct keeper_options {
	const char *file;	/* of the sources */
	const char *segment;	/* or NULL: as the file says */
};

/* Reads the file and logs what is wrong with it.  Returns 0, or -1. */
int keeper_read(const struct keeper_options *o, struct settings *out);

/* Runs until a signal says to stop, and all sources have.  Takes the settings
 * over.  Returns what main is to return. */
int keeper_run(const struct keeper_options *o, struct settings *settings);

#endif
