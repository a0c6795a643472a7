/* SPDX-License-Identifier: MIT */
/*
 * subscription.c - slots that bind a subject to a session
 *
 * A list of subjects is written part after part, and nobody reaches it before
 * the store that makes the first part live commits the whole.  Removing
 * frees the first part first: what is left of it then belongs to nobody.
 */
#include "broker/subscription.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digits.h"
#include "base/utf8.h"
#include "broker/view.h"
#include "shm/store.h"

void subscription_sid(char sid_out[SID_SIZE], uint32_t index,
		      uint32_t generation)
{
	digits_hex(digits_hex(sid_out, index, 7), generation, 1);
}

/* The index a sid names, if it could be one of ours. */
static uint32_t sid_index(const char *sid)
{
	char digits[8] = "";
	char *end;
	unsigned long n;

	if (strlen(sid) < 8 || strlen(sid) >= SID_SIZE)
		return NONE;
	memcpy(digits, sid, 7);
	n = strtoul(digits, &end, 16);
	return *end ? NONE : (uint32_t)n;
}

/* The live subscription of this index if it is the session's, or NULL. */
static struct subscription *own(struct broker *b, const struct session *s,
				uint32_t index)
{
	struct subscription *sub = subscription_at(b, index);

	if (!sub || sub->slot.state != SLOT_LIVE ||
	    sub->session != session_index(b, s) ||
	    sub->session_generation != s->slot.generation)
		return NULL;
	return sub;
}

/* The live subscription of a session that a sid names, or NULL. */
static struct subscription *named(struct broker *b, const struct session *s,
				  const char *sid)
{
	uint32_t index = sid_index(sid);
	struct subscription *sub = own(b, s, index);
	char text[SID_SIZE];

	if (!sub)
		return NULL;
	subscription_sid(text, index, sub->slot.generation);
	return strcmp(text, sid) ? NULL : sub;
}

/* The length of the first subject of a comma list; *rest_out is behind it. */
static size_t first_subject(const char **list, const char **rest_out)
{
	size_t n;

	*list += strspn(*list, ",");
	n = strcspn(*list, ",");
	*rest_out = *list + n;
	return n;
}

/* Can these be stored?  Counts the subjects into *parts_out. */
static enum outcome examine(const struct broker *b, const char *subjects,
			    const char *label, unsigned *parts_out)
{
	size_t max = b->geometry.subject_bytes;
	size_t n, label_len = label ? strlen(label) : 0;
	const char *rest;

	*parts_out = 0;
	if (!utf8_valid(subjects, strlen(subjects)) ||
	    (label && !utf8_valid(label, label_len)))
		return BAD_TEXT;
	for (; (n = first_subject(&subjects, &rest)) > 0; subjects = rest) {
		if (n + (*parts_out == 0 ? label_len : 0) > max)
			return SUBJECT_TOO_LONG;
		++*parts_out;
	}
	return *parts_out ? DONE : NO_SUBJECT;
}

/* Writes one part into a free slot. */
static void write_part(struct broker *b, uint32_t index, struct session *s,
		       const char *subject, size_t n)
{
	struct subscription *p = subscription_at(b, index);

	STORE(p->session, session_index(b, s));
	STORE(p->session_generation, s->slot.generation);
	STORE(p->next_part, NONE);
	STORE(p->next_of_session, NONE);
	STORE(p->subject_bytes, (uint16_t)n);
	STORE(p->label_bytes, (uint16_t)NO_LABEL);
	STORE(p->counted, 0);
	STORE(p->peak, 0);
	store_bytes(p->text, subject, n);
}

static void write_label(struct subscription *p, const char *label)
{
	if (!label)
		return;
	store_bytes(p->text + p->subject_bytes, label, strlen(label));
	STORE(p->label_bytes, (uint16_t)strlen(label));
}

/* Writes all parts but does not commit.  Returns the first.  NONE when a slot
 * is missing in spite of the count: damage, which the next repair undoes. */
static uint32_t write_parts(struct broker *b, struct session *s,
			    const char *subjects)
{
	const char *rest;
	uint32_t first = NONE, last = NONE, index;
	size_t n;

	for (; (n = first_subject(&subjects, &rest)) > 0; subjects = rest) {
		index = pool_take(&b->subscriptions);
		/* A free list in a circle gives the first, still free, again. */
		if (index == NONE || index == first)
			return NONE;
		write_part(b, index, s, subjects, n);
		if (first == NONE)
			first = index;
		else
			STORE(subscription_at(b, last)->next_part, index);
		STORE(subscription_at(b, index)->first, first);
		if (index != first)
			STORE(subscription_at(b, index)->slot.state,
			      (uint32_t)SUBSCRIPTION_PART);
		last = index;
	}
	return first;
}

