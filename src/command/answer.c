/* SPDX-License-Identifier: MIT */
/*
 * answer.c - heads and bodies
 */
#include "command/answer.h"

#include <string.h>

#include "base/clock.h"

static const char common_head[] =
	"Cache-Control: no-store, no-cache, must-revalidate\r\n"
	"Pragma: no-cache\r\n"
	"Expires: Sat, 6 May 1995 12:00:00 GMT\r\n"
	"X-Accel-Buffering: no\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"\r\n";

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 429:
		return "Too Many Requests";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

void answer_head(struct buf *out, int status, const char *content_type,
		 const char *more)
{
	buf_printf(out, "Status: %d %s\r\nContent-Type: %s\r\n%s", status,
		   reason(status), content_type, more);
	if (status == 405)
		buf_puts(out, "Allow: GET, POST\r\n");
	if (status == 503)
		buf_puts(out, "Retry-After: 5\r\n");
	buf_puts(out, common_head);
}

void answer_start(struct answer *a, struct buf *out,
		  const struct adapter *adapter, const char *callback)
{
	a->out = out;
	a->adapter = adapter;
	a->first = true;
	if (adapter->start)
		adapter->start(out, callback);
}

void answer_event(struct answer *a, struct event *e)
{
	event_add_int(e, "p_time", clock_unix());
	if (buf_failed(&e->packed))
		a->out->failed = true;
	adapter_event(a->adapter, a->out, e, a->first);
	a->first = false;
	event_clear(e);
}

void answer_pad(struct answer *a, uint64_t n)
{
	size_t len = strlen(a->adapter->padding);
	uint64_t i;

	for (i = 0; i < n; i += len)
		buf_add(a->out, a->adapter->padding, len);
}

void answer_finish(struct answer *a)
{
	if (a->adapter->finish)
		a->adapter->finish(a->out);
}

void answer_empty(struct buf *out, const char *more, const char *others)
{
	buf_printf(out, "Status: 204 No Content\r\n%s%s%s", more, others,
		   common_head);
}

void answer_error(struct buf *out, const char *more, int status,
		  const char *text)
{
	answer_head(out, status, "text/plain;charset=UTF-8", more);
	buf_printf(out, "%s\n", text);
}
