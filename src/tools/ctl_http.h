/* SPDX-License-Identifier: MIT */
/*
 * ctl_http.h - just enough of an HTTP/1.1 client to look at a web server
 *
 *	http_open(&h, &url, "p_event=join", NULL, NULL);
 *	while (!h.ended && http_wait(&h, deadline) > 0)
 *		look at h.head and h.body;
 *	http_close(&h);
 *
 * One request a connection.  What has come of an answer is there as soon as it
 * has come, which is what a doctor wants to know.
 */
#ifndef TOOLS_CTL_HTTP_H
#define TOOLS_CTL_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct http_url {
	char host[256], port[6];
	char authority[272];		/* for the header Host */
	const char *path;		/* within the text; without a query */
};

struct http {
	int fd;				/* -1: none */
	struct buf raw;			/* read, not taken apart yet */
	struct buf head;		/* empty until it is complete */
	struct buf body;		/* what of it has come, unchunked */
	int status;			/* 0: no head yet */
	bool chunked, sized;
	uint64_t left;			/* bytes of the chunk, or of the body */
	bool ended;			/* there will be no more */
	char error[160];		/* why nothing came; "": no such thing */
};

#define HTTP_INIT { .fd = -1 }

/* Takes an address apart.  Returns NULL, or what is wrong with it; text must
 * outlive *u. */
const char *http_url_read(struct http_url *u, const char *text);

/* Connects, within seconds, and sends a request with this query: GET or, with a
 * body, POST of this form.  encoding: Accept-Encoding, or NULL.  Returns 0,
 * or -1 with h->error set.  *h must be as HTTP_INIT or closed. */
int http_open(struct http *h, const struct http_url *u, const char *query,
	      const char *body, const char *encoding);

/* Waits until something comes, or the answer ends, or it is deadline (as of
 * clock_ms()), or a signal comes.  Returns 1 when something has changed, else
 * 0. */
int http_wait(struct http *h, int64_t deadline);

/* Copies the value of a header to out, cut to its size; "" if there is none. */
void http_header(const struct http *h, const char *name, char *out, size_t n);

void http_close(struct http *h);

#endif
