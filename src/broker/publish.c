/* SPDX-License-Identifier: MIT */
/*
 * publish.c - pack, append, fan out
 *
 * The event is packed before the lock is taken.  Under the lock it is copied
 * into the log, committed, and its reference put into the queues.  If we die
 * in between, the repair finishes the fan-out: pushing twice does nothing.
 */
#include "broker/publish.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "broker/name.h"
#include "broker/session.h"
#include "broker/view.h"
#include "shm/store.h"

static enum outcome examine_subject(const struct event_limits *limits,
				    const char *subject, bool any)
{
	if (!subject || !*subject)
		return NO_SUBJECT;
	if (strlen(subject) > limits->subject)
		return SUBJECT_TOO_LONG;
	if (!utf8_valid(subject, strlen(subject)))
		return BAD_TEXT;
	return !any && topic_reserved(subject, strlen(subject)) ?
		RESERVED_SUBJECT : DONE;
}

static bool of_protocol(const struct attr *a)
{
	return a->name_len >= 2 && a->name[0] == 'p' && a->name[1] == '_';
}

/* Appends the publisher's own attributes, all but those named p_... */
static enum outcome pack_attributes(const struct event_limits *limits,
				    const struct event *from,
				    struct event *out, const char **detail_out)
{
	const char *p = buf_str(&from->packed), *end = p + from->packed.len;
	unsigned n = 0;
	size_t start = out->packed.len;
	struct attr a;

	while (attr_next(&p, end, &a)) {
		if (of_protocol(&a))
			continue;
		*detail_out = a.name;
		if (!event_name_valid(a.name, a.name_len))
			return BAD_NAME;
		if (!utf8_valid(a.value, a.value_len))
			return BAD_TEXT;
		if (++n > limits->attributes)
			return TOO_MANY_ATTRIBUTES;
		if (event_add_n(out, a.name, a.name_len, a.value,
				a.value_len) < 0)
			return NO_MEMORY;
		if (out->packed.len - start > limits->bytes)
			return EVENT_TOO_LARGE;
	}
	return DONE;
}

enum { HEAD_BYTES = 192 };	/* p_event to p_to, as they mostly are */

struct packed {
	struct event event;
	size_t subject_offset;
	int64_t time;			/* seconds since 1970 */
	struct session_ref target;	/* index NONE: by subject */
};

/* What the server says of the event; comes first. */
static enum outcome pack_head(const struct publication *p, const char *to,
			      struct packed *out)
{
	int rc;

	/* Mostly enough for all of it, so that memory is asked for once. */
	rc = buf_reserve(&out->event.packed,
			 HEAD_BYTES + p->attributes->packed.len);
	rc |= event_add(&out->event, "p_event", "data");
	rc |= event_add(&out->event, "p_subject", p->subject);
	/* The value has just been added: it ends the packed bytes. */
	out->subject_offset = out->event.packed.len - 1 - strlen(p->subject);
	out->time = p->passage ? p->passage->time : clock_unix();
	rc |= event_add_int(&out->event, "p_time", out->time);
	if (p->from)
		rc |= event_add(&out->event, "p_from", p->from);
	if (to)
		rc |= event_add(&out->event, "p_to", to);
	return rc ? NO_MEMORY : DONE;
}

static enum outcome pack(struct broker *b, const struct publication *p,
			 const char *to, struct packed *out,
			 const char **detail_out)
{
	struct event_limits limits = broker_event_limits(b);
	enum outcome outcome = examine_subject(&limits, p->subject,
					       p->passage);

	if (outcome != DONE)
		return outcome;
	topic_expect(b, p->subject, strlen(p->subject));
	outcome = pack_head(p, to, out);
	if (outcome == DONE)
		outcome = pack_attributes(&limits, p->attributes, &out->event,
					  detail_out);
	return outcome;
}

/* Whom an event that must go on is offered to. */
struct offer {
	struct ref ref;
	int64_t now;			/* clock_ms(); 0: nobody was met yet */
	unsigned reached;
};

