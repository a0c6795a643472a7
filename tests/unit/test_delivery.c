/* SPDX-License-Identifier: MIT */
/*
 * test_delivery.c - broker/delivery.h: take, write, commit
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "broker/view.h"
#include "fixture.h"

static struct client listening(const char *subjects)
{
	struct client c = client_join(subjects);

	client_listen(&c);
	return c;
}

START_TEST(no_more_are_taken_than_asked_for)
{
	struct client c = listening("/a");

	say("/a", "1");
	say("/a", "2");
	say("/a", "3");
	ck_assert_str_eq(client_take(&c, 0), "...");
	ck_assert_str_eq(client_take(&c, 2), "1 2 ...");
	ck_assert_str_eq(client_take(&c, 2), "3");
	ck_assert_str_eq(client_take(&c, 2), "");
}
END_TEST

START_TEST(taking_again_goes_on_and_committing_ends_it)
{
	struct client c = listening("/a");
	uint64_t counter;

	say("/a", "1");
	say("/a", "2");
	client_take(&c, 1);
	counter = delivered(0)->counter;
	client_take(&c, 1);
	ck_assert_uint_eq(delivered(0)->counter, counter + 1);
	client_commit(&c);
	ck_assert_str_eq(client_peek(&c), "");
}
END_TEST

START_TEST(a_commit_of_some_keeps_the_rest)
{
	struct client c = listening("/a");

	say("/a", "1");
	say("/a", "2");
	say("/a", "3");
	ck_assert_str_eq(client_take(&c, 3), "1 2 3");
	c.counter = delivered(0)->counter + 1;
	client_commit(&c);
	ck_assert_str_eq(client_peek(&c), "2 3");
}
END_TEST

START_TEST(a_commit_beyond_the_queue_or_of_the_past_does_no_harm)
{
	struct client c = listening("/a");

	say("/a", "1");
	client_take(&c, 1);
	c.counter = 1000;
	client_commit(&c);
	say("/a", "2");
	c.counter = 0;
	client_commit(&c);
	all_is_well();
	ck_assert_str_eq(client_receive(&c), "2");
	all_is_well();
}
END_TEST

START_TEST(as_many_bytes_are_taken_as_there_is_room_for)
{
	struct client c = listening("/a");
	struct deliveries d = DELIVERIES_INIT;
	struct take take;
	size_t one;

	say("/a", "1");
	say("/a", "2");
	say("/a", "3");
	client_take(&c, 1);
	one = delivered_event(0)->packed.len;
	client_listen(&c);
	client_take(&c, 0);
	take = c.take;
	take.max = 10;
	for (take.room = 0; take.room <= 3 * one; take.room += one) {
		/* The first is taken in any case. */
		unsigned expected = take.room < one ? 1 :
				    (unsigned)(take.room / one);
		struct intake intake = client_intake();

		delivery_take(broker, &take, 1, &intake, &d);
		ck_assert_uint_eq(take.count, expected);
		ck_assert_int_eq(take.more, expected < 3);
		client_listen(&c);
		take.channel = c.channel;
	}
	deliveries_release(&d);
}
END_TEST

/* Takes in a process of its own, which dies before it can commit. */
static void take_and_die(void *arg)
{
	struct client *c = arg;

	client_listen(c);
	ck_assert_str_eq(client_take(c, 2), "1 2 ...");
	drop_dead();
}

START_TEST(a_crash_between_take_and_commit_repeats_and_loses_nothing)
{
	struct client c = client_join("/a");

	say("/a", "1");
	say("/a", "2");
	say("/a", "3");
	was_killed(fork_off(take_and_die, &c), SIGKILL);
	ck_assert_uint_eq(worker_reap(broker), 1);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "1 2 3");
	all_is_well();
}
END_TEST

START_TEST(each_channel_gets_its_own_part_of_a_batch)
{
	struct client a = listening("/a"), b = listening("/b"), c, older;
	struct deliveries d = DELIVERIES_INIT;
	struct intake intake = client_intake();
	struct take takes[4];
	unsigned i;

	c = listening("/a,/b");
	older = c;
	client_listen(&c);
	say("/a", "1");
	say("/b", "2");
	say("/a", "3");
	for (i = 0; i < 4; i++) {
		struct client *of[] = { &a, &older, &b, &c };

		takes[i] = (struct take){
			.ref = of[i]->session.ref,
			.channel = of[i]->channel,
			.max = 2,
			.room = SIZE_MAX,
		};
	}
	delivery_take(broker, takes, 4, &intake, &d);
	ck_assert_int_eq(takes[0].result, TAKEN);
	ck_assert_uint_eq(takes[0].first, 0);
	ck_assert_uint_eq(takes[0].count, 2);
	ck_assert_int_eq(takes[1].result, TAKEN_REPLACED);
	ck_assert_uint_eq(takes[1].count, 0);
	ck_assert_uint_eq(takes[2].first, 2);
	ck_assert_uint_eq(takes[2].count, 1);
	ck_assert_uint_eq(takes[3].first, 3);
	ck_assert_uint_eq(takes[3].count, 2);
	ck_assert(takes[3].more);
	ck_assert_uint_eq(d.count, 5);
	/* The event is one, however many get it. */
	ck_assert_uint_eq(d.items[0].position, d.items[3].position);
	deliveries_release(&d);
}
END_TEST

