/* SPDX-License-Identifier: MIT */
/*
 * adapter_json.c - the format json, and json that calls a function
 *
 * A response is an array of events, complete when it ends.  With p_callback it
 * is a script that calls a function with that array, for pages that fetch it
 * across domains by a <script> element.  The comment in front keeps what the
 * page chose from being the first bytes of the file (it might be taken for
 * something else than a script).
 */
#include "channel/adapter_list.h"

#include "channel/json.h"

static void start_array(struct buf *out, const char *callback)
{
	(void)callback;
	buf_putc(out, '[');
}

static void start_call(struct buf *out, const char *callback)
{
	buf_printf(out, "/**/%s([", callback ? callback : "");
}

static void close_event(struct buf *out, uint64_t eid)
{
	(void)eid;
	buf_putc(out, '}');
}

static void finish_array(struct buf *out)
{
	buf_puts(out, "]\n");
}

static void finish_call(struct buf *out)
{
	buf_puts(out, "]);\n");
}

const struct adapter adapter_json = {
	.name = "json",
	.content_type = "application/json",
	.between = ",\n",
	.start = start_array,
	.padding = " ",
	.open = json_open,
	.attr = json_attr,
	.close = close_event,
	.finish = finish_array
};

const struct adapter adapter_jsonp = {
	.name = "json",
	.content_type = "text/javascript;charset=UTF-8",
	.like = &adapter_json,
	.between = ",\n",
	.start = start_call,
	.padding = " ",
	.open = json_open,
	.attr = json_attr,
	.close = close_event,
	.finish = finish_call
};
