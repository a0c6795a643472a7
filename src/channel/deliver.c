/* SPDX-License-Identifier: MIT */
/*
 * deliver.c - see deliver.h for the order of things
 */
#include "channel/deliver.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/token.h"

enum {
	EVENTS = 32,			/* of a channel and batch */
	ROOM = 65536,			/* packed bytes of the same */
	PULL_EVENTS = 4096		/* of one pull or poll response */
};

int deliver_init(struct deliver *d, struct broker *b)
{
	memset(d, 0, sizeof(*d));
	d->broker = b;
	d->render = render_new();
	return d->render ? 0 : -1;
}

void deliver_release(struct deliver *d)
{
	render_free(&d->render);
	deliveries_release(&d->deliveries);
	buf_release(&d->record);
}

uint64_t deliver_wait(const struct deliver *d, const struct channel *c)
{
	if (c->mode == MODE_POLL)
		return token_between(d->rules.poll_wait_min,
				     d->rules.poll_wait_max);
	return token_between(d->rules.pull_wait_min, d->rules.pull_wait_max);
}

/* A line about a client that does not keep up: when many do not, one for all. */
static void complain(struct deliver *d, const struct channel *c,
		     const char *what)
{
	static struct log_pace pace;
	char handle[SESSION_HANDLE_SIZE], others[LOG_OTHERS];

	if (!log_may(&pace, others))
		return;
	session_handle(d->broker, c->ref, handle);
	log_session(LOG_LEVEL_WARN, handle, "session %s %s%s", handle, what,
		    others);
}

/* Says so once, until its client has been told. */
static void note_losses(struct deliver *d, struct channel *c,
			const struct take *t)
{
	if (t->lost && !c->losing)
		complain(d, c, "loses events: its client reads too slowly for "
			 "queue.size and log.max.bytes");
	c->losing = t->lost && t->count == 0;
}

/* Is there something to commit, and has the kernel got all of it? */
static bool settled(const struct channel *c)
{
	return c->counter && c->held.len == 0;
}

static struct commit commit_of(struct channel *c)
{
	struct commit m = {
		.ref = c->ref,
		.channel = c->number,
		.counter = c->counter,
		.lost_told = c->lost_told,
	};

	c->counter = 0;
	c->lost_told = 0;
	return m;
}

static void commit_settled(struct deliver *d, struct channel **channels,
			   unsigned n)
{
	unsigned i, m = 0;

	for (i = 0; i < n; i++)
		if (settled(channels[i]))
			d->commits[m++] = commit_of(channels[i]);
	if (m)
		delivery_commit(d->broker, d->commits, m);
}

static void take_all(struct deliver *d, struct channel **channels, unsigned n)
{
	struct intake intake = render_intake(d->render);
	unsigned i;

	for (i = 0; i < n; i++)
		d->takes[i] = (struct take){
			.ref = channels[i]->ref,
			.channel = channels[i]->number,
			/* While something is held it is only asked after. */
			.max = channels[i]->held.len ? 0 : EVENTS,
			.room = ROOM,
		};
	delivery_take(d->broker, d->takes, n, &intake, &d->deliveries);
}

/* The part of an event that only this receiver gets. */
static void add_own(struct deliver *d, struct channel *c,
		    const struct delivery *item, unsigned index, uint64_t lost)
{
	const struct adapter *a = c->adapter;
	uint64_t eid = c->reliable ? item->counter + 1 : 0;

	if (item->sid[0])
		adapter_own(a, &d->record, &index, "p_sid", item->sid);
	if (item->label_bytes != NO_LABEL)
		adapter_own(a, &d->record, &index, "p_label",
			    buf_str(&d->deliveries.labels) + item->label);
	if (lost)
		adapter_own_int(a, &d->record, &index, "p_lost", lost);
	if (eid)
		adapter_own_int(a, &d->record, &index, "p_eid", eid);
	adapter_own_int(a, &d->record, &index, "p_seq", ++c->seq);
	a->close(&d->record, eid);
}

/* Puts the events that were taken for one channel into one record.  One copy
 * more, of what the kernel copies anyhow, is cheaper than telling it of all the
 * pieces.  False: out of memory. */
static bool render_events(struct deliver *d, struct channel *c,
			  const struct take *t)
{
	const struct delivery *item = &d->deliveries.items[t->first];
	struct rendered shared;
	unsigned i;

	record_room(&d->record);
	for (i = 0; i < t->count; i++) {
		if (render_get(d->render, item[i].position, c->adapter,
			       &shared) < 0)
			return false;
		buf_add(&d->record, shared.bytes, shared.len);
		add_own(d, c, &item[i], shared.attributes,
			i == 0 ? t->lost : 0);
	}
	return !buf_failed(&d->record);
}

