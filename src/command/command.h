/* SPDX-License-Identifier: MIT */
/*
 * command.h - a request, understood
 *
 * Pushlet protocol, "Requests": the fields come from the query string, a form
 * body, or the attributes of one XML element; p_event says what to do.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "broker/event.h"
#include "command/refusal.h"
#include "fcgi/request.h"

enum command_kind {
	COMMAND_JOIN,
	COMMAND_JOIN_LISTEN,
	COMMAND_LISTEN,
	COMMAND_REFRESH,
	COMMAND_SUBSCRIBE,
	COMMAND_UNSUBSCRIBE,
	COMMAND_PUBLISH,
	COMMAND_HEARTBEAT,
	COMMAND_LEAVE,
	COMMAND_UNKNOWN		/* a nack, once the session is found */
};

struct command {
	enum command_kind kind;
	const char *name;	/* p_event as sent; in fields */
	const char *id;		/* p_id as sent, else the header X-Pushlet-Id,
				 * or NULL; in fields or request */
	struct event fields;	/* all that the request said */
	/* Why it cannot be carried out although it was understood: status 200,
	 * to be a nack in the session's format; else status 0. */
	struct refusal refusal;
};

/*
 * Reads a request.  Returns 0 with *c filled; or -1 with the HTTP error in
 * c->refusal.  Either way the caller calls command_release().
 */
int command_read(struct command *c, const struct request *q,
		 const struct event_limits *limits, size_t request_max);

void command_release(struct command *c);

/* Does a kind need no session? */
bool command_joins(const struct command *c);

/* The names of all commands, separated by ", ", for error messages. */
const char *command_names(void);

#endif
