/* SPDX-License-Identifier: MIT */
/*
 * intake.c - from the streams of all other nodes to this segment
 *
 * Each turn asks for what follows the last event that the segment knows of each
 * node: the segment notes that with the stores that publish the event, so this
 * thread may die anywhere.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bridge/census.h"
#include "bridge/entry.h"
#include "bridge/span.h"
#include "broker/node.h"
#include "broker/publish.h"

enum {
	LOOK_MS = 1000,		/* between two looks at who is there */
	COMPLAINTS = 20,	/* lines in a row about entries */
	BLOCK_MS = 500,		/* that Redis waits for events */
	PATIENCE_MS = 2000,	/* that events may wait for full queues, and */
	PATIENCE_SHARE = 10	/* that part of the time they may again */
};

#define BATCH "128"		/* events of a node in one answer */
#define BLOCK "500"

struct source {
	char name[NODE_SIZE];
	uint32_t origin;
	char stream[KEY_SIZE];
};

struct intake {
	struct span *span;
	struct link link;
	struct source sources[NODES_MAX];
	unsigned n;
	struct args args;
	struct entry entry;
	struct elsewhere draft;		/* who is elsewhere */
	int64_t look_due;
	int64_t quiet_until;		/* clock_ms(); of complaints */
	int64_t patience, patience_at;	/* ms; when it was counted */
	bool up, crowded;
	unsigned turn;
	char nodes[KEY_SIZE];
};

/* -- who is there ----------------------------------------------------------- */

static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	return n > 0 && n < NODE_SIZE && !name[n];
}

/* The newest entry of a stream: XREVRANGE key + - COUNT 1. */
static struct mark newest(const redisReply *r)
{
	struct mark m = { 0 };

	if (r->type == REDIS_REPLY_ARRAY && r->elements == 1 &&
	    r->element[0]->type == REDIS_REPLY_ARRAY &&
	    r->element[0]->elements > 0 &&
	    r->element[0]->element[0]->type == REDIS_REPLY_STRING &&
	    !entry_read_id(&m, r->element[0]->element[0]->str))
		m = (struct mark){ 0 };
	return m;
}

static void add_source(struct intake *in, const char *name,
		       const redisReply *sign, const redisReply *last)
{
	struct source *s = &in->sources[in->n];

	s->origin = node_enter(in->span->broker, name, newest(last));
	if (s->origin == 0) {
		if (!in->crowded)
			log_warn("node %s: there are %d others already; its "
				 "events do not come here", name, NODES_MAX);
		in->crowded = true;
		return;
	}
	snprintf(s->name, sizeof(s->name), "%s", name);
	span_key(in->span, s->stream, "events", name);
	if (sign->type == REDIS_REPLY_STRING)
		node_seen(in->span->broker, s->origin);
	in->n++;
}

/* A node without a sign of life and without a stream is forgotten. */
static int take_node(struct intake *in, const char *name)
{
	redisReply *sign, *last = NULL;
	int rc = -1;

	sign = link_answer(&in->link, ANSWER_MS);
	if (sign)
		last = link_answer(&in->link, ANSWER_MS);
	if (last && last->type != REDIS_REPLY_ARRAY) {
		rc = 0;			/* the key is something else */
	} else if (last) {
		rc = sign->type == REDIS_REPLY_NIL && last->elements == 0;
		if (rc == 0 && in->n < NODES_MAX)
			add_source(in, name, sign, last);
	}
	if (sign)
		freeReplyObject(sign);
	if (last)
		freeReplyObject(last);
	return rc;
}

static bool is_other(const struct intake *in, const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING && is_name(r->str) &&
	       strcmp(r->str, in->span->node) != 0;
}

static int ask_node(struct intake *in, const char *name)
{
	char sign[KEY_SIZE], stream[KEY_SIZE];

	span_key(in->span, sign, "node", name);
	span_key(in->span, stream, "events", name);
	if (link_ask_list(&in->link, "GET", sign, NULL) < 0)
		return -1;
	return link_ask_list(&in->link, "XREVRANGE", stream, "+", "-", "COUNT",
			     "1", NULL);
}

static int forget(struct intake *in, const char *name)
{
	redisReply *r = NULL;

	if (link_ask_list(&in->link, "SREM", in->nodes, name, NULL) == 0)
		r = link_expect(&in->link, ANSWER_MS);
	if (!r)
		return -1;
	freeReplyObject(r);
	return 0;
}

