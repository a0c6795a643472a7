/* SPDX-License-Identifier: MIT */
/*
 * test_publish.c - broker/publish.h: an event goes to everybody who wants it
 */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/view.h"
#include "fixture.h"

/* Publishes attributes given as name, value, ..., NULL. */
static enum outcome publish_all(const char *subject, const char *from,
				const char *const *pairs,
				const char **detail_out)
{
	struct event attributes = EVENT_INIT;
	struct publication p = {
		.subject = subject, .attributes = &attributes, .from = from
	};
	static char detail[100];
	enum outcome outcome;
	unsigned reached;

	for (; *pairs; pairs += 2)
		ck_assert_int_eq(event_add(&attributes, pairs[0], pairs[1]),
				 0);
	outcome = publish(broker, &p, &reached, detail_out);
	ck_assert(outcome == DONE || reached == 0);
	/* The detail is the caller's own text, and his event ends here. */
	if (detail_out && *detail_out) {
		snprintf(detail, sizeof(detail), "%s", *detail_out);
		*detail_out = detail;
	}
	event_release(&attributes);
	return outcome;
}

static enum outcome publish_one(const char *name, const char *value)
{
	const char *const pairs[] = { name, value, NULL };

	return publish_all("/a", NULL, pairs, NULL);
}

/* The event as "name=value name=value". */
static const char *text_of(const struct event *e)
{
	static struct buf text;
	const char *p = buf_str(&e->packed), *end = p + e->packed.len;
	struct attr a;

	buf_clear(&text);
	while (attr_next(&p, end, &a))
		buf_printf(&text, "%s%s=%s", text.len ? " " : "", a.name,
			   a.value);
	return buf_str(&text);
}

static const char *received(struct client *c)
{
	client_listen(c);
	client_receive(c);
	return text_of(delivered_event(0));
}

START_TEST(an_event_carries_what_the_server_says_and_what_was_given)
{
	static const char *const pairs[] = { "b", "1", "a", "<&\">", "c", "",
					     NULL };
	struct client c = client_join("/a");
	char expected[200];
	int64_t time = clock_unix();

	ck_assert_int_eq(publish_all("/a/b", "someone", pairs, NULL), DONE);
	/* The second may have ended meanwhile. */
	if (strstr(received(&c), "p_time=")) {
		time = strtoll(event_get(delivered_event(0), "p_time"), NULL,
			       10);
		ck_assert_int_le(clock_unix() - time, 30);
	}
	snprintf(expected, sizeof(expected), "p_event=data p_subject=/a/b "
		 "p_time=%" PRId64 " p_from=someone b=1 a=<&\"> c=", time);
	ck_assert_str_eq(text_of(delivered_event(0)), expected);
}
END_TEST

START_TEST(what_comes_again_with_its_key_is_published_once)
{
	struct client hears = client_join("/a"), says = client_join(NULL);
	struct client other = client_join(NULL);
	char key[16];
	int i;

	client_listen(&hears);
	ck_assert_uint_eq(client_say(&says, "/a", "k"), 1);
	ck_assert_uint_eq(client_say(&says, "/a", "k"), 0);
	ck_assert_uint_eq(client_say(&other, "/a", "k"), 1);
	ck_assert_uint_eq(client_say(&says, "/a", ""), 1);
	ck_assert_uint_eq(client_say(&says, "/a", ""), 0);
	ck_assert_str_eq(client_receive(&hears), "k k ");
	ck_assert_uint_eq(broker->map->counts.published, 3);
	for (i = 0; i < KEYS - 1; i++) {
		snprintf(key, sizeof(key), "%d", i);
		ck_assert_uint_eq(client_say(&says, "/a", key), 1);
	}
	ck_assert_uint_eq(client_say(&says, "/a", ""), 0);
	ck_assert_uint_eq(client_say(&says, "/a", "k"), 1);	/* forgotten */
	session_leave(broker, other.session.ref);
	other = client_join(NULL);		/* in the same place */
	ck_assert_uint_eq(client_say(&other, "/a", "k"), 1);
}
END_TEST

START_TEST(names_of_the_protocol_are_the_servers_alone)
{
	static const char *const pairs[] = {
		"p_id", "secret", "p_subject", "/meta", "p_time", "0",
		"p_from", "admin", "p_to", "x", "p_", "x", "p_new", "x",
		"pid", "kept", "P_id", "kept", NULL
	};
	struct client c = client_join("/a");
	const struct event *e;

	ck_assert_int_eq(publish_all("/a", NULL, pairs, NULL), DONE);
	received(&c);
	e = delivered_event(0);
	ck_assert_ptr_null(event_get(e, "p_id"));
	ck_assert_ptr_null(event_get(e, "p_from"));
	ck_assert_ptr_null(event_get(e, "p_to"));
	ck_assert_ptr_null(event_get(e, "p_"));
	ck_assert_ptr_null(event_get(e, "p_new"));
	ck_assert_str_eq(event_get(e, "p_subject"), "/a");
	ck_assert_str_ne(event_get(e, "p_time"), "0");
	ck_assert_str_eq(event_get(e, "pid"), "kept");
	ck_assert_str_eq(event_get(e, "P_id"), "kept");
}
END_TEST

