/* SPDX-License-Identifier: MIT */
/*
 * test_pace.c - broker/pace.c: publishers that wait for room, for a while
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fixture.h"

enum { QUEUE = 4, AHEAD = 32, MANY = 2000, LIMIT = 40, HOUR = 3600 * 1000 };

/* A segment of small queues whose paced publishers wait so long. */
static void wait_at_most(uint64_t ms)
{
	limits.queue_size = QUEUE;
	limits.write_timeout = ms;
	fixture_remake();
}

static unsigned say_paced(const char *to, const char *subject,
			  const char *text)
{
	struct event e = EVENT_INIT;
	struct publication p = {
		.subject = subject, .attributes = &e, .to = to, .paced = true
	};
	unsigned reached;

	ck_assert_int_eq(event_add(&e, "text", text), 0);
	ck_assert_int_eq(publish(broker, &p, &reached, NULL), DONE);
	event_release(&e);
	return reached;
}

static struct client full_listener(const char *subject)
{
	static const char *const texts[QUEUE] = { "a", "b", "c", "d" };
	struct client c = client_join(subject);
	unsigned i;

	client_listen(&c);
	for (i = 0; i < QUEUE; i++)
		say(subject, texts[i]);
	return c;
}

static void say_many(void *arg)
{
	char text[20];
	int i;

	(void)arg;
	for (i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "%d", i);
		ck_assert_uint_eq(say_paced(NULL, "/a", text), 1);
	}
}

/* Takes what is there; returns the number that is expected next. */
static int hear(struct client *c, int expected)
{
	char *text = strdup(client_receive(c)), *rest = text, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			ck_assert_int_eq(strtol(word, NULL, 10), expected++);
	free(text);
	return expected;
}

START_TEST(a_publisher_that_is_too_fast_waits_and_nothing_is_lost)
{
	struct client c;
	int next = 0;
	pid_t pid;

	wait_at_most(HOUR);
	c = client_join("/a");
	client_listen(&c);
	pid = fork_off(say_many, NULL);
	while (next < MANY)
		next = hear(&c, next);
	ended_well(pid);
	all_is_well();
}
END_TEST

START_TEST(it_gives_up_after_the_limit_and_the_queue_overflows)
{
	struct client c;
	int64_t start;

	wait_at_most(LIMIT);
	c = full_listener("/a");
	start = clock_ms();
	ck_assert_uint_eq(say_paced(NULL, "/a", "e"), 1);
	ck_assert_int_ge(clock_ms() - start, LIMIT);
	ck_assert_str_eq(client_receive(&c), "lost=1 b c d e");
}
END_TEST

/* Queues of room for many more than a paced event stands behind. */
static struct client listener_behind(struct client c)
{
	unsigned i;

	client_listen(&c);
	for (i = 0; i < AHEAD; i++)
		say("/a", "e");
	return c;
}

START_TEST(it_waits_behind_many_events_and_the_next_one_finds_room)
{
	struct client c;
	int64_t start;

	wait_at_most(LIMIT);
	limits.queue_size = 2 * AHEAD;
	fixture_remake();
	c = listener_behind(client_join("/a"));
	start = clock_ms();
	ck_assert_uint_eq(say_paced(NULL, "/a", "e"), 1);
	ck_assert_int_ge(clock_ms() - start, LIMIT);
	ck_assert_uint_eq(strlen(client_receive(&c)), strlen("e ") * AHEAD + 1);
	all_is_well();
}
END_TEST

START_TEST(it_waits_not_for_the_word_of_a_reliable_client)
{
	struct client c;

	wait_at_most(HOUR);
	limits.queue_size = 2 * AHEAD;
	fixture_remake();
	c = listener_behind(client_join_reliable("/a"));
	client_receive(&c);
	ck_assert_uint_eq(say_paced(NULL, "/a", "e"), 1);
	ck_assert_str_eq(client_receive(&c), "e");
}
END_TEST

START_TEST(it_waits_not_for_those_who_do_not_listen)
{
	struct client c;

	wait_at_most(HOUR);
	c = full_listener("/a");
	client_hang_up(&c);
	ck_assert_uint_eq(say_paced(NULL, "/a", "e"), 1);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "lost=1 b c d e");
}
END_TEST

START_TEST(it_waits_not_for_those_who_do_not_get_the_event)
{
	struct client full, other;

	wait_at_most(HOUR);
	full = full_listener("/a");
	other = client_join("/b");
	client_listen(&other);
	ck_assert_uint_eq(say_paced(NULL, "/b", "1"), 1);
	ck_assert_uint_eq(say_paced(other.session.handle, "/a", "2"), 1);
	ck_assert_str_eq(client_receive(&other), "1 2");
	ck_assert_str_eq(client_receive(&full), "a b c d");
}
END_TEST

START_TEST(it_waits_for_the_one_that_an_event_is_addressed_to)
{
	struct client c;
	int64_t start;

	wait_at_most(LIMIT);
	c = full_listener("/a");
	start = clock_ms();
	ck_assert_uint_eq(say_paced(c.session.handle, "/else", "e"), 1);
	ck_assert_int_ge(clock_ms() - start, LIMIT);
	ck_assert_str_eq(client_receive(&c), "lost=1 b c d e");
}
END_TEST

static void say_one(void *arg)
{
	(void)arg;
	say_paced(NULL, "/a", "e");
}

START_TEST(others_go_on_meanwhile_and_a_leaving_receiver_ends_the_wait)
{
	struct client c, other;
	pid_t pid;

	wait_at_most(HOUR);
	c = full_listener("/a");
	pid = fork_off(say_one, NULL);
	other = client_join("/b");
	client_listen(&other);
	ck_assert_uint_eq(say("/b", "still"), 1);
	ck_assert_str_eq(client_receive(&other), "still");
	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	ended_well(pid);
	all_is_well();
}
END_TEST

START_TEST(a_channel_that_closes_ends_the_wait)
{
	struct client c;
	pid_t pid;

	wait_at_most(HOUR);
	c = full_listener("/a");
	pid = fork_off(say_one, NULL);
	client_hang_up(&c);
	ended_well(pid);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "lost=1 b c d e");
}
END_TEST

START_TEST(who_is_not_paced_never_waits)
{
	struct client c;

	wait_at_most(HOUR);
	c = full_listener("/a");
	ck_assert_uint_eq(say("/a", "e"), 1);
	ck_assert_str_eq(client_receive(&c), "lost=1 b c d e");
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("pace");

	fixture_use(tc);
	tcase_add_test(tc,
		a_publisher_that_is_too_fast_waits_and_nothing_is_lost);
	tcase_add_test(tc,
		it_gives_up_after_the_limit_and_the_queue_overflows);
	tcase_add_test(tc,
		it_waits_behind_many_events_and_the_next_one_finds_room);
	tcase_add_test(tc, it_waits_not_for_the_word_of_a_reliable_client);
	tcase_add_test(tc, it_waits_not_for_those_who_do_not_listen);
	tcase_add_test(tc, it_waits_not_for_those_who_do_not_get_the_event);
	tcase_add_test(tc,
		it_waits_for_the_one_that_an_event_is_addressed_to);
	tcase_add_test(tc,
		others_go_on_meanwhile_and_a_leaving_receiver_ends_the_wait);
	tcase_add_test(tc, a_channel_that_closes_ends_the_wait);
	tcase_add_test(tc, who_is_not_paced_never_waits);
	return unit_run();
}
