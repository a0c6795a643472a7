/* SPDX-License-Identifier: MIT */
/*
 * test_listener.c - broker/listener.h: the one channel that serves a session
 */
#include "unit.h"

#include <string.h>

#include "base/clock.h"
#include "broker/view.h"
#include "fixture.h"

static uint32_t enter(void)
{
	uint32_t worker;

	ck_assert_int_eq(worker_enter(broker, &worker), DONE);
	return worker;
}

static unsigned calls;
static uint32_t called;

static void note(void *arg, uint32_t session)
{
	(void)arg;
	calls++;
	called = session;
}

/* How many sessions a worker is told to look at; the last in "called". */
static unsigned answers(uint32_t worker)
{
	calls = 0;
	worker_answer(broker, worker, note, NULL);
	return calls;
}

START_TEST(each_channel_has_a_number_of_its_own)
{
	struct client a = client_join(NULL), b = client_join(NULL);
	uint64_t first;

	client_listen(&a);
	first = a.channel;
	ck_assert_uint_ne(first, 0);
	client_listen(&b);
	ck_assert_uint_ne(b.channel, first);
	client_listen(&a);
	ck_assert_uint_ne(a.channel, first);
	ck_assert_uint_ne(a.channel, b.channel);
}
END_TEST

START_TEST(a_newer_channel_replaces_the_older)
{
	struct client older = client_join("/a"), newer;

	client_listen(&older);
	ck_assert_int_eq(client_result(&older), TAKEN);
	newer = older;
	client_listen(&newer);
	say("/a", "x");
	ck_assert_int_eq(client_result(&older), TAKEN_REPLACED);
	ck_assert_str_eq(client_receive(&newer), "x");
	/* The older hangs up, and changes nothing by that. */
	client_hang_up(&older);
	ck_assert_int_eq(client_result(&newer), TAKEN);
	all_is_well();
}
END_TEST

START_TEST(the_worker_of_the_replaced_channel_is_told)
{
	uint32_t here = enter(), there = enter();
	struct client c = client_join("/a");

	client_listen_in(&c, here);
	answers(here);
	client_listen_in(&c, there);
	ck_assert_uint_eq(answers(here), 1);
	ck_assert_uint_eq(called, c.session.ref.index);
	/* From now on the other one hears of events. */
	say("/a", "x");
	ck_assert_uint_eq(answers(here), 0);
	ck_assert_uint_eq(answers(there), 1);
}
END_TEST

START_TEST(the_replaced_one_commits_nothing)
{
	struct client older = client_join("/a"), newer;

	say("/a", "1");
	say("/a", "2");
	client_listen(&older);
	ck_assert_str_eq(client_take(&older, 2), "1 2");
	newer = older;
	client_listen(&newer);
	client_commit(&older);
	ck_assert_str_eq(client_receive(&newer), "1 2");
}
END_TEST

START_TEST(what_was_taken_and_not_committed_is_handed_out_again)
{
	struct client c = client_join("/a");

	say("/a", "1");
	say("/a", "2");
	client_listen(&c);
	ck_assert_str_eq(client_take(&c, 1), "1 ...");
	client_commit(&c);
	ck_assert_str_eq(client_take(&c, 1), "2");
	client_hang_up(&c);
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "2");
	ck_assert_str_eq(client_receive(&c), "");
}
END_TEST

START_TEST(leaving_tells_the_worker_and_its_channel_is_gone)
{
	uint32_t worker = enter();
	struct client c = client_join(NULL);

	client_listen_in(&c, worker);
	answers(worker);
	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	ck_assert_uint_eq(answers(worker), 1);
	ck_assert_int_eq(client_result(&c), TAKEN_GONE);
	client_hang_up(&c);
	all_is_well();
}
END_TEST

START_TEST(nobody_listens_to_a_session_that_is_gone)
{
	struct client c = client_join(NULL);
	struct place place;

	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	ck_assert_int_eq(listener_attach(broker, c.session.ref, enter(),
					 MODE_STREAM, &place), GONE);
	ck_assert_int_eq(listener_listen(broker, c.session.ref, enter(),
					 MODE_STREAM, &place), GONE);
	ck_assert_uint_eq(place.channel, 0);
	client_join(NULL);
	ck_assert_int_eq(listener_attach(broker, c.session.ref, enter(),
					 MODE_STREAM, &place), GONE);
	all_is_well();
}
END_TEST

START_TEST(a_listen_sets_the_mode)
{
	struct client c = client_join(NULL);
	struct session_view view;

	client_set_mode(&c, MODE_POLL);
	ck_assert_int_eq(session_find(broker, c.session.id, &view), DONE);
	ck_assert(view.listened);
	ck_assert_int_eq(view.mode, MODE_POLL);
	client_set_mode(&c, MODE_STREAM);
	ck_assert_int_eq(session_find(broker, c.session.id, &view), DONE);
	ck_assert_int_eq(view.mode, MODE_STREAM);
}
END_TEST

