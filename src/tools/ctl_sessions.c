/* SPDX-License-Identifier: MIT */
/*
 * ctl_sessions.c - pushletctl sessions
 */
#include "tools/ctl.h"

#include <inttypes.h>

#include "broker/format.h"
#include "broker/session.h"

/* -- for people --------------------------------------------------------- */

static void show_heading(struct buf *out, int width)
{
	buf_printf(out, "%-*s  %-6s %-10s %-6s %7s %7s %9s %7s %11s %7s "
		   "%7s  %-15s  %s\n", width, "HANDLE", "MODE",
		   "FORMAT", "LISTEN", "QUEUED", "WAITING", "DELIVERED",
		   "LOST", "AGE", "LEASE", "PID", "ADDRESS", "SUBJECTS");
}

static void show_lease(struct buf *out, const struct status_session *s)
{
	if (s->lease_ms < 0)
		buf_printf(out, " %7s", "-");
	else
		buf_printf(out, " %6" PRId64 "s", s->lease_ms / 1000);
}

static void show_session(struct buf *out, const struct status_session *s,
			 int width)
{
	struct buf period = BUF_INIT;

	ctl_add_period(&period, ctl_since(s->joined));
	buf_printf(out, "%-*s  %-6s %-10s %-6s %7" PRIu64 " %7" PRIu64 " %9"
		   PRIu64 " %7" PRIu64 " %11s", width, s->handle,
		   s->listened ? session_mode_name(s->mode) : "-",
		   format_name(s->format), s->listening ? "yes" : "no",
		   s->queued, s->waiting, s->delivered, s->lost,
		   buf_str(&period));
	show_lease(out, s);
	if (s->pid)
		buf_printf(out, " %7u  ", s->pid);
	else
		buf_printf(out, " %7s  ", "-");
	buf_printf(out, "%-15s  ", s->address);
	tool_add_safe(out, s->subjects.len ? buf_str(&s->subjects) : "-");
	buf_putc(out, '\n');
	buf_release(&period);
}

/* -- for programs ------------------------------------------------------- */

static void write_lease(struct json *j, const struct status_session *s)
{
	if (s->lease_ms < 0)
		json_null(j, "lease");
	else
		json_thousandths(j, "lease", (uint64_t)s->lease_ms);
}

void ctl_write_session(struct json *j, const struct status_session *s)
{
	json_string(j, "handle", s->handle);
	if (s->listened)
		json_string(j, "mode", session_mode_name(s->mode));
	else
		json_null(j, "mode");
	json_string(j, "format", format_name(s->format));
	ctl_write_subjects(j, buf_str(&s->subjects));
	json_bool(j, "listening", s->listening);
	json_uint(j, "queued", s->queued);
	json_uint(j, "waiting", s->waiting);
	json_uint(j, "delivered", s->delivered);
	json_uint(j, "lost", s->lost);
	json_uint(j, "age", (uint64_t)ctl_since(s->joined));
	json_string(j, "address", s->address);
	if (s->pid)
		json_uint(j, "pid", s->pid);
	else
		json_null(j, "pid");
	write_lease(j, s);
}

/* -- both --------------------------------------------------------------- */

static void add_session(struct buf *out, struct json *j,
			const struct status_session *s, int width)
{
	if (!j) {
		show_session(out, s, width);
		return;
	}
	json_object(j, NULL);
	ctl_write_session(j, s);
	json_end(j);
}

enum tool_exit ctl_sessions(struct broker *b, const struct ctl_request *q)
{
	struct status_session *list;
	struct buf out = BUF_INIT;
	struct json j = { .out = &out };
	int width = ctl_handle_width(b);
	unsigned i, n;

	list = status_sessions(b, &n);
	if (q->json)
		json_array(&j, NULL);
	else
		show_heading(&out, width);
	for (i = 0; i < n; i++)
		if (!q->subject || ctl_wants(&list[i], q->subject))
			add_session(&out, q->json ? &j : NULL, &list[i],
				    width);
	if (q->json)
		json_end(&j);
	status_sessions_free(list, n);
	return ctl_print(&out);
}