START_TEST(names_of_the_protocol_count_for_no_limit)
{
	static const char *const pairs[] = {
		"p_1", "", "p_2", "", "p_3", "", "p_\xff", "\xff", "p_5", "",
		"p_6", "", "p_7", "", "p_8", "", "a", "x", NULL
	};

	ck_assert_int_eq(publish_all("/a", NULL, pairs, NULL), DONE);
}
END_TEST

static const struct {
	const char *subject;
	enum outcome outcome;
} subjects[] = {
	{ NULL, NO_SUBJECT },
	{ "", NO_SUBJECT },
	{ "/a", DONE },
	{ "/me", DONE },
	{ "/metadata", DONE },
	{ "/a/meta", DONE },
	{ "/meta", RESERVED_SUBJECT },
	{ "/meta/", RESERVED_SUBJECT },
	{ "/meta/sessions", RESERVED_SUBJECT },
	{ "/\xff", BAD_TEXT },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	  DONE },
	{ "01234567890123456789012345678901234567890123456789012345678901234",
	  SUBJECT_TOO_LONG },
};

START_TEST(a_subject_must_be_one_that_may_be_used)
{
	static const char *const pairs[] = { "a", "1", NULL };

	ck_assert_int_eq(publish_all(subjects[_i].subject, NULL, pairs, NULL),
			 subjects[_i].outcome);
}
END_TEST

static const struct {
	const char *name, *value;
	enum outcome outcome;
} named[] = {
	{ "a", "", DONE },
	{ "\xc3\xa4-1._", "x", DONE },
	{ "", "x", BAD_NAME },
	{ "1", "x", BAD_NAME },
	{ "a b", "x", BAD_NAME },
	{ "a:b", "x", BAD_NAME },
	{ "xmlns", "x", BAD_NAME },
	{ "xmlnsx", "x", DONE },
	{ "a=", "x", BAD_NAME },
	{ "a\"", "x", BAD_NAME },
	{ "\xff", "x", BAD_NAME },
	{ "a", "\xff", BAD_TEXT },
	{ "a", "\xc0\x80", BAD_TEXT },
};

START_TEST(names_and_values_are_checked)
{
	ck_assert_int_eq(publish_one(named[_i].name, named[_i].value),
			 named[_i].outcome);
}
END_TEST

START_TEST(there_may_be_so_many_attributes_and_no_more)
{
	const char *pairs[20] = { NULL };
	static const char *const names[] = { "a", "b", "c", "d", "e", "f",
					     "g", "h", "i" };
	const char *detail = NULL;
	unsigned i;

	for (i = 0; i < 8; i++) {
		pairs[2 * i] = names[i];
		pairs[2 * i + 1] = "x";
	}
	ck_assert_int_eq(publish_all("/a", NULL, pairs, &detail), DONE);
	pairs[16] = names[8];
	pairs[17] = "x";
	ck_assert_int_eq(publish_all("/a", NULL, pairs, &detail),
			 TOO_MANY_ATTRIBUTES);
	ck_assert_str_eq(detail, "i");
}
END_TEST

START_TEST(an_event_may_be_so_large_and_no_larger)
{
	static char value[1100];
	size_t most = 1024 - ATTR_EXTRA - 1;

	memset(value, 'x', sizeof(value));
	value[most] = '\0';
	ck_assert_int_eq(publish_one("a", value), DONE);
	value[most] = 'x';
	value[most + 1] = '\0';
	ck_assert_int_eq(publish_one("a", value), EVENT_TOO_LARGE);
	all_is_well();
}
END_TEST

START_TEST(an_event_that_no_log_could_hold_is_refused)
{
	static char value[3000];

	limits.event_bytes = 4000;
	broker_settle(broker, &limits);
	memset(value, 'x', sizeof(value) - 1);
	ck_assert_int_eq(publish_one("a", value), EVENT_TOO_LARGE);
	all_is_well();
}
END_TEST

