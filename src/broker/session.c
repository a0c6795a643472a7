/* SPDX-License-Identifier: MIT */
/*
 * session.c - slots with an id, a lease and a queue
 */
#include "broker/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/token.h"
#include "broker/name.h"
#include "broker/view.h"
#include "shm/store.h"

enum { EXPIRY_PERIOD = 1000 };	/* ms between two sweeps, by whoever */

static const char *const mode_names[] = { "stream", "pull", "poll" };

const char *session_mode_name(unsigned mode)
{
	return mode <= MODE_POLL ? mode_names[mode] : "?";
}

int session_mode_of(const char *name)
{
	int i;

	for (i = MODE_STREAM; i <= MODE_POLL; i++)
		if (strcmp(name, mode_names[i]) == 0)
			return i;
	return -1;
}

struct session *session_named(struct broker *b, const char *name)
{
	enum name_kind kind = name_kind(name);
	struct session *s;
	const char *own;
	size_t n;

	if (kind == NAME_OTHER)
		return NULL;
	s = session_at(b, name_index(name));
	if (!s || s->slot.state != SLOT_LIVE)
		return NULL;
	own = kind == NAME_ID ? s->id : s->handle;
	n = strnlen(own, kind == NAME_ID ? sizeof(s->id) : sizeof(s->handle));
	return n == strlen(name) && token_equal(own, name, n) ? s : NULL;
}

bool session_reachable(struct broker *b, const struct session *s)
{
	return memchr(s->id, '\0', sizeof(s->id)) &&
	       memchr(s->handle, '\0', sizeof(s->handle)) &&
	       session_named(b, s->id) == s && session_named(b, s->handle) == s;
}

struct session *session_of(struct broker *b, struct session_ref ref)
{
	struct session *s = session_at(b, ref.index);

	if (!s || s->slot.state != SLOT_LIVE ||
	    s->slot.generation != ref.generation)
		return NULL;
	return s;
}

bool session_current(const struct session *s, int64_t now)
{
	return s->channel || now < s->lease_end;
}

bool session_stale(struct broker *b, const struct session *s, int64_t now)
{
	uint64_t limit;

	if (s->channel || !(s->flags & SESSION_LISTENED) ||
	    s->mode == MODE_STREAM)
		return false;
	limit = s->mode == MODE_PULL ? b->map->rules.pull_timeout :
				       b->map->rules.poll_timeout;
	return limit && now > s->served &&
	       (uint64_t)now - (uint64_t)s->served > limit;
}

/* As what a session's listener is counted: damage must not lead astray. */
static unsigned open_as(const struct session *s)
{
	return s->served_as <= MODE_POLL ? s->served_as : 3;
}

void session_count(struct broker *b, const struct session *s, int change)
{
	unsigned i = open_as(s);

	STORE(b->map->open[i], b->map->open[i] + (uint32_t)change);
}

static void renew(struct broker *b, struct session *s, int64_t now)
{
	STORE(s->lease_end,
	      (int64_t)((uint64_t)now + b->map->rules.session_timeout));
}

void session_unserved(struct broker *b, struct session *s)
{
	int64_t now = clock_ms();

	STORE(s->served, now);
	renew(b, s, now);
	STORE(s->queue.sent, s->queue.tail);
	/* Last: without a channel it is the lease that keeps the session. */
	STORE(s->channel, 0);
	session_count(b, s, -1);
}

void session_end(struct broker *b, struct session *s, const char *why)
{
	if (s->channel)
		worker_notify(b, s->worker, session_index(b, s));
	STORE(s->slot.state, (uint32_t)SLOT_FREE);
	if (s->channel)
		session_count(b, s, -1);
	address_unlink(b, s);
	subscriptions_end(b, s);
	pool_give(&b->sessions, session_index(b, s));
	presence_session(b, s, s->flags & SESSION_ABORTED ? "abort" : why);
}

void session_abort(struct broker *b, struct session *s)
{
	COUNT(b, aborts, 1);
	STORE(s->flags, (uint16_t)(s->flags | SESSION_ABORTED));
	if (s->channel)
		worker_notify(b, s->worker, session_index(b, s));
	else
		STORE(s->lease_end, 0);
}