static enum written write_events(struct deliver *d, struct channel *c,
				 const struct take *t)
{
	c->reliable = t->reliable;
	if (!render_events(d, c, t))
		return PEER_GONE;	/* memory: it will come back */
	c->counter = d->deliveries.items[t->first + t->count - 1].counter + 1;
	c->lost_told = t->lost;
	c->eid = c->counter;
	c->written += t->count;
	c->bytes += d->record.len - RECORD_HEAD;
	c->answered = true;
	c->wrote = true;
	return channel_write(c, &d->record);
}

static enum verdict verdict_of(enum written w, enum verdict when_written)
{
	switch (w) {
	case WRITTEN:
		return when_written;
	case HELD:
		return when_written == ENDED ? ENDED : IDLE;
	default:
		return LOST;
	}
}

/* A pull that has its events, or a poll, ends; is this one there? */
static bool complete(const struct channel *c, const struct take *t)
{
	if (c->mode == MODE_STREAM || c->held.len ||
	    (t->more && c->written < PULL_EVENTS))
		return false;
	return c->answered || c->mode == MODE_POLL;
}

static enum verdict end_gone(struct channel *c)
{
	struct buf last = BUF_INIT;

	return verdict_of(channel_finish(c, &last), ENDED);
}

static enum verdict end_aborted(struct deliver *d, struct channel *c,
				const char *reason)
{
	struct buf last = BUF_INIT;

	if (!*reason) {
		complain(d, c, "is aborted: its queue is full "
			 "(queue.overflow=abort)");
		reason = "the session's queue is full (queue.overflow=abort)";
	}
	session_leave(d->broker, c->ref);
	channel_abort(c, &last, reason);
	return verdict_of(channel_finish(c, &last), ENDED);
}

/* Has it had enough: by stream.max.bytes, or by a drain? */
static bool tired(const struct deliver *d, const struct channel *c)
{
	return c->tired || (c->mode == MODE_STREAM && d->rules.stream_max_bytes &&
	       c->bytes > d->rules.stream_max_bytes);
}

/* Steps 2 and 3 for one channel. */
static enum verdict serve(struct deliver *d, struct channel *c,
			  const struct take *t)
{
	enum written w;

	switch (t->result) {
	case TAKEN_GONE:
	case TAKEN_REPLACED:
		return end_gone(c);
	case TAKEN_ABORTED:
		return end_aborted(d, c, t->reason);
	default:
		break;
	}
	note_losses(d, c, t);
	if (c->held.len == 0 && tired(d, c))
		return TIRED;		/* what was taken waits in the queue */
	/* No memory to take what is there: nothing would wake us for it, but
	 * its client comes back. */
	if (t->count == 0 && t->more && c->held.len == 0)
		return LOST;
	if (t->count == 0)
		return IDLE;
	w = write_events(d, c, t);
	if (w == WRITTEN && tired(d, c))
		return TIRED;
	return verdict_of(w, t->more ? AGAIN : IDLE);
}

/* Step 5: an answer with nothing in it has a heartbeat. */
static enum verdict finish(struct deliver *d, struct channel *c)
{
	struct buf last = BUF_INIT;

	if (!c->answered)
		channel_heartbeat(c, &last);
	channel_refresh(c, &last, deliver_wait(d, c));
	return verdict_of(channel_finish(c, &last), ENDED);
}

/* Step 4. */
static void commit_and_detach(struct deliver *d, struct channel **channels,
			      unsigned n, const enum verdict *verdicts,
			      bool *done_out)
{
	unsigned i, m = 0;

	for (i = 0; i < n; i++) {
		struct channel *c = channels[i];

		done_out[i] = (verdicts[i] == IDLE || verdicts[i] == AGAIN) &&
			      complete(c, &d->takes[i]);
		if (verdicts[i] == LOST || (!settled(c) && !done_out[i]))
			continue;
		d->commits[m] = commit_of(c);
		d->commits[m++].detach = done_out[i];
	}
	if (m)
		delivery_commit(d->broker, d->commits, m);
}

void deliver_batch(struct deliver *d, struct channel **channels, unsigned n,
		   enum verdict *verdicts_out)
{
	bool done[DELIVER_BATCH];
	unsigned i;

	commit_settled(d, channels, n);
	take_all(d, channels, n);
	for (i = 0; i < n; i++)
		verdicts_out[i] = serve(d, channels[i], &d->takes[i]);
	commit_and_detach(d, channels, n, verdicts_out, done);
	for (i = 0; i < n; i++)
		if (done[i])
			verdicts_out[i] = finish(d, channels[i]);
	render_trim(d->render);
}