bool subscription_fits(const struct broker *b, const struct subscription *sub)
{
	size_t label = sub->label_bytes == NO_LABEL ? 0 : sub->label_bytes;

	return sub->subject_bytes > 0 &&
	       sub->subject_bytes + label <= b->geometry.subject_bytes;
}

void subscription_link(struct broker *b, uint32_t first)
{
	struct subscription *sub = subscription_at(b, first);
	struct session *s = session_at(b, sub->session);
	uint32_t i, n = 0;

	STORE(sub->next_of_session, s->first_subscription);
	STORE(s->first_subscription, first);
	for (i = first; i != NONE; i = subscription_at(b, i)->next_part) {
		topic_insert(b, i);
		n++;
	}
	STORE(s->subscription_count, s->subscription_count + n);
}

/* Is this another part of the subscription that begins with first? */
static bool is_part(struct broker *b, uint32_t index, uint32_t first)
{
	const struct subscription *p = subscription_at(b, index);

	return p && p->slot.state == SUBSCRIPTION_PART && p->first == first;
}

/* The most sessions that were subscribed to its subject; 0 if nobody asks. */
static uint32_t peak_of(struct broker *b, uint32_t index)
{
	const struct subscription *p = subscription_at(b, index);

	if (!presence_watched(b) || !subscription_fits(b, p))
		return 0;
	return topic_count(b, p->text, p->subject_bytes).peak;
}

/* Takes a part out of the index, and tells who wants to know. */
static void forget_part(struct broker *b, struct session *s, uint32_t index,
			const struct subscription *first)
{
	uint32_t peak = peak_of(b, index);

	topic_remove(b, index);
	presence_subscription(b, s, "unsubscribe", index, first, peak);
}

/* Frees a subscription.  What is free is no part, so a circle ends. */
static void free_parts(struct broker *b, struct session *s, uint32_t first)
{
	uint32_t next, i = first, n = 0;

	STORE(subscription_at(b, first)->slot.state, (uint32_t)SLOT_FREE);
	do {
		next = subscription_at(b, i)->next_part;
		forget_part(b, s, i, subscription_at(b, first));
		pool_give(&b->subscriptions, i);
		i = next;
		n++;
	} while (is_part(b, i, first));
	STORE(s->subscription_count, s->subscription_count - n);
}

void subscriptions_end(struct broker *b, struct session *s)
{
	uint32_t i = s->first_subscription;

	STORE(s->first_subscription, NONE);
	while (own(b, s, i)) {
		uint32_t next = subscription_at(b, i)->next_of_session;

		free_parts(b, s, i);
		i = next;
	}
}

/* The newcomer is told how things are, and others that it is there. */
static void tell_parts(struct broker *b, struct session *s, uint32_t first)
{
	const struct subscription *sub = subscription_at(b, first);
	uint32_t i;

	if (!presence_watched(b))
		return;
	for (i = first; i != NONE; i = subscription_at(b, i)->next_part) {
		presence_subscription(b, s, "subscribe", i, sub,
				      peak_of(b, i));
		presence_status(b, i);
	}
}

static enum outcome add(struct broker *b, struct session *s, unsigned parts,
			const char *subjects, const char *label,
			struct replay *replay, char sid_out[SID_SIZE])
{
	uint32_t first;

	if (s->subscription_count + parts >
	    b->map->rules.session_subscriptions)
		return TOO_MANY_SUBSCRIPTIONS;
	if (b->subscriptions.max - b->subscriptions.head->used < parts) {
		COUNT(b, refused, 1);
		return SEGMENT_FULL;
	}
	first = write_parts(b, s, subjects);
	if (first == NONE)
		return SEGMENT_FULL;
	write_label(subscription_at(b, first), label);
	STORE(subscription_at(b, first)->slot.state, (uint32_t)SLOT_LIVE);
	subscription_link(b, first);
	subscription_sid(sid_out, first,
			 subscription_at(b, first)->slot.generation);
	replay_to(b, first, replay);
	tell_parts(b, s, first);
	return DONE;
}

static bool same_label(const struct subscription *sub, const char *label)
{
	if (!label || sub->label_bytes == NO_LABEL)
		return !label && sub->label_bytes == NO_LABEL;
	return strlen(label) == sub->label_bytes &&
	       memcmp(sub->text + sub->subject_bytes, label,
		      sub->label_bytes) == 0;
}

/* The same subjects in the same order? */
static bool same_subjects(struct broker *b, const struct subscription *part,
			  const char *subjects)
{
	const char *rest;
	size_t n;

	for (; (n = first_subject(&subjects, &rest)) > 0; subjects = rest) {
		if (!part || part->subject_bytes != n ||
		    memcmp(part->text, subjects, n) != 0)
			return false;
		part = subscription_at(b, part->next_part);
	}
	return !part;
}