/* Queues for one session, unless its time is over: then it is left for the
 * next sweep, since lists must not change while they are walked. */
static void offer_session(struct broker *b, struct session *s,
			  struct offer *offer)
{
	if (!offer->now)
		offer->now = clock_ms();
	if (!session_current(s, offer->now))
		return;
	if (session_stale(b, s, offer->now)) {
		STORE(s->lease_end, 0);
		return;
	}
	if (queue_push(b, s, offer->ref))
		offer->reached++;
}

/* topic_match(): a subscription, or a part of one, matches. */
static void offer_subscription(struct broker *b, uint32_t index, void *arg)
{
	struct offer *offer = arg;
	struct subscription *part = subscription_at(b, index);
	struct subscription *sub = subscription_at(b, part->first);
	struct session *s;

	if (!sub || sub->slot.state != SLOT_LIVE)
		return;
	s = session_of(b, (struct session_ref){ sub->session,
						sub->session_generation });
	offer->ref.subscription = part->first;
	offer->ref.generation = sub->slot.generation;
	if (s)
		offer_session(b, s, offer);
}

/* Nobody but the session of that subscription, which has just come. */
static void offer_replay(struct broker *b, const struct log_record *r,
			 struct offer *offer)
{
	struct subscription *sub = subscription_at(b, r->target);
	struct session *s = NULL;

	if (sub && sub->slot.state == SLOT_LIVE &&
	    sub->slot.generation == r->target_generation)
		s = session_of(b, (struct session_ref){ sub->session,
						sub->session_generation });
	offer->ref.subscription = r->target;
	offer->ref.generation = r->target_generation;
	if (s)
		offer->reached += queue_push(b, s, offer->ref);
}

static void offer_to_all(struct broker *b, struct log_record *r,
			 struct offer *offer)
{
	history_add(b, r);
	if (r->flags & RECORD_PAST)
		return;
	topic_match(b, (const char *)(r + 1) + r->subject_offset,
		    r->subject_bytes, offer_subscription, offer);
}

/* Puts it into the queues it belongs to. */
static void offer_record(struct broker *b, struct log_record *r,
			 struct offer *offer)
{
	struct session *s;

	offer->ref = (struct ref){ r->position, NONE, 0 };
	if (r->kind == LOG_REPLAY) {
		offer_replay(b, r, offer);
		return;
	}
	if (r->target == NONE) {
		offer_to_all(b, r, offer);
		return;
	}
	s = session_of(b, (struct session_ref){ r->target,
						r->target_generation });
	if (s)
		offer_session(b, s, offer);
}

unsigned publish_fanout(struct broker *b)
{
	struct log_record *r = eventlog_at(&b->log, b->map->log.fanout);
	struct offer offer = { .now = 0 };

	if (r) {
		offer_record(b, r, &offer);
		node_settle(b, r);
		key_settle(b);
	}
	STORE(b->map->log.fanout, 0);
	return offer.reached;
}

unsigned publish_record(struct broker *b, uint64_t position)
{
	STORE(b->map->log.fanout, position);
	eventlog_commit(&b->log, position);
	return publish_fanout(b);
}

/* Which number it has, and of which node. */
static void number(struct broker *b, const struct publication *p,
		   struct log_record *fresh)
{
	if (p->passage) {
		fresh->origin = p->passage->origin;
		fresh->number = p->passage->number;
	} else if (fresh->target == NONE || fresh->target == FAR) {
		fresh->number = node_number(b, p->subject,
					    fresh->subject_bytes);
	}
}

/* Copies a packed event into the log and publishes it there.  What reached
 * nobody is taken back, unless other nodes are still to have it. */
