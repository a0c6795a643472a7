/* SPDX-License-Identifier: MIT */
/*
 * controller.c - one function a command, and a table of them
 *
 * A function answers by writing events to its answer, or returns -1 with a
 * refusal: a nack (status 200) or an HTTP error.  Nothing of the answer is
 * written before all that can be refused has been done.
 */
#include "command/controller.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/token.h"
#include "broker/listener.h"
#include "broker/publish.h"
#include "broker/session.h"
#include "broker/subscription.h"
#include "channel/channel.h"
#include "command/answer.h"
#include "command/command.h"
#include "command/outcome.h"

/* One request on its way through here. */
struct task {
	struct controller *controller;
	struct broker *broker;
	const struct request *request;
	struct response *response;
	struct properties rules;
	struct command command;
	struct session_view session;
	const struct adapter *adapter;
	struct answer answer;
	struct refusal refusal;
};

static const char *field(const struct task *t, const char *name)
{
	return event_get(&t->command.fields, name);
}

/* ---- refusals ---- */

/* What the broker would not do, as a refusal. */
static int refuse_outcome(struct task *t, enum outcome outcome,
			  const char *what)
{
	struct event_limits limits = broker_event_limits(t->broker);

	return outcome_refuse(&t->refusal, outcome, what, &limits,
			      &t->rules);
}

static int refuse_gone(struct task *t)
{
	return refuse_outcome(t, GONE, NULL);
}

/* ---- answers ---- */

static void begin(struct task *t)
{
	answer_start(&t->answer, &t->response->bytes, t->adapter);
}

/* An answer of one event: its name and fields in pairs, up to NULL. */
static int acknowledge(struct task *t, const char *name, ...)
	__attribute__((sentinel));

static int acknowledge(struct task *t, const char *name, ...)
{
	struct event e = EVENT_INIT;
	const char *key, *value;
	va_list ap;

	event_add(&e, "p_event", name);
	va_start(ap, name);
	while ((key = va_arg(ap, const char *))) {
		value = va_arg(ap, const char *);
		if (value)
			event_add(&e, key, value);
	}
	va_end(ap);
	begin(t);
	answer_event(&t->answer, &e);
	event_release(&e);
	return 0;
}

/* The answer is whole as it stands. */
static int complete(struct task *t)
{
	answer_finish(&t->answer);
	return 0;
}

/* ---- data channels ---- */

static bool agent_forced(const char *agents, const char *agent)
{
	char word[sizeof(((struct properties *)0)->force_pull_agents)];
	size_t n;

	for (; *agents; agents += n + strspn(agents + n, ", ")) {
		n = strcspn(agents, ", ");
		snprintf(word, sizeof(word), "%.*s", (int)n, agents);
		if (n > 0 && strcasestr(agent, word))
			return true;
	}
	return false;
}

/* The mode that a listen asks for and may have. */
static int choose_mode(struct task *t, enum session_mode *mode_out)
{
	const char *asked = field(t, "p_mode");
	int mode = asked ? session_mode_of(asked) : MODE_STREAM;
	char quote[64];

	if (mode < 0)
		return refuse(&t->refusal, 200, "unknown p_mode '%s'; there "
			      "are stream, pull, poll",
			      refusal_quote(quote, asked));
	if (t->rules.force_pull_all ||
	    agent_forced(t->rules.force_pull_agents, t->request->user_agent))
		mode = MODE_PULL;
	*mode_out = (enum session_mode)mode;
	return 0;
}

/* Attaches a channel and leaves it for the reactor. */
static int open_channel(struct task *t, enum session_mode mode)
{
	struct channel_plan plan = {
		.ref = t->session.ref,
		.mode = mode,
		.adapter = t->adapter,
		.id = t->session.id,
		.path = t->request->path,
		.path_len = t->request->path_len,
	};

	if (listener_attach(t->broker, plan.ref, t->controller->worker,
			    &plan.number) != DONE)
		return refuse_gone(t);
	t->response->parked = channel_new(&plan);
	if (t->response->parked)
		return 0;
	listener_detach(t->broker, plan.ref, plan.number);
	return refuse_outcome(t, NO_MEMORY, NULL);
}

/* A stream begins with a heartbeat, so that its client sees it is open. */
static void add_heartbeat(struct task *t)
{
	channel_heartbeat(t->response->parked, t->answer.out);
}

static void add_refresh(struct task *t, enum session_mode mode)
{
	const struct properties *p = &t->rules;
	struct event e = EVENT_INIT;
	struct buf url = BUF_INIT;
	uint64_t wait = mode == MODE_POLL ?
		token_between(p->poll_wait_min, p->poll_wait_max) :
		token_between(p->pull_wait_min, p->pull_wait_max);

	channel_url(&url, t->request->path, t->request->path_len,
		    t->session.id);
	event_add(&e, "p_event", "refresh");
	event_add_int(&e, "p_wait", (int64_t)wait);
	event_add(&e, "p_url", buf_str(&url));
	answer_event(&t->answer, &e);
	buf_release(&url);
	event_release(&e);
}

