/* SPDX-License-Identifier: MIT */
/*
 * ctl_cluster.c - what pushletctl status says of a machine among several
 */
#include <inttypes.h>

#include "tools/ctl.h"

static uint64_t behind(const struct status *s)
{
	return s->numbered > s->bridge.sent ? s->numbered - s->bridge.sent : 0;
}

static void show_bridge(struct buf *out, const struct status *s)
{
	const struct bridge *b = &s->bridge;

	buf_printf(out, "\nnode %s, bridge ", s->node);
	if (!b->pid) {
		buf_puts(out, "none: pushlet-bridge does not run here");
	} else if (!ctl_alive(b->pid)) {
		buf_printf(out, "%u (dead)", b->pid);
	} else {
		buf_printf(out, "%u %s since ", b->pid,
			   b->connected ? "connected" : "without Redis");
		ctl_add_time(out, b->changed);
	}
	buf_printf(out, "\n%" PRIu64 " events to cross, %" PRIu64 " of them "
		   "not yet sent, %" PRIu64 " never\n%" PRIu64 " sessions at "
		   "other nodes\n", s->numbered, behind(s), b->unsent,
		   s->sessions_elsewhere);
}

static void show_node(struct buf *out, const struct status_node *n)
{
	buf_printf(out, "%-16s%14" PRIu64 "%13" PRIu64 "%13" PRIu64 "  ",
		   n->name, n->number, n->missed, n->bad);
	if (n->seen)
		ctl_add_time(out, n->seen);
	else
		buf_puts(out, "never");
	buf_putc(out, '\n');
}

void ctl_show_cluster(struct buf *out, const struct status *s)
{
	unsigned i;

	if (!s->node[0])
		return;
	show_bridge(out, s);
	buf_printf(out, "\n%-16s%14s%13s%13s  %s\n", "other node",
		   "last event", "missed", "bad", "last seen");
	for (i = 0; i < s->nodes_n; i++)
		show_node(out, &s->nodes[i]);
	if (s->nodes_n == 0)
		buf_puts(out, "none\n");
}

static void write_bridge(struct json *j, const struct status *s)
{
	const struct bridge *b = &s->bridge;

	json_object(j, "bridge");
	json_uint(j, "pid", b->pid);
	json_bool(j, "alive", b->pid && ctl_alive(b->pid));
	json_uint(j, "since", (uint64_t)b->since);
	json_bool(j, "connected", b->pid && b->connected);
	json_uint(j, "changed", (uint64_t)b->changed);
	json_uint(j, "numbered", s->numbered);
	json_uint(j, "sent", b->sent);
	json_uint(j, "behind", behind(s));
	json_uint(j, "unsent", b->unsent);
	json_end(j);
}

void ctl_write_cluster(struct json *j, const struct status *s)
{
	unsigned i;

	if (!s->node[0])
		return;
	json_string(j, "node", s->node);
	json_uint(j, "sessions_elsewhere", s->sessions_elsewhere);
	write_bridge(j, s);
	json_array(j, "nodes");
	for (i = 0; i < s->nodes_n; i++) {
		json_object(j, NULL);
		json_string(j, "name", s->nodes[i].name);
		json_uint(j, "number", s->nodes[i].number);
		json_uint(j, "missed", s->nodes[i].missed);
		json_uint(j, "bad", s->nodes[i].bad);
		json_uint(j, "seen", (uint64_t)s->nodes[i].seen);
		json_end(j);
	}
	json_end(j);
}
