/* SPDX-License-Identifier: MIT */
/*
 * fuzz_request.c - requests as libfcgi hands them over, one after the other
 *
 * An input is a dialogue: each line a request, its parts parted by tabs:
 * method, query, content type, body, Last-Event-ID, and parameters NAME=VALUE
 * as HTTP_ORIGIN=null.  A line may end with any part.  In all of them an at sign
 * stands for the id of the session that answered last, a number sign for its
 * handle.  Every answer must be one: a head, and a body in UTF-8; and the
 * segment must be whole afterwards.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"
#include "broker/listener.h"
#include "broker/view.h"
#include "broker/worker.h"
#include "channel/channel.h"
#include "command/controller.h"

enum { PARAMS = 4, PARTS = 5 + PARAMS, REQUESTS = 24 };

static struct broker *b;
static struct controller controller;
static char id[SESSION_ID_LEN + 1], handle[SESSION_HANDLE_SIZE];

/* A part of a line, the signs replaced. */
static void add_part(struct buf *out, const char *s, size_t n)
{
	for (; n > 0; n--, s++) {
		if (*s == '@')
			buf_puts(out, id);
		else if (*s == '#')
			buf_puts(out, handle);
		else if (*s)
			buf_putc(out, *s);
	}
}

/* Behind the text, or NULL when it is not there. */
static const char *behind(const char *hay, const char *needle)
{
	const char *found = strstr(hay, needle);

	return found ? found + strlen(needle) : NULL;
}

/* Whose answer it was, if it tells. */
static void note_session(const char *answer)
{
	struct session_view view;
	const char *at;

	at = behind(answer, "p_id=\"");
	if (!at)
		at = behind(answer, "\"p_id\":\"");
	if (!at || strlen(at) < SESSION_ID_LEN)
		return;
	memcpy(id, at, SESSION_ID_LEN);
	id[SESSION_ID_LEN] = '\0';
	if (session_find(b, id, &view) == DONE)
		memcpy(handle, view.handle, sizeof(handle));
}

/* Lines NAME: TEXT, up to an empty one; nothing in them ends one early. */
static void check_head(const char *line, const char *end)
{
	size_t n;

	for (; line < end; line += n + 2) {
		n = strcspn(line, "\r\n");
		must(memcmp(line + n, "\r\n", 2) == 0);
		must(memmem(line, n, ": ", 2));
	}
}

static void check_answer(const struct response *r)
{
	const char *bytes = buf_str(&r->bytes), *end, *body;

	end = strstr(bytes, "\r\n\r\n");
	must(end);
	body = end + 4;
	must(strncmp(bytes, "Status: ", 8) == 0 ||
	     strncmp(bytes, "Content-Type: ", 14) == 0);
	check_head(bytes, end);
	must(behind(bytes, "Content-Type: ") ||
	     (behind(bytes, "Status: 204 ") && !*body));
	must(strlen(bytes) == r->bytes.len);
	must(utf8_valid(body, strlen(body)));
	note_session(body);
}

/* What the reactor would do when the client is gone already. */
static void hang_up(struct channel *c)
{
	if (!c)
		return;
	listener_detach(b, c->ref, c->number);
	channel_free(c);
}

static void serve(const struct buf part[PARTS])
{
	static const char path[] = "/pushlet/pushlet.srv";
	char *params[PARAMS + 1] = { NULL };
	struct response r = { .bytes = BUF_INIT };
	struct request q = {
		.method = buf_str(&part[0]),
		.query = buf_str(&part[1]),
		.path = path,
		.path_len = sizeof(path) - 1,
		.content_type = buf_str(&part[2]),
		.user_agent = "fuzz",
		.address = "127.0.0.1",
		.user = "ann",
		.last_event_id = buf_str(&part[4]),
		.params = params,
		.body = buf_str(&part[3]),
		.body_len = part[3].len,
		.body_state = BODY_WHOLE,
	};
	int i;

	for (i = 0; i < PARAMS && part[5 + i].len > 0; i++)
		params[i] = part[5 + i].data;
	controller_serve(&controller, &q, &r);
	check_answer(&r);
	hang_up(r.parked);
	buf_release(&r.bytes);
}