/* What a listen and a join-listen have in common: everything but the name of
 * the acknowledgement. */
static int listen_as(struct task *t, const char *ack, enum session_mode mode)
{
	const char *subjects = field(t, "p_subject");
	const char *label = subjects ? field(t, "p_label") : NULL;
	char sid[SID_SIZE] = "";
	enum outcome outcome = DONE;

	if (subjects)
		outcome = subscription_ensure(t->broker, t->session.ref,
					      subjects, label, sid);
	if (outcome == DONE)
		outcome = listener_mode(t->broker, t->session.ref, mode);
	if (outcome != DONE)
		return refuse_outcome(t, outcome, outcome == SEGMENT_FULL ?
				      "subscription (subscriptions.max)" :
				      subjects);
	if (mode == MODE_STREAM && open_channel(t, mode) < 0)
		return -1;
	acknowledge(t, ack, "p_id", t->session.id, "p_mode",
		    session_mode_name(mode), "p_format", t->adapter->name,
		    "p_sid", *sid ? sid : NULL, "p_label", label, NULL);
	if (mode == MODE_STREAM) {
		add_heartbeat(t);
		return 0;
	}
	add_refresh(t, mode);
	return complete(t);
}

/* ---- commands ---- */

/* The format of a session to be. */
static int choose_format(struct task *t)
{
	const char *asked = field(t, "p_format");
	char quote[64];

	t->adapter = asked ? adapter_find(asked) : adapter_default();
	if (t->adapter)
		return 0;
	/* What it asked for we do not speak: plain text anyone can read. */
	t->adapter = adapter_find("xml");
	return refuse(&t->refusal, 200, "unknown p_format '%s'; there are %s",
		      refusal_quote(quote, asked), adapter_names());
}

static int join_session(struct task *t)
{
	enum outcome outcome;

	outcome = session_join(t->broker, adapter_number(t->adapter),
			       t->request->address, &t->session);
	if (outcome != DONE)
		return refuse_outcome(t, outcome, "session (sessionmanager."
				      "maxsessions)");
	return 0;
}

static int do_join(struct task *t)
{
	if (join_session(t) < 0)
		return -1;
	acknowledge(t, "join-ack", "p_id", t->session.id, "p_format",
		    t->adapter->name, NULL);
	return complete(t);
}

/* All or nothing: no session stays behind a refusal. */
static int do_join_listen(struct task *t)
{
	enum session_mode mode;

	if (choose_mode(t, &mode) < 0 || join_session(t) < 0)
		return -1;
	if (listen_as(t, "join-listen-ack", mode) == 0)
		return 0;
	session_leave(t->broker, t->session.ref);
	t->session.id[0] = '\0';
	return -1;
}

static int do_listen(struct task *t)
{
	enum session_mode mode;

	if (choose_mode(t, &mode) < 0)
		return -1;
	return listen_as(t, "listen-ack", mode);
}

static int do_refresh(struct task *t)
{
	bool stream = t->session.mode == MODE_STREAM;

	if (!t->session.listened)
		return refuse(&t->refusal, 200, "refresh before the first "
			      "listen: there is nothing to refresh");
	if (open_channel(t, t->session.mode) < 0)
		return -1;
	acknowledge(t, "refresh-ack", NULL);
	if (stream)
		add_heartbeat(t);
	return 0;
}

static int do_subscribe(struct task *t)
{
	const char *subjects = field(t, "p_subject");
	const char *label = field(t, "p_label");
	char sid[SID_SIZE];
	enum outcome outcome = NO_SUBJECT;

	if (subjects)
		outcome = subscription_add(t->broker, t->session.ref, subjects,
					   label, sid);
	if (outcome != DONE)
		return refuse_outcome(t, outcome, outcome == SEGMENT_FULL ?
				      "subscription (subscriptions.max)" :
				      subjects);
	acknowledge(t, "subscribe-ack", "p_id", t->session.id, "p_subject",
		    subjects, "p_sid", sid, "p_label", label, NULL);
	return complete(t);
}

static int unsubscribe_all(struct task *t)
{
	if (subscription_clear(t->broker, t->session.ref) != DONE)
		return refuse_gone(t);
	acknowledge(t, "unsubscribe-ack", "p_id", t->session.id, NULL);
	return complete(t);
}

static int do_unsubscribe(struct task *t)
{
	const char *sid = field(t, "p_sid");
	struct buf subjects = BUF_INIT, label = BUF_INIT;
	enum outcome outcome;
	bool labelled;

	if (!sid)
		return unsubscribe_all(t);
	outcome = subscription_remove(t->broker, t->session.ref, sid,
				      &subjects, &label, &labelled);
	if (outcome == DONE)
		acknowledge(t, "unsubscribe-ack", "p_id", t->session.id,
			    "p_sid", sid, "p_subject", buf_str(&subjects),
			    "p_label", labelled ? buf_str(&label) : NULL,
			    NULL);
	buf_release(&subjects);
	buf_release(&label);
	return outcome == DONE ? complete(t) : refuse_outcome(t, outcome, sid);
}

