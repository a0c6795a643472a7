/* SPDX-License-Identifier: MIT */
/*
 * command.c - from fields to a kind
 */
#include "command/command.h"

#include <string.h>
#include <strings.h>

#include "command/form.h"
#include "command/xmlbody.h"

static const char *const names[] = {
	[COMMAND_JOIN] = "join",
	[COMMAND_JOIN_LISTEN] = "join-listen",
	[COMMAND_LISTEN] = "listen",
	[COMMAND_REFRESH] = "refresh",
	[COMMAND_SUBSCRIBE] = "subscribe",
	[COMMAND_UNSUBSCRIBE] = "unsubscribe",
	[COMMAND_PUBLISH] = "publish",
	[COMMAND_HEARTBEAT] = "hb",
	[COMMAND_LEAVE] = "leave",
};

const char *command_names(void)
{
	return "join, join-listen, listen, refresh, subscribe, unsubscribe, "
	       "publish, hb, leave";
}

static enum command_kind kind_of(const char *name)
{
	int i;

	for (i = 0; i < COMMAND_UNKNOWN; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return COMMAND_UNKNOWN;
}

static bool is_form(const struct request *q)
{
	const char *type = "application/x-www-form-urlencoded";

	return strncasecmp(q->content_type, type, strlen(type)) == 0;
}

/* Browsers and curl send the form type along with anything; what begins like
 * an element is one. */
static bool is_xml(const struct request *q)
{
	size_t i = 0;

	while (i < q->body_len && strchr(" \t\r\n", q->body[i]))
		i++;
	return i < q->body_len &&
	       (q->body[i] == '<' || (unsigned char)q->body[i] == 0xef);
}

static int check_body(const struct request *q, size_t max, struct refusal *why)
{
	if (q->body_state == BODY_TOO_LARGE)
		return refuse(why, 413, "POST body is longer than %zu bytes "
			      "(request.max.bytes)", max);
	if (q->body_state == BODY_NO_MEMORY)
		return refuse(why, 503, "the server is short of memory; try "
			      "again");
	if (q->body_state == BODY_CUT_SHORT)
		return refuse(why, 400, "POST body is shorter than its "
			      "Content-Length: %zu bytes came", q->body_len);
	return 0;
}

/* Adds up refusals of status 200, the first of which counts; passes others
 * on. */
static int softly(struct command *c, int rc, const struct refusal *why)
{
	if (rc == 0)
		return 0;
	if (why->status != 200) {
		c->refusal = *why;
		return -1;
	}
	if (!c->refusal.status)
		c->refusal = *why;
	return 0;
}

static int read_fields(struct command *c, const struct request *q,
		       const struct event_limits *limits)
{
	struct refusal why = { 0, "" };
	bool post = strcmp(q->method, "POST") == 0;
	int rc = 0;

	if (post && (is_xml(q) || !is_form(q)))
		return softly(c, xmlbody_parse(q->body, q->body_len, limits,
					       &c->fields, &why), &why);
	if (post)
		rc = softly(c, form_parse(q->body, q->body_len, limits,
					  &c->fields, &why), &why);
	if (rc == 0)
		rc = softly(c, form_parse(q->query, strlen(q->query), limits,
					  &c->fields, &why), &why);
	return rc;
}

static int examine(const struct request *q, size_t request_max,
		   struct refusal *why)
{
	char quote[64];

	if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "POST") != 0)
		return refuse(why, 405, "Method %s is not allowed; use GET or "
			      "POST", refusal_quote(quote, q->method));
	if (strlen(q->query) > request_max)
		return refuse(why, 414, "query string is longer than %zu bytes "
			      "(request.max.bytes)", request_max);
	return check_body(q, request_max, why);
}

bool command_joins(const struct command *c)
{
	return strncmp(c->name, "join", 4) == 0;
}

int command_read(struct command *c, const struct request *q,
		 const struct event_limits *limits, size_t request_max)
{
	memset(c, 0, sizeof(*c));
	c->name = "";
	if (examine(q, request_max, &c->refusal) < 0 ||
	    read_fields(c, q, limits) < 0)
		return -1;
	c->name = event_get(&c->fields, "p_event");
	c->id = event_get(&c->fields, "p_id");
	if (!c->id && *request_param(q, "HTTP_X_PUSHLET_ID"))
		c->id = request_param(q, "HTTP_X_PUSHLET_ID");
	if (!c->name || !*c->name) {
		c->name = "";
		return refuse(&c->refusal, 400, "No eventType specified: "
			      "p_event is missing or empty");
	}
	c->kind = kind_of(c->name);
	if (!command_joins(c) && !c->id)
		return refuse(&c->refusal, 400, "No id specified: p_id is "
			      "missing");
	return 0;
}

void command_release(struct command *c)
{
	event_release(&c->fields);
}
