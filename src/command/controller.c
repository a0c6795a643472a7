/* SPDX-License-Identifier: MIT */
/*
 * controller.c - one function a command, and a table of them
 *
 * Those that open a data channel are in listening.c.
 */
#include "command/controller.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "broker/name.h"
#include "broker/owner.h"
#include "broker/publish.h"
#include "broker/subscription.h"
#include "command/gate.h"
#include "command/inspection.h"
#include "command/task.h"
#include "command/xmlbody.h"

/* The format of a session to be. */
static int choose_format(struct task *t)
{
	const char *asked = task_field(t, "p_format");
	char quote[64];

	t->adapter = asked ? adapter_find(asked) : adapter_default();
	if (t->adapter)
		return 0;
	/* What it asked for we do not speak: plain text anyone can read. */
	t->adapter = adapter_find("xml");
	return refuse(&t->refusal, 200, "unknown p_format '%s'; there are %s",
		      refusal_quote(quote, asked), adapter_names());
}

static int do_join(struct task *t)
{
	if (task_join(t) < 0)
		return -1;
	task_acknowledge(t, "join-ack", "p_id", t->session.id, "p_format",
			 t->adapter->name, "p_reliable", task_reliable(t),
			 NULL);
	return task_complete(t);
}

static int do_subscribe(struct task *t)
{
	const char *subjects = task_field(t, "p_subject");
	const char *label = task_field(t, "p_label");
	char sid[SID_SIZE];
	enum outcome outcome = NO_SUBJECT;

	if (task_last(t) < 0 || gate_subscribe(t, subjects) < 0)
		return -1;
	if (subjects)
		outcome = subscription_add(t->broker, t->session.ref, subjects,
					   label, t->last, sid);
	if (outcome != DONE)
		return task_refuse(t, outcome, outcome == SEGMENT_FULL ?
				      "subscription (subscriptions.max)" :
				      subjects);
	task_acknowledge(t, "subscribe-ack", "p_id", t->session.id, "p_subject",
		    subjects, "p_sid", sid, "p_label", label, NULL);
	return task_complete(t);
}

static int unsubscribe_all(struct task *t)
{
	if (subscription_clear(t->broker, t->session.ref) != DONE)
		return task_refuse(t, GONE, NULL);
	task_acknowledge(t, "unsubscribe-ack", "p_id", t->session.id, NULL);
	return task_complete(t);
}

static int do_unsubscribe(struct task *t)
{
	const char *sid = task_field(t, "p_sid");
	struct buf subjects = BUF_INIT, label = BUF_INIT;
	enum outcome outcome;
	bool labelled;

	if (!sid)
		return unsubscribe_all(t);
	outcome = subscription_remove(t->broker, t->session.ref, sid,
				      &subjects, &label, &labelled);
	if (outcome == DONE)
		task_acknowledge(t, "unsubscribe-ack", "p_id", t->session.id,
			    "p_sid", sid, "p_subject", buf_str(&subjects),
			    "p_label", labelled ? buf_str(&label) : NULL,
			    NULL);
	if (buf_failed(&subjects) || buf_failed(&label))
		outcome = NO_MEMORY;	/* to tell what is gone */
	buf_release(&subjects);
	buf_release(&label);
	return outcome == DONE ? task_complete(t) : task_refuse(t, outcome, sid);
}

static int do_publish(struct task *t)
{
	struct publication p = {
		.subject = task_field(t, "p_subject"),
		.attributes = &t->command.fields,
		.from = t->session.handle,
		.to = task_field(t, "p_to"),
		.key = task_field(t, "p_key"),
		.by = t->session.ref,
	};
	struct event clean = EVENT_INIT;
	const char *detail = NULL;
	enum outcome outcome;
	unsigned reached;

	if (gate_publish(t, &clean) < 0) {
		event_release(&clean);
		return -1;
	}
	if (clean.count)
		p.attributes = &clean;
	if (broker_publish_from(t->broker) == FROM_ID)
		p.from = t->session.id;
	outcome = publish(t->broker, &p, &reached, &detail);
	if (outcome != DONE)
		task_refuse(t, outcome, detail ? detail : p.subject);
	event_release(&clean);
	if (outcome != DONE)
		return -1;
	task_acknowledge(t, "publish-ack", NULL);
	return task_complete(t);
}

/* Finding the session has renewed its lease already. */
static int do_heartbeat(struct task *t)
{
	if (listening_acknowledge(t, false) < 0)
		return -1;
	task_acknowledge(t, "hb-ack", NULL);
	return task_complete(t);
}