static void view_of(struct broker *b, const struct session *s,
		    struct session_view *out)
{
	out->ref.index = session_index(b, s);
	out->ref.generation = s->slot.generation;
	memcpy(out->id, s->id, sizeof(out->id));
	memcpy(out->handle, s->handle, sizeof(out->handle));
	out->id[sizeof(out->id) - 1] = '\0';
	out->handle[sizeof(out->handle) - 1] = '\0';
	out->format = s->format;
	out->mode = s->mode <= MODE_POLL ? s->mode : MODE_STREAM;
	out->listened = s->flags & SESSION_LISTENED;
	out->yielded = s->flags & SESSION_YIELDED;
}

/* Everything of a fresh session but what its slot decides.  Made before the
 * lock is taken: the random digits cost a system call. */
static void draft_session(struct session *fresh, unsigned format,
			  const char *address)
{
	memset(fresh, 0, sizeof(*fresh));
	token_hex(fresh->id, (SESSION_ID_LEN - INDEX_DIGITS) / 2);
	token_hex(fresh->handle, (SESSION_HANDLE_LEN - INDEX_DIGITS) / 2);
	address_read(&fresh->address, address, strlen(address));
	fresh->format = (uint8_t)format;
	fresh->joined = clock_unix();
	fresh->served = clock_ms();
	fresh->worker = NONE;
	fresh->first_subscription = NONE;
}

/* Fills a slot from the draft and commits it. */
static void enroll(struct broker *b, uint32_t index, struct session *fresh)
{
	struct session *s = session_at(b, index);
	char node[NODE_SIZE];

	broker_node(b, node);
	fresh->slot = s->slot;
	name_complete(fresh->id, node, index);
	name_complete(fresh->handle, node, index);
	store_bytes(s, fresh, sizeof(*fresh));
	renew(b, s, fresh->served);
	STORE(s->slot.state, (uint32_t)SLOT_LIVE);
	address_link(b, s);
	if (b->map->sessions_peak < b->map->sessions.used)
		STORE(b->map->sessions_peak, (uint64_t)b->map->sessions.used);
	presence_session(b, s, "join");
}

/* Takes a slot, unless there are enough sessions already. */
static enum outcome admit(struct broker *b, const struct address *a,
			  uint32_t *index_out)
{
	uint64_t most = b->map->rules.address_sessions;

	if (most && address_has(b, a, most))
		return TOO_MANY_SESSIONS;
	*index_out = pool_take(&b->sessions);
	return *index_out == NONE ? SEGMENT_FULL : DONE;
}

enum outcome session_join(struct broker *b, unsigned format,
			  const char *address, struct session_view *view_out)
{
	struct session fresh;
	enum outcome outcome;
	uint32_t index;

	session_expire(b);
	draft_session(&fresh, format, address);
	broker_lock(b);
	outcome = admit(b, &fresh.address, &index);
	if (outcome != DONE) {
		COUNT(b, refused, 1);
	} else {
		enroll(b, index, &fresh);
		COUNT(b, joins, 1);
		view_of(b, session_at(b, index), view_out);
	}
	broker_unlock(b);
	return outcome;
}

enum outcome session_find(struct broker *b, const char *id,
			  struct session_view *view_out)
{
	struct session *s = NULL;
	int64_t now = clock_ms();

	if (name_kind(id) != NAME_ID)
		return GONE;
	broker_lock(b);
	s = session_named(b, id);
	if (s && !session_current(s, now)) {
		session_end(b, s, "expire");
		COUNT(b, expiries, 1);
		s = NULL;
	} else if (s && s->flags & SESSION_ABORTED) {
		s = NULL;
	}
	if (s) {
		renew(b, s, now);
		view_of(b, s, view_out);
	}
	broker_unlock(b);
	return s ? DONE : GONE;
}

