/* SPDX-License-Identifier: MIT */
/*
 * answer.h - a response in the making
 *
 * CGI syntax (RFC 3875, 6): head lines, a blank line, the body.  Every answer
 * carries headers against caching, and one that keeps nginx from buffering.
 */
#ifndef COMMAND_ANSWER_H
#define COMMAND_ANSWER_H

#include "channel/adapter.h"

struct answer {
	struct buf *out;
	const struct adapter *adapter;
};

/* Head of a protocol answer, and what the format begins with. */
void answer_start(struct answer *a, struct buf *out,
		  const struct adapter *adapter);

/* Writes an event with p_time added, and empties it. */
void answer_event(struct answer *a, struct event *e);

/* What the format ends with: the response is whole. */
void answer_finish(struct answer *a);

/* A whole HTTP error with a line of text. */
void answer_error(struct buf *out, int status, const char *text);

#endif
