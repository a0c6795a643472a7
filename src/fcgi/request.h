/* SPDX-License-Identifier: MIT */
/*
 * request.h - what a web server told us about one request
 *
 * All texts point into memory of the servlet and live until the request ends.
 * A parameter the web server did not send is "".  Fronts differ in what they
 * send (conf/ has the tested ones): rely on nothing but these.
 */
#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct request {
	const char *method;		/* REQUEST_METHOD */
	const char *query;		/* QUERY_STRING, still encoded */
	const char *path;		/* REQUEST_URI up to its "?" */
	size_t path_len;
	const char *content_type;	/* CONTENT_TYPE */
	const char *user_agent;		/* HTTP_USER_AGENT */
	const char *address;		/* REMOTE_ADDR */
	const char *user;		/* REMOTE_USER: whom the web server has
					 * authenticated */
	const char *last_event_id;	/* HTTP_LAST_EVENT_ID, of EventSource */
	char *const *params;		/* "NAME=value", all of them; NULL ends */
	const char *body;		/* read whole, by length and to the end */
	size_t body_len;
	enum {
		BODY_WHOLE,
		BODY_TOO_LARGE,		/* over request.max.bytes; not kept */
		BODY_NO_MEMORY,		/* not kept either */
		BODY_CUT_SHORT		/* less than CONTENT_LENGTH promised */
	} body_state;
};

/* The value of any parameter, or "". */
const char *request_param(const struct request *q, const char *name);

#endif
