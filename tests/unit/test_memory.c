/* SPDX-License-Identifier: MIT */
/*
 * test_memory.c - any allocation may fail
 *
 * Linked so that malloc and its relations of all our code come through here,
 * and those of libxml2, which uses ours (libuv ends the process when it has no
 * memory, libfcgi crashes).  Each case is done with
 * its n-th allocation failing, alone and with all behind it, for n = 1, 2, ...
 * until none fails.  Each time the answer must be a whole one, 500, 503 or
 * none; nothing may stay allocated; every invariant must hold, and the same
 * must then succeed.
 */
#include "unit.h"

#include <libxml/xmlerror.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "channel/deliver.h"
#include "channel/reactor.h"
#include "command/controller.h"
#include "fixture.h"

/* -- allocations that fail ------------------------------------------------- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);

static long left = -1;		/* until one fails; -1: none does */
static bool all_behind;		/* those after it, too */
static long live;		/* blocks */

static bool fails(void)
{
	if (left < 0 || (left == 0 && !all_behind))
		return false;
	if (left > 0)
		left--;
	return left == 0;
}

void *__wrap_malloc(size_t n)
{
	void *p = fails() ? NULL : __real_malloc(n);

	live += p != NULL;
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p = fails() ? NULL : __real_calloc(n, size);

	live += p != NULL;
	return p;
}

void *__wrap_realloc(void *p, size_t n)
{
	void *q = fails() ? NULL : __real_realloc(p, n);

	live += q && !p;
	return q;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

char *__wrap_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = __wrap_malloc(n);

	return p ? memcpy(p, s, n) : NULL;
}

/* Does it with the n-th allocation failing.  perform() must not use Check, which
 * would get no memory either.  False: it made fewer. */
static bool failing(long n, void (*perform)(void))
{
	bool failed;

	left = n;
	perform();
	failed = left == 0;
	left = -1;
	return failed;
}

/* perform() cleans up behind itself; verify() looks what came of it. */
static void for_each_allocation(void (*prepare)(void), void (*perform)(void),
				void (*verify)(bool failed))
{
	long before, n;
	bool failed;
	int i;

	prepare();
	perform();		/* what libraries allocate only once */
	xmlResetLastError();
	for (i = 0; i < 2; i++) {
		all_behind = i;
		n = 0;
		do {
			prepare();
			before = live;
			failed = failing(++n, perform);
			xmlResetLastError();
			ck_assert_msg(live == before, "%ld blocks left when "
				      "allocation %ld failed", live - before,
				      n);
			all_is_well();
			verify(failed);
		} while (failed);
		ck_assert_int_gt(n, 1);
	}
}

/* -- requests --------------------------------------------------------------- */

static struct client ann;
static struct controller controller;
static uint32_t worker;

/* A request, and what its answer must have besides an acknowledgement. */
static struct asked {
	const char *query, *body, *type, *part;
} asked;

static char query[400], answer[8192];

/* A session, subscribed and listening in mode pull, with an event waiting. */
static void enter_ann(void)
{
	struct buf report = BUF_INIT;

	limits.address_sessions = 0;
	snprintf(limits.permits, sizeof(limits.permits), "%s",
		 "deny publish below /no from 192.0.2.0/24\n");
	fixture_remake();
	ck_assert_int_eq(worker_enter(broker, &worker), DONE);
	if (controller.permit)
		controller_release(&controller);
	controller_init(&controller, broker, worker, &limits,
			permit_new(&limits, &report));
	ck_assert_str_eq(buf_str(&report), "");
	ann = client_join("/a,/b");
	client_set_mode(&ann, MODE_PULL);
	ck_assert_uint_eq(say("/a", "waiting"), 1);
}

static void put_ids(char *out, size_t size, const char *text)
{
	const char *id = strstr(text, "ID"), *sid = strstr(text, "SID");

	if (sid)
		snprintf(out, size, "%.*s%s&p_id=%s", (int)(sid - text), text,
			 ann.sid, ann.session.id);
	else if (id)
		snprintf(out, size, "%.*s%s%s", (int)(id - text), text,
			 ann.session.id, id + 2);
	else
		snprintf(out, size, "%s", text);
}

/* What becomes of a parked channel when its peer has gone. */
static void let_go(struct channel *c)
{
	if (!c)
		return;
	listener_detach(broker, c->ref, c->number);
	channel_free(c);
}

