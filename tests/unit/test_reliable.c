/* SPDX-License-Identifier: MIT */
/*
 * test_reliable.c - what is carried, what is acknowledged, what is sent again
 *
 * The numbers that clients acknowledge are those of the events of their
 * sessions, from 1 on: here each text is its number.
 */
#include "unit.h"

#include <stdio.h>

#include "broker/view.h"
#include "fixture.h"

static void say_numbers(int a, int b)
{
	char text[16];

	for (; a <= b; a++) {
		snprintf(text, sizeof(text), "%d", a);
		say("/r", text);
	}
}

/* A reliable stream that has carried the numbers from 1 to n, and has ended. */
static struct client carried(int n)
{
	struct client c = client_join_reliable("/r");

	client_listen(&c);
	say_numbers(1, n);
	client_receive(&c);
	client_hang_up(&c);
	return c;
}

static struct client pulled(int n)
{
	struct client c = client_join_in_mode("/r", MODE_PULL);

	client_listen(&c);
	say_numbers(1, n);
	client_receive(&c);
	client_hang_up(&c);
	return c;
}

static uint64_t lost(void)
{
	return broker->map->counts.lost;
}

START_TEST(a_reliable_session_gets_again_what_it_does_not_acknowledge)
{
	struct client c = carried(3);

	ck_assert_str_eq(client_peek(&c), "1 2 3");
	client_acknowledge(&c, 1);
	ck_assert_str_eq(client_peek(&c), "2 3");
	client_acknowledge(&c, 0);
	ck_assert_str_eq(client_peek(&c), "2 3");
	client_acknowledge(&c, 3);
	ck_assert_str_eq(client_peek(&c), "");
	ck_assert_uint_eq(broker->map->counts.delivered, 3);
	ck_assert_uint_eq(lost(), 0);
	all_is_well();
}
END_TEST

START_TEST(a_reliable_session_that_says_nothing_gets_all_again)
{
	struct client c = carried(3);

	client_return(&c);
	say_numbers(4, 4);
	ck_assert_str_eq(client_peek(&c), "1 2 3 4");
}
END_TEST

START_TEST(a_take_tells_whether_the_session_is_reliable)
{
	struct client c = client_join("/r");

	client_listen(&c);
	client_take(&c, 0);
	ck_assert(!c.take.reliable);
	ck_assert_int_eq(session_rely(broker, c.session.ref), DONE);
	client_take(&c, 0);
	ck_assert(c.take.reliable);
}
END_TEST

START_TEST(a_plain_stream_keeps_nothing_that_was_committed)
{
	struct client c = client_join("/r");

	client_listen(&c);
	say_numbers(1, 3);
	ck_assert_str_eq(client_receive(&c), "1 2 3");
	ck_assert_str_eq(client_peek(&c), "");
	ck_assert_uint_eq(broker->map->counts.delivered, 3);
}
END_TEST

START_TEST(a_pull_keeps_what_it_carried_until_its_client_is_back)
{
	struct client c = pulled(3);

	ck_assert_str_eq(client_peek(&c), "1 2 3");
	ck_assert_uint_eq(broker->map->counts.delivered, 0);
	client_return(&c);
	ck_assert_str_eq(client_peek(&c), "");
	ck_assert_uint_eq(broker->map->counts.delivered, 3);
	all_is_well();
}
END_TEST

START_TEST(a_pull_that_comes_back_gets_what_was_not_carried)
{
	struct client c = pulled(2);

	say_numbers(3, 4);
	client_listen(&c);
	ck_assert_str_eq(client_take(&c, 4), "1 2 3 4");
	client_hang_up(&c);	/* before it was written */
	client_return(&c);
	ck_assert_str_eq(client_peek(&c), "3 4");
}
END_TEST

START_TEST(a_pull_may_acknowledge_though_it_is_not_reliable)
{
	struct client c = pulled(3);

	client_acknowledge(&c, 2);
	ck_assert_str_eq(client_peek(&c), "3");
	client_acknowledge(&c, 0);
	ck_assert_str_eq(client_peek(&c), "3");
}
END_TEST