START_TEST(limits_hold_from_when_they_are_settled)
{
	ck_assert_int_eq(publish_one("abcdef", "0123456789"), DONE);
	limits.event_bytes = 20;
	broker_settle(broker, &limits);
	ck_assert_int_eq(publish_one("abcdef", "0123456789"),
			 EVENT_TOO_LARGE);
}
END_TEST

START_TEST(what_is_refused_reaches_nobody)
{
	struct client c = client_join("/");

	ck_assert_int_eq(publish_one("1", "x"), BAD_NAME);
	ck_assert_str_eq(client_peek(&c), "");
	ck_assert_uint_eq(broker->map->counts.published, 0);
}
END_TEST

START_TEST(without_subscribers_an_event_reaches_nobody)
{
	client_join(NULL);
	ck_assert_uint_eq(say("/a", "x"), 0);
	ck_assert_uint_eq(broker->map->counts.published, 1);
}
END_TEST

/* -- to one session --------------------------------------------------------- */

START_TEST(an_event_to_one_reaches_only_that_one)
{
	struct client to = client_join(NULL), other = client_join("/a");

	ck_assert_uint_eq(say_to(to.session.handle, "/a", "by handle"), 1);
	ck_assert_uint_eq(say_to(to.session.id, "/b", "by id"), 1);
	ck_assert_str_eq(client_peek(&other), "");
	client_listen(&to);
	ck_assert_str_eq(client_receive(&to), "by handle by id");
	ck_assert_str_eq(delivered(0)->sid, "");
	ck_assert_ptr_null(delivered_label(0));
}
END_TEST

START_TEST(the_id_of_the_addressee_is_not_told)
{
	struct client to = client_join(NULL);

	say_to(to.session.id, "/a", "x");
	client_listen(&to);
	client_receive(&to);
	ck_assert_str_eq(event_get(delivered_event(0), "p_to"),
			 to.session.handle);
}
END_TEST

START_TEST(with_publish_from_id_it_is)
{
	struct client to;

	limits.publish_from = FROM_ID;
	broker_settle(broker, &limits);
	ck_assert_int_eq(broker_publish_from(broker), FROM_ID);
	to = client_join(NULL);
	say_to(to.session.handle, "/a", "x");
	client_listen(&to);
	client_receive(&to);
	ck_assert_str_eq(event_get(delivered_event(0), "p_to"),
			 to.session.id);
}
END_TEST

START_TEST(an_event_to_nobody_is_no_error_and_reaches_no_one)
{
	struct client gone = client_join(NULL), other;

	session_leave(broker, gone.session.ref);
	other = client_join("/a");
	ck_assert_uint_eq(say_to(gone.session.id, "/a", "x"), 0);
	ck_assert_uint_eq(say_to(gone.session.handle, "/a", "x"), 0);
	ck_assert_uint_eq(say_to("", "/a", "x"), 0);
	ck_assert_uint_eq(say_to("nobody", "/a", "x"), 0);
	ck_assert_str_eq(client_peek(&other), "");
}
END_TEST

#define ELSEWHERE "beta-0123456789ab00000a"
#define ID_ELSEWHERE "beta-0123456789abcdef0123456789abcdef00000a"

static void at_node(const char *name, enum publish_from from)
{
	snprintf(limits.node, sizeof(limits.node), "%s", name);
	limits.publish_from = from;
	broker_settle(broker, &limits);
}

static uint64_t in_log(void)
{
	return broker->map->log.head;
}

START_TEST(an_event_to_one_of_another_node_stays_for_who_carries_it)
{
	struct client c = client_join("/");
	uint64_t start;
	const struct log_record *r;

	at_node("alpha", FROM_HANDLE);
	start = in_log();
	ck_assert_uint_eq(say_to(ELSEWHERE, "/a", "x"), 0);
	ck_assert_uint_gt(in_log(), start);
	r = eventlog_at(&broker->log, broker->map->log.newest);
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->target, FAR);
	ck_assert_str_eq(client_receive(&c), "");
	all_is_well();
}
END_TEST

static const struct {
	const char *node, *to;
	enum publish_from from;
	bool goes;
} far[] = {
	{ "alpha", ELSEWHERE, FROM_HANDLE, true },
	{ "alpha", ID_ELSEWHERE, FROM_ID, true },
	/* An id is a secret, but where events tell it. */
	{ "alpha", ID_ELSEWHERE, FROM_HANDLE, false },
	{ "beta", ELSEWHERE, FROM_HANDLE, false },
	{ "", ELSEWHERE, FROM_HANDLE, false },
	{ "alpha", "0123456789ab00000a", FROM_HANDLE, false },
	{ "alpha", "beta-0123456789ab00000", FROM_HANDLE, false },
	{ "alpha", "beta", FROM_HANDLE, false },
};

