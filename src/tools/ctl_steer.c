/* SPDX-License-Identifier: MIT */
/*
 * ctl_steer.c - pushletctl kick, drain, and metrics
 */
#include "tools/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "broker/metrics.h"
#include "broker/steer.h"

enum { DRAIN_SECONDS = 10, DRAIN_MOST = 86400 };

static const char *const usual_reason = "the session was ended by an operator";

static enum tool_exit check_reason(const char *reason)
{
	size_t n = strlen(reason);

	if (n > 0 && n < REASON_SIZE && utf8_valid(reason, n))
		return TOOL_OK;
	complain("the reason has %zu bytes; it must have 1 to %d, in UTF-8", n,
		 REASON_SIZE - 1);
	return TOOL_BAD;
}

enum tool_exit ctl_kick(struct broker *b, const struct ctl_request *q)
{
	const char *reason = q->words[1] ? q->words[1] : usual_reason;
	struct buf out = BUF_INIT;
	struct json j = { .out = &out };

	if (check_reason(reason) != TOOL_OK)
		return TOOL_BAD;
	if (steer_kick(b, q->words[0], reason) != DONE)
		return ctl_no_session(q->words[0]);
	if (!q->json) {
		buf_printf(&out, "%s: ended\n", q->words[0]);
		return ctl_print(&out);
	}
	json_object(&j, NULL);
	json_string(&j, "handle", q->words[0]);
	json_string(&j, "reason", reason);
	json_end(&j);
	return ctl_print(&out);
}

/* Whole seconds of a text, or -1. */
static int seconds_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > DRAIN_MOST)
		return -1;
	return (int)n;
}

enum tool_exit ctl_drain(struct broker *b, const struct ctl_request *q)
{
	int seconds = q->words[0] ? seconds_of(q->words[0]) : DRAIN_SECONDS;
	struct buf out = BUF_INIT;
	struct json j = { .out = &out };
	unsigned n;

	if (seconds < 0) {
		complain("'%s' is no time to drain: it must be 0 to %d "
			 "(seconds)", q->words[0], DRAIN_MOST);
		return TOOL_BAD;
	}
	n = steer_drain(b, (unsigned)seconds);
	if (!q->json) {
		buf_printf(&out, "%u channel%s will have ended in %d s\n", n,
			   n == 1 ? "" : "s", seconds);
		return ctl_print(&out);
	}
	json_object(&j, NULL);
	json_uint(&j, "channels", n);
	json_uint(&j, "seconds", (uint64_t)seconds);
	json_end(&j);
	return ctl_print(&out);
}

enum tool_exit ctl_metrics(struct broker *b, const struct ctl_request *q)
{
	struct buf out = BUF_INIT;

	(void)q;
	metrics_render(b, &out);
	return ctl_print(&out);
}
