/* SPDX-License-Identifier: MIT */
/*
 * publish.h - inside pushlet-publish: where events come from, where they go
 *
 * A reader (publish_lines(), publish_xml()) makes events of standard input and
 * hands each to outlet_publish(), which does the talking and keeps the exit
 * status.
 */
#ifndef TOOLS_PUBLISH_H
#define TOOLS_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pushlet.h"
#include "tools/tool.h"

struct outlet {
	struct pushlet *pushlet;
	int64_t wait;		/* ms to wait for a segment */
	bool verbose;
	bool one_subject;	/* if it is bad, no event can be published */
	bool mute;		/* standard output failed */
	bool away;		/* the segment is gone */
	unsigned long lost;	/* events since it is */
	enum tool_exit status;	/* the worst so far */
};

struct outgoing {
	const char *subject;
	const char *to;		/* or NULL */
	const struct pushlet_attribute *attributes;
	size_t n;
	unsigned long line;	/* of standard input; 0: not from there */
};

/* Attaches.  False after having complained. */
bool outlet_open(struct outlet *o, const char *segment);

/*
 * Publishes one event and says what is to be said about it.  False: later
 * events cannot be published either.  Without a segment (it was destroyed)
 * the event is lost, which is said once, and the next one is tried.
 */
bool outlet_publish(struct outlet *o, const struct outgoing *event);

/* Notes a complaint about the input, made by the caller, for the status. */
void outlet_fault(struct outlet *o, enum tool_exit status);

/* Detaches and sums up.  Returns the exit status. */
enum tool_exit outlet_close(struct outlet *o);

/* Reads what there is of standard input, at least one byte.  Returns how
 * many; 0 at the end; -1 after having complained. */
ssize_t outlet_read(struct outlet *o, char *out, size_t size);

/* Publishes each line as it arrives: the event with the line as the value of
 * one of its attributes. */
void publish_lines(struct outlet *o, struct outgoing *event,
		   struct pushlet_attribute *line);

/* Publishes each element as it arrives.  subject and to hold for those that
 * have no p_subject, p_to; both may be NULL. */
void publish_xml(struct outlet *o, const char *subject, const char *to);

#endif