START_TEST(what_an_open_channel_carried_can_be_acknowledged)
{
	struct client c = client_join_reliable("/r");

	client_listen(&c);
	say_numbers(1, 5);
	ck_assert_str_eq(client_take(&c, 3), "1 2 3 ...");
	client_commit(&c);
	client_acknowledge(&c, 2);
	ck_assert_str_eq(client_take(&c, 1), "4 ...");
	client_commit(&c);
	ck_assert_str_eq(client_peek(&c), "3 4 5");
	all_is_well();
}
END_TEST

/* A client can be faster than the worker that has just written to it. */
START_TEST(an_acknowledgement_may_come_before_the_commit)
{
	struct client c = client_join_reliable("/r");

	client_listen(&c);
	say_numbers(1, 3);
	ck_assert_str_eq(client_take(&c, 2), "1 2 ...");
	client_acknowledge(&c, 2);
	client_commit(&c);
	ck_assert_str_eq(client_take(&c, 2), "3");
	ck_assert_str_eq(client_peek(&c), "3");
	all_is_well();
}
END_TEST

START_TEST(an_acknowledgement_ends_at_the_head)
{
	struct client c = carried(3);

	client_acknowledge(&c, 1000000);
	all_is_well();
	ck_assert_str_eq(client_peek(&c), "");
	say_numbers(4, 5);
	ck_assert_str_eq(client_peek(&c), "4 5");
	ck_assert_uint_eq(lost(), 0);
}
END_TEST

START_TEST(a_replaced_channel_carries_nothing)
{
	struct client c = client_join_in_mode("/r", MODE_PULL), old;

	client_listen(&c);
	say_numbers(1, 2);
	old = c;
	client_take(&old, 2);
	client_listen(&c);
	client_commit(&old);
	client_return(&c);
	ck_assert_str_eq(client_peek(&c), "1 2");
}
END_TEST

START_TEST(who_is_gone_has_nothing_to_acknowledge)
{
	struct client c = carried(1);
	uint64_t ack = 1, settled;

	session_leave(broker, c.session.ref);
	ck_assert_int_eq(delivery_acknowledge(broker, c.session.ref, &ack,
					      &settled), GONE);
	ck_assert_int_eq(delivery_acknowledge(broker, c.session.ref, NULL,
					      &settled), GONE);
	ck_assert_int_eq(session_rely(broker, c.session.ref), GONE);
}
END_TEST

START_TEST(a_slot_that_is_used_again_is_neither_reliable_nor_carried)
{
	struct client c = carried(5), fresh;

	session_leave(broker, c.session.ref);
	fresh = client_join("/r");
	ck_assert_uint_eq(fresh.session.ref.index, c.session.ref.index);
	say_numbers(1, 2);
	client_return(&fresh);
	ck_assert_str_eq(client_peek(&fresh), "1 2");
	client_listen(&fresh);
	client_receive(&fresh);
	ck_assert_str_eq(client_peek(&fresh), "");
}
END_TEST

/* The queues of these tests hold 8. */

START_TEST(what_was_carried_gives_way_first_and_is_not_lost)
{
	struct client c = carried(8);

	say_numbers(9, 11);
	ck_assert_str_eq(client_peek(&c), "4 5 6 7 8 9 10 11");
	client_acknowledge(&c, 8);
	ck_assert_str_eq(client_peek(&c), "9 10 11");
	ck_assert_uint_eq(lost(), 0);
	all_is_well();
}
END_TEST

START_TEST(what_gave_way_is_lost_when_the_client_does_not_have_it)
{
	struct client c = carried(8);

	say_numbers(9, 11);
	client_acknowledge(&c, 1);
	ck_assert_str_eq(client_peek(&c), "lost=2 4 5 6 7 8 9 10 11");
	ck_assert_uint_eq(lost(), 2);
	all_is_well();
}
END_TEST