static int do_publish(struct task *t)
{
	struct publication p = {
		.subject = field(t, "p_subject"),
		.attributes = &t->command.fields,
		.from = t->session.handle,
		.to = field(t, "p_to"),
	};
	const char *detail = NULL;
	enum outcome outcome;
	unsigned reached;

	if (broker_publish_from(t->broker) == FROM_ID)
		p.from = t->session.id;
	outcome = publish(t->broker, &p, &reached, &detail);
	if (outcome != DONE)
		return refuse_outcome(t, outcome, detail ? detail : p.subject);
	acknowledge(t, "publish-ack", NULL);
	return complete(t);
}

/* Finding the session has renewed its lease already. */
static int do_heartbeat(struct task *t)
{
	acknowledge(t, "hb-ack", NULL);
	return complete(t);
}

static int do_leave(struct task *t)
{
	if (session_leave(t->broker, t->session.ref) != DONE)
		return refuse_gone(t);
	acknowledge(t, "leave-ack", "p_id", t->session.id, NULL);
	return complete(t);
}

static int do_unknown(struct task *t)
{
	char quote[64];

	return refuse(&t->refusal, 200, "unknown p_event '%s'; there are %s",
		      refusal_quote(quote, t->command.name), command_names());
}

static int (*const commands[])(struct task *) = {
	[COMMAND_JOIN] = do_join,
	[COMMAND_JOIN_LISTEN] = do_join_listen,
	[COMMAND_LISTEN] = do_listen,
	[COMMAND_REFRESH] = do_refresh,
	[COMMAND_SUBSCRIBE] = do_subscribe,
	[COMMAND_UNSUBSCRIBE] = do_unsubscribe,
	[COMMAND_PUBLISH] = do_publish,
	[COMMAND_HEARTBEAT] = do_heartbeat,
	[COMMAND_LEAVE] = do_leave,
	[COMMAND_UNKNOWN] = do_unknown,
};

/* ---- one request ---- */

/* Finds the session of a request that has one. */
static int find_session(struct task *t)
{
	if (session_find(t->broker, t->command.id, &t->session) != DONE)
		return refuse_gone(t);
	t->adapter = adapter_at(t->session.format);
	return t->adapter ? 0 : refuse_gone(t);
}

static int carry_out(struct task *t)
{
	struct event_limits limits = broker_event_limits(t->broker);
	int rc;

	rc = command_read(&t->command, t->request, &limits,
			  t->rules.request_bytes);
	t->refusal = t->command.refusal;
	if (rc < 0)
		return -1;
	rc = command_joins(&t->command) ? choose_format(t) : find_session(t);
	if (rc < 0)
		return -1;
	if (t->command.refusal.status) {
		t->refusal = t->command.refusal;
		return -1;
	}
	return commands[t->command.kind](t);
}

static void refuse_all(struct task *t)
{
	struct buf *out = &t->response->bytes;

	buf_clear(out);
	if (t->refusal.status != 200) {
		answer_error(out, t->refusal.status, t->refusal.text);
		return;
	}
	acknowledge(t, "nack", "p_id", *t->session.id ? t->session.id : NULL,
		    "p_reason", t->refusal.text, NULL);
	complete(t);
}

static void log_task(const struct task *t, int rc)
{
	const char *handle = *t->session.handle ? t->session.handle : "-";
	char quote[64];

	if (!log_shown(LOG_LEVEL_DEBUG))
		return;
	refusal_quote(quote, t->command.name);
	if (rc == 0)
		log_debug("request %s session=%s", quote, handle);
	else
		log_debug("request %s session=%s refused %d: %s", quote,
			  handle, t->refusal.status, t->refusal.text);
}

void controller_serve(struct controller *c, const struct request *q,
		      struct response *r)
{
	struct task t = {
		.controller = c,
		.broker = c->broker,
		.request = q,
		.response = r,
		.rules = controller_rules(c),
	};
	int rc;

	if (broker_retired(c->broker))
		rc = refuse(&t.refusal, 503, "The server is being replaced; "
			    "try again");
	else
		rc = carry_out(&t);
	if (rc < 0)
		refuse_all(&t);
	log_task(&t, rc);
	command_release(&t.command);
}

void controller_init(struct controller *c, struct broker *b, uint32_t worker,
		     const struct properties *p)
{
	c->broker = b;
	c->worker = worker;
	pthread_rwlock_init(&c->lock, NULL);
	c->rules = *p;
}

void controller_settle(struct controller *c, const struct properties *p)
{
	pthread_rwlock_wrlock(&c->lock);
	c->rules = *p;
	pthread_rwlock_unlock(&c->lock);
}

struct properties controller_rules(struct controller *c)
{
	struct properties p;

	pthread_rwlock_rdlock(&c->lock);
	p = c->rules;
	pthread_rwlock_unlock(&c->lock);
	return p;
}