static int do_leave(struct task *t)
{
	if (session_leave(t->broker, t->session.ref) != DONE)
		return task_refuse(t, GONE, NULL);
	task_acknowledge(t, "leave-ack", "p_id", t->session.id, NULL);
	return task_complete(t);
}

static int do_unknown(struct task *t)
{
	char quote[64];

	return refuse(&t->refusal, 200, "unknown p_event '%s'; there are %s",
		      refusal_quote(quote, t->command.name), command_names());
}

static int (*const commands[])(struct task *) = {
	[COMMAND_JOIN] = do_join,
	[COMMAND_JOIN_LISTEN] = listening_join,
	[COMMAND_LISTEN] = listening_listen,
	[COMMAND_REFRESH] = listening_refresh,
	[COMMAND_SUBSCRIBE] = do_subscribe,
	[COMMAND_UNSUBSCRIBE] = do_unsubscribe,
	[COMMAND_PUBLISH] = do_publish,
	[COMMAND_HEARTBEAT] = do_heartbeat,
	[COMMAND_LEAVE] = do_leave,
	[COMMAND_UNKNOWN] = do_unknown,
};

/* No such session, or not here.  Its client is to join anew in either case, but
 * who looks for what is wrong with a configuration wants to know which. */
static int refuse_id(struct task *t)
{
	const char *id = t->command.id;
	char node[NODE_SIZE];

	broker_node(t->broker, node);
	if (!*node || name_kind(id) != NAME_ID || !name_foreign(id, node))
		return task_refuse(t, GONE, NULL);
	return refuse(&t->refusal, 400, "Invalid or expired id: join again "
		      "(it is of node '%.*s', this is '%s')",
		      (int)name_node(id), id, node);
}

/* Finds the session of a request that has one. */
static int find_session(struct task *t)
{
	if (t->rules->session_bind != BIND_NONE &&
	    !owner_is(t->broker, t->command.id,
		      (enum session_bind)t->rules->session_bind,
		      t->request->user, task_address(t)))
		return refuse_id(t);
	if (session_find(t->broker, t->command.id, &t->session) != DONE)
		return refuse_id(t);
	t->adapter = adapter_at(t->session.format);
	return t->adapter ? 0 : task_refuse(t, GONE, NULL);
}

/* A request may want its answer as a call of a function. */
static int choose_callback(struct task *t)
{
	const char *name = task_field(t, "p_callback");
	char quote[64];

	if (!name)
		return 0;
	if (!adapter_calling(t->adapter))
		return refuse(&t->refusal, 200, "p_callback goes with "
			      "p_format=json, not with %s", t->adapter->name);
	if (!adapter_callback_valid(name))
		return refuse(&t->refusal, 200, "p_callback '%s' is no name "
			      "of a JavaScript function",
			      refusal_quote(quote, name));
	t->adapter = adapter_calling(t->adapter);
	t->callback = name;
	return 0;
}

/* Refused before it was read: in which format does it await its answer? */
static int refuse_at_gate(struct task *t, const struct event_limits *limits)
{
	struct refusal why = t->refusal;

	if (command_read(&t->command, t->request, limits,
			 t->rules->request_bytes) == 0) {
		if (command_joins(&t->command))
			choose_format(t);
		else
			find_session(t);
	}
	t->refusal = why;
	return -1;
}

static int carry_out(struct task *t)
{
	struct event_limits limits = broker_event_limits(t->broker);
	int rc;

	if (gate_enter(t) < 0)
		return refuse_at_gate(t, &limits);
	if (origin_preflight(t->rules->origin_allow, t->request, t->head,
			     &t->response->bytes))
		return 0;
	rc = command_read(&t->command, t->request, &limits,
			  t->rules->request_bytes);
	t->refusal = t->command.refusal;
	if (rc < 0)
		return -1;
	rc = command_joins(&t->command) ? choose_format(t) : find_session(t);
	if (rc < 0 || choose_callback(t) < 0)
		return -1;
	if (t->command.refusal.status) {
		t->refusal = t->command.refusal;
		return -1;
	}
	return commands[t->command.kind](t);
}

/* A page that fetches answers as scripts can neither see the status of one that
 * failed nor read another format: it gets the error as an event.  Can it? */
static bool tell_by_callback(struct task *t)
{
	const char *name = task_field(t, "p_callback");

	if (!name || !adapter_callback_valid(name))
		return false;
	t->adapter = adapter_calling(adapter_find("json"));
	t->callback = name;
	return true;
}

