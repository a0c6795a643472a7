/* SPDX-License-Identifier: MIT */
/*
 * adapter_sse.c - the format sse: server-sent events, for EventSource
 *
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 *
 * An event is one "data:" line with a JSON object (which has no raw line
 * breaks) and, when it has a number, an "id:" line: a browser that comes back
 * names the last one it saw (Last-Event-ID), and goes on behind it.  So its
 * sessions are always reliable.
 */
#include "channel/adapter_list.h"

#include <inttypes.h>

#include "channel/json.h"

static void open_event(struct buf *out)
{
	buf_puts(out, "data: ");
	json_open(out);
}

static void close_event(struct buf *out, uint64_t eid)
{
	buf_puts(out, "}\n");
	if (eid)
		buf_printf(out, "id: %" PRIu64 "\n", eid);
	buf_putc(out, '\n');
}

/* A browser comes back by itself: it only has to know when. */
static void refresh(struct buf *out, const struct event *e, unsigned wait)
{
	const char *p = buf_str(&e->packed), *end = p + e->packed.len;
	unsigned index = 0;
	struct attr a;

	buf_printf(out, "retry: %u\n", wait);
	open_event(out);
	while (attr_next(&p, end, &a))
		json_attr(out, &a, index++);
	close_event(out, 0);
}

const struct adapter adapter_sse = {
	.name = "sse",
	.content_type = "text/event-stream;charset=UTF-8",
	.reliable = true,
	.returns = true,
	.padding = ":\n",
	.open = open_event,
	.attr = json_attr,
	.close = close_event,
	.refresh = refresh
};