START_TEST(what_the_intake_cannot_keep_waits_in_its_queue)
{
	struct client c = listening("/a");

	say("/a", "1");
	say("/a", "2");
	client_intake_limit(1);
	ck_assert_str_eq(client_take(&c, 5), "1 ...");
	client_commit(&c);
	ck_assert_str_eq(client_take(&c, 5), "...");
	client_intake_limit(2);
	ck_assert_str_eq(client_take(&c, 5), "2");
}
END_TEST

/* -- the log overruns a queue ---------------------------------------------- */

static void set_up_small_log(void)
{
	limits.log_bytes = 2048;
	limits.event_bytes = 400;
	limits.queue_size = 64;
	fixture_remake();
}

/* Says so much that everything said before is out of the log. */
static void flood(void)
{
	uint64_t head = broker->map->log.head;
	struct client somebody = client_join("/flood");
	char text[301];

	memset(text, 'x', 300);
	text[300] = '\0';
	while (broker->map->log.tail < head)
		say("/flood", text);
	session_leave(broker, somebody.session.ref);
}

START_TEST(what_the_log_overran_is_lost_and_told)
{
	struct client c;

	set_up_small_log();
	c = listening("/a");
	say("/a", "1");
	say("/a", "2");
	flood();
	say("/a", "3");
	ck_assert_str_eq(client_take(&c, 5), "lost=2 3");
	client_commit(&c);
	ck_assert_str_eq(client_receive(&c), "");
	ck_assert_uint_eq(broker->map->counts.lost, 2);
	ck_assert_uint_eq(broker->map->counts.delivered, 1);
	all_is_well();
}
END_TEST

START_TEST(when_all_is_overrun_the_loss_alone_is_told)
{
	struct client c;

	set_up_small_log();
	c = listening("/a");
	say("/a", "1");
	say("/a", "2");
	flood();
	ck_assert_str_eq(client_take(&c, 5), "lost=2");
	client_commit(&c);
	ck_assert_str_eq(client_take(&c, 5), "");
}
END_TEST

START_TEST(what_was_overrun_is_counted_once_however_often_it_is_taken)
{
	struct client c;
	int i;

	set_up_small_log();
	c = client_join("/a");
	say("/a", "1");
	say("/a", "2");
	flood();
	say("/a", "3");
	for (i = 0; i < 3; i++)
		ck_assert_str_eq(client_peek(&c), "lost=2 3");
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "lost=2 3");
	client_hang_up(&c);
	ck_assert_str_eq(client_peek(&c), "");
	ck_assert_uint_eq(broker->map->counts.lost, 2);
}
END_TEST

START_TEST(what_was_overrun_and_then_dropped_is_counted_once)
{
	struct client c;
	int i;

	set_up_small_log();
	limits.queue_size = 4;
	fixture_remake();
	c = client_join("/a");
	say("/a", "1");
	say("/a", "2");
	flood();
	ck_assert_str_eq(client_peek(&c), "lost=2");
	for (i = 0; i < 4; i++)
		say("/a", "x");
	ck_assert_str_eq(client_peek(&c), "lost=2 x x x x");
	say("/a", "y");
	ck_assert_str_eq(client_peek(&c), "lost=3 x x x y");
}
END_TEST

START_TEST(events_in_flight_are_not_lost_when_the_log_goes_on)
{
	struct client c;

	set_up_small_log();
	c = listening("/a");
	say("/a", "1");
	say("/a", "2");
	ck_assert_str_eq(client_take(&c, 1), "1 ...");
	flood();
	client_commit(&c);
	say("/a", "3");
	ck_assert_str_eq(client_receive(&c), "lost=1 3");
}
END_TEST

START_TEST(a_loss_behind_other_events_is_told_after_them)
{
	struct client c;

	set_up_small_log();
	c = listening("/a");
	say("/a", "1");
	/* The event behind is damaged, not merely old. */
	say("/a", "2");
	((struct log_record *)(broker->log.bytes + queue_next(broker,
		session_at(broker, 0))[1].position %
		broker->map->geometry.log_bytes))->kind = 77;
	say("/a", "3");
	ck_assert_str_eq(client_take(&c, 5), "1 ...");
	ck_assert_str_eq(client_take(&c, 5), "lost=1 3");
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("delivery");

	fixture_use(tc);
	tcase_add_test(tc, no_more_are_taken_than_asked_for);
	tcase_add_test(tc, taking_again_goes_on_and_committing_ends_it);
	tcase_add_test(tc, a_commit_of_some_keeps_the_rest);
	tcase_add_test(tc,
		a_commit_beyond_the_queue_or_of_the_past_does_no_harm);
	tcase_add_test(tc, as_many_bytes_are_taken_as_there_is_room_for);
	tcase_add_test(tc,
		a_crash_between_take_and_commit_repeats_and_loses_nothing);
	tcase_add_test(tc, each_channel_gets_its_own_part_of_a_batch);
	tcase_add_test(tc, what_the_intake_cannot_keep_waits_in_its_queue);
	tcase_add_test(tc, what_the_log_overran_is_lost_and_told);
	tcase_add_test(tc, when_all_is_overrun_the_loss_alone_is_told);
	tcase_add_test(tc,
		what_was_overrun_is_counted_once_however_often_it_is_taken);
	tcase_add_test(tc,
		what_was_overrun_and_then_dropped_is_counted_once);
	tcase_add_test(tc,
		events_in_flight_are_not_lost_when_the_log_goes_on);
	tcase_add_test(tc, a_loss_behind_other_events_is_told_after_them);
	return unit_run();
}
