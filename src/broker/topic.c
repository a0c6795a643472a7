/* SPDX-License-Identifier: MIT */
/*
 * topic.c - from a subject to the subscriptions that match it
 *
 * A topic is all subscriptions to one same subject, chained; the first of the
 * chain stands for it in a hash bucket.  A published subject is hashed once,
 * byte by byte; at each length that somebody has subscribed to, the hash so
 * far finds that prefix.  All of it is derived from the subscriptions.
 */
#include <string.h>

#include "broker/view.h"
#include "shm/store.h"

static const char reserved[] = "/meta";

bool topic_reserved(const char *subject, size_t n)
{
	size_t len = sizeof(reserved) - 1;

	return n >= len && memcmp(subject, reserved, len) == 0 &&
	       (n == len || subject[len] == '/');
}

bool topic_listed(const char *list, size_t size, const char *subject, size_t n)
{
	const char *end = list + strnlen(list, size), *comma;
	size_t len;

	for (; list < end; list = comma + 1) {
		comma = memchr(list, ',', (size_t)(end - list));
		if (!comma)
			comma = end;
		len = (size_t)(comma - list);
		if (len > 0 && n >= len && memcmp(subject, list, len) == 0)
			return true;
	}
	return false;
}

/* FNV-1a from a secret start, so that colliding subjects cannot be chosen. */
static uint64_t hash_start(const struct broker *b)
{
	return b->geometry.seed;
}

static uint64_t hash_step(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * 0x100000001b3ULL;
}

/* Where the topic of a subject is, if it is anywhere. */
struct place {
	struct bucket *bucket;
	uint32_t kind;			/* of bucket->kinds */
};

/* The hash's low bits are weak: fold the high ones in. */
static struct place place_of_hash(const struct broker *b, uint64_t h)
{
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ULL;
	return (struct place){
		&b->topics[h >> 40 & (b->geometry.topics - 1)],
		1u << (h >> 35 & 31),
	};
}

uint64_t topic_hash(const struct broker *b, const char *subject, size_t n)
{
	uint64_t h = hash_start(b);
	size_t i;

	for (i = 0; i < n; i++)
		h = hash_step(h, subject[i]);
	return h;
}

static struct place place_of(struct broker *b, const char *subject, size_t n)
{
	return place_of_hash(b, topic_hash(b, subject, n));
}

static bool same_subject(const struct subscription *s, const char *subject,
			 size_t n)
{
	return s->subject_bytes == n && memcmp(s->text, subject, n) == 0;
}

/* The head of a topic in its bucket, or NULL.  The walk is bounded: a damaged
 * chain must not hang us. */
static struct subscription *find(struct broker *b, struct place at,
				 const char *subject, size_t n)
{
	uint32_t steps = b->geometry.subscriptions;
	struct subscription *s;

	if (!(at.bucket->kinds & at.kind))
		return NULL;
	s = subscription_at(b, at.bucket->first);
	while (s && !same_subject(s, subject, n) && steps--)
		s = subscription_at(b, s->bucket_next);
	return s && same_subject(s, subject, n) ? s : NULL;
}

/* Another part of its session, in the index, with the same subject; or NULL.
 * counted: one that counts the session. */
static struct subscription *twin(struct broker *b,
				 const struct subscription *s, bool counted)
{
	uint32_t steps = b->geometry.subscriptions;
	struct session *owner = session_at(b, s->session);
	struct subscription *sub, *p;

	if (!owner)
		return NULL;
	sub = subscription_at(b, owner->first_subscription);
	for (; sub && steps; sub = subscription_at(b, sub->next_of_session))
		for (p = sub; p && steps; steps--) {
			if (p != s && p->counted == counted &&
			    p->session == s->session &&
			    subscription_fits(b, p) &&
			    same_subject(p, s->text, s->subject_bytes))
				return p;
			p = subscription_at(b, p->next_part);
		}
	return NULL;
}

/* The session of a new part is counted once, however often it subscribed. */
static void count_in(struct broker *b, struct subscription *head,
		     struct subscription *s)
{
	STORE(s->counted, twin(b, s, true) ? 0u : 1u);
	if (s->counted)
		STORE(head->online, head->online + 1);
	if (head->peak < s->peak)
		STORE(head->peak, s->peak);
	if (head->peak < head->online)
		STORE(head->peak, head->online);
	if (s != head)
		STORE(s->peak, 0);
}

