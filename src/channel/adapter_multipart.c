/* SPDX-License-Identifier: MIT */
/*
 * adapter_multipart.c - the format multipart: a part an event
 *
 * RFC 2046, 5.1.  The boundary behind a part is sent along with it, so that a
 * client need not wait for the next event to know that this one is whole; what
 * follows it (a new part, or the end) comes with that.
 */
#include "channel/adapter_list.h"

#include "channel/json.h"

#define BOUNDARY "pushlet-event"

static void start(struct buf *out, const char *callback)
{
	(void)callback;
	buf_puts(out, "--" BOUNDARY);
}

static void open_event(struct buf *out)
{
	buf_puts(out, "\r\nContent-Type: application/json\r\n\r\n");
	json_open(out);
}

static void close_event(struct buf *out, uint64_t eid)
{
	(void)eid;
	buf_puts(out, "}\r\n--" BOUNDARY);
}

static void finish(struct buf *out)
{
	buf_puts(out, "--\r\n");
}

const struct adapter adapter_multipart = {
	.name = "multipart",
	.content_type = "multipart/x-mixed-replace;boundary=" BOUNDARY,
	.padding = " ",
	.start = start,
	.open = open_event,
	.attr = json_attr,
	.close = close_event,
	.finish = finish
};
