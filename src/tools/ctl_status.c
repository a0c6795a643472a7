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

#define NUMBER(field, help) COUNT_##field,
enum { STATUS_COUNTS(NUMBER) COUNTS };
#undef NUMBER
enum { SPENT = 11 };

struct picture {
	struct status status;
	struct status_worker *workers;
	unsigned workers_n;
	struct amount spent[SPENT];
	struct amount counts[COUNTS], second[COUNTS], minute[COUNTS];
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

static void add_amounts(struct amount *to, const struct counts *c)
{
#define AMOUNT(field, help) *to++ = (struct amount){ #field, c->field };
	STATUS_COUNTS(AMOUNT)
#undef AMOUNT
}

static void take_picture(struct broker *b, struct picture *p)
{
	status_read(b, &p->status);
	p->workers = status_workers(b, &p->workers_n);
	picture_spent(p);
	add_amounts(p->counts, &p->status.counts);
	add_amounts(p->second, &p->status.second.counts);
	add_amounts(p->minute, &p->status.minute.counts);
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
	buf_puts(out, "segment ");
	tool_add_safe(out, name);
	buf_printf(out, ", %.1f MiB, epoch %016" PRIx64 "\nup ",
		   (double)s->bytes / MIB, s->epoch);
	ctl_add_period(out, ctl_since(s->created));
	buf_puts(out, ", since ");
	ctl_add_time(out, s->created);
	buf_putc(out, '\n');
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
	show_limit(out, "fullest queue", s->waiting_most, g->queue);
	show_limit(out, "log bytes", log_used(s), g->log_bytes);
	show_limit(out, "history bytes", history_used(s), g->history_bytes);
	if (s->listen_slots)
		show_limit(out, "listen slots", slots_used(s),
			   s->listen_slots);
}

static void show_now(struct buf *out, const struct status *s)
{
	buf_printf(out, "\n%-16s%8s%8s%8s%8s%9s\n", "by mode", "stream",
		   "pull", "poll", "none", "all");
	buf_printf(out, "%-16s%8u%8u%8u%8u%9u\n", "sessions",
		   s->by_mode[MODE_STREAM], s->by_mode[MODE_PULL],
		   s->by_mode[MODE_POLL], status_modeless(s), s->sessions);
	buf_printf(out, "%-16s%8u%8u%8u%8s%9u\n", "open channels",
		   s->open[MODE_STREAM], s->open[MODE_PULL],
		   s->open[MODE_POLL], "", s->listening);
	buf_printf(out, "\nevents waiting%11" PRIu64 ", sent but not "
		   "acknowledged %" PRIu64 "\n", s->waiting,
		   s->queued - s->waiting);
}

/* A second, of what was counted within a period. */
static void show_rate(struct buf *out, uint64_t n, int64_t ms)
{
	if (ms > 0)
		buf_printf(out, "%13.1f", (double)n * 1000 / (double)ms);
	else
		buf_printf(out, "%13s", "-");
}

/* A count's name, with blanks for what C makes of them. */
static void show_name(struct buf *out, const char *name)
{
	int n;

	for (n = 0; *name; name++, n++)
		buf_putc(out, *name == '_' ? ' ' : *name);
	buf_printf(out, "%*s", 16 - n, "");
}

static void show_counts(struct buf *out, const struct picture *p)
{
	int i;

	buf_printf(out, "\n%-16s%14s%26s\n%-16s%14s%13s%13s\n", "", "",
		   "a second, over the last", "counted", "since made",
		   "second", "minute");
	for (i = 0; i < COUNTS; i++) {
		show_name(out, p->counts[i].name);
		buf_printf(out, "%14" PRIu64, p->counts[i].n);
		show_rate(out, p->second[i].n, p->status.second.ms);
		show_rate(out, p->minute[i].n, p->status.minute.ms);
		buf_putc(out, '\n');
	}
}

static void show_workers(struct buf *out, const struct picture *p)
{
	unsigned i;

	buf_printf(out, "\n%-16s%14s  %s\n", "process", "channels",
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
	show_limits(out, &p->status);
	show_now(out, &p->status);
	show_counts(out, p);
	show_workers(out, p);
	ctl_show_cluster(out, &p->status);
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

/* Each count a second, or null when nobody sampled. */
static void write_rate(struct json *j, const char *key,
		       const struct amount *a, int64_t ms)
{
	int i;

	if (ms <= 0) {
		json_null(j, key);
		return;
	}
	json_object(j, key);
	json_uint(j, "ms", (uint64_t)ms);
	for (i = 0; i < COUNTS; i++)
		json_thousandths(j, a[i].name, (uint64_t)
				 ((double)a[i].n * 1e6 / (double)ms + 0.5));
	json_end(j);
}

static void write_rates(struct json *j, const struct picture *p)
{
	json_object(j, "rates");
	write_rate(j, "second", p->second, p->status.second.ms);
	write_rate(j, "minute", p->minute, p->status.minute.ms);
	json_end(j);
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
	json_uint(j, "queued_most", s->queued_most);
	json_uint(j, "waiting", s->waiting);
	json_uint(j, "waiting_most", s->waiting_most);
	write_amounts(j, "counts", p->counts, COUNTS);
	write_rates(j, p);
	write_ring(j, "log", s->log_head, s->log_tail);
	write_ring(j, "history", s->history_head, s->history_tail);
	write_workers(j, p);
	ctl_write_cluster(j, s);
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
