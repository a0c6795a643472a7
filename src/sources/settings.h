/* SPDX-License-Identifier: MIT */
/*
 * settings.h - what the file of pushlet-sources says
 *
 *	sources.KEY=VALUE		what belongs to all (settings_keys)
 *	source.NAME.KEY=VALUE		of one source (source_keys)
 *
 * Sources are in the order in which the file names them first.
 */
#ifndef SOURCES_SETTINGS_H
#define SOURCES_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "shm/segment.h"

#define SOURCES_MAX 256
#define SOURCE_NAME_SIZE 33
#define SOURCES_PREFIX "sources."
#define SOURCE_PREFIX "source."

enum format { FORMAT_LINES, FORMAT_XML };
enum restart { RESTART_ALWAYS, RESTART_FAILURE, RESTART_NEVER };
enum when { WHEN_ALWAYS, WHEN_SUBSCRIBED };

struct source_settings {
	char name[SOURCE_NAME_SIZE];
	char command[4096];
	char subject[1024];	/* "": only those that the XML names */
	char attribute[256];
	char user[SOURCE_NAME_SIZE]; /* "": that of this process */
	int format;		/* enum format */
	int restart;		/* enum restart */
	int when;		/* enum when */
	uint64_t rate;		/* events a second */
	uint64_t silence;	/* s; 0: may be silent for ever */
	unsigned line;		/* where the file names it first */
	uint32_t given;		/* bits: the rows of source_keys */
};

struct settings {
	char segment[SEGMENT_NAME_MAX]; /* "": that of pushlet.properties */
	uint64_t grace;		/* s, without a subscriber */
	uint64_t stop;		/* s, from SIGTERM to SIGKILL */
	uint64_t restart_min;	/* s, before the first restart */
	uint64_t restart_max;	/* s, before any */
	uint64_t restart_stable; /* s of running that make it the first again */
	struct source_settings *sources;
	size_t n;
};

extern const struct conf_key settings_keys[], source_keys[];

/*
 * Reads the file.  All mistakes are appended to report, one line each with the
 * number of its line.  Returns 0, and *out is to be released; or -1, and there
 * is nothing to release.
 */
int settings_read(struct settings *out, const char *file, struct buf *report);
void settings_release(struct settings *s);

/* Is all that was set for two sources the same? */
bool source_settings_same(const struct source_settings *a,
			  const struct source_settings *b);

/* The source of that name, or NULL. */
const struct source_settings *settings_find(const struct settings *s,
					    const char *name);

#endif
