/* SPDX-License-Identifier: MIT */
/*
 * ctl_advice.c - what the doctor found, and which setting to change
 */
#include "tools/ctl_doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/tool.h"
#include "tools/tool_json.h"

enum { FRONTS = 3 };

static const char *const fronts[FRONTS] = { "nginx", "Apache", "lighttpd" };

struct advice {
	const char *name;
	const char *front[FRONTS];	/* NULL: nothing to change there */
	const char *always;		/* whatever the front is; or NULL */
};

static const struct advice advices[] = {
	[UNREACHABLE] = { "unreachable", { NULL, NULL, NULL },
		"is the web server running, and is it this host and port?" },
	[SILENT] = { "silent", {
		"is pushletd busy or stopped? pushletctl status",
		"mod_fcgid: more FcgidMaxProcesses and "
		"FcgidMaxProcessesPerClass, or listen.slots a quarter below",
		"is pushletd busy or stopped? pushletctl status" }, NULL },
	[PATH] = { "path", {
		"a location for this path with fastcgi_pass",
		"a LocationMatch for this path, as in the example",
		"$HTTP[\"url\"] must match this path" },
		"the examples serve /pushlet/pushlet.srv" },
	[REFUSED] = { "refused", {
		"allow, deny and auth_basic where the path is",
		"Require where the path is",
		"url.access-deny and auth.require where the path is" },
		"pushlet.properties: rule, origin.allow, limits, as the "
		"reason says" },
	[RESPONDER] = { "responder", {
		"is pushletd running, does fastcgi_pass or upstream name its "
		"socket, and may the user of nginx write to it?",
		"mod_fcgid: more FcgidMaxProcesses, and does FcgidWrapper name "
		"pushletd? mod_proxy_fcgi: is pushletd running, and does "
		"SetHandler name its socket? the error log says which",
		"is pushletd running, and is \"socket\" of fastcgi.server its "
		"own?" }, NULL },
	[ELSEWHERE] = { "elsewhere", { NULL, NULL, NULL },
		"give doctor, and the pages, the address it leads to" },
	[BUFFERS] = { "buffers", {
		"fastcgi_buffering off, and no fastcgi_ignore_headers "
		"X-Accel-Buffering",
		"mod_fcgid: FcgidOutputBufferSize 0; mod_proxy_fcgi: "
		"flushpackets=on",
		"server.stream-response-body = 2" },
		"if it is a proxy that cannot be changed: "
		"listen.force.pull.all=true in pushlet.properties" },
	[CUTS] = { "cuts", {
		"fastcgi_read_timeout above queue.read.timeout.millis",
		"mod_fcgid: FcgidIOTimeout above queue.read.timeout.millis and "
		"FcgidBusyTimeout above stream.max.seconds; mod_proxy_fcgi: "
		"timeout= above queue.read.timeout.millis",
		"server.max-write-idle above queue.read.timeout.millis" },
		"or a lower queue.read.timeout.millis in pushlet.properties" },
	[COMPRESSES] = { "compresses", {
		"gzip off where the path is",
		"SetEnv no-gzip 1 where the path is",
		"deflate.mimetypes = () where the path is" }, NULL },
	[DROPS] = { "drops", { NULL, NULL, NULL },
		"pushletctl status: are events lost? then more queue.size or "
		"log.max.bytes in pushlet.properties" },
	[LEFT] = { "left", { NULL, NULL, NULL },
		"it ends by itself after session.timeout.mins" },
};

void doctor_step(struct doctor *d, const char *name, int64_t ms,
		 const char *fmt, ...)
{
	struct step *s = &d->step[d->steps];
	va_list args;

	if (d->steps == STEPS_MOST)
		return;
	d->steps++;
	s->name = name;
	s->ms = ms;
	va_start(args, fmt);
	vsnprintf(s->text, sizeof(s->text), fmt, args);
	va_end(args);
}

