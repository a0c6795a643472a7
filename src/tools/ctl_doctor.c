/* SPDX-License-Identifier: MIT */
/*
 * ctl_doctor.c - pushletctl doctor: a client that watches the front
 *
 * Its session has the format js, as old pages have, for what a front does to
 * text/html is what they suffer from.  Events are known by a text that only
 * they have, so they may come in any pieces.
 */
#include "tools/ctl_doctor.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/token.h"
#include "broker/name.h"
#include "tools/ctl.h"

/* Milliseconds: for an answer; for what should come at once; for the end of a
 * stream whose session is over. */
enum { ANSWER = 15000, AT_ONCE = 2500, END = 5000 };
enum { EVENTS = 3, SECONDS = 25, SECONDS_LEAST = 3, SECONDS_MOST = 3600 };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

/* Waits until text is in the body.  Returns whether it is. */
static bool await_text(struct http *h, const char *text, int64_t ms)
{
	int64_t deadline = clock_ms() + ms;

	while (!strstr(buf_str(&h->body), text)) {
		if (h->ended || stopped || clock_ms() >= deadline)
			return false;
		http_wait(h, deadline);
	}
	return true;
}

static void await_end(struct http *h, int64_t ms)
{
	int64_t deadline = clock_ms() + ms;

	while (!h->ended && clock_ms() < deadline)
		http_wait(h, deadline);
}

/* The value of a name in an event of the format js, cut to n bytes. */
static void value_of(const struct http *h, const char *name, char *out,
		     size_t n)
{
	const char *s = strstr(buf_str(&h->body), name);
	size_t len = 0;

	s = s ? strchr(s, '"') : NULL;
	for (s = s ? s + 1 : ""; *s && *s != '"' && len + 1 < n; s++) {
		char hex[5] = "";

		if (*s == '\\' && s[1] == 'u' && strlen(s) > 6) {
			memcpy(hex, s + 2, 4);
			s += 5;
			out[len++] = (char)strtoul(hex, NULL, 16);
			continue;
		}
		s += *s == '\\' && s[1];
		out[len++] = *s;
	}
	out[len] = '\0';
}

/* Did the server say no?  Notes why. */
static bool refused(struct doctor *d, const struct http *h, const char *step)
{
	char reason[200];

	if (!strstr(buf_str(&h->body), "\"nack\""))
		return false;
	value_of(h, "p_reason", reason, sizeof(reason));
	doctor_found(d, REFUSED, "%s: the server refuses: %s", step, reason);
	return true;
}

static void note_server(struct doctor *d, const struct http *h)
{
	if (!*d->server)
		http_header(h, "Server", d->server, sizeof(d->server));
}

/* Sends a command and waits for the answer; true if its ack came. */
static bool ask(struct doctor *d, struct http *h, const char *step,
		const char *query, const char *ack)
{
	int64_t since = clock_ms();
	bool done = http_open(h, &d->url, query, NULL, NULL) == 0;

	if (done) {
		done = await_text(h, ack, ANSWER);
		await_end(h, done ? END : 0);
	}
	note_server(d, h);
	if (done)
		doctor_step(d, step, clock_ms() - since, "answered");
	else if (!stopped && !refused(d, h, step))
		doctor_no_pushlet(d, h, step);
	return done;
}

static bool join(struct doctor *d)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
	struct http h = HTTP_INIT;

	ask(d, &h, "join", "p_event=join&p_format=js", "\"join-ack\"");
	if (strstr(buf_str(&h.body), "\"join-ack\""))
		value_of(&h, "p_id", d->id, sizeof(d->id));
	/* It goes into requests: only what needs no encoding there. */
	if (*d->id && d->id[strspn(d->id, digits)]) {
		doctor_found(d, PATH, "join: the id that came is none");
		*d->id = '\0';
	}
	http_close(&h);
	return *d->id;
}

/* Not ask(): it must be done whatever signal came.  Returns whether it was. */
static bool leave(struct doctor *d)
{
	bool done;
	struct http h = HTTP_INIT;
	char query[200];
	int64_t since = clock_ms();

	snprintf(query, sizeof(query), "p_event=leave&p_id=%s", d->id);
	if (http_open(&h, &d->url, query, NULL, NULL) == 0)
		await_end(&h, ANSWER);
	done = strstr(buf_str(&h.body), "\"leave-ack\"") != NULL;
	if (done)
		doctor_step(d, "leave", clock_ms() - since, "answered");
	else
		doctor_found(d, LEFT, "leave: the session could not be ended");
	http_close(&h);
	*d->id = '\0';
	return done;
}

