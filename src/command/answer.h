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
	bool first;			/* no event is written yet */
};

/* Head of an answer with an HTTP status and more lines; the body follows. */
void answer_head(struct buf *out, int status, const char *content_type,
		 const char *more);

/* What the format begins with, behind the head.  callback as in struct
 * adapter. */
void answer_start(struct answer *a, struct buf *out,
		  const struct adapter *adapter, const char *callback);

/* Writes an event with p_time added, and empties it. */
void answer_event(struct answer *a, struct event *e);

/* Behind an event: about n bytes that mean nothing, for browsers and proxies
 * that hold back a short beginning. */
void answer_pad(struct answer *a, uint64_t n);

/* What the format ends with: the response is whole. */
void answer_finish(struct answer *a);

/* A whole HTTP error with more lines in its head, and a line of text. */
void answer_error(struct buf *out, const char *more, int status,
		  const char *text);

/* A whole answer without a body, with more lines and others in its head. */
void answer_empty(struct buf *out, const char *more, const char *others);

#endif