/* Serves the line at pos; returns what is behind it. */
static const char *serve_line(const char *pos, const char *end)
{
	struct buf part[PARTS] = { BUF_INIT };
	const char *stop = memchr(pos, '\n', (size_t)(end - pos)), *tab;
	int i;

	if (!stop)
		stop = end;
	for (i = 0; i < PARTS && pos < stop; i++) {
		tab = memchr(pos, '\t', (size_t)(stop - pos));
		if (!tab)
			tab = stop;
		add_part(&part[i], pos, (size_t)(tab - pos));
		pos = tab < stop ? tab + 1 : stop;
	}
	serve(part);
	for (i = 0; i < PARTS; i++)
		buf_release(&part[i]);
	return stop < end ? stop + 1 : end;
}

static void check_segment(void)
{
	struct buf report = BUF_INIT;

	if (broker_check(b, &report) != 0) {
		fprintf(stderr, "broken after a dialogue:\n%s",
			buf_str(&report));
		abort();
	}
	buf_release(&report);
	must(controller.permit->held == 1);
}

/* The next input finds no session of this one. */
static void end_sessions(void)
{
	struct session *s;
	uint32_t i;

	broker_lock(b);
	for (i = 0; i < b->geometry.sessions; i++) {
		s = session_at(b, i);
		if (s && s->slot.state == SLOT_LIVE)
			session_end(b, s, "leave");
	}
	broker_unlock(b);
	memcpy(id, "0", 2);
	memcpy(handle, "0", 2);
}

/* So that each way of refusing is taken by some requests. */
static void set_rules(struct properties *p)
{
	static const char words[] = "darn*\n*heck\n";
	static const char banned[] = "192.0.2.66\n2001:db8:bad::/48\n";
	static const char *const rules[] = {
		"rule=allow publish below /a/b by POST",
		"rule=deny publish,unicast below /a user ann",
		"rule=deny subscribe below /b/c from 10.0.0.0/8",
		"address.header=X-Real-IP",
		"origin.allow=https://a.example, https://b.example:8443",
		"filter.words=mask",
		"metrics.http=on",
		"history.max=8",
		"history.max.bytes=2048",
	};
	struct buf report = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (properties_set(p, rules[i], &report) != 0)
			log_bug(__FILE__, __LINE__, buf_str(&report));
	fuzz_fill(fuzz_file(p->words_file, sizeof(p->words_file)), words,
		  strlen(words));
	fuzz_fill(fuzz_file(p->ban_file, sizeof(p->ban_file)), banned,
		  strlen(banned));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct buf report = BUF_INIT;
	struct properties p;
	uint32_t worker;

	(void)argc;
	(void)argv;
	log_init("fuzz", LOG_LEVEL_FATAL);
	properties_defaults(&p);
	fuzz_shm_name(p.shm_name, getpid());
	p.sessions_max = 4;
	p.subscriptions_max = 8;
	p.session_subscriptions = 3;
	p.queue_size = 4;
	p.log_bytes = 4096;
	p.subject_bytes = 32;
	p.event_bytes = 512;
	set_rules(&p);
	must(broker_open(&b, &p, true, &report) == SEGMENT_OK);
	shm_unlink(p.shm_name);
	buf_release(&report);
	must(worker_enter(b, &worker) == DONE);
	controller_init(&controller, b, worker, &p, permit_new(&p, &report));
	end_sessions();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *pos = (const char *)data, *end = pos + n;
	int left = REQUESTS;

	while (pos < end && left--)
		pos = serve_line(pos, end);
	check_segment();
	end_sessions();
	return 0;
}
