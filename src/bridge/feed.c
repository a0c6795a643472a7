/* SPDX-License-Identifier: MIT */
/*
 * feed.c - from the log of this segment to the stream of this node
 *
 * An entry's id is the event's epoch and number: Redis refuses one that is not
 * above its last, so that nothing is appended twice, whoever died when.  Where
 * to go on is what that last id says, and nowhere else.  A batch is a
 * transaction: an entry that was refused for another reason must not be
 * followed by the next one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bridge/census.h"
#include "bridge/entry.h"
#include "bridge/span.h"

enum { BEAT_MS = 2000 };	/* between two signs of life */

/* ms that a sign of life lasts; seconds that a stream outlives its node. */
#define LIFE "10000"
#define STREAM_LIFE "86400"

struct feed {
	struct span *span;
	struct link link;
	uint64_t epoch;
	uint64_t sent;			/* the last number in Redis */
	struct bridge_place from;
	struct bridge_batch batch;
	struct args args;
	struct told told;
	int64_t beat_due;
	bool up;
	unsigned turn;			/* of attempts to connect */
	char stream[KEY_SIZE], sign[KEY_SIZE], nodes[KEY_SIZE];
	char self[256];			/* which segment we are */
};

/* -- signs of life -------------------------------------------------------- */

/* Another segment that goes by our name would spoil the numbers of both.  The
 * one before ours, on the same machine, may be replaced. */
static int examine_sign(struct feed *f, const redisReply *r)
{
	if (r->type == REDIS_REPLY_NIL ||
	    (r->type == REDIS_REPLY_STRING && strcmp(r->str, f->self) == 0))
		return 0;
	return link_fail(&f->link, "node %s is another segment there: %s",
			 f->span->node, r->type == REDIS_REPLY_STRING ?
			 r->str : "its key is no text");
}

static int look_at_sign(struct feed *f)
{
	redisReply *r;
	int rc;

	if (link_ask_list(&f->link, "GET", f->sign, NULL) < 0)
		return -1;
	r = link_expect(&f->link, ANSWER_MS);
	rc = r ? examine_sign(f, r) : -1;
	if (r)
		freeReplyObject(r);
	return rc;
}

/* Takes n answers that only must be no errors. */
static int expect_all(struct feed *f, unsigned n)
{
	redisReply *r;

	for (; n > 0; n--) {
		r = link_expect(&f->link, ANSWER_MS);
		if (!r)
			return -1;
		freeReplyObject(r);
	}
	return 0;
}

static int beat(struct feed *f)
{
	if (clock_ms() < f->beat_due)
		return 0;
	f->beat_due = clock_ms() + BEAT_MS;
	if (look_at_sign(f) < 0 ||
	    link_ask_list(&f->link, "SET", f->sign, f->self, "PX", LIFE,
			  NULL) < 0 ||
	    link_ask_list(&f->link, "SADD", f->nodes, f->span->node, NULL) < 0 ||
	    link_ask_list(&f->link, "EXPIRE", f->stream, STREAM_LIFE, NULL) < 0)
		return -1;
	return expect_all(f, 3);
}

/* -- where to go on ------------------------------------------------------- */

/* XREVRANGE key + - COUNT 1 answers with one entry, or none. */
static int last_of(struct feed *f, const redisReply *r, struct mark *last_out)
{
	*last_out = (struct mark){ 0 };
	if (r->type == REDIS_REPLY_ARRAY && r->elements == 0)
		return 0;
	if (r->type == REDIS_REPLY_ARRAY &&
	    r->element[0]->type == REDIS_REPLY_ARRAY &&
	    r->element[0]->elements > 0 &&
	    r->element[0]->element[0]->type == REDIS_REPLY_STRING &&
	    entry_read_id(last_out, r->element[0]->element[0]->str))
		return 0;
	return link_fail(&f->link, "%s ends with what is no entry",
			 f->stream);
}

static int ask_last(struct feed *f, struct mark *last_out)
{
	redisReply *r;
	int rc;

	if (link_ask_list(&f->link, "XREVRANGE", f->stream, "+", "-", "COUNT",
			  "1", NULL) < 0)
		return -1;
	r = link_expect(&f->link, ANSWER_MS);
	rc = r ? last_of(f, r, last_out) : -1;
	if (r)
		freeReplyObject(r);
	return rc;
}

/* Behind the last entry, or from the start: a stream without our epoch lacks
 * all that the log has.  Whoever else wrote there, what we sent under an epoch
 * before is not sent again. */
static int resume(struct feed *f)
{
	struct broker *b = f->span->broker;
	struct mark last;

	if (ask_last(f, &last) < 0)
		return -1;
	if (last.epoch > bridge_epoch(b) ||
	    (last.epoch == bridge_epoch(b) && last.number > bridge_given(b))) {
		log_warn("node %s: its stream is ahead of this segment; going "
			 "on with a new epoch", f->span->node);
		bridge_outlive(b, last.epoch);
		last.number = bridge_sent_number(b);
		last.epoch = bridge_epoch(b);
	}
	f->epoch = bridge_epoch(b);
	f->sent = last.epoch == f->epoch ? last.number : 0;
	f->from = (struct bridge_place){ .number = f->sent + 1 };
	return 0;
}

static int try_connect(struct feed *f)
{
	f->beat_due = f->told.due = f->told.change_due = 0;
	return link_open(&f->link, &f->span->place) < 0 || beat(f) < 0 ||
	       resume(f) < 0 ? -1 : 0;
}

/* -- events ---------------------------------------------------------------- */

