/* SPDX-License-Identifier: MIT */
/*
 * test_history.c - broker/history.c: events for those who come later
 */
#include "unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "broker/view.h"
#include "fixture.h"

static void say_numbers(const char *subject, int a, int b)
{
	char text[16];

	for (; a <= b; a++) {
		snprintf(text, sizeof(text), "%d", a);
		say(subject, text);
	}
}

static void subscribe_to_last(struct client *c, const char *subjects,
			      uint64_t last)
{
	ck_assert_int_eq(subscription_add(broker, c->session.ref, subjects,
					  "late", last, c->sid), DONE);
}

/* Somebody who comes now, and wants so many. */
static struct client newcomer(const char *subjects, uint64_t last)
{
	struct client c = client_join(NULL);

	subscribe_to_last(&c, subjects, last);
	return c;
}

static const char *last(const char *subjects, uint64_t n)
{
	struct client c = newcomer(subjects, n);
	const char *text = client_peek(&c);

	session_leave(broker, c.session.ref);
	return text;
}

static void settle(void)
{
	broker_settle(broker, &limits);
}

START_TEST(a_newcomer_gets_the_last_ones_and_then_the_new)
{
	struct client c;

	say_numbers("/a", 1, 5);
	c = newcomer("/a", 3);
	say_numbers("/a", 6, 7);
	ck_assert_str_eq(client_peek(&c), "3 4 5 6 7");
	ck_assert_str_eq(last("/a", 0), "");
	ck_assert_str_eq(last("/a", 1000000), "1 2 3 4 5 6 7");
	all_is_well();
}
END_TEST

START_TEST(an_earlier_event_is_marked_and_else_as_it_was)
{
	const struct event *e;
	struct client c;

	say("/a/b", "x");
	c = newcomer("/c,/a", 1);
	say("/a/b", "y");
	ck_assert_str_eq(client_peek(&c), "x y");
	e = delivered_event(0);
	ck_assert_str_eq(event_get(e, "p_history"), "1");
	ck_assert_str_eq(event_get(e, "p_subject"), "/a/b");
	ck_assert_str_eq(event_get(e, "p_event"), "data");
	ck_assert_str_eq(delivered(0)->sid, c.sid);
	ck_assert_str_eq(delivered_label(0), "late");
	ck_assert_ptr_null(event_get(delivered_event(1), "p_history"));
}
END_TEST

START_TEST(only_what_matches_is_replayed_and_each_once)
{
	say_numbers("/a", 1, 2);
	say_numbers("/b", 3, 4);
	say_numbers("/a/c", 5, 6);
	ck_assert_str_eq(last("/a", 9), "1 2 5 6");
	ck_assert_str_eq(last("/a/c,/a,/b", 9), "1 2 3 4 5 6");
	ck_assert_str_eq(last("/a/c,/b", 2), "5 6");
	ck_assert_str_eq(last("/d", 9), "");
}
END_TEST

START_TEST(what_was_for_one_is_in_no_history)
{
	struct client c = client_join("/a");

	say_to(c.session.handle, "/a", "secret");
	say("/a", "x");
	ck_assert_str_eq(last("/a", 9), "x");
}
END_TEST

START_TEST(a_replay_is_for_the_newcomer_alone)
{
	struct client c = client_join("/a"), late;

	say("/a", "x");
	late = newcomer("/a", 9);
	ck_assert_str_eq(client_peek(&late), "x");
	ck_assert_str_eq(client_peek(&c), "x");
	/* Nor is it an event of the history itself. */
	ck_assert_str_eq(last("/a", 9), "x");
}
END_TEST

START_TEST(history_subjects_say_what_is_kept)
{
	snprintf(limits.history_subjects, sizeof(limits.history_subjects),
		 "/a,,/b");
	settle();
	say("/a/1", "1");
	say("/c", "2");
	say("/b", "3");
	ck_assert_str_eq(last("/", 9), "1 3");
	limits.history_subjects[0] = '\0';
	settle();
	say("/a", "4");
	ck_assert_str_eq(last("/", 9), "1 3");
}
END_TEST

START_TEST(history_max_says_how_many)
{
	limits.history_max = 2;
	settle();
	say_numbers("/a", 1, 5);
	ck_assert_str_eq(last("/a", 9), "4 5");
	limits.history_max = 0;
	settle();
	say("/a", "6");
	ck_assert_str_eq(last("/a", 9), "");
	limits.history_max = 9;
	settle();
	ck_assert_str_eq(last("/a", 9), "1 2 3 4 5");
}
END_TEST

START_TEST(history_seconds_say_how_old)
{
	struct log_record *r;

	say_numbers("/a", 1, 3);
	r = eventlog_at(&broker->history, broker->map->history.tail);
	r->time -= 100;
	ck_assert_str_eq(last("/a", 9), "1 2 3");
	limits.history_seconds = 50;
	settle();
	ck_assert_str_eq(last("/a", 9), "2 3");
	limits.history_seconds = 200;
	settle();
	ck_assert_str_eq(last("/a", 9), "1 2 3");
}
END_TEST

START_TEST(without_a_ring_there_is_none)
{
	limits.history_bytes = 0;
	fixture_remake();
	say("/a", "1");
	ck_assert_str_eq(last("/a", 9), "");
	broker_repair(broker);
	all_is_well();
}
END_TEST

/* The queues of these tests hold 8. */
START_TEST(a_replay_takes_what_room_the_queue_has)
{
	struct client c = client_join("/b");

	say_numbers("/a", 1, 9);
	say_numbers("/b", 11, 15);
	subscribe_to_last(&c, "/a", 9);
	ck_assert_str_eq(client_peek(&c), "11 12 13 14 15 7 8 9");
	subscribe_to_last(&c, "/a/", 9);
	ck_assert_uint_eq(broker->map->counts.lost, 0);
	all_is_well();
}
END_TEST

