/* SPDX-License-Identifier: MIT */
/*
 * ctl_show.c - pushletctl show, and subjects
 */
#include "tools/ctl.h"

#include <errno.h>
#include <inttypes.h>

#include "broker/closeup.h"
#include "broker/format.h"
#include "broker/session.h"

/* -- a session, for people ------------------------------------------------ */

static void show_served(struct buf *out, const struct closeup *c)
{
	const struct status_session *s = &c->session;

	if (s->listening)
		buf_printf(out, "served     by process %u, as %s\n", s->pid,
			   session_mode_name(c->served_as));
	else
		buf_printf(out, "served     not now; its lease ends in %" PRId64
			   " s\n", s->lease_ms / 1000);
}

static void show_kind(struct buf *out, const struct closeup *c)
{
	const struct status_session *s = &c->session;

	buf_printf(out, "mode       %s%s%s\nformat     %s\n",
		   s->listened ? session_mode_name(s->mode) :
				 "none: it has never listened",
		   c->yielded ? ", for want of listen.slots" : "",
		   c->reliable ? ", reliable" : "", format_name(s->format));
	if (c->aborted)
		buf_puts(out, "state      aborted; its channel has yet to "
			 "say so\n");
}

static void show_events(struct buf *out, const struct closeup *c)
{
	const struct status_session *s = &c->session;

	buf_printf(out, "queued     %" PRIu64 ", of these handed to the "
		   "channel: %" PRIu64 "\n", s->queued, c->sent);
	buf_printf(out, "delivered  %" PRIu64 "\n", s->delivered);
	buf_printf(out, "lost       %" PRIu64 ", of these not yet reported to "
		   "the client: %" PRIu64 "\n", s->lost, c->untold);
}

static void show_subscriptions(struct buf *out, const struct closeup *c)
{
	unsigned i;

	if (c->n == 0)
		buf_puts(out, "\nno subscriptions\n");
	else
		buf_printf(out, "\n%-18s  %-24s  %s\n", "SUBSCRIPTION", "LABEL",
			   "SUBJECTS");
	for (i = 0; i < c->n; i++) {
		const struct closeup_subscription *s = &c->subscriptions[i];
		struct buf label = BUF_INIT;

		tool_add_safe(&label, s->label ? s->label : "-");
		buf_printf(out, "%-18s  %-24s  ", s->sid, buf_str(&label));
		tool_add_safe(out, s->subjects);
		buf_putc(out, '\n');
		buf_release(&label);
	}
}

static void show_closeup(struct buf *out, const struct closeup *c)
{
	const struct status_session *s = &c->session;

	buf_printf(out, "handle     %s\naddress    %s\n", s->handle,
		   *s->address ? s->address : "unknown");
	buf_puts(out, "joined     ");
	ctl_add_time(out, s->joined);
	buf_puts(out, "\nage        ");
	ctl_add_period(out, ctl_since(s->joined));
	buf_putc(out, '\n');
	show_kind(out, c);
	show_served(out, c);
	show_events(out, c);
	show_subscriptions(out, c);
}

/* -- a session, for programs ---------------------------------------------- */

static void write_subscriptions(struct json *j, const struct closeup *c)
{
	unsigned i;

	json_array(j, "subscriptions");
	for (i = 0; i < c->n; i++) {
		const struct closeup_subscription *s = &c->subscriptions[i];

		json_object(j, NULL);
		json_string(j, "sid", s->sid);
		ctl_write_subjects(j, s->subjects);
		if (s->label)
			json_string(j, "label", s->label);
		else
			json_null(j, "label");
		json_end(j);
	}
	json_end(j);
}

static void write_closeup(struct json *j, const struct closeup *c)
{
	json_object(j, NULL);
	ctl_write_session(j, &c->session);
	json_uint(j, "joined", (uint64_t)c->session.joined);
	json_bool(j, "reliable", c->reliable);
	json_bool(j, "yielded", c->yielded);
	json_bool(j, "aborted", c->aborted);
	json_uint(j, "sent", c->sent);
	json_uint(j, "untold", c->untold);
	write_subscriptions(j, c);
	json_end(j);
}

enum tool_exit ctl_show(struct broker *b, const struct ctl_request *q)
{
	struct buf out = BUF_INIT;
	struct json j = { .out = &out };
	struct closeup c;

	switch (closeup_read(b, q->words[0], &c)) {
	case DONE:
		break;
	case NO_MEMORY:
		complain("out of memory");
		return TOOL_SYSTEM;
	default:
		return ctl_no_session(q->words[0]);
	}
	if (q->json)
		write_closeup(&j, &c);
	else
		show_closeup(&out, &c);
	closeup_release(&c);
	return ctl_print(&out);
}

/* -- subjects --------------------------------------------------------------- */

static void show_subjects(struct buf *out, const struct closeup_subject *list,
			  unsigned n)
{
	unsigned i;

	buf_puts(out, "SESSIONS  SUBJECT\n");
	for (i = 0; list && i < n; i++) {
		buf_printf(out, "%8u  ", list[i].sessions);
		tool_add_safe(out, list[i].subject);
		buf_putc(out, '\n');
	}
}

static void write_subjects(struct json *j, const struct closeup_subject *list,
			   unsigned n)
{
	unsigned i;

	json_array(j, NULL);
	for (i = 0; list && i < n; i++) {
		json_object(j, NULL);
		json_string(j, "subject", list[i].subject);
		json_uint(j, "sessions", list[i].sessions);
		json_end(j);
	}
	json_end(j);
}

enum tool_exit ctl_subjects(struct broker *b, const struct ctl_request *q)
{
	struct closeup_subject *list;
	struct buf out = BUF_INIT;
	struct json j = { .out = &out };
	unsigned n;

	list = closeup_subjects(b, &n);
	if (!list && errno) {
		complain("out of memory");
		return TOOL_SYSTEM;
	}
	if (q->json)
		write_subjects(&j, list, n);
	else
		show_subjects(&out, list, n);
	closeup_subjects_free(list, n);
	return ctl_print(&out);
}
