/* SPDX-License-Identifier: MIT */
/*
 * lines.h - a list in a file, one item a line
 *
 * Blanks around an item are dropped, empty lines and those that begin with "#"
 * are skipped.
 */
#ifndef COMMAND_LINES_H
#define COMMAND_LINES_H

#include <stddef.h>

#include "base/buf.h"

enum { LINES_MAX = 100000, LINE_BYTES = 256 };

/*
 * Calls take(arg, line) for each item; it returns NULL, or what is wrong with
 * it.  Every mistake is added to report, with the property, file and line.
 * Returns 0, or -1 when there was one, or the file cannot be read.
 */
int lines_read(const char *property, const char *file,
	       const char *(*take)(void *arg, const char *line), void *arg,
	       struct buf *report);

#endif
