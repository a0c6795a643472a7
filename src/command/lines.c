/* SPDX-License-Identifier: MIT */
/*
 * lines.c - a list in a file, one item a line
 */
#include "command/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n\v\f"

static char *trim(char *line)
{
	size_t n;

	line += strspn(line, BLANKS);
	n = strlen(line);
	while (n > 0 && strchr(BLANKS, line[n - 1]))
		n--;
	line[n] = '\0';
	return line;
}

/* What is wrong with line number n, or NULL. */
static const char *examine(char *line, size_t bytes, unsigned n,
			   const char *(*take)(void *arg, const char *line),
			   void *arg)
{
	if (strlen(line) != bytes)
		return "the line holds a NUL byte";
	if (n > LINES_MAX)
		return "more than 100000 lines";
	line = trim(line);
	if (*line == '\0' || *line == '#')
		return NULL;
	return strlen(line) > LINE_BYTES ? "more than 256 bytes" :
					   take(arg, line);
}

int lines_read(const char *property, const char *file,
	       const char *(*take)(void *arg, const char *line), void *arg,
	       struct buf *report)
{
	FILE *fp = fopen(file, "re");
	const char *wrong;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	unsigned number = 0;
	int rc = 0;

	while (fp && number <= LINES_MAX && (n = getline(&line, &size, fp)) >= 0) {
		wrong = examine(line, (size_t)n, ++number, take, arg);
		if (!wrong)
			continue;
		buf_printf(report, "%s: %s:%u: %s\n", property, file, number,
			   wrong);
		rc = -1;
	}
	if (!fp || ferror(fp)) {
		buf_printf(report, "%s: %s cannot be read: %s\n", property,
			   file, strerror(errno));
		rc = -1;
	}
	free(line);
	if (fp)
		fclose(fp);
	return rc;
}