START_TEST(only_a_name_of_another_node_leads_there)
{
	uint64_t start;

	at_node(far[_i].node, far[_i].from);
	start = in_log();
	ck_assert_uint_eq(say_to(far[_i].to, "/a", "x"), 0);
	ck_assert(far[_i].goes ? in_log() > start : in_log() == start);
}
END_TEST

START_TEST(an_event_to_nobody_is_checked_all_the_same)
{
	struct event attributes = EVENT_INIT;
	struct publication p = {
		.subject = "/meta", .attributes = &attributes, .to = "nobody"
	};
	unsigned reached;

	ck_assert_int_eq(publish(broker, &p, &reached, NULL),
			 RESERVED_SUBJECT);
}
END_TEST

START_TEST(a_publisher_can_be_named_and_is_not_by_default)
{
	static const char *const pairs[] = { "a", "1", NULL };
	struct client c = client_join("/a");

	publish_all("/a", "c0ffee", pairs, NULL);
	received(&c);
	ck_assert_str_eq(event_get(delivered_event(0), "p_from"), "c0ffee");
	publish_all("/a", NULL, pairs, NULL);
	received(&c);
	ck_assert_ptr_null(event_get(delivered_event(0), "p_from"));
}
END_TEST

/* -- at once ---------------------------------------------------------------- */

enum { PUBLISHERS = 3, EACH = 200 };

static void publish_many(void *arg)
{
	char text[32];
	int i;

	for (i = 0; i < EACH; i++) {
		snprintf(text, sizeof(text), "%c%d", *(char *)arg, i);
		ck_assert_uint_eq(say("/a", text), 1);
	}
}

START_TEST(the_events_of_many_publishers_all_arrive_each_in_its_order)
{
	char names[PUBLISHERS] = { 'a', 'b', 'c' };
	int next[PUBLISHERS] = { 0 };
	pid_t pids[PUBLISHERS];
	struct client c;
	char *copy, *rest, *word;
	unsigned i;

	limits.queue_size = PUBLISHERS * EACH;
	limits.log_bytes = 1 << 18;
	fixture_remake();
	c = client_join("/a");
	for (i = 0; i < PUBLISHERS; i++)
		pids[i] = fork_off(publish_many, &names[i]);
	for (i = 0; i < PUBLISHERS; i++)
		ended_well(pids[i]);
	client_listen(&c);
	rest = copy = strdup(client_receive(&c));
	while ((word = strsep(&rest, " ")))
		ck_assert_int_eq(strtol(word + 1, NULL, 10),
				 next[word[0] - 'a']++);
	free(copy);
	for (i = 0; i < PUBLISHERS; i++)
		ck_assert_int_eq(next[i], EACH);
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("publish");

	fixture_use(tc);
	tcase_add_test(tc,
		an_event_carries_what_the_server_says_and_what_was_given);
	tcase_add_test(tc, what_comes_again_with_its_key_is_published_once);
	tcase_add_test(tc, names_of_the_protocol_are_the_servers_alone);
	tcase_add_test(tc, names_of_the_protocol_count_for_no_limit);
	tcase_add_loop_test(tc, a_subject_must_be_one_that_may_be_used, 0,
			    ROWS(subjects));
	tcase_add_loop_test(tc, names_and_values_are_checked, 0,
			    ROWS(named));
	tcase_add_test(tc, there_may_be_so_many_attributes_and_no_more);
	tcase_add_test(tc, an_event_may_be_so_large_and_no_larger);
	tcase_add_test(tc, an_event_that_no_log_could_hold_is_refused);
	tcase_add_test(tc, limits_hold_from_when_they_are_settled);
	tcase_add_test(tc, what_is_refused_reaches_nobody);
	tcase_add_test(tc, without_subscribers_an_event_reaches_nobody);
	tcase_add_test(tc, an_event_to_one_reaches_only_that_one);
	tcase_add_test(tc, the_id_of_the_addressee_is_not_told);
	tcase_add_test(tc, with_publish_from_id_it_is);
	tcase_add_test(tc, an_event_to_nobody_is_no_error_and_reaches_no_one);
	tcase_add_test(tc,
		an_event_to_one_of_another_node_stays_for_who_carries_it);
	tcase_add_loop_test(tc, only_a_name_of_another_node_leads_there, 0,
			    sizeof(far) / sizeof(far[0]));
	tcase_add_test(tc, an_event_to_nobody_is_checked_all_the_same);
	tcase_add_test(tc, a_publisher_can_be_named_and_is_not_by_default);
	tcase_add_test(tc,
		the_events_of_many_publishers_all_arrive_each_in_its_order);
	return unit_run();
}
