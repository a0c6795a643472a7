/* SPDX-License-Identifier: MIT */
/*
 * publish_outlet.c - publishing, and what is to be said about it
 */
#include "tools/publish.h"

#include <poll.h>

#include "base/clock.h"

enum { NAP = 50 };	/* ms between two looks for a segment */

static enum tool_exit exit_of(enum pushlet_status status)
{
	switch (status) {
	case PUSHLET_OK:
		return TOOL_OK;
	case PUSHLET_MISSING:
		return TOOL_NO_SEGMENT;
	case PUSHLET_DENIED:
		return TOOL_DENIED;
	case PUSHLET_OTHER_LAYOUT:
	case PUSHLET_DAMAGED:
	case PUSHLET_NO_MEMORY:
	case PUSHLET_SYSTEM:
		return TOOL_SYSTEM;
	default:
		return TOOL_BAD;
	}
}

void outlet_fault(struct outlet *o, enum tool_exit status)
{
	if (status > o->status)
		o->status = status;
}

/* Sleeps a little, unless the deadline has come. */
static bool nap(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	if (left <= 0)
		return false;
	poll(NULL, 0, left < NAP ? (int)left : NAP);
	return true;
}

bool outlet_open(struct outlet *o, const char *segment)
{
	int64_t deadline = clock_ms() + o->wait;
	enum pushlet_status status;
	struct pushlet_error error;

	do {
		status = pushlet_open(&o->pushlet, segment, &error);
	} while (status == PUSHLET_MISSING && nap(deadline));
	if (status == PUSHLET_OK)
		return true;
	complain("%s", error.text);
	outlet_fault(o, exit_of(status));
	return false;
}

static enum pushlet_status push_once(struct outlet *o,
				     const struct outgoing *event,
				     unsigned *sessions_out,
				     struct pushlet_error *error_out)
{
	return pushlet_publish(o->pushlet, event->subject, event->attributes,
			       event->n, event->to, sessions_out, error_out);
}

/* Tries until there is a segment, or it has waited long enough. */
static enum pushlet_status push(struct outlet *o, const struct outgoing *event,
				unsigned *sessions_out,
				struct pushlet_error *error_out)
{
	enum pushlet_status status;
	int64_t deadline;

	status = push_once(o, event, sessions_out, error_out);
	if (status != PUSHLET_MISSING)
		return status;
	deadline = clock_ms() + o->wait;
	while (status == PUSHLET_MISSING && nap(deadline))
		status = push_once(o, event, sessions_out, error_out);
	return status;
}

/* The event is out, whether anybody reads this or not. */
static void tell(struct outlet *o, const char *subject, unsigned sessions)
{
	struct buf line = BUF_INIT;

	buf_puts(&line, "published ");
	tool_add_safe(&line, subject);
	buf_printf(&line, " to %u session%s\n", sessions,
		   sessions == 1 ? "" : "s");
	if (tool_print(&line) != TOOL_OK) {
		complain("publishing goes on without reports");
		outlet_fault(o, TOOL_SYSTEM);
		o->mute = true;
	}
	buf_release(&line);
}

static void tell_back(struct outlet *o, unsigned long line)
{
	if (!o->away)
		return;
	complain("line %lu: there is a segment again; %lu events were lost",
		 line, o->lost);
	o->away = false;
	o->lost = 0;
}

static void complain_at(unsigned long line, const char *text)
{
	if (line)
		complain("line %lu: not published: %s", line, text);
	else
		complain("not published: %s", text);
}

/* Has it no use to try the next event? */
static bool hopeless(const struct outlet *o, enum pushlet_status status)
{
	if (status == PUSHLET_NO_SUBJECT || status == PUSHLET_BAD_SUBJECT)
		return o->one_subject;
	return exit_of(status) != TOOL_BAD;
}

bool outlet_publish(struct outlet *o, const struct outgoing *event)
{
	enum pushlet_status status;
	struct pushlet_error error;
	unsigned sessions;

	status = push(o, event, &sessions, &error);
	outlet_fault(o, exit_of(status));
	if (status == PUSHLET_OK) {
		tell_back(o, event->line);
		if (o->verbose && !o->mute)
			tell(o, event->subject, sessions);
		return true;
	}
	if (status != PUSHLET_MISSING) {
		complain_at(event->line, error.text);
		return !hopeless(o, status);
	}
	if (!o->away)
		complain_at(event->line, error.text);
	o->away = true;
	o->lost++;
	return true;
}

enum tool_exit outlet_close(struct outlet *o)
{
	if (o->lost > 1)
		complain("%lu events were lost", o->lost);
	pushlet_close(&o->pushlet);
	return o->status;
}