static int ask_add(struct feed *f, uint64_t number, const char *packed,
		   size_t n)
{
	struct args *args = &f->args;
	char id[ENTRY_ID_SIZE];

	entry_id(id, f->epoch, number);
	args->n = 0;
	args_add(args, "XADD");
	args_add(args, f->stream);
	args_add(args, "MAXLEN");
	args_add(args, "~");
	args_add(args, f->span->maxlen);
	args_add(args, id);
	entry_write(args, packed, n);
	return link_ask(&f->link, args);
}

static int ask_batch(struct feed *f)
{
	const struct bridge_batch *batch = &f->batch;
	unsigned i;

	if (link_ask_list(&f->link, "MULTI", NULL) < 0)
		return -1;
	for (i = 0; i < batch->count; i++)
		if (ask_add(f, batch->events[i].number,
			    buf_str(&batch->bytes) + batch->events[i].offset,
			    batch->events[i].n) < 0)
			return -1;
	return link_ask_list(&f->link, "EXEC", NULL);
}

/* Of XADD.  What is there already was appended by a link that broke, or the
 * stream is not ours alone. */
static int examine_added(struct feed *f, const redisReply *r, bool *there)
{
	if (r->type != REDIS_REPLY_ERROR)
		return 0;
	*there = strstr(r->str, "equal or smaller than the target stream top");
	return *there ? 0 : link_fail(&f->link, "Redis says: %s", r->str);
}

/* Does the stream end with the last one of the batch? */
static int examine_end(struct feed *f)
{
	struct mark last;

	if (ask_last(f, &last) < 0)
		return -1;
	if (last.epoch == f->epoch &&
	    last.number == f->batch.events[f->batch.count - 1].number)
		return 0;
	return link_fail(&f->link, "somebody else wrote to %s", f->stream);
}

static int examine_batch(struct feed *f, const redisReply *r)
{
	bool there = false, any = false;
	size_t i;

	if (r->type != REDIS_REPLY_ARRAY || r->elements != f->batch.count)
		return link_fail(&f->link, "Redis did not execute a batch");
	for (i = 0; i < r->elements; i++) {
		if (examine_added(f, r->element[i], &there) < 0)
			return -1;
		any |= there;
	}
	return any ? examine_end(f) : 0;
}

/* Before the one that the batch begins with some are missing: the log has let
 * them go.  What was there before Redis lost it is not lost by us. */
static uint64_t count_lost(struct feed *f)
{
	uint64_t known = bridge_sent_number(f->span->broker);
	uint64_t first = f->batch.events[0].number;

	if (known < f->sent)
		known = f->sent;
	return first > known + 1 ? first - known - 1 : 0;
}

static void settle(struct feed *f)
{
	uint64_t last = f->batch.events[f->batch.count - 1].number;
	uint64_t lost = count_lost(f);

	if (lost)
		log_warn("node %s: %" PRIu64 " events before number %" PRIu64
			 " are lost to others: the log has let them go "
			 "(log.max.bytes)", f->span->node, lost,
			 f->batch.events[0].number);
	bridge_sent(f->span->broker, last, f->batch.count, lost);
	f->sent = last;
}

static int send_batch(struct feed *f)
{
	redisReply *r;
	int rc;

	if (ask_batch(f) < 0 || expect_all(f, 1 + f->batch.count) < 0)
		return -1;
	r = link_expect(&f->link, ANSWER_MS);
	rc = r ? examine_batch(f, r) : -1;
	if (r)
		freeReplyObject(r);
	if (rc == 0)
		settle(f);
	return rc;
}

/* The link stands once it has carried what there was. */
static void note_up(struct feed *f)
{
	if (f->up)
		return;
	f->up = true;
	f->turn = 0;
	span_up(f->span, OUT);
}

/* Sends what there is; waits when there is nothing. */
static int carry(struct feed *f)
{
	struct broker *b = f->span->broker;
	bool more;

	bridge_answer(b);
	do {
		more = bridge_read(b, &f->from, &f->batch);
		if ((f->batch.count && send_batch(f) < 0) || beat(f) < 0 ||
		    told_tell(&f->told, f->span, &f->link) < 0)
			return -1;
		note_up(f);
	} while (more && !link_pause(&f->link, 0));
	bridge_wait(b);
	return 0;
}

/* -- the thread ------------------------------------------------------------ */

static void name_self(struct feed *f)
{
	char host[128] = "";

	gethostname(host, sizeof(host) - 1);
	snprintf(f->self, sizeof(f->self), "%s%s", host,
		 broker_name(f->span->broker));
}

static struct feed *make(struct span *s)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (!f || told_init(&f->told, s, &f->args) < 0) {
		free(f);
		return NULL;
	}
	f->span = s;
	f->link.halt_fd = s->halt_fd;
	span_key(s, f->stream, "events", s->node);
	span_key(s, f->sign, "node", s->node);
	span_key(s, f->nodes, "nodes", NULL);
	name_self(f);
	return f;
}

static void release(struct feed *f)
{
	link_close(&f->link);
	buf_release(&f->link.why);
	buf_release(&f->batch.bytes);
	told_release(&f->told);
	free(f);
}

void *feed_run(void *span)
{
	struct feed *f = make(span);

	must(f);
	while (!link_pause(&f->link, 0)) {
		f->up = false;
		if (try_connect(f) == 0)
			while (!link_pause(&f->link, 0) && carry(f) == 0)
				;
		if (link_pause(&f->link, 0))
			break;
		span_down(f->span, OUT, buf_str(&f->link.why));
		link_pause(&f->link, span_patience(&f->turn));
	}
	release(f);
	return NULL;
}
