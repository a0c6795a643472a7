/* SPDX-License-Identifier: MIT */
/*
 * publish.h - inside pushlet-publish: where events come from, where they go
 *
 * A feed (feed/feed.h) makes events of standard input, and each is handed to
 * outlet_publish(), which does the talking and keeps the exit status.
 */
#ifndef TOOLS_PUBLISH_H
#define TOOLS_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feed/feed.h"
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

/* What a feed is to do with what it reads; the outlet must outlive it. */
struct feed_calls outlet_calls(struct outlet *o);

/* Gives the feed, which may be NULL (no memory), all of standard input as it
 * arrives. */
void outlet_run(struct outlet *o, struct feed *f);

#endif