static struct subscription *find_same(struct broker *b,
				      const struct session *s,
				      const char *subjects, const char *label)
{
	uint32_t steps = b->geometry.subscriptions;
	struct subscription *sub = subscription_at(b, s->first_subscription);

	for (; sub && steps--; sub = subscription_at(b, sub->next_of_session))
		if (subscription_fits(b, sub) && same_label(sub, label) &&
		    same_subjects(b, sub, subjects))
			return sub;
	return NULL;
}

static enum outcome add_or_find(struct broker *b, struct session_ref ref,
				const char *subjects, const char *label,
				bool find, struct replay *replay,
				char sid_out[SID_SIZE])
{
	struct subscription *same = NULL;
	enum outcome outcome;
	struct session *s;
	unsigned parts;

	outcome = examine(b, subjects, label, &parts);
	if (outcome != DONE)
		return outcome;
	broker_lock(b);
	s = session_of(b, ref);
	if (s && find)
		same = find_same(b, s, subjects, label);
	if (same)
		subscription_sid(sid_out, subscription_index(b, same),
				 same->slot.generation);
	else
		outcome = s ? add(b, s, parts, subjects, label, replay,
				  sid_out) : GONE;
	broker_unlock(b);
	return outcome;
}

enum outcome subscription_add(struct broker *b, struct session_ref ref,
			      const char *subjects, const char *label,
			      uint64_t last, char sid_out[SID_SIZE])
{
	struct replay replay;
	enum outcome outcome = NO_MEMORY;

	if (replay_prepare(b, last, &replay) == 0)
		outcome = add_or_find(b, ref, subjects, label, false, &replay,
				      sid_out);
	replay_release(&replay);
	return outcome;
}

enum outcome subscription_ensure(struct broker *b, struct session_ref ref,
				 const char *subjects, const char *label,
				 uint64_t last, char sid_out[SID_SIZE])
{
	struct replay replay;
	enum outcome outcome = NO_MEMORY;

	if (replay_prepare(b, last, &replay) == 0)
		outcome = add_or_find(b, ref, subjects, label, true, &replay,
				      sid_out);
	replay_release(&replay);
	return outcome;
}

/* Takes a first part out of its session's list. */
static void unlist(struct broker *b, struct session *s, uint32_t first)
{
	uint32_t steps = b->geometry.subscriptions;
	uint32_t *link = &s->first_subscription;
	struct subscription *sub;

	while (*link != first && steps--) {
		sub = subscription_at(b, *link);
		if (!sub)
			return;
		link = &sub->next_of_session;
	}
	if (*link == first)
		STORE(*link, subscription_at(b, first)->next_of_session);
}

static void tell(struct broker *b, const struct subscription *sub,
		 struct buf *subjects_out, struct buf *label_out,
		 bool *labelled_out)
{
	uint32_t steps = b->geometry.subscriptions;
	const struct subscription *p = sub;

	*labelled_out = sub->label_bytes != NO_LABEL &&
			subscription_fits(b, sub);
	if (*labelled_out)
		buf_add(label_out, sub->text + sub->subject_bytes,
			sub->label_bytes);
	for (; p && steps--; p = subscription_at(b, p->next_part)) {
		if (p != sub)
			buf_putc(subjects_out, ',');
		if (subscription_fits(b, p))
			buf_add(subjects_out, p->text, p->subject_bytes);
	}
}

enum outcome subscription_remove(struct broker *b, struct session_ref ref,
				 const char *sid, struct buf *subjects_out,
				 struct buf *label_out, bool *labelled_out)
{
	enum outcome outcome = DONE;
	struct subscription *sub = NULL;
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s)
		sub = named(b, s, sid);
	if (sub) {
		tell(b, sub, subjects_out, label_out, labelled_out);
		unlist(b, s, subscription_index(b, sub));
		free_parts(b, s, subscription_index(b, sub));
	} else {
		outcome = s ? NO_SUCH_SUBSCRIPTION : GONE;
	}
	broker_unlock(b);
	return outcome;
}

enum outcome subscription_clear(struct broker *b, struct session_ref ref)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s)
		subscriptions_end(b, s);
	broker_unlock(b);
	return s ? DONE : GONE;
}

bool subscription_wanted(struct broker *b, const char *subject, bool below)
{
	int64_t now = clock_ms();
	bool wanted;

	broker_lock(b);
	wanted = topic_wanted(b, subject, strlen(subject), below, now);
	broker_unlock(b);
	return wanted;
}