/* The segment goes; how the answer is to look can still be read. */
static int turn_away(struct task *t)
{
	struct event_limits limits = broker_event_limits(t->broker);

	command_read(&t->command, t->request, &limits, t->rules->request_bytes);
	return refuse(&t->refusal, 503, "The server is being replaced; try "
		      "again");
}

/* Neither can one with an EventSource; and that comes back after p_wait. */
static bool is_source(const struct task *t)
{
	return t->adapter && t->adapter->returns &&
	       strstr(request_param(t->request, "HTTP_ACCEPT"),
		      "text/event-stream");
}

/* An HTTP error is a line of text, but a rule's reason is an event, too. */
static void refuse_all(struct task *t)
{
	const char *id = *t->session.id ? t->session.id : NULL;
	bool error = t->refusal.status != 200;
	bool blind = tell_by_callback(t) || (t->denied && is_source(t));
	char status[8] = "", wait[16] = "";

	buf_clear(&t->response->bytes);
	if (error && !blind && !(t->denied && t->adapter)) {
		answer_error(&t->response->bytes, t->head, t->refusal.status,
			     t->refusal.text);
		return;
	}
	if (error)
		snprintf(status, sizeof(status), "%d", t->refusal.status);
	if (error && !blind)
		t->status = t->refusal.status;
	if (t->wait)
		snprintf(wait, sizeof(wait), "%u", t->wait);
	task_acknowledge(t, "nack", "p_id", id, "p_status",
			 *status ? status : NULL, "p_reason", t->refusal.text,
			 "p_wait", *wait ? wait : NULL, NULL);
	task_complete(t);
}

static void log_task(const struct task *t, int rc)
{
	const char *handle = *t->session.handle ? t->session.handle : NULL;
	const char *shown = handle ? handle : "-";
	char quote[64];

	if (!log_shown(LOG_LEVEL_DEBUG))
		return;
	refusal_quote(quote, t->command.name);
	if (rc == 0)
		log_session(LOG_LEVEL_DEBUG, handle, "request %s session=%s",
			    quote, shown);
	else
		log_session(LOG_LEVEL_DEBUG, handle, "request %s session=%s "
			    "refused %d: %s", quote, shown, t->refusal.status,
			    t->refusal.text);
}

static struct permit *hold_permit(struct controller *c)
{
	struct permit *permit;

	pthread_rwlock_rdlock(&c->lock);
	permit = permit_hold(c->permit);
	pthread_rwlock_unlock(&c->lock);
	return permit;
}

static void serve_command(struct task *t)
{
	int rc = broker_retired(t->broker) ? turn_away(t) : carry_out(t);

	if (rc < 0)
		refuse_all(t);
	log_task(t, rc);
	gate_note(t);
	command_release(&t->command);
}

void controller_serve(struct controller *c, const struct request *q,
		      struct response *r)
{
	struct permit *permit = hold_permit(c);
	struct task t = {
		.controller = c,
		.broker = c->broker,
		.request = q,
		.response = r,
		.rules = &permit->properties,
		.permit = permit,
		.command.name = "",
	};

	if (!t.rules->metrics_http || !inspection_serve(c->broker, q, r))
		serve_command(&t);
	permit_drop(permit);
}

void controller_init(struct controller *c, struct broker *b, uint32_t worker,
		     const struct properties *p, struct permit *permit)
{
	xmlbody_prepare();
	c->broker = b;
	c->worker = worker;
	pthread_rwlock_init(&c->lock, NULL);
	permit->properties = *p;
	c->permit = permit;
}

void controller_release(struct controller *c)
{
	permit_drop(c->permit);
	c->permit = NULL;
	pthread_rwlock_destroy(&c->lock);
}

void controller_settle(struct controller *c, const struct properties *p,
		       struct permit *permit)
{
	struct permit *before;

	permit->properties = *p;
	pthread_rwlock_wrlock(&c->lock);
	before = c->permit;
	c->permit = permit;
	pthread_rwlock_unlock(&c->lock);
	permit_drop(before);
}

void controller_limits(struct controller *c, uint64_t *body_out,
		       uint64_t *timeout_out)
{
	pthread_rwlock_rdlock(&c->lock);
	*body_out = c->permit->properties.request_bytes;
	*timeout_out = c->permit->properties.request_timeout;
	pthread_rwlock_unlock(&c->lock);
}
