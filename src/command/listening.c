/* SPDX-License-Identifier: MIT */
/*
 * listening.c - the commands that open a data channel, or say when to come for
 * it
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/token.h"
#include "broker/delivery.h"
#include "broker/listener.h"
#include "broker/subscription.h"
#include "channel/channel.h"
#include "command/gate.h"
#include "command/task.h"

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

/* The mode that a listen asks for; -1: there is none of that name. */
static int mode_asked(const struct task *t)
{
	const char *asked = task_field(t, "p_mode");

	return asked ? session_mode_of(asked) : MODE_STREAM;
}

/* The mode that a listen asks for and may have, as far as the rules go. */
static int choose_mode(struct task *t, enum session_mode *mode_out)
{
	const char *asked = task_field(t, "p_mode");
	int mode = mode_asked(t);
	char quote[64];

	if (mode < 0)
		return refuse(&t->refusal, 200, "unknown p_mode '%s'; there "
			      "are stream, pull, poll",
			      refusal_quote(quote, asked));
	if (t->rules->force_pull_all ||
	    agent_forced(t->rules->force_pull_agents, t->request->user_agent))
		mode = MODE_PULL;
	if (t->callback && mode == MODE_STREAM)
		mode = MODE_PULL;	/* a script runs when it is whole */
	*mode_out = (enum session_mode)mode;
	return 0;
}

/* Makes the channel of a place and leaves it for the reactor. */
static int park(struct task *t, const struct place *place)
{
	struct channel_plan plan = {
		.ref = t->session.ref,
		.mode = place->mode,
		.number = place->channel,
		.adapter = t->adapter,
		.eid = t->settled,
		.id = t->session.id,
		.path = t->request->path,
		.path_len = t->request->path_len,
	};

	t->response->parked = channel_new(&plan);
	if (t->response->parked)
		return 0;
	listener_detach(t->broker, plan.ref, plan.number);
	return task_refuse(t, NO_MEMORY, NULL);
}

/* Attaches a channel of the wished mode, or what there is room for. */
static int open_channel(struct task *t, enum session_mode wish,
			struct place *place_out)
{
	if (listener_attach(t->broker, t->session.ref, t->controller->worker,
			    wish, place_out) != DONE)
		return task_refuse(t, GONE, NULL);
	return park(t, place_out);
}

/* A stream begins with a heartbeat, so that its client sees it is open. */
static void add_heartbeat(struct task *t)
{
	channel_heartbeat(t->response->parked, t->answer.out);
}

/* The number in what EventSource says it saw last, else in p_ack: its URL stays
 * the same, however often it comes back.  Returns 1 with *ack_out, 0 when there
 * is none, -1 when there is nonsense. */
static int find_ack(struct task *t, uint64_t *ack_out)
{
	const char *text = t->request->last_event_id;

	if (!*text)
		text = task_field(t, "p_ack");
	if (!text)
		return 0;
	if (task_number(text, ack_out) < 0)
		return refuse(&t->refusal, 200, "p_ack must be the p_eid of "
			      "the last event that arrived, or 0");
	return 1;
}

int listening_acknowledge(struct task *t, bool back)
{
	uint64_t ack;
	int found = find_ack(t, &ack);

	if (found < 0)
		return -1;
	if (!found && !back)
		return 0;
	if (delivery_acknowledge(t->broker, t->session.ref,
				 found ? &ack : NULL, &t->settled) != DONE)
		return task_refuse(t, GONE, NULL);
	return 0;
}

/* The beginning of a stream, behind its acknowledgement. */
static int begin_stream(struct task *t)
{
	add_heartbeat(t);
	answer_pad(&t->answer, t->rules->stream_padding);
	return 0;
}

