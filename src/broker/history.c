/* SPDX-License-Identifier: MIT */
/*
 * history.c - events for those who come later
 *
 * A ring of copies beside the log, so that what nobody subscribed to yet
 * cannot push out what queues still refer to.  It is read backwards, from the
 * newest.  What a newcomer is to have is appended to the log for it alone: from
 * there on an earlier event goes the way of any other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/event.h"
#include "broker/properties.h"
#include "broker/view.h"
#include "shm/store.h"

enum {
	STEPS = 16384,		/* events that a replay looks at */
	SHARE = 4		/* it takes no more of the log than 1 / SHARE */
};

static bool begins_with(const char *subject, size_t n, const char *prefix,
			size_t len)
{
	return len > 0 && n >= len && memcmp(subject, prefix, len) == 0;
}

static const char *subject_of(const struct log_record *r)
{
	return (const char *)(r + 1) + r->subject_offset;
}

static uint32_t place_of_newest(const struct broker *b)
{
	return (uint32_t)(b->history.head->newest / LOG_ALIGN);
}

static bool wanted(struct broker *b, const struct log_record *r)
{
	const struct rules *rules = &b->map->rules;

	return b->history.size && rules->history_max &&
	       topic_listed(rules->history_subjects, HISTORY_SUBJECTS_SIZE,
			    subject_of(r), r->subject_bytes) &&
	       !topic_reserved(subject_of(r), r->subject_bytes);
}

/* The place is noted before it is filled: whoever repairs sees whether the copy
 * became real. */
void history_add(struct broker *b, struct log_record *r)
{
	struct log_record like = *r;
	uint64_t position;

	if (!wanted(b, r) || (r->copy && r->copy == place_of_newest(b)))
		return;
	like.copy = 0;
	like.number = 0;	/* what is replayed does not cross again */
	like.origin = like.flags = 0;
	position = eventlog_append(&b->history, &like, r + 1, NULL);
	if (!position)
		return;
	STORE(r->copy, (uint32_t)(position / LOG_ALIGN));
	eventlog_commit(&b->history, position);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int replay_prepare(struct broker *b, uint64_t last, struct replay *out)
{
	struct event mark = EVENT_INIT;

	memset(out, 0, sizeof(*out));
	last = least(last, LOAD(b->map->rules.history_max));
	out->max = (unsigned)least(last, b->geometry.queue);
	if (out->max == 0 || !b->history.size)
		return 0;
	out->found = calloc(out->max, sizeof(*out->found));
	if (out->found && event_add(&mark, "p_history", "1") == 0) {
		out->mark = mark.packed;
		return 0;
	}
	event_release(&mark);
	replay_release(out);
	return -1;
}

void replay_release(struct replay *r)
{
	free(r->found);
	buf_release(&r->mark);
	memset(r, 0, sizeof(*r));
}

static bool young(const struct broker *b, const struct log_record *r,
		  int64_t now)
{
	uint64_t limit = b->map->rules.history_seconds;

	return !limit || r->time >= now || (uint64_t)(now - r->time) <= limit;
}

static bool matches(struct broker *b, const struct subscription *sub,
		    const struct log_record *r)
{
	uint32_t steps = b->geometry.subscriptions;

	for (; sub && steps--; sub = subscription_at(b, sub->next_part))
		if (subscription_fits(b, sub) &&
		    begins_with(subject_of(r), r->subject_bytes, sub->text,
				sub->subject_bytes))
			return true;
	return false;
}

/* Finds the newest that match; returns how many. */
static unsigned search(struct broker *b, const struct subscription *sub,
		       uint64_t max, uint64_t *found)
{
	uint64_t room = b->log.size / SHARE, at = b->history.head->newest;
	const struct log_record *r;
	int64_t now = clock_unix();
	unsigned steps = STEPS, n = 0;

	while (n < max && steps-- && (r = eventlog_at(&b->history, at))) {
		at = eventlog_before(r);
		if (!young(b, r, now) || !matches(b, sub, r))
			continue;
		if (r->bytes > room)
			break;
		room -= r->bytes;
		found[n++] = r->position;
	}
	return n;
}

static void replay_one(struct broker *b, uint32_t first,
		       const struct log_record *r, const struct buf *mark)
{
	struct log_record like = *r;
	uint64_t position;

	like.kind = LOG_REPLAY;
	like.target = first;
	like.target_generation = subscription_at(b, first)->slot.generation;
	position = eventlog_append(&b->log, &like, r + 1, mark);
	if (position)
		publish_record(b, position);
}

void replay_to(struct broker *b, uint32_t first, struct replay *replay)
{
	struct subscription *sub = subscription_at(b, first);
	struct session *s = session_at(b, sub->session);
	const struct log_record *r;
	uint64_t room;
	unsigned n;

	if (!replay->found)
		return;
	queue_mend(b, s);
	room = b->geometry.queue - (s->queue.head - s->queue.tail);
	n = search(b, sub, least(room, replay->max), replay->found);
	while (n-- > 0) {
		r = eventlog_at(&b->history, replay->found[n]);
		if (r)
			replay_one(b, first, r, &replay->mark);
	}
}
