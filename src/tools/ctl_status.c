/* SPDX-License-Identifier: MIT */
/*
 * ctl_status.c - pushletctl status
 */
#include "tools/ctl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "broker/session.h"

#define MIB (1024.0 * 1024.0)

struct amount {
	const char *name;
	uint64_t n;
};

enum { SPENT = 11, COUNTS = 11 };

struct picture {
	struct status status;
	struct status_worker *workers;
	unsigned workers_n;
	struct amount spent[SPENT];
	struct amount counts[COUNTS];
};

/* How the segment is spent.  A section reaches up to the next one, so the sum
 * is that of all bytes. */
static void picture_spent(struct picture *p)
{
	const struct sections *at = &p->status.at;
	const struct amount spent[SPENT] = {
		{ "head", at->workers },
		{ "workers", at->ready - at->workers },
		{ "ready", at->sessions - at->ready },
		{ "sessions", at->queues - at->sessions },
		{ "queues", at->subscriptions - at->queues },
		{ "subscriptions", at->topics - at->subscriptions },
		{ "topics", at->lengths - at->topics },
		{ "lengths", at->addresses - at->lengths },
		{ "addresses", at->log - at->addresses },
		{ "log", at->history - at->log },
		{ "history", p->status.bytes - at->history },
	};
	int i;

	for (i = 0; i < SPENT; i++)
		p->spent[i] = spent[i];
}

static void picture_counts(struct picture *p)
{
	const struct counts *c = &p->status.counts;
	const struct amount counts[COUNTS] = {
		{ "joins", c->joins },
		{ "leaves", c->leaves },
		{ "expiries", c->expiries },
		{ "aborts", c->aborts },
		{ "published", c->published },
		{ "queued", c->queued },
		{ "delivered", c->delivered },
		{ "lost", c->lost },
		{ "refused", c->refused },
		{ "repairs", c->repairs },
		{ "workers_reaped", c->workers_reaped },
	};
	int i;

	for (i = 0; i < COUNTS; i++)
		p->counts[i] = counts[i];
}

static void take_picture(struct broker *b, struct picture *p)
{
	status_read(b, &p->status);
	p->workers = status_workers(b, &p->workers_n);
	picture_spent(p);
	picture_counts(p);
}

static uint64_t log_used(const struct status *s)
{
	return s->log_head - s->log_tail;
}

static uint64_t history_used(const struct status *s)
{
	return s->history_head - s->history_tail;
}

/* -- for people --------------------------------------------------------- */

static double share(uint64_t n, uint64_t of)
{
	return of ? 100.0 * (double)n / (double)of : 0;
}

static void show_head(struct buf *out, const char *name,
		      const struct status *s)
{
	buf_puts(out, "segment  ");
	tool_add_safe(out, name);
	buf_printf(out, "\nepoch    %016" PRIx64 "\ncreated  ", s->epoch);
	ctl_add_time(out, s->created);
	buf_puts(out, "\nuptime   ");
	ctl_add_period(out, ctl_since(s->created));
	buf_printf(out, "\nbytes    %" PRIu64 " (%.1f MiB)\n", s->bytes,
		   (double)s->bytes / MIB);
}

static void show_spent(struct buf *out, const struct picture *p)
{
	int i;

	buf_printf(out, "\n%-16s%14s%8s\n", "spent on", "bytes", "share");
	for (i = 0; i < SPENT; i++)
		buf_printf(out, "%-16s%14" PRIu64 "%7.1f%%\n",
			   p->spent[i].name, p->spent[i].n,
			   share(p->spent[i].n, p->status.bytes));
}

static void show_limit(struct buf *out, const char *name, uint64_t used,
		       uint64_t limit)
{
	buf_printf(out, "%-16s%14" PRIu64 "%14" PRIu64 "%7.1f%%\n", name, used,
		   limit, share(used, limit));
}

/* A poll takes none: it is over at once. */
static uint64_t slots_used(const struct status *s)
{
	return (uint64_t)s->open[MODE_STREAM] + s->open[MODE_PULL];
}

static void show_limits(struct buf *out, const struct status *s)
{
	const struct geometry *g = &s->geometry;

	buf_printf(out, "\n%-16s%14s%14s%8s\n", "limit of", "used", "at most",
		   "share");
	show_limit(out, "sessions", s->sessions, g->sessions);
	show_limit(out, "subscriptions", s->subscriptions, g->subscriptions);
	show_limit(out, "workers", s->workers, g->workers);
	show_limit(out, "log bytes", log_used(s), g->log_bytes);
	show_limit(out, "history bytes", history_used(s), g->history_bytes);
	if (s->listen_slots)
		show_limit(out, "listen slots", slots_used(s),
			   s->listen_slots);
}

static void show_now(struct buf *out, const struct status *s)
{
	buf_printf(out, "\nsessions: %u, listening now: %u; "
		   "mode stream: %u, pull: %u, poll: %u\n", s->sessions,
		   s->listening, s->by_mode[MODE_STREAM],
		   s->by_mode[MODE_PULL], s->by_mode[MODE_POLL]);
	buf_printf(out, "channels stream: %u, pull: %u, poll: %u\n",
		   s->open[MODE_STREAM], s->open[MODE_PULL],
		   s->open[MODE_POLL]);
	buf_printf(out, "events waiting in queues: %" PRIu64
		   " (a queue holds %u)\n", s->queued, s->geometry.queue);
}

