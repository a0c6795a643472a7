/* SPDX-License-Identifier: MIT */
/*
 * source.h - one source: a command, what it prints, and when it runs
 *
 * Calling sequence: source_new(); source_step() now and then and after
 * whatever happened; source_reaped() for each process that ended;
 * source_retire() when it is to end; when source_over() holds, source_free().
 *
 * What it prints goes through a feed into the spout, no faster than its rate:
 * when that is used up its pipe is not read, and the command waits.  What it
 * says on standard error, and what is wrong with its events, is logged after
 * its name.
 */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

#include <uv.h>

#include "sources/child.h"
#include "sources/duty.h"
#include "sources/settings.h"
#include "sources/spout.h"

/* What sources share; it outlives them. */
struct common {
	uv_loop_t *loop;
	struct spout spout;
	struct warden warden;
	uv_async_t *again;	/* sent when a step would do something */
};

struct source;

/* NULL: no memory. */
struct source *source_new(struct common *common, const struct settings *all,
			  const struct source_settings *one);

/* New settings of all sources; its own are the same. */
void source_settle(struct source *s, const struct settings *all);

const struct source_settings *source_settings(const struct source *s);

/* hold: it may not start. */
void source_step(struct source *s, bool hold);

/* Was that its command's process?  Then it is noted how it ended. */
bool source_reaped(struct source *s, pid_t pid, int status);

void source_retire(struct source *s);

/* Ends what is left of it by force. */
void source_kill(struct source *s);

/* To a new warden. */
void source_tell(struct source *s);

/* It was retired, and nothing of it is left. */
bool source_over(const struct source *s);

/* Also of one that is not over: by force then. */
void source_free(struct source **s);

#endif