/* The server compresses nothing itself. */
static void compression(struct doctor *d)
{
	struct http h = HTTP_INIT;
	char query[200], encoding[32] = "";

	snprintf(query, sizeof(query), "p_event=hb&p_id=%s", d->id);
	if (http_open(&h, &d->url, query, NULL, "gzip, deflate, br") == 0) {
		await_end(&h, ANSWER);
		http_header(&h, "Content-Encoding", encoding, sizeof(encoding));
	}
	if (*encoding)
		doctor_found(d, COMPRESSES, "answers come compressed (%s), "
			     "which may hold events back", encoding);
	http_close(&h);
}

/* -- events ------------------------------------------------------------- */

/* As it stands in an event. */
static void mark_of(const struct doctor *d, unsigned n, char *out, size_t size)
{
	snprintf(out, size, "\"%s-%u\"", d->subject + 1, n);
}

/* What was refused once is not tried again. */
static bool publish(struct doctor *d, unsigned n)
{
	struct http h = HTTP_INIT;
	char form[320], query[32] = "";
	bool done;

	if (d->mute)
		return false;
	/* A web server in front of several nodes sees no body. */
	if (name_node(d->id))
		snprintf(query, sizeof(query), "p_node=%.*s",
			 (int)name_node(d->id), d->id);
	snprintf(form, sizeof(form), "p_event=publish&p_id=%s&p_subject=%s"
		 "&mark=%s-%u", d->id, d->subject, d->subject + 1, n);
	done = http_open(&h, &d->url, query, form, NULL) == 0 &&
	       await_text(&h, "\"publish-ack\"", ANSWER);
	d->mute = !done;
	if (!done && !stopped && !refused(d, &h, "publish"))
		doctor_no_pushlet(d, &h, "publish");
	http_close(&h);
	return done;
}

/* A refresh that waits, and an event for it. */
static void wait_pull(struct doctor *d)
{
	struct http h = HTTP_INIT;
	char query[200], mark[80];
	int64_t since;

	snprintf(query, sizeof(query), "p_event=refresh&p_id=%s", d->id);
	mark_of(d, 0, mark, sizeof(mark));
	if (http_open(&h, &d->url, query, NULL, NULL) != 0)
		doctor_no_pushlet(d, &h, "pull");
	else if (publish(d, 0)) {
		since = clock_ms();
		if (await_text(&h, mark, ANSWER))
			doctor_step(d, "pull", clock_ms() - since,
				    "the event came with the answer");
		else if (!stopped && h.status == 200)
			doctor_found(d, DROPS, "pull: the answer came without "
				     "the event, or did not end");
		else if (!stopped)
			doctor_no_pushlet(d, &h, "pull");
	}
	http_close(&h);
}

static bool pull(struct doctor *d)
{
	struct http h = HTTP_INIT;
	char query[300];
	bool done;

	snprintf(query, sizeof(query), "p_event=listen&p_mode=pull&p_id=%s"
		 "&p_subject=%s", d->id, d->subject);
	done = ask(d, &h, "subscribe", query, "\"listen-ack\"");
	http_close(&h);
	if (done)
		wait_pull(d);
	return done;
}

/* -- the stream --------------------------------------------------------- */

struct stream {
	struct http h;
	int64_t since, last;		/* when it began, when something came */
	int64_t latest;			/* the slowest event, ms */
	unsigned sent, came;
	bool began;			/* with a heartbeat */
	bool held;			/* something did not come at once */
};

static bool ends_well(const struct http *h)
{
	return strstr(buf_str(&h->body), "setTimeout(refresh") ||
	       strstr(buf_str(&h->body), "\"abort\"");
}

static void send_event(struct doctor *d, struct stream *s)
{
	int64_t since = clock_ms(), took;
	char mark[80];

	if (stopped || s->h.ended || !publish(d, s->sent + 1))
		return;
	s->sent++;
	mark_of(d, s->sent, mark, sizeof(mark));
	if (!await_text(&s->h, mark, AT_ONCE)) {
		s->held |= !s->h.ended;
		return;
	}
	took = clock_ms() - since;
	s->latest = took > s->latest ? took : s->latest;
	s->came++;
	s->last = clock_ms();
}

/* Listens without doing anything, until the time is over. */
static void be_quiet(const struct doctor *d, struct stream *s)
{
	int64_t deadline = s->since + d->seconds * 1000;

	while (!s->h.ended && !stopped && clock_ms() < deadline)
		if (http_wait(&s->h, deadline) && !s->h.ended)
			s->last = clock_ms();
}

static void watch_stream(struct doctor *d, struct stream *s)
{
	unsigned i;

	s->since = s->last = clock_ms();
	if (!await_text(&s->h, "\"hb\"", AT_ONCE)) {
		s->held = !s->h.ended;
		send_event(d, s);
		return;
	}
	s->began = true;
	doctor_step(d, "stream", clock_ms() - s->since,
		    "it began, with a heartbeat");
	for (i = 0; i < EVENTS && !s->held; i++)
		send_event(d, s);
	if (s->held || s->h.ended)
		return;
	be_quiet(d, s);
	send_event(d, s);
}