static enum outcome enter(struct broker *b, const struct publication *p,
			  const struct packed *packed, bool past,
			  unsigned *reached_out)
{
	struct log_record like = {
		.kind = LOG_EVENT,
		.time = packed->time,
		.target = packed->target.index,
		.target_generation = packed->target.generation,
		.packed_bytes = (uint32_t)packed->event.packed.len,
		.subject_offset = (uint32_t)packed->subject_offset,
		.subject_bytes = (uint32_t)strlen(p->subject),
		.flags = past ? RECORD_PAST : 0,
	};
	uint64_t position;

	number(b, p, &like);
	position = eventlog_append(&b->log, &like, packed->event.packed.data,
				   NULL);
	if (!position)
		return EVENT_TOO_LARGE;
	*reached_out = publish_record(b, position);
	if (*reached_out == 0 && (like.origin || !like.number))
		eventlog_retract(&b->log, position);
	if (!p->passage)
		COUNT(b, published, 1);
	return DONE;
}

/* With the event packed, what needs the lock. */
static enum outcome enter_locked(struct broker *b, const struct publication *p,
				 const struct packed *packed,
				 unsigned *reached_out)
{
	enum outcome outcome = DONE;
	struct session *s;
	bool past = false, again;

	broker_lock(b);
	if (p->paced)
		pace_wait(b, p->subject, strlen(p->subject), packed->target);
	s = p->key ? session_of(b, p->by) : NULL;
	again = s && key_known(b, s, p->key);
	if (s && !again)
		key_begin(b, s, p->key);
	if (!again && (!p->passage || node_expect(b, p->passage, &past)))
		outcome = enter(b, p, packed, past, reached_out);
	key_end(b);
	broker_unlock(b);
	return outcome;
}

/* Whom an event is addressed to, and how its receivers see that. */
struct addressee {
	struct session_ref ref;		/* index NONE: nobody; or FAR */
	char name[SESSION_ID_SIZE];
};

/* Does a name lead to another machine, which is to be told?  Ids leave this one
 * only where events have them anyway. */
static bool leads_away(struct broker *b, const char *to)
{
	char node[NODE_SIZE];

	broker_node(b, node);
	return *node && name_foreign(to, node) &&
	       (name_is_handle(to) || (name_kind(to) == NAME_ID &&
		b->map->rules.publish_from == FROM_ID));
}

/* Looks for the addressee of a p_to. */
static void address(struct broker *b, const char *to, struct addressee *out)
{
	bool by_id = b->map->rules.publish_from == FROM_ID;
	struct session *s;

	out->ref = (struct session_ref){ NONE, 0 };
	broker_lock(b);
	s = session_named(b, to);
	if (s) {
		out->ref.index = session_index(b, s);
		out->ref.generation = s->slot.generation;
		snprintf(out->name, sizeof(out->name), "%.*s",
			 by_id ? SESSION_ID_SIZE - 1 : SESSION_HANDLE_SIZE - 1,
			 by_id ? s->id : s->handle);
	} else if (leads_away(b, to)) {
		out->ref.index = FAR;
		snprintf(out->name, sizeof(out->name), "%s", to);
	}
	broker_unlock(b);
}

enum outcome publish(struct broker *b, const struct publication *p,
		     unsigned *reached_out, const char **detail_out)
{
	struct packed packed = { EVENT_INIT, 0, 0, { NONE, 0 } };
	struct addressee addressee;
	const char *detail = NULL, *to = NULL;
	enum outcome outcome;
	bool nobody = false;

	*reached_out = 0;
	if (p->to) {
		address(b, p->to, &addressee);
		packed.target = addressee.ref;
		nobody = addressee.ref.index == NONE;
		to = nobody ? NULL : addressee.name;
	}
	outcome = pack(b, p, to, &packed, &detail);
	if (outcome == DONE && !nobody)
		outcome = enter_locked(b, p, &packed, reached_out);
	else if (outcome == DONE && p->passage)
		node_skip(b, p->passage);
	if (detail_out)
		*detail_out = detail;
	event_release(&packed.event);
	return outcome;
}