void session_handle(struct broker *b, struct session_ref ref,
		    char handle_out[SESSION_HANDLE_SIZE])
{
	const struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	memcpy(handle_out, s ? s->handle : "-",
	       s ? SESSION_HANDLE_SIZE : 2);
	broker_unlock(b);
	handle_out[SESSION_HANDLE_SIZE - 1] = '\0';
}

enum outcome session_rely(struct broker *b, struct session_ref ref)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s)
		STORE(s->flags, (uint16_t)(s->flags | SESSION_RELIABLE));
	broker_unlock(b);
	return s ? DONE : GONE;
}

enum outcome session_leave(struct broker *b, struct session_ref ref)
{
	struct session *s;

	broker_lock(b);
	s = session_of(b, ref);
	if (s) {
		session_end(b, s, "leave");
		COUNT(b, leaves, 1);
	}
	broker_unlock(b);
	return s ? DONE : GONE;
}

static unsigned sweep(struct broker *b, int64_t now)
{
	uint32_t i;
	unsigned n = 0;

	for (i = 0; i < b->geometry.sessions; i++) {
		struct session *s = session_at(b, i);

		if (s->slot.state != SLOT_LIVE || session_current(s, now))
			continue;
		session_end(b, s, "expire");
		n++;
	}
	return n;
}

unsigned session_expire(struct broker *b)
{
	int64_t now = clock_ms();
	unsigned n = 0;

	if (sweep_waits(LOAD(b->map->expiry_due), now, EXPIRY_PERIOD))
		return 0;
	broker_lock(b);
	if (!sweep_waits(b->map->expiry_due, now, EXPIRY_PERIOD)) {
		STORE(b->map->expiry_due, now + EXPIRY_PERIOD);
		n = sweep(b, now);
		COUNT(b, expiries, n);
	}
	broker_unlock(b);
	return n;
}

/* What is wrong with a live session, or NULL. */
static const char *fault(struct broker *b, struct session *s)
{
	uint32_t i, n = 0, steps = b->geometry.subscriptions;
	struct worker *w = worker_at(b, s->worker);

	if (!session_reachable(b, s))
		return "its id or handle does not lead to it";
	if (s->channel && (!w || w->slot.state != SLOT_LIVE))
		return "its listener lives nowhere";
	for (i = s->first_subscription; i != NONE && steps; steps--) {
		struct subscription *sub = subscription_at(b, i);
		struct subscription *p = sub;

		if (!sub || sub->slot.state != SLOT_LIVE ||
		    sub->session != session_index(b, s) ||
		    sub->session_generation != s->slot.generation)
			return "its list of subscriptions leads astray";
		for (; p && n <= b->geometry.subscriptions; n++)
			p = subscription_at(b, p->next_part);
		i = sub->next_of_session;
	}
	return n == s->subscription_count ? NULL :
	       "its subscriptions are miscounted";
}

static int check_open(struct broker *b, const uint32_t open[4],
		      struct buf *report)
{
	if (memcmp(open, b->map->open, sizeof(b->map->open)) == 0)
		return 0;
	buf_puts(report, "sessions: their open channels are miscounted\n");
	return 1;
}

int session_check(struct broker *b, struct buf *report)
{
	uint32_t i, open[4] = { 0 };
	uint64_t listed = 0;
	int broken = 0;

	for (i = 0; i < b->geometry.sessions; i++) {
		struct session *s = session_at(b, i);
		const char *wrong;

		if (s->slot.state == SLOT_FREE)
			continue;
		listed += s->subscription_count;
		if (s->channel)
			open[open_as(s)]++;
		wrong = s->slot.state == SLOT_LIVE ? fault(b, s) :
			"its state is unknown";
		if (!wrong)
			continue;
		buf_printf(report, "session %.*s: %s\n", SESSION_HANDLE_SIZE,
			   s->handle, wrong);
		broken++;
	}
	if (!broken && listed != b->subscriptions.head->used) {
		buf_printf(report, "sessions: %llu of %u subscriptions are in "
			   "their lists\n", (unsigned long long)listed,
			   b->subscriptions.head->used);
		broken++;
	}
	return broken + check_open(b, open, report);
}