static void found_cut(struct doctor *d, const struct stream *s)
{
	int64_t now = clock_ms();

	doctor_found(d, CUTS, "the stream was cut after %.1f s, %.1f s after "
		     "anything had come: without the refresh with which the "
		     "server ends one", (double)(now - s->since) / 1000,
		     (double)(now - s->last) / 1000);
}

/* The session is over, so the server has ended the stream: what comes only now
 * was held back by somebody in between. */
static void found_held(struct doctor *d, struct stream *s)
{
	unsigned i, late = 0;
	char mark[80];

	await_end(&s->h, END);
	for (i = 1; i <= s->sent; i++) {
		mark_of(d, i, mark, sizeof(mark));
		late += strstr(buf_str(&s->h.body), mark) != NULL;
	}
	late -= s->came;
	late += !s->began && strstr(buf_str(&s->h.body), "\"hb\"");
	if (s->h.status == 400)
		doctor_found(d, SILENT, "stream: it was not answered before "
			     "the session was over");
	else if (s->h.status != 200)
		doctor_no_pushlet(d, &s->h, "stream");
	else if (late > 0)
		doctor_found(d, BUFFERS, "the stream is buffered: what it "
			     "should have brought at once came when it ended");
	else if (s->sent > s->came)
		doctor_found(d, DROPS, "of %u events %u never came", s->sent,
			     s->sent - s->came);
}

static void judge_stream(struct doctor *d, struct stream *s)
{
	if (s->came > 0)
		doctor_step(d, "events", s->latest, "%u of %u came; the time is "
			    "that of the slowest", s->came, s->sent);
	if (s->held)
		return;
	if (s->h.ended && s->h.status != 200)
		doctor_no_pushlet(d, &s->h, "stream");
	else if (s->h.ended && !ends_well(&s->h))
		found_cut(d, s);
	else
		doctor_step(d, "listen", clock_ms() - s->since, s->h.ended ?
			    "the server ended it, as it may" : "it held");
}

static void stream(struct doctor *d)
{
	struct stream s = { .h = HTTP_INIT };
	char query[200], mode[32];

	snprintf(query, sizeof(query), "p_event=listen&p_mode=stream&p_id=%s",
		 d->id);
	if (http_open(&s.h, &d->url, query, NULL, NULL) != 0) {
		doctor_no_pushlet(d, &s.h, "stream");
	} else {
		watch_stream(d, &s);
		value_of(&s.h, "p_mode", mode, sizeof(mode));
		if (*mode && strcmp(mode, "stream") != 0)
			doctor_step(d, "stream", 0, "the server answers with "
				    "%s (listen.force.pull, listen.slots)",
				    mode);
		else if (!stopped && !refused(d, &s.h, "stream"))
			judge_stream(d, &s);
	}
	if (leave(d) && s.held && !stopped)
		found_held(d, &s);
	http_close(&s.h);
}

/* -- all of it ---------------------------------------------------------- */

static void examine(struct doctor *d)
{
	if (!join(d))
		return;
	if (!stopped)
		compression(d);
	if (!stopped && pull(d) && !stopped)
		stream(d);
	else
		leave(d);
}

static int read_seconds(struct doctor *d, const char *text)
{
	char *end;
	unsigned long n;

	d->seconds = SECONDS;
	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && n >= SECONDS_LEAST &&
	    n <= SECONDS_MOST) {
		d->seconds = (int64_t)n;
		return 0;
	}
	complain("--seconds '%s': it must be %d to %d", text, SECONDS_LEAST,
		 SECONDS_MOST);
	return -1;
}

static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

enum tool_exit ctl_doctor(const struct ctl_request *q)
{
	struct doctor d = { .address = q->words[0] };
	const char *wrong = http_url_read(&d.url, d.address);
	struct buf out = BUF_INIT;
	enum tool_exit status;
	char token[17];

	if (wrong)
		complain("'%s': %s", d.address, wrong);
	if (wrong || read_seconds(&d, q->seconds) != 0)
		return TOOL_BAD;
	token_hex(token, 8);
	snprintf(d.subject, sizeof(d.subject), "/doctor/%s", token);
	catch_signals();
	examine(&d);
	if (stopped) {
		complain("interrupted; the session was ended");
		return TOOL_BAD;
	}
	doctor_report(&d, q->json, &out);
	status = ctl_print(&out);
	return status == TOOL_OK && d.findings ? TOOL_BAD : status;
}