void doctor_found(struct doctor *d, enum ailment what, const char *fmt, ...)
{
	struct finding *f = &d->finding[d->findings];
	va_list args;

	if (d->findings == FINDINGS_MOST)
		return;
	d->findings++;
	f->what = what;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

static void found_status(struct doctor *d, const struct http *h,
			 const char *step)
{
	char where[160];

	http_header(h, "Location", where, sizeof(where));
	if (h->status >= 300 && h->status < 400)
		doctor_found(d, ELSEWHERE, "%s: status %d, which leads to %s",
			     step, h->status, *where ? where : "nowhere");
	else if (h->status == 401 || h->status == 403 || h->status == 429)
		doctor_found(d, REFUSED, "%s: refused with status %d: %.120s",
			     step, h->status, buf_str(&h->body));
	else if (h->status >= 500)
		doctor_found(d, RESPONDER, "%s: status %d: the front has no "
			     "pushletd to answer, or no process left for it",
			     step, h->status);
	else
		doctor_found(d, PATH, "%s: status %d: no Pushlet server at "
			     "this path; what answered is %s", step, h->status,
			     *d->server ? d->server : "unknown");
}

void doctor_no_pushlet(struct doctor *d, const struct http *h,
		       const char *step)
{
	if (!h->status && h->fd < 0)
		doctor_found(d, UNREACHABLE, "%s: nothing listens at %s: %s",
			     step, d->url.authority, h->error);
	else if (!h->status)
		doctor_found(d, SILENT, "%s: no answer: %s", step,
			     *h->error ? h->error : "the time is over");
	else if (h->status < 0)
		doctor_found(d, PATH, "%s: what answers there speaks no HTTP",
			     step);
	else
		found_status(d, h, step);
}

/* -- the report --------------------------------------------------------- */

/* Is this front the one that answered, or may it be? */
static bool may_be(const struct doctor *d, int front)
{
	int i;

	for (i = 0; i < FRONTS; i++)
		if (strcasestr(d->server, fronts[i]))
			return i == front;
	return true;
}

/* One piece of advice; false: there are no more.  *i: which, from 0. */
static bool advice_text(const struct doctor *d, enum ailment what, int *i,
			struct buf *out)
{
	const struct advice *a = &advices[what];
	int at;

	buf_clear(out);
	while (*i <= FRONTS) {
		at = (*i)++;
		if (at == FRONTS && a->always)
			buf_puts(out, a->always);
		else if (at < FRONTS && a->front[at] && may_be(d, at))
			buf_printf(out, "%s: %s", fronts[at], a->front[at]);
		else
			continue;
		return true;
	}
	return false;
}

static void render_text(const struct doctor *d, struct buf *out)
{
	struct buf advice = BUF_INIT;
	unsigned i;
	int at;

	buf_printf(out, "%s, by ", d->address);
	tool_add_safe(out, *d->server ? d->server : "an unknown server");
	buf_putc(out, '\n');
	for (i = 0; i < d->steps; i++) {
		const struct step *s = &d->step[i];

		buf_printf(out, "  %-9s %6lld ms  ", s->name, (long long)s->ms);
		tool_add_safe(out, s->text);
		buf_putc(out, '\n');
	}
	for (i = 0; i < d->findings; i++) {
		const struct finding *f = &d->finding[i];

		buf_printf(out, "%s: ", advices[f->what].name);
		tool_add_safe(out, f->text);
		buf_putc(out, '\n');
		for (at = 0; advice_text(d, f->what, &at, &advice);)
			buf_printf(out, "    %s\n", buf_str(&advice));
	}
	if (d->findings == 0)
		buf_puts(out, "all is well\n");
	buf_release(&advice);
}

static void render_finding(const struct doctor *d, const struct finding *f,
			   struct json *j)
{
	struct buf advice = BUF_INIT;
	int at;

	json_object(j, NULL);
	json_string(j, "what", advices[f->what].name);
	json_string(j, "text", f->text);
	json_array(j, "advice");
	for (at = 0; advice_text(d, f->what, &at, &advice);)
		json_string(j, NULL, buf_str(&advice));
	json_end(j);
	json_end(j);
	buf_release(&advice);
}

static void render_json(const struct doctor *d, struct buf *out)
{
	struct json j = { .out = out };
	unsigned i;

	json_object(&j, NULL);
	json_string(&j, "url", d->address);
	json_string(&j, "server", d->server);
	json_bool(&j, "well", d->findings == 0);
	json_array(&j, "steps");
	for (i = 0; i < d->steps; i++) {
		json_object(&j, NULL);
		json_string(&j, "step", d->step[i].name);
		json_uint(&j, "ms", (uint64_t)d->step[i].ms);
		json_string(&j, "text", d->step[i].text);
		json_end(&j);
	}
	json_end(&j);
	json_array(&j, "findings");
	for (i = 0; i < d->findings; i++)
		render_finding(d, &d->finding[i], &j);
	json_end(&j);
	json_end(&j);
}

void doctor_report(const struct doctor *d, bool json, struct buf *out)
{
	if (json)
		render_json(d, out);
	else
		render_text(d, out);
}