START_TEST(a_listen_ends_the_channel_before_it)
{
	uint32_t worker = enter();
	struct client c = client_join("/a");

	client_listen_in(&c, worker);
	answers(worker);
	client_set_mode(&c, MODE_PULL);
	ck_assert_uint_eq(answers(worker), 1);
	ck_assert_int_eq(client_result(&c), TAKEN_REPLACED);
	ck_assert(client_lives(&c));
	ck_assert_uint_eq(say("/a", "x"), 1);
	ck_assert_str_eq(client_peek(&c), "x");
}
END_TEST

/* -- slots ----------------------------------------------------------------- */

static uint32_t hall;		/* the worker of all channels below */

static void set_slots(uint64_t slots)
{
	limits.sessions_max = 64;
	limits.subscriptions_max = 64;
	fixture_remake();
	limits.listen_slots = slots;
	broker_settle(broker, &limits);
	hall = enter();
}

/* What a new session gets that listens so; its place. */
static struct place listens(enum session_mode wish, struct client *c_out)
{
	struct place place;

	*c_out = client_join("/a");
	ck_assert_int_eq(listener_listen(broker, c_out->session.ref, hall,
					 wish, &place), DONE);
	c_out->channel = place.channel;
	return place;
}

/* What a session gets that comes back and wishes this. */
static enum session_mode refreshes(struct client *c, enum session_mode wish)
{
	struct place place;

	ck_assert_int_eq(listener_attach(broker, c->session.ref, hall, wish,
					 &place), DONE);
	ck_assert_uint_ne(place.channel, 0);
	c->channel = place.channel;
	return place.mode;
}

static struct session_view seen(const struct client *c)
{
	struct session_view view;

	ck_assert_int_eq(session_find(broker, c->session.id, &view), DONE);
	return view;
}

START_TEST(half_of_the_slots_are_streams_then_pulls_wait_then_all_poll)
{
	struct client c[8];
	int i;

	set_slots(4);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(listens(MODE_STREAM, &c[i]).mode,
				 MODE_STREAM);
	for (; i < 4; i++) {
		ck_assert_int_eq(listens(MODE_STREAM, &c[i]).mode, MODE_PULL);
		ck_assert_uint_eq(c[i].channel, 0);
		ck_assert(seen(&c[i]).yielded);
		ck_assert_int_eq(refreshes(&c[i], MODE_PULL), MODE_PULL);
	}
	for (; i < 6; i++) {
		ck_assert_int_eq(listens(MODE_STREAM, &c[i]).mode, MODE_POLL);
		ck_assert_int_eq(seen(&c[i]).mode, MODE_POLL);
		ck_assert(seen(&c[i]).yielded);
		ck_assert_int_eq(refreshes(&c[i], MODE_PULL), MODE_POLL);
	}
	ck_assert_int_eq(listens(MODE_POLL, &c[6]).mode, MODE_POLL);
	ck_assert(!seen(&c[6]).yielded);
	all_is_well();
}
END_TEST

START_TEST(a_slot_that_is_free_again_is_given_again)
{
	struct client a, b, c;

	set_slots(2);
	listens(MODE_STREAM, &a);
	ck_assert_int_eq(listens(MODE_STREAM, &b).mode, MODE_PULL);
	client_hang_up(&a);
	ck_assert_int_eq(listens(MODE_STREAM, &a).mode, MODE_STREAM);
	session_leave(broker, a.session.ref);
	ck_assert_int_eq(listens(MODE_STREAM, &c).mode, MODE_STREAM);
	all_is_well();
	worker_exit(broker, hall);
	hall = enter();
	ck_assert_int_eq(listens(MODE_STREAM, &c).mode, MODE_STREAM);
	ck_assert(!seen(&c).yielded);
	all_is_well();
}
END_TEST

START_TEST(the_slot_of_a_session_is_free_for_itself)
{
	struct client c;
	struct place place;
	int i;

	set_slots(1);
	listens(MODE_STREAM, &c);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(refreshes(&c, MODE_STREAM), MODE_STREAM);
		ck_assert_int_eq(listener_listen(broker, c.session.ref, hall,
						 MODE_STREAM, &place), DONE);
		ck_assert_int_eq(place.mode, MODE_STREAM);
	}
	all_is_well();
}
END_TEST

START_TEST(without_slots_there_is_room_for_all)
{
	struct client c;
	int i;

	set_slots(0);
	for (i = 0; i < 40; i++)
		ck_assert_int_eq(listens(MODE_STREAM, &c).mode, MODE_STREAM);
	ck_assert_uint_eq(broker->map->open[MODE_STREAM], 40);
}
END_TEST

static void rush(void *arg)
{
	struct client c;
	int i;

	await_word(arg, 1);
	for (i = 0; i < 12; i++)
		if (listens(MODE_STREAM, &c).mode == MODE_PULL)
			refreshes(&c, MODE_PULL);
}