static void add_refresh(struct task *t, enum session_mode mode)
{
	const struct properties *p = t->rules;
	struct event e = EVENT_INIT;
	struct buf url = BUF_INIT;
	uint64_t wait = mode == MODE_POLL ?
		token_between(p->poll_wait_min, p->poll_wait_max) :
		token_between(p->pull_wait_min, p->pull_wait_max);

	channel_url(&url, t->request->path, t->request->path_len,
		    t->session.id);
	buf_printf(&url, "%" PRIu64, t->settled);
	event_add(&e, "p_event", "refresh");
	event_add_int(&e, "p_wait", (int64_t)wait);
	event_add(&e, "p_url", buf_str(&url));
	e.packed.failed |= buf_failed(&url);
	answer_event(&t->answer, &e);
	buf_release(&url);
	event_release(&e);
}

/* A stream goes on, and so does what such a format gets for one; other clients
 * are told to come back. */
static int go_on(struct task *t, enum session_mode mode)
{
	if (t->response->parked)
		return mode == MODE_STREAM ? begin_stream(t) : 0;
	add_refresh(t, mode);
	return task_complete(t);
}

/* A client that comes back to the same URL by itself sends listens only: what
 * it gets instead of a stream must bring events, as a refresh does. */
static int open_instead(struct task *t, enum session_mode mode)
{
	struct place place;

	if (!t->adapter->returns || mode_asked(t) != MODE_STREAM)
		return 0;
	return open_channel(t, mode, &place);
}

/* What a listen and a join-listen have in common: everything but the name of
 * the acknowledgement. */
static int listen_as(struct task *t, const char *ack, const char *reliable,
		     enum session_mode wish)
{
	const char *subjects = task_field(t, "p_subject");
	const char *label = subjects ? task_field(t, "p_label") : NULL;
	char sid[SID_SIZE] = "";
	enum outcome outcome = DONE;
	struct place place;

	if (subjects)
		outcome = subscription_ensure(t->broker, t->session.ref,
					      subjects, label, t->last, sid);
	if (outcome == DONE)
		outcome = listener_listen(t->broker, t->session.ref,
					  t->controller->worker, wish, &place);
	if (outcome != DONE)
		return task_refuse(t, outcome, outcome == SEGMENT_FULL ?
				      "subscription (subscriptions.max)" :
				      subjects);
	if ((place.channel ? park(t, &place) : open_instead(t, place.mode)) < 0)
		return -1;
	task_acknowledge(t, ack, "p_id", t->session.id, "p_mode",
		    session_mode_name(place.mode), "p_format",
		    t->adapter->name, "p_sid", *sid ? sid : NULL, "p_label",
		    label, "p_reliable", reliable, NULL);
	return go_on(t, place.mode);
}

/* All or nothing: no session stays behind a refusal. */
int listening_join(struct task *t)
{
	enum session_mode mode = MODE_STREAM;

	if (choose_mode(t, &mode) < 0 || task_last(t) < 0 ||
	    gate_subscribe(t, task_field(t, "p_subject")) < 0 ||
	    task_join(t) < 0)
		return -1;
	if (listen_as(t, "join-listen-ack", task_reliable(t), mode) == 0)
		return 0;
	session_leave(t->broker, t->session.ref);
	t->session.id[0] = '\0';
	return -1;
}

int listening_listen(struct task *t)
{
	enum session_mode mode = MODE_STREAM;

	if (choose_mode(t, &mode) < 0 || task_last(t) < 0 ||
	    gate_subscribe(t, task_field(t, "p_subject")) < 0 ||
	    listening_acknowledge(t, true) < 0)
		return -1;
	return listen_as(t, "listen-ack", NULL, mode);
}

/* Only a listen makes a stream of what is none: its client must know.  But who
 * would rather wait than poll may, whenever there is room. */
static enum session_mode refresh_wish(const struct task *t)
{
	if (t->session.mode == MODE_STREAM)
		return t->callback ? MODE_PULL : MODE_STREAM;
	return t->session.yielded ? MODE_PULL : t->session.mode;
}

int listening_refresh(struct task *t)
{
	struct place place;

	if (!t->session.listened)
		return refuse(&t->refusal, 200, "refresh before the first "
			      "listen: there is nothing to refresh");
	if (listening_acknowledge(t, true) < 0 ||
	    open_channel(t, refresh_wish(t), &place) < 0)
		return -1;
	task_acknowledge(t, "refresh-ack", NULL);
	return go_on(t, place.mode);
}
