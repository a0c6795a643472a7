/* SPDX-License-Identifier: MIT */
/*
 * test_queue.c - broker/queue.c: what each session is still owed
 */
#include "unit.h"

#include <stdio.h>

#include "broker/status.h"
#include "broker/view.h"
#include "fixture.h"

/* Says the numbers from a to b on /q. */
static void say_numbers(int a, int b)
{
	char text[16];

	for (; a <= b; a++) {
		snprintf(text, sizeof(text), "%d", a);
		say("/q", text);
	}
}

static struct counts counts(void)
{
	struct status status;

	status_read(broker, &status);
	return status.counts;
}

static void set_queue(unsigned size, int overflow)
{
	limits.queue_size = size;
	limits.overflow = overflow;
	fixture_remake();
}

START_TEST(events_come_in_the_order_they_were_said)
{
	struct client c = client_join("/q");

	client_listen(&c);
	say_numbers(1, 8);
	ck_assert_str_eq(client_receive(&c), "1 2 3 4 5 6 7 8");
	ck_assert_str_eq(client_receive(&c), "");
	say_numbers(9, 16);
	ck_assert_str_eq(client_receive(&c), "9 10 11 12 13 14 15 16");
	all_is_well();
}
END_TEST

START_TEST(events_wait_for_a_listener_that_comes_later)
{
	struct client c = client_join("/q");

	say_numbers(1, 3);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "1 2 3");
}
END_TEST

START_TEST(a_full_queue_drops_the_oldest_and_counts_them)
{
	struct client c = client_join("/q");

	client_listen(&c);
	say_numbers(1, 11);
	ck_assert_str_eq(client_take(&c, 3), "lost=3 4 5 6 ...");
	client_commit(&c);
	ck_assert_str_eq(client_receive(&c), "7 8 9 10 11");
	ck_assert_uint_eq(counts().lost, 3);
	ck_assert_uint_eq(counts().queued, 11);
	ck_assert_uint_eq(counts().delivered, 8);
	all_is_well();
}
END_TEST

START_TEST(what_was_lost_is_told_until_it_is_committed)
{
	struct client c = client_join("/q");

	client_listen(&c);
	say_numbers(1, 10);
	ck_assert_str_eq(client_take(&c, 1), "lost=2 3 ...");
	client_listen(&c);	/* that response did not arrive */
	ck_assert_str_eq(client_take(&c, 1), "lost=2 3 ...");
	client_commit(&c);
	ck_assert_str_eq(client_take(&c, 1), "4 ...");
}
END_TEST

START_TEST(a_loss_between_take_and_commit_is_told_next_time)
{
	struct client c = client_join("/q");

	client_listen(&c);
	say_numbers(1, 10);
	ck_assert_str_eq(client_take(&c, 2), "lost=2 3 4 ...");
	/* The first two to give way are those in flight: they are not lost. */
	say_numbers(11, 15);
	client_commit(&c);
	ck_assert_str_eq(client_receive(&c), "lost=3 8 9 10 11 12 13 14 15");
	ck_assert_uint_eq(counts().lost, 5);
	all_is_well();
}
END_TEST

START_TEST(all_that_was_said_is_delivered_or_counted_as_lost)
{
	struct client c = client_join("/q");
	uint64_t got = 0, lost = 0;
	int i, n = 0;

	client_listen(&c);
	for (i = 0; i < 200; i++) {
		say_numbers(n + 1, n + i % 13);
		n += i % 13;
		client_take(&c, i < 199 ? (unsigned)(i % 5) : 8);
		got += c.take.count;
		lost += c.take.lost;
		client_commit(&c);
	}
	ck_assert_uint_eq(got + lost, (uint64_t)n);
	ck_assert_uint_eq(counts().lost, lost);
	ck_assert_uint_eq(counts().delivered, got);
	all_is_well();
}
END_TEST