/* Another part takes over to count the session, if there is one. */
static void count_out(struct broker *b, struct subscription *head,
		      struct subscription *s)
{
	struct subscription *other;

	if (!s->counted)
		return;
	other = twin(b, s, false);
	STORE(s->counted, 0);
	if (other)
		STORE(other->counted, 1);
	else if (head->online > 0)
		STORE(head->online, head->online - 1);
}

/* Adds a subscription behind the head of its topic. */
static void join_topic(struct broker *b, struct subscription *head,
		       struct subscription *s, uint32_t index)
{
	struct subscription *next = subscription_at(b, head->topic_next);

	STORE(s->topic_next, head->topic_next);
	STORE(s->topic_previous, subscription_index(b, head));
	if (next)
		STORE(next->topic_previous, index);
	STORE(head->topic_next, index);
}

void topic_insert(struct broker *b, uint32_t index)
{
	struct subscription *s = subscription_at(b, index);
	struct place at = place_of(b, s->text, s->subject_bytes);
	struct subscription *head = find(b, at, s->text, s->subject_bytes);

	if (topic_reserved(s->text, s->subject_bytes))
		STORE(b->map->watchers, b->map->watchers + 1);
	if (head) {
		join_topic(b, head, s, index);
		count_in(b, head, s);
		return;
	}
	STORE(s->online, 0);
	STORE(s->topic_next, NONE);
	STORE(s->topic_previous, NONE);
	STORE(s->bucket_next, at.bucket->first);
	STORE(at.bucket->first, index);
	STORE(at.bucket->kinds, at.bucket->kinds | at.kind);
	STORE(b->lengths[s->subject_bytes], b->lengths[s->subject_bytes] + 1);
	count_in(b, s, s);
}

/* The link in the bucket's chain that leads to an index, or NULL. */
static uint32_t *link_to(struct broker *b, uint32_t *slot, uint32_t index)
{
	uint32_t steps = b->geometry.subscriptions, at = *slot;
	struct subscription *s;

	for (; at != index && steps > 0; steps--, at = *slot) {
		s = subscription_at(b, at);
		if (!s)
			return NULL;
		slot = &s->bucket_next;
	}
	return at == index ? slot : NULL;
}

/* Takes the head of a topic out; the next of the chain, if any, takes over. */
static void remove_head(struct broker *b, struct subscription *s,
			uint32_t index)
{
	struct bucket *bucket = place_of(b, s->text, s->subject_bytes).bucket;
	struct subscription *next = subscription_at(b, s->topic_next);
	uint32_t *slot = link_to(b, &bucket->first, index);

	if (!slot)
		return;
	if (next) {
		STORE(next->online, s->online);
		STORE(next->peak, s->peak);
		STORE(next->topic_previous, NONE);
		STORE(next->bucket_next, s->bucket_next);
		STORE(*slot, s->topic_next);
		return;
	}
	STORE(*slot, s->bucket_next);
	if (bucket->first == NONE)
		STORE(bucket->kinds, 0);
	STORE(b->lengths[s->subject_bytes], b->lengths[s->subject_bytes] - 1);
}

static struct subscription *head_of(struct broker *b, const char *subject,
				    size_t n)
{
	return find(b, place_of(b, subject, n), subject, n);
}

struct subject_count topic_count(struct broker *b, const char *subject,
				 size_t n)
{
	struct subscription *head = head_of(b, subject, n);
	uint32_t online = elsewhere_online(b, subject, n);

	if (!head)
		return (struct subject_count){ online, online };
	online += head->online;
	if (head->peak < online)
		STORE(head->peak, online);
	return (struct subject_count){ online, head->peak };
}

void topic_remove(struct broker *b, uint32_t index)
{
	struct subscription *s = subscription_at(b, index);
	struct subscription *previous = subscription_at(b, s->topic_previous);
	struct subscription *next = subscription_at(b, s->topic_next);
	struct subscription *head;

	if (!subscription_fits(b, s))
		return;		/* damage: only a rebuild knows its topic */
	head = head_of(b, s->text, s->subject_bytes);
	if (head)
		count_out(b, head, s);
	if (topic_reserved(s->text, s->subject_bytes) && b->map->watchers)
		STORE(b->map->watchers, b->map->watchers - 1);
	if (!previous) {
		remove_head(b, s, index);
		return;
	}
	STORE(previous->topic_next, s->topic_next);
	if (next)
		STORE(next->topic_previous, s->topic_previous);
}