START_TEST(a_loss_is_counted_once_however_often_it_is_said)
{
	struct client c = carried(8);
	int i;

	say_numbers(9, 11);
	for (i = 0; i < 3; i++)
		client_acknowledge(&c, 1);
	ck_assert_uint_eq(lost(), 2);
	say_numbers(12, 13);	/* 4 and 5 give way as well */
	for (i = 0; i < 3; i++)
		client_acknowledge(&c, 1);
	ck_assert_uint_eq(lost(), 4);
	client_acknowledge(&c, 0);
	ck_assert_uint_eq(lost(), 4);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "lost=4 6 7 8 9 10 11 12 13");
	client_acknowledge(&c, 13);
	ck_assert_str_eq(client_peek(&c), "");
	ck_assert_uint_eq(lost(), 4);
	all_is_well();
}
END_TEST

START_TEST(behind_what_was_carried_a_full_queue_loses_at_once)
{
	struct client c = carried(4);

	say_numbers(5, 14);
	ck_assert_uint_eq(lost(), 2);
	ck_assert_str_eq(client_peek(&c), "lost=2 7 8 9 10 11 12 13 14");
	/* It has 1 to 4: the loss is 5 and 6, and stays that. */
	client_acknowledge(&c, 4);
	ck_assert_uint_eq(lost(), 2);
	all_is_well();
}
END_TEST

START_TEST(both_kinds_of_loss_add_up)
{
	struct client c = carried(4);

	say_numbers(5, 14);
	client_acknowledge(&c, 2);	/* nor did 3 and 4 arrive */
	ck_assert_str_eq(client_peek(&c), "lost=4 7 8 9 10 11 12 13 14");
	ck_assert_uint_eq(lost(), 4);
	all_is_well();
}
END_TEST

START_TEST(an_older_acknowledgement_takes_nothing_back)
{
	struct client c = carried(8);

	client_acknowledge(&c, 5);
	client_acknowledge(&c, 2);
	ck_assert_str_eq(client_peek(&c), "6 7 8");
	say_numbers(9, 14);		/* 6 gives way */
	client_acknowledge(&c, 3);
	ck_assert_uint_eq(lost(), 1);
	client_acknowledge(&c, 0);
	ck_assert_str_eq(client_peek(&c), "lost=1 7 8 9 10 11 12 13 14");
	all_is_well();
}
END_TEST

START_TEST(a_pull_that_comes_back_without_a_word_has_what_gave_way)
{
	struct client c = pulled(8);

	say_numbers(9, 11);
	client_return(&c);
	ck_assert_str_eq(client_peek(&c), "9 10 11");
	ck_assert_uint_eq(lost(), 0);
	all_is_well();
}
END_TEST

START_TEST(under_abort_what_was_carried_gives_way_as_well)
{
	struct client c;

	limits.overflow = OVERFLOW_ABORT;
	broker_settle(broker, &limits);
	c = carried(8);
	say_numbers(9, 16);
	ck_assert(client_lives(&c));
	ck_assert_uint_eq(broker->map->counts.aborts, 0);
	ck_assert_str_eq(client_peek(&c), "9 10 11 12 13 14 15 16");
	ck_assert_uint_eq(say("/r", "17"), 0);
	ck_assert(!client_lives(&c));
	ck_assert_uint_eq(broker->map->counts.aborts, 1);
	all_is_well();
}
END_TEST

/* The log needs somebody who wants it to keep an event. */
static void wash(struct client *somebody)
{
	say("/flood", "water, and nothing but water, everywhere");
	client_receive(somebody);
}

START_TEST(what_the_log_overran_before_it_was_acknowledged_is_lost)
{
	uint64_t head;
	struct client c = carried(2);
	struct client somebody = client_join("/flood");

	head = broker->map->log.head;
	client_listen(&somebody);
	while (broker->map->log.tail < head)
		wash(&somebody);
	session_leave(broker, somebody.session.ref);
	say_numbers(3, 3);
	ck_assert_str_eq(client_peek(&c), "lost=2 3");
	/* Not so if the client had them. */
	client_acknowledge(&c, 2);
	ck_assert_uint_eq(lost(), 2);
	c = carried(1);
	client_acknowledge(&c, 1);
	ck_assert_uint_eq(lost(), 2);
	all_is_well();
}
END_TEST

