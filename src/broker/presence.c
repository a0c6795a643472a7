/* SPDX-License-Identifier: MIT */
/*
 * presence.c - who is there, published below /meta
 *
 * An operation notes under the lock what it did, behind the store that commits
 * it, and what the numbers are then.  Who gives the lock back publishes that
 * as events of its own, one by one: no list changes while it is walked, and a
 * death in between costs a notice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/event.h"
#include "broker/properties.h"
#include "broker/view.h"
#include "shm/store.h"

#define JOINS "/meta/joins"
#define SUBS "/meta/subs"

enum { NOTICES_MAX = 1024 };	/* of one operation; more are not told */

struct notice {
	struct event event;
	size_t subject_offset;
	size_t subject_bytes;
	uint32_t target;		/* a subscription, or NONE: to all */
	uint32_t target_generation;
};

struct notices {
	unsigned count;
	struct notice list[];
};

bool presence_watched(const struct broker *b)
{
	return (b->map->watchers || elsewhere_watched(b)) &&
	       b->map->rules.meta_events == META_ON;
}

/* A place for one more, zeroed, or NULL. */
static struct notice *add(struct broker *b)
{
	struct notices *n = b->notices;
	unsigned count = n ? n->count : 0;

	if (count == NOTICES_MAX)
		return NULL;
	if ((count & (count - 1)) == 0) {	/* full: 0, 1, 2, 4, ... */
		n = realloc(n, sizeof(*n) + (count ? 2 * count : 1) *
			    sizeof(struct notice));
		if (!n)
			return NULL;
		b->notices = n;
	}
	n->count = count + 1;
	memset(&n->list[count], 0, sizeof(n->list[count]));
	n->list[count].target = NONE;
	return &n->list[count];
}

/* The beginning of an event whose subject is made of two texts. */
static struct notice *begin(struct broker *b, const char *subject,
			    const char *below, size_t below_bytes,
			    const char *action)
{
	struct notice *n = add(b);
	struct buf text = BUF_INIT;

	if (!n)
		return NULL;
	buf_puts(&text, subject);
	buf_add(&text, below, below_bytes);
	event_add(&n->event, "p_event", "data");
	event_add_n(&n->event, "p_subject", strlen("p_subject"), buf_str(&text),
		    text.len);
	n->subject_bytes = text.len;
	n->subject_offset = n->event.packed.len - 1 - text.len;
	event_add_int(&n->event, "p_time", clock_unix());
	event_add(&n->event, "action", action);
	buf_release(&text);
	return n;
}

static void add_counts(struct notice *n, uint64_t online, uint64_t peak)
{
	event_add_int(&n->event, "online", (int64_t)online);
	event_add_int(&n->event, "peak", (int64_t)peak);
}

/* Of the whole cluster. */
static void add_sessions(struct broker *b, struct notice *n)
{
	uint64_t online = b->map->sessions.used + elsewhere_sessions(b);
	uint64_t peak = b->map->sessions_peak;

	if (b->map->elsewhere.peak < online)
		STORE(b->map->elsewhere.peak, online);
	if (peak < b->map->elsewhere.peak)
		peak = b->map->elsewhere.peak;
	add_counts(n, online, peak);
}

static void add_from(struct notice *n, const struct session *s)
{
	event_add_n(&n->event, "from", strlen("from"), s->handle,
		    strnlen(s->handle, SESSION_HANDLE_SIZE));
}

void presence_session(struct broker *b, const struct session *s,
		      const char *action)
{
	struct notice *n;

	if (!presence_watched(b))
		return;
	n = begin(b, JOINS, "", 0, action);
	if (!n)
		return;
	add_from(n, s);
	add_sessions(b, n);
}

void presence_subscription(struct broker *b, const struct session *s,
			   const char *action, uint32_t part,
			   const struct subscription *first, uint32_t peak)
{
	const struct subscription *p = subscription_at(b, part);
	struct notice *n;
	uint32_t online;

	if (!presence_watched(b) || !subscription_fits(b, p) ||
	    topic_reserved(p->text, p->subject_bytes))
		return;
	n = begin(b, SUBS, p->text, p->subject_bytes, action);
	if (!n)
		return;
	add_from(n, s);
	event_add_n(&n->event, "subject", strlen("subject"), p->text,
		    p->subject_bytes);
	if (first->label_bytes != NO_LABEL && subscription_fits(b, first))
		event_add_n(&n->event, "label", strlen("label"),
			    first->text + first->subject_bytes,
			    first->label_bytes);
	online = topic_count(b, p->text, p->subject_bytes).online;
	add_counts(n, online, peak < online ? online : peak);
}

static bool begins(const struct subscription *p, const char *with)
{
	size_t n = strlen(with);

	return p->subject_bytes >= n && memcmp(p->text, with, n) == 0;
}

void presence_status(struct broker *b, uint32_t part)
{
	const struct subscription *p = subscription_at(b, part);
	const struct subscription *first = subscription_at(b, p->first);
	struct subject_count count;
	struct notice *n;

	if (!presence_watched(b) || !subscription_fits(b, p) || !first ||
	    !(begins(p, JOINS) ? p->subject_bytes == strlen(JOINS) :
	      begins(p, SUBS) && p->subject_bytes > strlen(SUBS)))
		return;
	n = begin(b, "", p->text, p->subject_bytes, "status");
	if (!n)
		return;
	n->target = p->first;
	n->target_generation = first->slot.generation;
	if (begins(p, JOINS)) {
		add_sessions(b, n);
		return;
	}
	count = topic_count(b, p->text + strlen(SUBS),
			    p->subject_bytes - strlen(SUBS));
	add_counts(n, count.online, count.peak);
}

static void publish_one(struct broker *b, const struct notice *n)
{
	struct log_record like = {
		.kind = n->target == NONE ? LOG_EVENT : LOG_REPLAY,
		.time = clock_unix(),
		.target = n->target,
		.target_generation = n->target_generation,
		.packed_bytes = (uint32_t)n->event.packed.len,
		.subject_offset = (uint32_t)n->subject_offset,
		.subject_bytes = (uint32_t)n->subject_bytes,
	};
	uint64_t position;

	if (buf_failed(&n->event.packed))
		return;
	broker_lock(b);
	if (n->target == NONE && elsewhere_watched(b))
		like.number = node_number(b, buf_str(&n->event.packed) +
					  n->subject_offset, n->subject_bytes);
	position = eventlog_append(&b->log, &like, n->event.packed.data, NULL);
	if (position && publish_record(b, position) == 0 && !like.number)
		eventlog_retract(&b->log, position);
	broker_unlock(b);
}

void presence_publish(struct broker *b, struct notices *notices)
{
	unsigned i;

	for (i = 0; i < notices->count; i++) {
		publish_one(b, &notices->list[i]);
		event_release(&notices->list[i].event);
	}
	free(notices);
}
