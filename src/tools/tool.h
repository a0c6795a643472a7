/* SPDX-License-Identifier: MIT */
/*
 * tool.h - what the command-line tools have in common
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include "base/buf.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/properties.h"

/* Exit statuses, the same in all tools. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_BAD = 1,		/* usage or input; an invariant is broken */
	TOOL_NO_SEGMENT = 2,
	TOOL_DENIED = 3,
	TOOL_SYSTEM = 4
};

/* "PROGRAM: TEXT" to standard error, control characters made visible. */
#define complain(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

/*
 * Finds out which segment is meant: name; else shm.name of file; else that of
 * the file which properties_file() tells.  Returns 0 with p->shm_name set
 * (the rest of p as that file or the defaults have it), or -1 after having
 * complained.
 */
int tool_properties(struct properties *p, const char *file, const char *name);

/* The exit status for a segment that did not open. */
enum tool_exit tool_exit_of(enum segment_status status);

/* Writes all of out to standard output.  Returns TOOL_OK, or TOOL_SYSTEM after
 * having complained. */
enum tool_exit tool_print(const struct buf *out);

/* Appends text with control characters and broken UTF-8 as \xNN, for a line
 * on a terminal. */
void tool_add_safe(struct buf *out, const char *text);

/* For main(): what was typed was wrong.  Says where help is, returns
 * TOOL_BAD. */
enum tool_exit tool_usage(const char *program);

#endif