static int take_nodes(struct intake *in, const redisReply *names)
{
	size_t i;
	int rc;

	in->n = 0;
	for (i = 0; i < names->elements; i++) {
		const redisReply *name = names->element[i];

		if (!is_other(in, name))
			continue;
		if (ask_node(in, name->str) < 0)
			return -1;
		rc = take_node(in, name->str);
		if (rc < 0 || (rc > 0 && forget(in, name->str) < 0))
			return -1;
	}
	return 0;
}

/* How many are at all of them. */
static int count_elsewhere(struct intake *in)
{
	unsigned i;

	for (i = 0; i < in->n; i++)
		if (census_ask(in->span, &in->link, in->sources[i].name) < 0)
			return -1;
	memset(&in->draft, 0, sizeof(in->draft));
	for (i = 0; i < in->n; i++)
		if (census_take(in->span, &in->link, &in->draft) < 0)
			return -1;
	elsewhere_store(in->span->broker, &in->draft);
	return 0;
}

static int look_around(struct intake *in)
{
	redisReply *names = NULL;
	int rc;

	if (clock_ms() < in->look_due)
		return 0;
	in->look_due = clock_ms() + LOOK_MS;
	if (link_ask_list(&in->link, "SMEMBERS", in->nodes, NULL) == 0)
		names = link_expect(&in->link, ANSWER_MS);
	if (!names)
		return -1;
	rc = take_nodes(in, names);
	freeReplyObject(names);
	return rc < 0 ? rc : count_elsewhere(in);
}

/* -- events ------------------------------------------------------------------ */

/* May a publication wait for full queues?  A listener that never empties its
 * own must not hold up all others: such waits have a budget. */
static bool may_wait(struct intake *in)
{
	int64_t now = clock_ms();

	in->patience += (now - in->patience_at) / PATIENCE_SHARE;
	in->patience_at = now - (now - in->patience_at) % PATIENCE_SHARE;
	if (in->patience > PATIENCE_MS)
		in->patience = PATIENCE_MS;
	return in->patience > 0;
}

static enum outcome publish_entry(struct intake *in, struct passage *passage,
				  const char **detail_out)
{
	const struct entry *e = &in->entry;
	struct publication p = {
		.subject = e->subject, .attributes = &e->attributes,
		.from = e->from, .to = e->to, .paced = may_wait(in),
		.passage = passage,
	};
	int64_t began = clock_ms();
	enum outcome outcome;
	unsigned reached;

	passage->time = e->time;
	outcome = publish(in->span->broker, &p, &reached, detail_out);
	in->patience -= clock_ms() - began;
	return outcome;
}

/* A line a second, after the first few; all are counted. */
static bool may_complain(struct intake *in)
{
	int64_t now = clock_ms();

	if (in->quiet_until < now - COMPLAINTS * 1000)
		in->quiet_until = now - COMPLAINTS * 1000;
	if (in->quiet_until > now)
		return false;
	in->quiet_until += 1000;
	return true;
}

static void refuse(struct intake *in, const struct source *s,
		   const struct passage *p, const char *why)
{
	if (may_complain(in))
		log_warn("node %s: event %" PRIu64 "-%" PRIu64 " is left out: "
			 "%s", s->name, p->epoch, p->number, why);
	node_blame(in->span->broker, s->origin);
	node_skip(in->span->broker, p);
}

static const char *explain(enum outcome outcome)
{
	switch (outcome) {
	case NO_SUBJECT:
		return "no subject";
	case SUBJECT_TOO_LONG:
		return "its subject is too long here (subject.max.bytes)";
	case BAD_TEXT:
		return "it is not UTF-8";
	case BAD_NAME:
		return "an attribute's name is no XML name";
	case TOO_MANY_ATTRIBUTES:
		return "too many attributes for here (event.max.attributes)";
	case EVENT_TOO_LARGE:
		return "too large for here (event.max.bytes)";
	default:
		return "it may not be published here";
	}
}

/* An entry is [id, [name, value, ...]].  -1: no memory, or it has no id, so
 * that nobody could go on behind it. */
static int take_entry(struct intake *in, const struct source *s,
		      const redisReply *r)
{
	struct passage p = { .origin = s->origin };
	enum outcome outcome;
	const char *wrong;
	struct mark id;

	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
	    r->element[0]->type != REDIS_REPLY_STRING ||
	    !entry_read_id(&id, r->element[0]->str))
		return link_fail(&in->link, "%s has an entry that is none of "
				 "ours", s->stream);
	p.epoch = id.epoch;
	p.number = id.number;
	wrong = p.number == 0 ? "its id is not of a bridge" :
				entry_read(&in->entry, r->element[1]);
	if (!wrong) {
		outcome = publish_entry(in, &p, &wrong);
		if (outcome == NO_MEMORY)
			return link_fail(&in->link, "out of memory");
		wrong = outcome == DONE ? NULL : explain(outcome);
	}
	if (wrong)
		refuse(in, s, &p, wrong);
	return 0;
}