START_TEST(what_was_overrun_then_gives_way_and_did_not_arrive_is_lost_once)
{
	struct client c = carried(2);
	struct client somebody = client_join("/flood");
	uint64_t head = broker->map->log.head;

	client_listen(&somebody);
	while (broker->map->log.tail < head)
		wash(&somebody);
	session_leave(broker, somebody.session.ref);
	ck_assert_str_eq(client_peek(&c), "lost=2");
	say_numbers(3, 10);		/* 1 and 2 give way */
	client_acknowledge(&c, 0);
	ck_assert_str_eq(client_peek(&c), "lost=2 3 4 5 6 7 8 9 10");
	ck_assert_uint_eq(lost(), 2);
	all_is_well();
}
END_TEST

static uint64_t delivered_in_all(void)
{
	return broker->map->counts.delivered;
}

START_TEST(what_gave_way_is_delivered_when_the_client_has_it)
{
	struct client c = carried(8);

	say_numbers(9, 11);
	ck_assert_uint_eq(delivered_in_all(), 0);
	client_acknowledge(&c, 8);
	ck_assert_uint_eq(delivered_in_all(), 8);
	client_acknowledge(&c, 11);
	ck_assert_uint_eq(delivered_in_all(), 11);
	ck_assert_uint_eq(lost(), 0);
}
END_TEST

/* The channel stays open: what it takes next lies behind what was lost. */
START_TEST(a_loss_between_two_batches_is_counted_once)
{
	struct client c = client_join_reliable("/r");

	client_listen(&c);
	say_numbers(1, 4);
	ck_assert_str_eq(client_receive(&c), "1 2 3 4");
	say_numbers(5, 14);
	ck_assert_str_eq(client_receive(&c), "lost=2 7 8 9 10 11 12 13 14");
	client_acknowledge(&c, 4);
	ck_assert_uint_eq(lost(), 2);
	client_acknowledge(&c, 14);
	ck_assert_uint_eq(lost(), 2);
	ck_assert_uint_eq(delivered_in_all(), 12);
	all_is_well();
}
END_TEST

START_TEST(a_stream_that_ends_loses_what_it_had_and_what_gave_way)
{
	struct client c = client_join_in_mode("/r", MODE_STREAM);

	client_listen(&c);
	say_numbers(1, 4);
	client_take(&c, 4);
	say_numbers(5, 10);		/* 1 and 2 give way */
	client_hang_up(&c);		/* and nothing was written */
	client_return(&c);
	ck_assert_str_eq(client_peek(&c), "lost=2 3 4 5 6 7 8 9 10");
	ck_assert_uint_eq(lost(), 2);
	all_is_well();
}
END_TEST

START_TEST(a_stream_that_wrote_what_gave_way_delivered_it)
{
	struct client c = client_join_in_mode("/r", MODE_STREAM);

	client_listen(&c);
	say_numbers(1, 4);
	client_take(&c, 4);
	say_numbers(5, 10);
	client_commit(&c);
	ck_assert_uint_eq(delivered_in_all(), 4);
	ck_assert_str_eq(client_receive(&c), "5 6 7 8 9 10");
	ck_assert_uint_eq(delivered_in_all(), 10);
	ck_assert_uint_eq(lost(), 0);
	all_is_well();
}
END_TEST

START_TEST(what_a_stream_committed_is_not_lost_by_an_older_word)
{
	struct client c = client_join_in_mode("/r", MODE_PULL);

	client_listen(&c);
	say_numbers(1, 5);
	client_receive(&c);
	client_acknowledge(&c, 3);
	client_set_mode(&c, MODE_STREAM);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "4 5");
	client_acknowledge(&c, 0);
	ck_assert_uint_eq(lost(), 0);
	ck_assert_uint_eq(delivered_in_all(), 5);
}
END_TEST

START_TEST(an_acknowledgement_tells_what_is_known_now)
{
	struct client c = carried(4);

	client_return(&c);
	ck_assert_uint_eq(c.settled, 0);
	client_acknowledge(&c, 2);
	ck_assert_uint_eq(c.settled, 2);
	client_return(&c);
	ck_assert_uint_eq(c.settled, 2);
	c = pulled(4);
	client_return(&c);
	ck_assert_uint_eq(c.settled, 4);
}
END_TEST

