/* SPDX-License-Identifier: MIT */
/*
 * spout.c - where the events of all sources leave for the segment
 */
#include "sources/spout.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static void came_back(struct spout *s)
{
	if (!s->away)
		return;
	log_info("%s: there is a segment again; %lu events were lost",
		 s->segment, s->lost);
	s->away = false;
	s->lost = 0;
}

/* Each reason is said when it is a new one. */
static void went(struct spout *s, const struct pushlet_error *error)
{
	if (!s->away || error->status != s->error.status)
		log_warn("%s (events are lost until then)", error->text);
	s->away = true;
	s->error = *error;
}

static bool attached(struct spout *s)
{
	struct pushlet_error error;

	if (s->pushlet)
		return true;
	if (pushlet_open(&s->pushlet, s->segment, &error) != PUSHLET_OK) {
		went(s, &error);
		return false;
	}
	came_back(s);
	return true;
}

void spout_name(struct spout *s, const char *segment)
{
	if (strcmp(s->segment, segment) == 0)
		return;
	spout_close(s);
	snprintf(s->segment, sizeof(s->segment), "%s", segment);
}

/* Is it the event that cannot be published, or any? */
static bool of_event(enum pushlet_status status)
{
	switch (status) {
	case PUSHLET_NO_SUBJECT:
	case PUSHLET_BAD_SUBJECT:
	case PUSHLET_BAD_NAME:
	case PUSHLET_BAD_VALUE:
	case PUSHLET_TOO_LARGE:
		return true;
	default:
		return false;
	}
}

bool spout_publish(struct spout *s, const struct outgoing *event)
{
	enum pushlet_status status;
	struct pushlet_error error;

	if (!s->pushlet) {	/* spout_tick() looks for it */
		s->lost++;
		return true;
	}
	status = pushlet_publish(s->pushlet, event->subject, event->attributes,
				 event->n, event->to, NULL, &error);
	if (status == PUSHLET_OK) {
		came_back(s);
	} else if (of_event(status)) {
		s->error = error;
		return false;
	} else {
		went(s, &error);
		s->lost++;
	}
	return true;
}

bool spout_wanted(struct spout *s, const char *subject, bool below)
{
	struct pushlet_error error;
	int wanted = 0;

	if (!s->pushlet)
		return false;
	if (pushlet_wanted(s->pushlet, subject, below, &wanted, &error) ==
	    PUSHLET_OK)
		came_back(s);
	else
		went(s, &error);
	return wanted;
}

void spout_tick(struct spout *s)
{
	attached(s);
}

void spout_close(struct spout *s)
{
	if (s->lost)
		log_warn("%s: %lu events were lost", s->segment, s->lost);
	pushlet_close(&s->pushlet);
	s->away = false;
	s->lost = 0;
}