static void show_counts(struct buf *out, const struct picture *p)
{
	int i;

	buf_printf(out, "\n%-16s%14s\n", "since created", "count");
	for (i = 0; i < COUNTS; i++)
		buf_printf(out, "%-16s%14" PRIu64 "\n", p->counts[i].name,
			   p->counts[i].n);
}

static void show_workers(struct buf *out, const struct picture *p)
{
	unsigned i;

	buf_printf(out, "\n%-16s%14s  %s\n", "worker pid", "channels",
		   "since");
	for (i = 0; i < p->workers_n; i++) {
		const struct status_worker *w = &p->workers[i];

		buf_printf(out, "%-16u%14u  ", w->pid, w->channels);
		ctl_add_time(out, w->since);
		buf_puts(out, ctl_alive(w->pid) ? "\n" : " (dead)\n");
	}
	if (p->workers_n == 0)
		buf_puts(out, "none\n");
}

static void show_all(struct buf *out, const char *name,
		     const struct picture *p)
{
	show_head(out, name, &p->status);
	show_spent(out, p);
	show_limits(out, &p->status);
	show_now(out, &p->status);
	show_counts(out, p);
	show_workers(out, p);
}

/* -- for programs ------------------------------------------------------- */

static void write_amounts(struct json *j, const char *key,
			  const struct amount *a, int n)
{
	json_object(j, key);
	for (; n-- > 0; a++)
		json_uint(j, a->name, a->n);
	json_end(j);
}

static void write_limits(struct json *j, const struct status *s)
{
	const struct geometry *g = &s->geometry;
	const struct amount limits[] = {
		{ "sessions", g->sessions },
		{ "subscriptions", g->subscriptions },
		{ "workers", g->workers },
		{ "queue", g->queue },
		{ "subject_bytes", g->subject_bytes },
		{ "log_bytes", g->log_bytes },
		{ "listen_slots", s->listen_slots },
		{ "history_bytes", g->history_bytes },
	};

	write_amounts(j, "limits", limits,
		      (int)(sizeof(limits) / sizeof(limits[0])));
}

static void write_sessions(struct json *j, const struct status *s)
{
	const struct amount sessions[] = {
		{ "total", s->sessions },
		{ "listening", s->listening },
		{ "stream", s->by_mode[MODE_STREAM] },
		{ "pull", s->by_mode[MODE_PULL] },
		{ "poll", s->by_mode[MODE_POLL] },
	};

	write_amounts(j, "sessions", sessions,
		      (int)(sizeof(sessions) / sizeof(sessions[0])));
}

static void write_channels(struct json *j, const struct status *s)
{
	const struct amount channels[] = {
		{ "stream", s->open[MODE_STREAM] },
		{ "pull", s->open[MODE_PULL] },
		{ "poll", s->open[MODE_POLL] },
	};

	write_amounts(j, "channels", channels,
		      (int)(sizeof(channels) / sizeof(channels[0])));
}

static void write_ring(struct json *j, const char *name, uint64_t head,
		       uint64_t tail)
{
	json_object(j, name);
	json_uint(j, "head", head);
	json_uint(j, "tail", tail);
	json_uint(j, "bytes", head - tail);
	json_end(j);
}

static void write_workers(struct json *j, const struct picture *p)
{
	unsigned i;

	json_array(j, "workers");
	for (i = 0; i < p->workers_n; i++) {
		json_object(j, NULL);
		json_uint(j, "pid", p->workers[i].pid);
		json_uint(j, "since", (uint64_t)p->workers[i].since);
		json_uint(j, "channels", p->workers[i].channels);
		json_bool(j, "alive", ctl_alive(p->workers[i].pid));
		json_end(j);
	}
	json_end(j);
}

static void write_all(struct json *j, const char *name,
		      const struct picture *p)
{
	const struct status *s = &p->status;
	struct buf epoch = BUF_INIT;

	/* Text: as a number it would lose digits in JavaScript. */
	buf_printf(&epoch, "%016" PRIx64, s->epoch);
	json_object(j, NULL);
	json_string(j, "name", name);
	json_string(j, "epoch", buf_str(&epoch));
	json_uint(j, "created", (uint64_t)s->created);
	json_uint(j, "uptime", (uint64_t)ctl_since(s->created));
	json_uint(j, "bytes", s->bytes);
	write_amounts(j, "spent", p->spent, SPENT);
	write_limits(j, s);
	write_sessions(j, s);
	write_channels(j, s);
	json_uint(j, "subscriptions", s->subscriptions);
	json_uint(j, "queued", s->queued);
	write_amounts(j, "counts", p->counts, COUNTS);
	write_ring(j, "log", s->log_head, s->log_tail);
	write_ring(j, "history", s->history_head, s->history_tail);
	write_workers(j, p);
	json_end(j);
	buf_release(&epoch);
}

enum tool_exit ctl_status(struct broker *b, const struct ctl_request *q)
{
	struct buf out = BUF_INIT;
	struct json j = { .out = &out };
	struct picture p;

	take_picture(b, &p);
	if (q->json)
		write_all(&j, broker_name(b), &p);
	else
		show_all(&out, broker_name(b), &p);
	free(p.workers);
	return ctl_print(&out);
}