static int take_entries(struct intake *in, const struct source *s,
			const redisReply *entries)
{
	uint64_t before = node_mark(in->span->broker, s->origin).missed;
	struct mark m;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < entries->elements; i++)
		rc = take_entry(in, s, entries->element[i]);
	m = node_mark(in->span->broker, s->origin);
	if (m.missed != before)
		log_warn("node %s: %" PRIu64 " of its events up to %" PRIu64
			 "-%" PRIu64 " are nowhere any more", s->name,
			 m.missed - before, m.epoch, m.number);
	return rc;
}

static const struct source *source_of(const struct intake *in,
				      const char *stream)
{
	unsigned i;

	for (i = 0; i < in->n; i++)
		if (strcmp(in->sources[i].stream, stream) == 0)
			return &in->sources[i];
	return NULL;
}

/* An answer to XREAD is [[stream, [entry, ...]], ...], or nil. */
static int take_streams(struct intake *in, const redisReply *r)
{
	const struct source *s;
	size_t i;

	if (r->type == REDIS_REPLY_NIL)
		return 0;
	for (i = 0; i < r->elements; i++) {
		const redisReply *pair = r->element[i];

		if (pair->type != REDIS_REPLY_ARRAY || pair->elements != 2 ||
		    pair->element[0]->type != REDIS_REPLY_STRING ||
		    !(s = source_of(in, pair->element[0]->str)))
			return link_fail(&in->link, "an answer to another "
					 "question");
		if (take_entries(in, s, pair->element[1]) < 0)
			return -1;
	}
	return 0;
}

static int ask_events(struct intake *in)
{
	char ids[NODES_MAX][ENTRY_ID_SIZE];
	struct args *args = &in->args;
	struct mark m;
	unsigned i;

	args->n = 0;
	args_add(args, "XREAD");
	args_add(args, "COUNT");
	args_add(args, BATCH);
	args_add(args, "BLOCK");
	args_add(args, BLOCK);
	args_add(args, "STREAMS");
	for (i = 0; i < in->n; i++)
		args_add(args, in->sources[i].stream);
	for (i = 0; i < in->n; i++) {
		m = node_mark(in->span->broker, in->sources[i].origin);
		entry_id(ids[i], m.epoch, m.number);
		args_add(args, ids[i]);
	}
	return link_ask(&in->link, args);
}

static int take_events(struct intake *in)
{
	redisReply *r = NULL;
	int rc;

	if (in->n == 0) {
		link_pause(&in->link, BLOCK_MS);
		return 0;
	}
	if (ask_events(in) == 0)
		r = link_expect(&in->link, BLOCK_MS + ANSWER_MS);
	if (!r)
		return -1;
	rc = take_streams(in, r);
	freeReplyObject(r);
	return rc;
}

/* -- the thread ---------------------------------------------------------------- */

static int carry(struct intake *in)
{
	if (look_around(in) < 0)
		return -1;
	if (!in->up) {
		in->up = true;
		span_up(in->span, IN);
	}
	if (take_events(in) < 0)
		return -1;
	in->turn = 0;
	return 0;
}

static struct intake *make(struct span *s)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->span = s;
	in->link.halt_fd = s->halt_fd;
	in->patience = PATIENCE_MS;
	in->patience_at = clock_ms();
	span_key(s, in->nodes, "nodes", NULL);
	return in;
}

static void release(struct intake *in)
{
	link_close(&in->link);
	buf_release(&in->link.why);
	event_release(&in->entry.attributes);
	free(in);
}

void *intake_run(void *span)
{
	struct intake *in = make(span);

	must(in);
	while (!link_pause(&in->link, 0)) {
		in->up = false;
		in->look_due = 0;
		if (link_open(&in->link, &in->span->place) == 0)
			while (!link_pause(&in->link, 0) && carry(in) == 0)
				;
		if (link_pause(&in->link, 0))
			break;
		span_down(in->span, IN, buf_str(&in->link.why));
		link_pause(&in->link, span_patience(&in->turn));
	}
	release(in);
	return NULL;
}
