/* SPDX-License-Identifier: MIT */
/*
 * feed.h - bytes become events: lines, or XML elements
 *
 * Calling sequence: feed_lines() or feed_xml(), feed_bytes() with whatever has
 * arrived, as long as that says FEED_ON, feed_end() at the end of the input,
 * feed_free().  What is read is the same however the bytes are cut.  Events
 * and complaints go to the calls, which may not call these functions; what they
 * are given is valid until they return.
 *
 * What feeds hold is bounded: a line or an element of more than FEED_BYTES is
 * refused.
 */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include "pushlet.h"

#define FEED_BYTES 1048576	/* the most that event.max.bytes can be */

struct outgoing {
	const char *subject;
	const char *to;		/* or NULL */
	const struct pushlet_attribute *attributes;
	size_t n;
	unsigned long line;	/* of the input; 0: not from there */
};

struct feed_calls {
	/* An event.  False: there is no use in later ones. */
	bool (*event)(void *arg, const struct outgoing *event);

	/* Something of the input is no event; a text without newline that
	 * begins with "line N: ". */
	void (*fault)(void *arg, const char *text);

	void *arg;
};

enum feed_state {
	FEED_ON,
	FEED_STOPPED,		/* an event was the last, or a fault was */
	FEED_NO_MEMORY
};

struct feed;

/* Each line is an event like that, with the line as the value of the attribute
 * (one of its attributes).  like and attribute stay the caller's and must
 * outlive the feed.  NULL: no memory. */
struct feed *feed_lines(const struct feed_calls *calls, struct outgoing *like,
			struct pushlet_attribute *attribute);

/*
 * Each element is an event.  subject and to hold for those that have no
 * p_subject, p_to; both may be NULL, and stay the caller's.  resume: what is
 * not XML ends nothing, the feed goes on with the next line.  NULL: no memory.
 */
struct feed *feed_xml(const struct feed_calls *calls, const char *subject,
		      const char *to, bool resume);

enum feed_state feed_bytes(struct feed *f, const char *bytes, size_t n);

/* How many of these n bytes complete at most one event. */
size_t feed_piece(const struct feed *f, const char *bytes, size_t n);

/* There are no more bytes. */
enum feed_state feed_end(struct feed *f);

/* NULL in *f is fine. */
void feed_free(struct feed **f);

#endif
