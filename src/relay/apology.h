/* SPDX-License-Identifier: MIT */
/*
 * apology.h - answers a FastCGI request with 503 when there is no pushletd
 *
 * The request is read to its end before, or the web server would fail at
 * writing it and never read the answer.
 */
#ifndef RELAY_APOLOGY_H
#define RELAY_APOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request, as far as it has been read; zeroed at first. */
struct apology {
	unsigned char head[8];	/* of the record we are in */
	size_t have;		/* bytes of it, at most all of head */
	size_t skip;		/* bytes that follow it */
	int request;		/* id; 0: not known yet */
	bool whole;		/* the last record of the request was read */
	bool broken;		/* this is no FastCGI request */
};

/* Reads on.  Nothing is read beyond the end of a request, or of reason. */
void apology_feed(struct apology *a, const unsigned char *bytes, size_t n);

/* Reads the request and answers it with the text, until the deadline at the
 * latest (clock_ms()).  The connection stays open. */
void apology_make(int fd, const char *text, int64_t deadline);

#endif