/* Whatever a client acknowledges, and whatever is lost on the way: each event
 * is seen or counted as lost, and never both. */
START_TEST(in_the_end_each_event_was_seen_or_lost)
{
	struct client c = client_join_reliable("/r");
	uint64_t has = 0, told = 0, gap = 0;
	int i, said = 0;

	for (i = 0; i < 500; i++) {
		bool arrives = i * 7919 % 31 > 9 || i == 499;
		unsigned n;

		say_numbers(said + 1, said + i % 6);
		said += i % 6;
		client_acknowledge(&c, has);
		client_listen(&c);
		client_take(&c, 8);
		for (n = 0; arrives && n < c.take.count; n++) {
			uint64_t eid = delivered(n)->counter + 1;

			ck_assert_uint_gt(eid, has);
			gap += eid - has - 1;
			has = eid;
		}
		told += c.take.lost;
		client_commit(&c);
		client_hang_up(&c);
	}
	client_acknowledge(&c, has);
	ck_assert_uint_eq(has, (uint64_t)said);
	ck_assert_uint_eq(gap, lost());
	ck_assert_uint_eq(told, lost());
	ck_assert_uint_eq(delivered_in_all() + lost(), (uint64_t)said);
	ck_assert_str_eq(client_peek(&c), "");
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("reliable");

	fixture_use(tc);
	tcase_add_test(tc,
		a_reliable_session_gets_again_what_it_does_not_acknowledge);
	tcase_add_test(tc,
		a_reliable_session_that_says_nothing_gets_all_again);
	tcase_add_test(tc, a_take_tells_whether_the_session_is_reliable);
	tcase_add_test(tc, a_plain_stream_keeps_nothing_that_was_committed);
	tcase_add_test(tc,
		a_pull_keeps_what_it_carried_until_its_client_is_back);
	tcase_add_test(tc, a_pull_that_comes_back_gets_what_was_not_carried);
	tcase_add_test(tc, a_pull_may_acknowledge_though_it_is_not_reliable);
	tcase_add_test(tc, what_an_open_channel_carried_can_be_acknowledged);
	tcase_add_test(tc, an_acknowledgement_may_come_before_the_commit);
	tcase_add_test(tc, an_acknowledgement_ends_at_the_head);
	tcase_add_test(tc, a_replaced_channel_carries_nothing);
	tcase_add_test(tc, who_is_gone_has_nothing_to_acknowledge);
	tcase_add_test(tc,
		a_slot_that_is_used_again_is_neither_reliable_nor_carried);
	tcase_add_test(tc, what_was_carried_gives_way_first_and_is_not_lost);
	tcase_add_test(tc,
		what_gave_way_is_lost_when_the_client_does_not_have_it);
	tcase_add_test(tc, a_loss_is_counted_once_however_often_it_is_said);
	tcase_add_test(tc,
		behind_what_was_carried_a_full_queue_loses_at_once);
	tcase_add_test(tc, both_kinds_of_loss_add_up);
	tcase_add_test(tc, an_older_acknowledgement_takes_nothing_back);
	tcase_add_test(tc,
		a_pull_that_comes_back_without_a_word_has_what_gave_way);
	tcase_add_test(tc, under_abort_what_was_carried_gives_way_as_well);
	tcase_add_test(tc,
		what_the_log_overran_before_it_was_acknowledged_is_lost);
	tcase_add_test(tc,
		what_was_overrun_then_gives_way_and_did_not_arrive_is_lost_once);
	tcase_add_test(tc, what_gave_way_is_delivered_when_the_client_has_it);
	tcase_add_test(tc, a_loss_between_two_batches_is_counted_once);
	tcase_add_test(tc,
		a_stream_that_ends_loses_what_it_had_and_what_gave_way);
	tcase_add_test(tc, a_stream_that_wrote_what_gave_way_delivered_it);
	tcase_add_test(tc,
		what_a_stream_committed_is_not_lost_by_an_older_word);
	tcase_add_test(tc, an_acknowledgement_tells_what_is_known_now);
	tcase_add_test(tc, in_the_end_each_event_was_seen_or_lost);
	return unit_run();
}
