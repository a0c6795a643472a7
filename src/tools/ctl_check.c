/* SPDX-License-Identifier: MIT */
/*
 * ctl_check.c - pushletctl check, and repair
 */
#include "tools/ctl.h"

#include <string.h>

/* Calls each(arg, line, its length) for the lines of a report. */
static void each_line(const struct buf *report,
		      void (*each)(void *arg, const char *line, size_t n),
		      void *arg)
{
	const char *line = buf_str(report);
	size_t n;

	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		each(arg, line, n);
	}
}

static void write_line(void *arg, const char *line, size_t n)
{
	json_string_n(arg, NULL, line, n);
}

static void write_lines(struct json *j, const char *key,
			const struct buf *report)
{
	json_array(j, key);
	each_line(report, write_line, j);
	json_end(j);
}

static void show_repaired(void *arg, const char *line, size_t n)
{
	buf_printf(arg, "repaired: %.*s\n", (int)n, line);
}

static void show_left(void *arg, const char *line, size_t n)
{
	buf_printf(arg, "still broken: %.*s\n", (int)n, line);
}

enum tool_exit ctl_check(struct broker *b, const struct ctl_request *q)
{
	struct buf report = BUF_INIT, out = BUF_INIT;
	struct json j = { .out = &out };
	int broken = broker_check(b, &report);
	enum tool_exit status;

	if (q->json) {
		json_object(&j, NULL);
		write_lines(&j, "broken", &report);
		json_end(&j);
	} else if (broken) {
		buf_printf(&out, "%s%d broken\n", buf_str(&report), broken);
	} else {
		buf_puts(&out, "all invariants hold\n");
	}
	out.failed |= report.failed;
	buf_release(&report);
	status = ctl_print(&out);
	return broken ? TOOL_BAD : status;
}

enum tool_exit ctl_repair(struct broker *b, const struct ctl_request *q)
{
	struct buf found = BUF_INIT, left = BUF_INIT, out = BUF_INIT;
	struct json j = { .out = &out };
	int broken = broker_mend(b, &found, &left);
	enum tool_exit status;

	if (q->json) {
		json_object(&j, NULL);
		write_lines(&j, "found", &found);
		write_lines(&j, "left", &left);
		json_end(&j);
	} else {
		each_line(&found, show_repaired, &out);
		each_line(&left, show_left, &out);
		buf_puts(&out, found.len ? "made anew\n" :
			 "made anew; nothing was broken\n");
	}
	out.failed |= found.failed || left.failed;
	buf_release(&found);
	buf_release(&left);
	status = ctl_print(&out);
	return broken ? TOOL_BAD : status;
}