START_TEST(a_queue_of_one_keeps_the_newest)
{
	struct client c;

	set_queue(1, OVERFLOW_DROP_OLDEST);
	c = client_join("/q,/");
	client_listen(&c);
	ck_assert_uint_eq(say("/q", "1"), 1);
	ck_assert_uint_eq(say("/q", "2"), 1);
	ck_assert_str_eq(client_receive(&c), "lost=1 2");
	ck_assert_uint_eq(say("/q", "3"), 1);
	ck_assert_str_eq(client_receive(&c), "3");
	all_is_well();
}
END_TEST

START_TEST(an_event_is_not_put_into_a_queue_twice)
{
	struct client c = client_join("/q");
	struct session *s;
	struct ref ref;

	say("/q", "once");
	client_listen(&c);
	broker_lock(broker);
	s = session_of(broker, c.session.ref);
	ref = *queue_next(broker, s);
	ck_assert(!queue_push(broker, s, ref));
	broker_unlock(broker);
	ck_assert_str_eq(client_receive(&c), "once");
	/* Not even when it was delivered already. */
	broker_lock(broker);
	ck_assert(!queue_push(broker, s, ref));
	broker_unlock(broker);
	ck_assert_str_eq(client_receive(&c), "");
}
END_TEST

START_TEST(a_slot_that_is_used_again_begins_with_an_empty_queue)
{
	struct client old = client_join("/q"), fresh;

	say_numbers(1, 5);
	ck_assert_int_eq(session_leave(broker, old.session.ref), DONE);
	fresh = client_join("/q");
	ck_assert_uint_eq(fresh.session.ref.index, old.session.ref.index);
	say_numbers(6, 7);
	client_listen(&fresh);
	ck_assert_str_eq(client_receive(&fresh), "6 7");
}
END_TEST

START_TEST(under_abort_a_full_queue_tells_the_channel)
{
	struct client c;

	set_queue(3, OVERFLOW_ABORT);
	c = client_join("/q");
	client_listen(&c);
	say_numbers(1, 3);
	ck_assert_int_eq(client_result(&c), TAKEN);
	ck_assert_uint_eq(say("/q", "4"), 0);
	ck_assert_int_eq(client_result(&c), TAKEN_ABORTED);
	ck_assert(!client_lives(&c));
	ck_assert_uint_eq(say("/q", "5"), 0);
	ck_assert_uint_eq(counts().aborts, 1);
	all_is_well();
	/* Its channel says so, and hangs up. */
	client_hang_up(&c);
	ck_assert_int_eq(client_result(&c), TAKEN_GONE);
	ck_assert_uint_eq(broker->sessions.head->used, 0);
	ck_assert_uint_eq(broker->subscriptions.head->used, 0);
	all_is_well();
}
END_TEST

START_TEST(under_abort_a_session_without_a_channel_is_just_over)
{
	struct client c, other;

	set_queue(3, OVERFLOW_ABORT);
	/* Several matching subscriptions: the list is walked meanwhile. */
	c = client_join("/q");
	other = client_join("/q");
	client_subscribe(&c, "/q", NULL);
	client_subscribe(&c, "/,/q", NULL);
	client_listen(&other);
	say_numbers(1, 3);
	client_receive(&other);
	ck_assert_uint_eq(say("/q", "4"), 1);
	ck_assert_str_eq(client_receive(&other), "4");
	ck_assert(!client_lives(&c));
	ck_assert_int_eq(subscription_clear(broker, c.session.ref), GONE);
	all_is_well();
	ck_assert_uint_eq(counts().aborts, 1);
	ck_assert_uint_eq(broker->sessions.head->used, 1);
	ck_assert(client_lives(&other));
}
END_TEST

