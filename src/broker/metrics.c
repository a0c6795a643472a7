/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - gauges for what there is, counters for what was counted
 *
 * Limits are gauges of their own, so that an alarm can be a quotient.
 */
#include "broker/metrics.h"

#include <inttypes.h>

#include "broker/session.h"
#include "broker/status.h"

static void head(struct buf *out, const char *name, const char *type,
		 const char *help)
{
	buf_printf(out, "# HELP pushlet_%s %s\n# TYPE pushlet_%s %s\n", name,
		   help, name, type);
}

static void gauge(struct buf *out, const char *name, uint64_t n,
		  const char *help)
{
	head(out, name, "gauge", help);
	buf_printf(out, "pushlet_%s %" PRIu64 "\n", name, n);
}

static void counter(struct buf *out, const char *name, uint64_t n,
		    const char *help)
{
	struct buf full = BUF_INIT;

	buf_printf(&full, "%s_total", name);
	head(out, buf_str(&full), "counter", help);
	buf_printf(out, "pushlet_%s %" PRIu64 "\n", buf_str(&full), n);
	out->failed |= full.failed;
	buf_release(&full);
}

static void by_mode(struct buf *out, const char *name, const uint32_t n[3],
		    const char *help)
{
	unsigned i;

	head(out, name, "gauge", help);
	for (i = MODE_STREAM; i <= MODE_POLL; i++)
		buf_printf(out, "pushlet_%s{mode=\"%s\"} %u\n", name,
			   session_mode_name(i), n[i]);
}

static void sessions(struct buf *out, const struct status *s)
{
	gauge(out, "sessions", s->sessions, "Sessions there are.");
	gauge(out, "sessions_limit", s->geometry.sessions,
	      "Most sessions there can be (sessionmanager.maxsessions).");
	by_mode(out, "sessions_by_mode", s->by_mode,
		"Sessions that listened, by the mode of their last listen.");
	gauge(out, "sessions_listening", s->listening,
	      "Sessions that a channel serves now.");
	by_mode(out, "channels", s->open,
		"Open channels, by the mode they have.");
	gauge(out, "listen_slots", s->listen_slots,
	      "Most streams and pulls that wait (listen.slots; 0: no limit).");
	gauge(out, "subscriptions", s->subscriptions,
	      "Subscriptions, each subject of a list counted.");
	gauge(out, "subscriptions_limit", s->geometry.subscriptions,
	      "Most subscriptions there can be (subscriptions.max).");
}

static void room(struct buf *out, const struct status *s)
{
	gauge(out, "workers", s->workers, "Processes that serve.");
	gauge(out, "workers_limit", s->geometry.workers,
	      "Most processes there can be (workers.max).");
	gauge(out, "events_waiting", s->waiting,
	      "Events in all queues that no response carried yet.");
	gauge(out, "events_unacknowledged", s->queued - s->waiting,
	      "Events that responses carried, until their clients say so.");
	gauge(out, "queue_fullest", s->waiting_most,
	      "Events that wait in the fullest queue.");
	gauge(out, "queue_limit", s->geometry.queue,
	      "Events a queue can hold (queue.size).");
	gauge(out, "log_bytes", s->log_head - s->log_tail,
	      "Bytes of the log in use.");
	gauge(out, "log_limit_bytes", s->geometry.log_bytes,
	      "Bytes of the log (log.max.bytes).");
	gauge(out, "history_bytes", s->history_head - s->history_tail,
	      "Bytes of the history in use.");
	gauge(out, "history_limit_bytes", s->geometry.history_bytes,
	      "Bytes of the history (history.max.bytes).");
	gauge(out, "segment_bytes", s->bytes, "Bytes of the segment.");
	gauge(out, "created_timestamp_seconds", (uint64_t)s->created,
	      "When the segment was made.");
}

static void by_node(struct buf *out, const struct status *s, const char *name,
		    const char *type, size_t offset, const char *help)
{
	unsigned i;

	head(out, name, type, help);
	for (i = 0; i < s->nodes_n; i++) {
		const struct status_node *n = &s->nodes[i];
		uint64_t value = *(const uint64_t *)((const char *)n + offset);

		buf_printf(out, "pushlet_%s{node=\"%s\"} %" PRIu64 "\n", name,
			   n->name, value);
	}
}

/* Of a machine among several. */
static void cluster(struct buf *out, const struct status *s)
{
	const struct bridge *b = &s->bridge;

	if (!s->node[0])
		return;
	gauge(out, "bridge_connected", b->pid && b->connected,
	      "Whether the bridge has its links to Redis.");
	gauge(out, "bridge_behind",
	      s->numbered > b->sent ? s->numbered - b->sent : 0,
	      "Events that are still to be sent to other nodes.");
	counter(out, "bridge_unsent", b->unsent,
		"Events that the log let go before they were sent.");
	gauge(out, "sessions_elsewhere", s->sessions_elsewhere,
	      "Sessions at the other nodes.");
	by_node(out, s, "node_missed_total", "counter",
		offsetof(struct status_node, missed),
		"Events of a node that never came.");
	by_node(out, s, "node_bad_total", "counter",
		offsetof(struct status_node, bad),
		"Events of a node that were left out, being none.");
	by_node(out, s, "node_seen_timestamp_seconds", "gauge",
		offsetof(struct status_node, seen),
		"When a node was last seen alive.");
}

void metrics_render(struct broker *b, struct buf *out)
{
	struct status s;

	status_read(b, &s);
	head(out, "build_info", "gauge", "The version, in a label.");
	buf_puts(out, "pushlet_build_info{version=\"" PUSHLET_VERSION
		 "\"} 1\n");
	sessions(out, &s);
	room(out, &s);
#define COUNTER(field, help) counter(out, #field, s.counts.field, help);
	STATUS_COUNTS(COUNTER)
#undef COUNTER
	cluster(out, &s);
}

int metrics_health(struct broker *b, const char **why_out)
{
	struct status s;

	*why_out = NULL;
	if (broker_retired(b)) {
		*why_out = "the segment was destroyed";
		return -1;
	}
	status_read(b, &s);
	if (s.sessions >= s.geometry.sessions)
		*why_out = "there is no room for another session "
			   "(sessionmanager.maxsessions)";
	else if (s.subscriptions >= s.geometry.subscriptions)
		*why_out = "there is no room for another subscription "
			   "(subscriptions.max)";
	return *why_out ? -1 : 0;
}