START_TEST(a_rush_takes_no_more_than_there_is)
{
	uint32_t *go = shared_word();
	pid_t pid[4];
	int i;

	set_slots(10);
	for (i = 0; i < 4; i++)
		pid[i] = fork_off(rush, go);
	__atomic_store_n(go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 4; i++)
		ended_well(pid[i]);
	ck_assert_uint_eq(broker->map->open[MODE_STREAM], 5);
	ck_assert_uint_eq(broker->map->open[MODE_STREAM] +
			  broker->map->open[MODE_PULL], 10);
	all_is_well();
}
END_TEST

START_TEST(a_repair_counts_the_channels_anew)
{
	struct client a, b;

	set_slots(4);
	listens(MODE_STREAM, &a);
	listens(MODE_PULL, &b);
	refreshes(&b, MODE_PULL);
	memset(broker->map->open, 0x77, sizeof(broker->map->open));
	broker_repair(broker);
	ck_assert_uint_eq(broker->map->open[MODE_STREAM], 1);
	ck_assert_uint_eq(broker->map->open[MODE_PULL], 1);
	all_is_well();
}
END_TEST

/* -- pull and poll sessions that do not come back -------------------------- */

static struct client with_mode(enum session_mode mode)
{
	struct client c = client_join("/a");

	client_set_mode(&c, mode);
	return c;
}

static int64_t served(const struct client *c)
{
	return session_at(broker, c->session.ref.index)->served;
}

static void set_up_timeouts(void)
{
	limits.pull_timeout = 20;
	limits.poll_timeout = 60000;
	broker_settle(broker, &limits);
}

START_TEST(a_stale_pull_session_ends_at_its_next_event)
{
	struct client c, poll;

	set_up_timeouts();
	c = with_mode(MODE_PULL);
	poll = with_mode(MODE_POLL);
	client_subscribe(&c, "/", NULL);
	await_clock(served(&c) + 20);
	ck_assert_uint_eq(say("/a", "x"), 1);
	ck_assert(!client_lives(&c));
	ck_assert(client_lives(&poll));
	all_is_well();
}
END_TEST

START_TEST(asking_in_time_keeps_a_stale_session)
{
	struct client c;

	set_up_timeouts();
	c = with_mode(MODE_PULL);
	await_clock(served(&c) + 20);
	/* Not an event for it, and then it comes back. */
	ck_assert_uint_eq(say("/b", "x"), 0);
	ck_assert(client_lives(&c));
	client_listen(&c);
	ck_assert_uint_eq(say("/a", "x"), 1);
	ck_assert_str_eq(client_receive(&c), "x");
}
END_TEST

START_TEST(a_pull_session_that_is_served_is_not_stale)
{
	struct client c;

	set_up_timeouts();
	c = with_mode(MODE_PULL);
	client_listen(&c);
	await_clock(served(&c) + 20);
	ck_assert_uint_eq(say("/a", "x"), 1);
	limits.pull_timeout = 60000;
	broker_settle(broker, &limits);
	client_hang_up(&c);	/* counts as served until now */
	ck_assert_int_gt(served(&c), clock_ms() - 50000);
	ck_assert_uint_eq(say("/a", "x"), 1);
}
END_TEST

START_TEST(who_never_listened_or_streams_is_never_stale)
{
	struct client fresh, stream;

	set_up_timeouts();
	limits.poll_timeout = 20;
	broker_settle(broker, &limits);
	fresh = client_join("/a");
	stream = with_mode(MODE_STREAM);
	await_clock(served(&stream) + 20);
	ck_assert_uint_eq(say("/a", "x"), 2);
	ck_assert(client_lives(&fresh) && client_lives(&stream));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("listener");

	fixture_use(tc);
	tcase_add_test(tc, each_channel_has_a_number_of_its_own);
	tcase_add_test(tc, a_newer_channel_replaces_the_older);
	tcase_add_test(tc, the_worker_of_the_replaced_channel_is_told);
	tcase_add_test(tc, the_replaced_one_commits_nothing);
	tcase_add_test(tc,
		what_was_taken_and_not_committed_is_handed_out_again);
	tcase_add_test(tc, leaving_tells_the_worker_and_its_channel_is_gone);
	tcase_add_test(tc, nobody_listens_to_a_session_that_is_gone);
	tcase_add_test(tc, a_listen_sets_the_mode);
	tcase_add_test(tc, a_listen_ends_the_channel_before_it);
	tcase_add_test(tc,
		half_of_the_slots_are_streams_then_pulls_wait_then_all_poll);
	tcase_add_test(tc, a_slot_that_is_free_again_is_given_again);
	tcase_add_test(tc, the_slot_of_a_session_is_free_for_itself);
	tcase_add_test(tc, without_slots_there_is_room_for_all);
	tcase_add_test(tc, a_rush_takes_no_more_than_there_is);
	tcase_add_test(tc, a_repair_counts_the_channels_anew);
	tcase_add_test(tc, a_stale_pull_session_ends_at_its_next_event);
	tcase_add_test(tc, asking_in_time_keeps_a_stale_session);
	tcase_add_test(tc, a_pull_session_that_is_served_is_not_stale);
	tcase_add_test(tc, who_never_listened_or_streams_is_never_stale);
	return unit_run();
}
