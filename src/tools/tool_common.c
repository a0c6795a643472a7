/* SPDX-License-Identifier: MIT */
/*
 * tool_common.c - what the command-line tools have in common
 */
#include "tools/tool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

/* One complaint a line of the report. */
static void complain_all(const struct buf *report)
{
	const char *line = buf_str(report);
	size_t n;

	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		complain("%.*s", (int)n, line);
	}
}

static int set_name(struct properties *p, const char *name,
		    struct buf *report)
{
	struct buf pair = BUF_INIT;
	int rc = -1;

	buf_printf(&pair, "shm.name=%s", name);
	if (buf_failed(&pair))
		buf_puts(report, "out of memory\n");
	else
		rc = conf_set(properties_table, p, buf_str(&pair), "-n",
			      report);
	buf_release(&pair);
	return rc == 0 ? properties_check(p, "-n", report) : -1;
}

int tool_properties(struct properties *p, const char *file, const char *name)
{
	struct buf report = BUF_INIT;
	int rc = 0;

	properties_defaults(p);
	if (!file && !name)
		file = properties_file();
	if (file)
		rc = properties_read(p, file, &report);
	if (rc == 0 && name)
		rc = set_name(p, name, &report);
	if (rc != 0)
		complain_all(&report);
	buf_release(&report);
	return rc;
}

enum tool_exit tool_exit_of(enum segment_status status)
{
	switch (status) {
	case SEGMENT_OK:
		return TOOL_OK;
	case SEGMENT_MISSING:
		return TOOL_NO_SEGMENT;
	case SEGMENT_DENIED:
	case SEGMENT_FOREIGN:
		return TOOL_DENIED;
	default:
		return TOOL_SYSTEM;
	}
}

enum tool_exit tool_print(const struct buf *out)
{
	const char *p = buf_str(out), *end = p + out->len;
	ssize_t n;

	if (buf_failed(out)) {
		complain("out of memory");
		return TOOL_SYSTEM;
	}
	while (p < end) {
		n = write(STDOUT_FILENO, p, (size_t)(end - p));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			complain("standard output: %s", strerror(errno));
			return TOOL_SYSTEM;
		}
		p += n;
	}
	return TOOL_OK;
}

void tool_add_safe(struct buf *out, const char *text)
{
	const char *end = text + strlen(text), *pos;
	unsigned long code;

	for (; text < end; text = pos) {
		pos = text;
		code = utf8_next(&pos, end);
		if (code < 0x20 || (code >= 0x7F && code < 0xA0) ||
		    (code >= 0x80 && pos == text + 1)) {
			for (; text < pos; text++)
				buf_printf(out, "\\x%02X",
					   (unsigned char)*text);
		} else {
			buf_add(out, text, (size_t)(pos - text));
		}
	}
}

enum tool_exit tool_usage(const char *program)
{
	complain("%s -h explains", program);
	return TOOL_BAD;
}
