/* SPDX-License-Identifier: MIT */
/*
 * inspection.c - metrics and health over HTTP
 */
#include "command/inspection.h"

#include <string.h>

#include "broker/metrics.h"
#include "command/answer.h"

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool asks_for(const struct request *q, const char *name)
{
	return ends_with(request_param(q, "PATH_INFO"), name) ||
	       ends_with(request_param(q, "SCRIPT_NAME"), name);
}

static void tell_metrics(struct broker *b, struct response *r)
{
	answer_head(&r->bytes, 200, METRICS_TYPE, "");
	metrics_render(b, &r->bytes);
}

static void tell_health(struct broker *b, struct response *r)
{
	const char *why;

	if (metrics_health(b, &why) < 0) {
		answer_error(&r->bytes, "", 503, why);
		return;
	}
	answer_head(&r->bytes, 200, "text/plain;charset=UTF-8", "");
	buf_puts(&r->bytes, "ok\n");
}

bool inspection_serve(struct broker *b, const struct request *q,
		      struct response *r)
{
	if (asks_for(q, "/metrics"))
		tell_metrics(b, r);
	else if (asks_for(q, "/health"))
		tell_health(b, r);
	else
		return false;
	return true;
}
