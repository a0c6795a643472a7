/* SPDX-License-Identifier: MIT */
/*
 * status.c - one look under one lock
 */
#include "broker/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/session.h"
#include "broker/view.h"
#include "shm/store.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What a response carried is in the queue until the client says that it has
 * arrived, and gives way to what waits: it fills nothing. */
static uint64_t waiting(const struct session *s)
{
	uint64_t next = larger(s->queue.tail, s->queue.carried);

	return s->queue.head > next ? s->queue.head - next : 0;
}

static void read_sessions(struct broker *b, struct status *out)
{
	uint64_t queued;
	uint32_t i;

	for (i = 0; i < b->geometry.sessions; i++) {
		const struct session *s = session_at(b, i);

		if (s->slot.state != SLOT_LIVE)
			continue;
		if (s->flags & SESSION_LISTENED && s->mode <= MODE_POLL)
			out->by_mode[s->mode]++;
		out->listening += s->channel != 0;
		queued = s->queue.head - s->queue.tail;
		out->queued += queued;
		out->queued_most = larger(out->queued_most, queued);
		out->waiting += waiting(s);
		out->waiting_most = larger(out->waiting_most, waiting(s));
	}
}

static void read_node(struct broker *b, uint32_t origin, struct status *out)
{
	const struct node *n = node_at(b, origin);
	struct status_node *to = &out->nodes[out->nodes_n];
	const struct mark *m;

	if (!n)
		return;
	m = &n->mark[n->current & 1];
	memcpy(to->name, n->name, sizeof(to->name));
	to->name[NODE_SIZE - 1] = '\0';
	to->number = m->number;
	to->missed = m->missed;
	to->bad = LOAD(n->bad);
	to->seen = LOAD(n->seen);
	out->nodes_n++;
}

static void read_cluster(struct broker *b, struct status *out)
{
	uint32_t i;

	memcpy(out->node, b->map->rules.node, sizeof(out->node));
	out->node[NODE_SIZE - 1] = '\0';
	out->numbered = b->map->numbered;
	out->bridge = b->map->bridge;
	out->sessions_elsewhere = elsewhere_sessions(b);
	for (i = 1; i <= NODES_MAX; i++)
		read_node(b, i, out);
}

void status_read(struct broker *b, struct status *out)
{
	memset(out, 0, sizeof(*out));
	broker_lock(b);
	out->epoch = b->map->epoch;
	out->created = b->map->created;
	out->bytes = b->segment.size;
	out->geometry = b->geometry;
	out->at = b->map->at;
	out->counts = b->map->counts;
	out->log_head = b->map->log.head;
	out->log_tail = b->map->log.tail;
	out->history_head = b->map->history.head;
	out->history_tail = b->map->history.tail;
	out->sessions = b->map->sessions.used;
	out->subscriptions = b->map->subscriptions.used;
	out->workers = b->map->workers.used;
	memcpy(out->open, b->map->open, sizeof(out->open));
	out->listen_slots = b->map->rules.listen_slots;
	out->second = sample_pace(b, 1);
	out->minute = sample_pace(b, 60);
	read_sessions(b, out);
	read_cluster(b, out);
	broker_unlock(b);
}

uint32_t status_modeless(const struct status *s)
{
	return s->sessions - s->by_mode[MODE_STREAM] - s->by_mode[MODE_PULL] -
	       s->by_mode[MODE_POLL];
}

static uint32_t channels_of(struct broker *b, uint32_t worker)
{
	uint32_t i, n = 0;

	for (i = 0; i < b->geometry.sessions; i++) {
		const struct session *s = session_at(b, i);

		n += s->slot.state == SLOT_LIVE && s->channel &&
		     s->worker == worker;
	}
	return n;
}

struct status_worker *status_workers(struct broker *b, unsigned *n_out)
{
	struct status_worker *list;
	uint32_t i;

	*n_out = 0;
	list = calloc(b->geometry.workers, sizeof(*list));
	if (!list)
		return NULL;
	broker_lock(b);
	for (i = 0; i < b->geometry.workers; i++) {
		const struct worker *w = worker_at(b, i);

		if (w->slot.state != SLOT_LIVE)
			continue;
		list[*n_out].pid = w->pid;
		list[*n_out].since = w->since;
		list[(*n_out)++].channels = channels_of(b, i);
	}
	broker_unlock(b);
	return list;
}

static void read_subjects(struct broker *b, const struct session *s,
			  struct buf *out)
{
	uint32_t steps = b->geometry.subscriptions;
	const struct subscription *sub, *p;

	sub = subscription_at(b, s->first_subscription);
	for (; sub && steps; sub = subscription_at(b, sub->next_of_session)) {
		for (p = sub; p && steps;
		     p = subscription_at(b, p->next_part), steps--) {
			if (out->len)
				buf_putc(out, ',');
			if (subscription_fits(b, p))
				buf_add(out, p->text, p->subject_bytes);
		}
	}
}

void status_session_copy(struct broker *b, const struct session *s,
			 int64_t now, struct status_session *out)
{
	const struct worker *w = worker_at(b, s->worker);

	memcpy(out->handle, s->handle, sizeof(out->handle));
	address_write(out->address, &s->address);
	out->handle[sizeof(out->handle) - 1] = '\0';
	out->format = s->format;
	out->mode = s->mode;
	out->listened = s->flags & SESSION_LISTENED;
	out->listening = s->channel != 0;
	out->pid = s->channel && w ? w->pid : 0;
	out->joined = s->joined;
	out->lease_ms = s->channel ? -1 :
		(int64_t)((uint64_t)s->lease_end - (uint64_t)now);
	out->queued = s->queue.head - s->queue.tail;
	out->waiting = waiting(s);
	out->delivered = s->queue.delivered;
	out->lost = s->queue.lost;
	out->subscriptions = s->subscription_count;
	read_subjects(b, s, &out->subjects);
}

struct status_session *status_sessions(struct broker *b, unsigned *n_out)
{
	struct status_session *list = NULL;
	int64_t now = clock_ms();
	uint32_t i, used;

	*n_out = 0;
	broker_lock(b);
	used = b->map->sessions.used;
	if (used > b->geometry.sessions)
		used = b->geometry.sessions;
	if (used)
		list = calloc(used, sizeof(*list));
	for (i = 0; list && i < b->geometry.sessions; i++) {
		const struct session *s = session_at(b, i);

		if (s->slot.state == SLOT_LIVE && *n_out < used &&
		    session_current(s, now))
			status_session_copy(b, s, now,
					    &list[(*n_out)++]);
	}
	broker_unlock(b);
	return list;
}

void status_sessions_free(struct status_session *s, unsigned n)
{
	while (s && n > 0)
		buf_release(&s[--n].subjects);
	free(s);
}