START_TEST(a_subscription_that_is_kept_replays_nothing)
{
	struct client c = client_join(NULL);
	int i;

	say("/a", "1");
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(subscription_ensure(broker, c.session.ref,
						     "/a", NULL, 9, c.sid),
				 DONE);
	ck_assert_str_eq(client_peek(&c), "1");
	subscribe_to_last(&c, "/a", 9);
	ck_assert_str_eq(client_peek(&c), "1 1");
}
END_TEST

START_TEST(a_flood_for_nobody_pushes_nothing_out_of_the_log)
{
	struct client c = client_join("/a");
	int i;

	say("/a", "1");
	for (i = 0; i < 1000; i++)
		say("/flood", "water, and nothing but water, everywhere");
	say("/a", "2");
	ck_assert_str_eq(client_peek(&c), "1 2");
	all_is_well();
	ck_assert_str_eq(last("/flood", 1),
			 "water, and nothing but water, everywhere");
}
END_TEST

START_TEST(the_oldest_give_way_in_the_history_too)
{
	int i;

	for (i = 1; i <= 300; i += 10) {
		say_numbers("/a", i, i + 9);
		all_is_well();
	}
	ck_assert_str_eq(last("/a", 3), "298 299 300");
	ck_assert_str_eq(last("/a", 8), "293 294 295 296 297 298 299 300");
}
END_TEST

/* One that is too large for the history is for those who are there. */
START_TEST(an_event_larger_than_a_quarter_of_it_is_not_kept)
{
	struct client c = client_join("/a");
	char text[1001];

	memset(text, 'x', 1000);
	text[1000] = '\0';
	say("/a", "1");
	say("/a", text);
	ck_assert_str_eq(last("/a", 2), "1");
	client_listen(&c);
	client_receive(&c);
	ck_assert_uint_eq(c.take.count, 2);
	all_is_well();
}
END_TEST

static struct log_head *head(void)
{
	return &broker->map->history;
}

static struct log_record *newest(void)
{
	return eventlog_at(&broker->history, head()->newest);
}

static void newest_nowhere(void) { head()->newest = UINT64_MAX; }
static void newest_between(void) { head()->newest -= 8; }
static void newest_is_the_oldest(void) { head()->newest = head()->tail; }
static void back_to_itself(void) { newest()->back = 0; }
static void back_too_far(void) { newest()->back = UINT32_MAX; }
static void back_astray(void) { newest()->back++; }
static void no_record(void) { newest()->position++; }
static void long_subject(void) { newest()->subject_bytes = UINT32_MAX; }
static void head_astray(void) { head()->head += 1 << 20; }
static void tail_astray(void) { head()->tail += 16; }
static void fanout_set(void) { head()->fanout = head()->tail; }

static void (*const damages[])(void) = {
	newest_nowhere, newest_between, newest_is_the_oldest, back_to_itself,
	back_too_far, back_astray, no_record, long_subject, head_astray,
	tail_astray, fanout_set,
};

START_TEST(damage_costs_only_history)
{
	struct buf report = BUF_INIT;
	struct client c = client_join("/a");

	say_numbers("/a", 1, 5);
	damages[_i]();
	ck_assert_int_gt(broker_check(broker, &report), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&report), "history"));
	buf_release(&report);
	last("/a", 9);
	say("/a", "6");
	ck_assert_str_eq(client_peek(&c), "1 2 3 4 5 6");
	broker_repair(broker);
	all_is_well();
	ck_assert_str_eq(client_peek(&c), "1 2 3 4 5 6");
	say_numbers("/a", 7, 8);
	ck_assert_str_eq(last("/a", 2), "7 8");
}
END_TEST

/* A crash between the head and what is derived from it. */
START_TEST(a_lost_way_back_is_found_again)
{
	say_numbers("/a", 1, 5);
	newest()->back = 0;
	head()->newest = 0;
	ck_assert_str_eq(last("/a", 9), "");
	broker_repair(broker);
	ck_assert_str_eq(last("/a", 9), "1 2 3 4 5");
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("history");

	fixture_use(tc);
	tcase_add_test(tc, a_newcomer_gets_the_last_ones_and_then_the_new);
	tcase_add_test(tc, an_earlier_event_is_marked_and_else_as_it_was);
	tcase_add_test(tc, only_what_matches_is_replayed_and_each_once);
	tcase_add_test(tc, what_was_for_one_is_in_no_history);
	tcase_add_test(tc, a_replay_is_for_the_newcomer_alone);
	tcase_add_test(tc, history_subjects_say_what_is_kept);
	tcase_add_test(tc, history_max_says_how_many);
	tcase_add_test(tc, history_seconds_say_how_old);
	tcase_add_test(tc, without_a_ring_there_is_none);
	tcase_add_test(tc, a_replay_takes_what_room_the_queue_has);
	tcase_add_test(tc, a_subscription_that_is_kept_replays_nothing);
	tcase_add_test(tc, a_flood_for_nobody_pushes_nothing_out_of_the_log);
	tcase_add_test(tc, the_oldest_give_way_in_the_history_too);
	tcase_add_test(tc, an_event_larger_than_a_quarter_of_it_is_not_kept);
	tcase_add_loop_test(tc, damage_costs_only_history, 0, ROWS(damages));
	tcase_add_test(tc, a_lost_way_back_is_found_again);
	return unit_run();
}