void topic_clear(struct broker *b)
{
	uint32_t i;

	for (i = 0; i < b->geometry.topics; i++) {
		STORE(b->topics[i].first, NONE);
		STORE(b->topics[i].kinds, 0);
	}
	for (i = 0; i <= b->geometry.subject_bytes; i++)
		STORE(b->lengths[i], 0);
	STORE(b->map->watchers, 0);
}

void topic_expect(const struct broker *b, const char *subject, size_t n)
{
	uint64_t h = hash_start(b);
	size_t len;

	for (len = 1; len <= n && len <= b->geometry.subject_bytes; len++) {
		h = hash_step(h, subject[len - 1]);
		if (LOAD(b->lengths[len]))
			__builtin_prefetch(place_of_hash(b, h).bucket);
	}
}

void topic_match(struct broker *b, const char *subject, size_t n,
		 void (*each)(struct broker *b, uint32_t index, void *arg),
		 void *arg)
{
	uint64_t h = hash_start(b);
	size_t len, max = b->geometry.subject_bytes;
	/* Who subscribed to a beginning of /meta did not mean that. */
	size_t least = topic_reserved(subject, n) ? sizeof(reserved) - 1 : 1;
	uint32_t index, steps = b->geometry.subscriptions;
	struct subscription *s;

	for (len = 1; len <= n && len <= max; len++) {
		h = hash_step(h, subject[len - 1]);
		if (!b->lengths[len] || len < least)
			continue;
		s = find(b, place_of_hash(b, h), subject, len);
		if (!s)
			continue;
		index = subscription_index(b, s);
		for (; s && steps; steps--) {
			uint32_t next = s->topic_next;

			each(b, index, arg);
			index = next;
			s = subscription_at(b, index);
		}
	}
}

void topic_each(struct broker *b,
		bool (*each)(struct broker *b, const struct subscription *head,
			     void *arg),
		void *arg)
{
	uint32_t i, steps = b->geometry.subscriptions;
	const struct subscription *s;

	for (i = 0; i < b->geometry.topics; i++) {
		s = subscription_at(b, b->topics[i].first);
		for (; s && steps; s = subscription_at(b, s->bucket_next)) {
			if (!each(b, s, arg))
				return;
			steps--;
		}
	}
}

/* Counts the subscriptions of one topic; -1 if the chain is not sound. */
static int64_t chain_length(struct broker *b, struct subscription *head)
{
	uint32_t previous = NONE;
	struct subscription *s = head;
	uint32_t counted = 0;
	int64_t n = 0;

	for (; s; s = subscription_at(b, s->topic_next)) {
		if (s->slot.state == SLOT_FREE ||
		    s->topic_previous != previous ||
		    !same_subject(s, head->text, head->subject_bytes) ||
		    n++ > b->geometry.subscriptions)
			return -1;
		previous = subscription_index(b, s);
		counted += s->counted;
	}
	return counted == head->online && counted <= head->peak ? n : -1;
}

/* Is it what a search for its subject finds? */
static bool found_there(struct broker *b, const struct bucket *bucket,
			const struct subscription *s)
{
	struct place at;

	if (!subscription_fits(b, s))
		return false;
	at = place_of(b, s->text, s->subject_bytes);
	return at.bucket == bucket &&
	       find(b, at, s->text, s->subject_bytes) == s;
}

int topic_check(struct broker *b, struct buf *report)
{
	uint32_t i, index, topics = 0, lengths = 0;
	int64_t n, found = 0;

	for (i = 0; i < b->geometry.topics; i++) {
		struct subscription *s;

		for (index = b->topics[i].first; index != NONE; topics++) {
			s = subscription_at(b, index);
			n = s && found_there(b, &b->topics[i], s) ?
				chain_length(b, s) : -1;
			if (n < 0 || topics > b->geometry.subscriptions) {
				buf_printf(report, "topics: bucket %u leads "
					   "astray\n", i);
				return 1;
			}
			found += n;
			index = s->bucket_next;
		}
	}
	for (i = 0; i <= b->geometry.subject_bytes; i++)
		lengths += b->lengths[i];
	if (found == b->subscriptions.head->used && lengths == topics)
		return 0;
	buf_printf(report, "topics: %lld of %u subscriptions, %u topics, "
		   "%u by length\n", (long long)found,
		   b->subscriptions.head->used, topics, lengths);
	return 1;
}