static void ask(void)
{
	struct response r = { BUF_INIT, NULL };
	struct request q;

	put_ids(query, sizeof(query), asked.body ? asked.body : asked.query);
	q = (struct request){
		.method = asked.body ? "POST" : "GET",
		.query = asked.body ? "" : query,
		.path = "/pushlet.srv",
		.path_len = strlen("/pushlet.srv"),
		.content_type = asked.type ? asked.type : "",
		.user_agent = "",
		.address = "192.0.2.1",
		.user = "",
		.last_event_id = "",
		.body = asked.body ? query : "",
		.body_len = asked.body ? strlen(query) : 0,
		.body_state = BODY_WHOLE,
	};

	controller_serve(&controller, &q, &r);
	snprintf(answer, sizeof(answer), "%s", buf_failed(&r.bytes) ? "none" :
		 buf_str(&r.bytes));
	let_go(r.parked);
	buf_release(&r.bytes);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void verify_answer(bool failed)
{
	bool whole = begins(answer, "Status: 200 ") &&
		     strstr(answer, "-ack") && !strstr(answer, "nack");

	if (!failed)
		ck_assert_msg(whole, "%s: %s", query, answer);
	else
		ck_assert_msg(whole || strcmp(answer, "none") == 0 ||
			      begins(answer, "Status: 500 ") ||
			      begins(answer, "Status: 503 "), "%s: %s", query,
			      answer);
	/* Half an answer is none. */
	if (whole && asked.part)
		ck_assert_msg(strstr(answer, asked.part), "no %s: %s",
			      asked.part, answer);
}

static const struct asked requests[] = {
	{ .query = "p_event=join&p_format=xml" },
	{ .query = "p_event=join-listen&p_format=xml&p_subject=/c,/d"
		   "&p_label=l&p_reliable=1" },
	{ .query = "p_event=join-listen&p_format=js&p_mode=pull",
	  .part = "p_event=refresh" },
	{ .query = "p_event=join-listen&p_format=xml-strict&p_mode=stream" },
	{ .query = "p_event=join-listen&p_format=json&p_mode=stream" },
	{ .query = "p_event=join-listen&p_format=json&p_callback=f",
	  .part = "p_event=refresh" },
	{ .query = "p_event=join-listen&p_format=sse&p_mode=stream" },
	{ .query = "p_event=join-listen&p_format=multipart&p_mode=poll",
	  .part = "p_event=refresh" },
	{ .query = "p_event=listen&p_id=ID&p_mode=stream&p_subject=/e" },
	{ .query = "p_event=listen&p_id=ID&p_mode=poll",
	  .part = "p_event=refresh" },
	{ .query = "p_event=refresh&p_id=ID" },
	{ .query = "p_event=subscribe&p_id=ID&p_subject=%2ff,/g&p_label=x+y" },
	{ .query = "p_event=unsubscribe&p_id=ID" },
	{ .query = "p_event=unsubscribe&p_sid=SID", .part = "\"/a,/b\"" },
	{ .query = "p_event=publish&p_id=ID&p_subject=/a&text=hello%20there" },
	{ .query = "p_event=publish&p_to=nobody&p_subject=/n&p_id=ID" },
	{ .query = "p_event=hb&p_id=ID&p_ack=0" },
	{ .body = "<e p_event=\"publish\" p_id=\"ID\" p_subject=\"/a\" "
		  "text=\"a &amp; b\" two=\"&#x20AC;\"/>" },
	{ .body = "p_event=publish&p_subject=/a&text=form&p_id=ID",
	  .type = "application/x-www-form-urlencoded" },
};

START_TEST(a_request_is_answered_wholly_or_not_at_all)
{
	asked = requests[_i];
	for_each_allocation(enter_ann, ask, verify_answer);
}
END_TEST

/* Whoever scrapes metrics must not keep what a reload puts away. */
START_TEST(metrics_give_back_the_permit_that_they_were_asked_by)
{
	char *params[] = { (char *)"PATH_INFO=/metrics", NULL };
	struct request q = { .method = "GET", .params = params };
	struct response r = { BUF_INIT, NULL };

	limits.metrics_http = true;
	enter_ann();
	controller_serve(&controller, &q, &r);
	ck_assert(begins(buf_str(&r.bytes), "Status: 200 "));
	ck_assert_uint_eq(controller.permit->held, 1);
	buf_release(&r.bytes);
}
END_TEST

/* -- delivery ----------------------------------------------------------------- */

static int ends[2];
static enum verdict verdict;
static char got[16384];
static const char *format;
static struct deliver deliver;
static bool beats;

static struct channel *open_channel(const struct place *place)
{
	struct channel_plan plan = {
		.ref = ann.session.ref,
		.number = place->channel,
		.mode = place->mode,
		.adapter = adapter_find(format),
		.id = ann.session.id,
		.path = "/p",
		.path_len = 2,
	};

	return channel_new(&plan);
}

/* What the reactor does with one channel: serves it, or ends it. */
static void serve(struct channel *c)
{
	struct buf last = BUF_INIT;

	c->fd = ends[0];
	if (beats) {
		channel_heartbeat(c, &last);
		channel_refresh(c, &last, 1000);
		verdict = channel_finish(c, &last) == WRITTEN ? ENDED : LOST;
	} else {
		deliver_batch(&deliver, &c, 1, &verdict);
	}
	let_go(c);
}

static void deliver_once(void)
{
	struct place place;
	struct channel *c;
	ssize_t n;

	verdict = LOST;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	must(listener_attach(broker, ann.session.ref, worker, MODE_PULL,
			     &place) == DONE);
	c = open_channel(&place);
	if (c)
		serve(c);
	else
		listener_detach(broker, ann.session.ref, place.channel);
	close(ends[0]);
	n = read(ends[1], got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	for (; n-- > 0;)
		if (!got[n])
			got[n] = ' ';	/* of the heads of records */
	close(ends[1]);
}

static void deliver_from_nothing(void)
{
	if (deliver_init(&deliver, broker) == 0) {
		deliver.rules = limits;
		deliver_once();
	}
	deliver_release(&deliver);
}

/* An answer that is called whole is whole; one that is not is lost, so that
 * its client comes back: it never just stays open. */
static void verify_delivery(bool failed)
{
	if (!failed)
		ck_assert_int_eq(verdict, ENDED);
	ck_assert(verdict == ENDED || verdict == LOST);
	if (verdict == LOST)
		return;
	ck_assert_ptr_nonnull(strstr(got, "p_seq"));
	ck_assert_ptr_nonnull(strstr(got, "p_event=refresh"));
	ck_assert_ptr_nonnull(strstr(got, "1000"));
	ck_assert_ptr_nonnull(strstr(got, beats ? "hb" : "waiting"));
}

static const char *const formats[] = { "js", "xml", "xml-strict", "json", "sse",
				       "multipart" };

static void waits_are_a_second(void)
{
	limits.pull_wait_min = limits.pull_wait_max = 1000;
}

START_TEST(an_event_is_delivered_wholly_or_its_client_comes_back)
{
	waits_are_a_second();
	format = formats[_i];
	for_each_allocation(enter_ann, deliver_from_nothing, verify_delivery);
}
END_TEST

START_TEST(a_heartbeat_and_an_end_are_whole)
{
	waits_are_a_second();
	beats = true;
	format = formats[_i];
	for_each_allocation(enter_ann, deliver_from_nothing, verify_delivery);
}
END_TEST

/* The process goes on, and what could not be rendered once can be later. */
START_TEST(what_failed_once_works_again)
{
	long n;

	waits_are_a_second();
	format = formats[_i];
	enter_ann();
	ck_assert_int_eq(deliver_init(&deliver, broker), 0);
	deliver.rules = limits;
	for (n = 1; failing(n, deliver_once); n++)
		;
	ck_assert_int_gt(n, 3);
	deliver_once();
	verify_delivery(false);
	deliver_release(&deliver);
}
END_TEST

/* -- the start of a process ----------------------------------------------------- */

static struct reactor *reactor;

static void tick(void *arg)
{
	(void)arg;
}

static void start_reactor(void)
{
	reactor = reactor_new(broker, worker, &limits, tick, NULL);
	if (reactor)
		reactor_free(&reactor);
}

static void nothing_more(bool failed)
{
	(void)failed;
}

START_TEST(a_reactor_that_cannot_start_leaves_nothing)
{
	int before = dup(0), now;

	for_each_allocation(enter_ann, start_reactor, nothing_more);
	now = dup(0);
	ck_assert_int_eq(now, before + 1);
	close(now);
	close(before);
}
END_TEST

static void open_again(void)
{
	struct buf report = BUF_INIT;
	struct broker *another;

	if (broker_open(&another, &limits, true, &report) == SEGMENT_OK)
		broker_close(&another);
	shm_unlink(limits.shm_name);
	buf_release(&report);
}

START_TEST(a_segment_that_cannot_be_opened_leaves_nothing)
{
	for_each_allocation(enter_ann, open_again, nothing_more);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("memory");

	fixture_use(tc);
	tcase_add_loop_test(tc, a_request_is_answered_wholly_or_not_at_all, 0,
			    ROWS(requests));
	tcase_add_test(tc,
		metrics_give_back_the_permit_that_they_were_asked_by);
	tcase_add_loop_test(tc,
		an_event_is_delivered_wholly_or_its_client_comes_back, 0,
		ROWS(formats));
	tcase_add_loop_test(tc, a_heartbeat_and_an_end_are_whole, 0,
			    ROWS(formats));
	tcase_add_loop_test(tc, what_failed_once_works_again, 0,
			    ROWS(formats));
	tcase_add_test(tc, a_reactor_that_cannot_start_leaves_nothing);
	tcase_add_test(tc, a_segment_that_cannot_be_opened_leaves_nothing);
	return unit_run();
}