START_TEST(broken_counters_are_noticed_and_mended)
{
	struct client c = client_join("/q");
	struct session *s = session_at(broker, c.session.ref.index);
	struct buf report = BUF_INIT;

	say_numbers(1, 5);
	switch (_i) {
	case 0:
		s->queue.tail = s->queue.head + 1;
		break;
	case 1:
		s->queue.head += 1000;
		break;
	case 2:
		s->queue.sent = s->queue.head + 1;
		break;
	case 3:
		s->queue.tail = 2;
		s->queue.sent = 1;
		break;
	case 4:
		s->queue.carried = s->queue.head + 1;
		break;
	case 5:
		s->queue.settled = s->queue.head + 1;
		break;
	}
	ck_assert_int_eq(queue_check(broker, &report), 1);
	buf_release(&report);
	broker_repair(broker);
	all_is_well();
	client_listen(&c);
	client_receive(&c);
	say_numbers(6, 7);
	ck_assert_str_eq(client_receive(&c), "6 7");
}
END_TEST

/* Each makes a queue of nearly all there are numbers. */
static void tail_far_behind(struct session *s) { s->queue.head = UINT64_MAX; }
static void tail_far_ahead(struct session *s) { s->queue.tail = UINT64_MAX; }
static void sent_far_ahead(struct session *s) { s->queue.sent = UINT64_MAX; }
static void committed_far_ahead(struct session *s)
{
	s->queue.head = UINT64_MAX;
	s->queue.sent = UINT64_MAX - 2;
}

static void (*const far[])(struct session *s) = {
	tail_far_behind, tail_far_ahead, sent_far_ahead, committed_far_ahead,
};

START_TEST(nobody_walks_a_queue_that_cannot_be)
{
	struct client c = client_join("/q");
	struct session *s = session_at(broker, c.session.ref.index);

	say_numbers(1, 5);
	client_listen(&c);
	far[_i](s);
	client_receive(&c);
	far[_i](s);
	c.counter = UINT64_MAX;
	client_commit(&c);
	far[_i](s);
	say_numbers(6, 7);
	client_receive(&c);
	broker_repair(broker);
	say_numbers(8, 9);
	ck_assert_str_eq(client_receive(&c), "8 9");
	all_is_well();
}
END_TEST

/* As it stands after a death; but no such move was ever begun. */
static void leave_move(uint32_t session, uint64_t head)
{
	struct queue_move *move = &broker->map->move;

	move->to = (struct queue){ .head = head, .tail = head, .lost = 1000 };
	move->gone = UINT64_MAX;
	move->session = session;
	broker_repair(broker);
	ck_assert_uint_eq(move->session, 0);
}

START_TEST(a_move_that_cannot_be_moves_nothing)
{
	struct client c = client_join("/q");
	struct session *s = session_at(broker, c.session.ref.index);

	say_numbers(1, 3);
	leave_move(c.session.ref.index + 1, s->queue.head + 1);
	leave_move(broker->geometry.sessions + 1, s->queue.head);
	leave_move(UINT32_MAX, s->queue.head);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "1 2 3");
	ck_assert_uint_eq(s->queue.lost, 0);
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("queue");

	fixture_use(tc);
	tcase_add_test(tc, events_come_in_the_order_they_were_said);
	tcase_add_test(tc, events_wait_for_a_listener_that_comes_later);
	tcase_add_test(tc, a_full_queue_drops_the_oldest_and_counts_them);
	tcase_add_test(tc, what_was_lost_is_told_until_it_is_committed);
	tcase_add_test(tc, a_loss_between_take_and_commit_is_told_next_time);
	tcase_add_test(tc, all_that_was_said_is_delivered_or_counted_as_lost);
	tcase_add_test(tc, a_queue_of_one_keeps_the_newest);
	tcase_add_test(tc, an_event_is_not_put_into_a_queue_twice);
	tcase_add_test(tc,
		a_slot_that_is_used_again_begins_with_an_empty_queue);
	tcase_add_test(tc, under_abort_a_full_queue_tells_the_channel);
	tcase_add_test(tc,
		under_abort_a_session_without_a_channel_is_just_over);
	tcase_add_loop_test(tc, broken_counters_are_noticed_and_mended, 0, 6);
	tcase_add_test(tc, a_move_that_cannot_be_moves_nothing);
	tcase_add_loop_test(tc, nobody_walks_a_queue_that_cannot_be, 0,
			    ROWS(far));
	return unit_run();
}
