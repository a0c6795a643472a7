/* SPDX-License-Identifier: MIT */
/*
 * test_worker.c - broker/worker.h: processes that hold open channels
 */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/status.h"
#include "broker/view.h"
#include "fixture.h"

static uint32_t enter(void)
{
	uint32_t worker;

	ck_assert_int_eq(worker_enter(broker, &worker), DONE);
	return worker;
}

static uint32_t used(void)
{
	return broker->workers.head->used;
}

/* What a process that enters, and then dies or waits, tells and is told. */
struct story {
	uint32_t *word;		/* 0 tells it has entered, 1 that it heard */
	struct client client;
	uint32_t worker;
};

static void enter_listen_and_die(void *arg)
{
	struct story *story = arg;

	client_listen_in(&story->client, enter());
	drop_dead();
}

static void enter_and_exit(void *arg)
{
	struct story *story = arg;
	uint32_t worker = enter();

	client_listen_in(&story->client, worker);
	worker_exit(broker, worker);
}

START_TEST(workers_have_different_slots_until_they_leave)
{
	uint32_t a = enter(), b = enter();

	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(used(), 2);
	worker_exit(broker, a);
	ck_assert_uint_eq(used(), 1);
	worker_exit(broker, a);
	ck_assert_uint_eq(used(), 1);
	ck_assert_uint_eq(enter(), a);
	all_is_well();
}
END_TEST

START_TEST(when_all_slots_live_one_must_leave_first)
{
	uint32_t workers[4], i, worker;

	for (i = 0; i < 4; i++)
		workers[i] = enter();
	ck_assert_int_eq(worker_enter(broker, &worker), SEGMENT_FULL);
	worker_exit(broker, workers[2]);
	ck_assert_int_eq(worker_enter(broker, &worker), DONE);
	ck_assert_uint_eq(worker, workers[2]);
}
END_TEST

START_TEST(the_dead_give_way_when_a_slot_is_needed)
{
	struct story story = { .client = client_join("/a") };
	uint32_t worker, i;

	for (i = 0; i < 3; i++)
		enter();
	was_killed(fork_off(enter_listen_and_die, &story), SIGKILL);
	ck_assert_uint_eq(used(), 4);
	ck_assert_int_eq(worker_enter(broker, &worker), DONE);
	ck_assert_uint_eq(used(), 4);
	all_is_well();
}
END_TEST

START_TEST(only_the_dead_are_reaped)
{
	struct story story = { .client = client_join("/a") };
	struct status status;

	enter();
	was_killed(fork_off(enter_listen_and_die, &story), SIGKILL);
	ck_assert_uint_eq(worker_reap(broker), 1);
	ck_assert_uint_eq(worker_reap(broker), 0);
	ck_assert_uint_eq(used(), 1);
	status_read(broker, &status);
	ck_assert_uint_eq(status.counts.workers_reaped, 1);
	all_is_well();
}
END_TEST

START_TEST(the_sessions_of_a_dead_worker_wait_for_their_client)
{
	struct story story = { .client = client_join("/a") };

	was_killed(fork_off(enter_listen_and_die, &story), SIGKILL);
	ck_assert_uint_ne(session_at(broker, 0)->channel, 0);
	ck_assert_uint_eq(say("/a", "1"), 1);
	worker_reap(broker);
	ck_assert_uint_eq(session_at(broker, 0)->channel, 0);
	ck_assert_uint_eq(say("/a", "2"), 1);
	ck_assert_str_eq(client_peek(&story.client), "1 2");
	all_is_well();
}
END_TEST

START_TEST(the_sessions_of_a_worker_that_leaves_wait_too)
{
	struct story story = { .client = client_join("/a") };

	ended_well(fork_off(enter_and_exit, &story));
	ck_assert_uint_eq(session_at(broker, 0)->channel, 0);
	ck_assert_uint_eq(used(), 0);
	say("/a", "1");
	ck_assert_str_eq(client_peek(&story.client), "1");
}
END_TEST

/* -- bells and ready bits -------------------------------------------------- */

static bool ready[64];
static unsigned calls;

static void note(void *arg, uint32_t session)
{
	(void)arg;
	ready[session] = true;
	calls++;
}

static unsigned answer(uint32_t worker)
{
	unsigned i;

	for (i = 0; i < ROWS(ready); i++)
		ready[i] = false;
	calls = 0;
	worker_answer(broker, worker, note, NULL);
	return calls;
}

START_TEST(each_session_with_news_is_named_once)
{
	struct client a = client_join("/a"), b = client_join("/b"),
		      c = client_join("/a,/b");
	uint32_t worker = enter(), other = enter();

	client_listen_in(&a, worker);
	client_listen_in(&b, other);
	client_listen_in(&c, worker);
	say("/a", "1");
	say("/a", "2");
	ck_assert_uint_eq(answer(worker), 2);
	ck_assert(ready[a.session.ref.index] && ready[c.session.ref.index]);
	ck_assert_uint_eq(answer(worker), 0);
	ck_assert_uint_eq(answer(other), 0);
	say("/b", "3");
	ck_assert_uint_eq(answer(other), 1);
	ck_assert(ready[b.session.ref.index]);
	ck_assert_uint_eq(answer(worker), 1);
}
END_TEST

START_TEST(a_session_nobody_listens_to_rings_nowhere)
{
	uint32_t worker = enter();

	client_join("/a");
	say("/a", "1");
	ck_assert_uint_eq(answer(worker), 0);
	ck_assert_uint_eq(worker_at(broker, worker)->bell, 0);
}
END_TEST

START_TEST(a_new_worker_inherits_nothing_of_the_last)
{
	struct client a = client_join("/a");
	uint32_t worker = enter();

	client_listen_in(&a, worker);
	say("/a", "1");
	worker_exit(broker, worker);
	ck_assert_uint_eq(enter(), worker);
	ck_assert_uint_eq(worker_at(broker, worker)->bell, 0);
	ck_assert_uint_eq(answer(worker), 0);
}
END_TEST

/* Listens, waits for its bell, and receives one event. */
static void receive_one(void *arg)
{
	struct story *story = arg;
	uint32_t worker = enter();

	client_listen_in(&story->client, worker);
	__atomic_store_n(&story->word[0], 1, __ATOMIC_SEQ_CST);
	while (answer(worker) == 0)
		worker_wait(broker, worker);
	ck_assert(ready[story->client.session.ref.index]);
	ck_assert_str_eq(client_receive(&story->client), "ding");
	worker_exit(broker, worker);
}

START_TEST(an_event_from_another_process_wakes_the_worker_that_waits)
{
	struct story story = { shared_word(), client_join("/a"), 0 };
	pid_t pid = fork_off(receive_one, &story);

	await_word(&story.word[0], 1);
	ck_assert_uint_eq(say("/a", "ding"), 1);
	ended_well(pid);
	ck_assert_str_eq(client_peek(&story.client), "");
}
END_TEST

static void wait_to_be_rung(void *arg)
{
	struct story *story = arg;

	__atomic_store_n(&story->word[0], 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&worker_at(broker, story->worker)->bell,
				__ATOMIC_SEQ_CST))
		worker_wait(broker, story->worker);
}

START_TEST(a_worker_can_be_rung_without_an_event)
{
	struct story story = { .word = shared_word(), .worker = enter() };
	pid_t pid = fork_off(wait_to_be_rung, &story);

	await_word(&story.word[0], 1);
	worker_ring(broker, story.worker);
	ended_well(pid);
	ck_assert_uint_eq(answer(story.worker), 0);
}
END_TEST

START_TEST(after_a_repair_every_worker_looks_at_every_session)
{
	uint32_t worker = enter();
	struct client c = client_join(NULL);

	client_listen_in(&c, worker);
	answer(worker);
	broker_repair(broker);
	ck_assert_uint_eq(worker_at(broker, worker)->bell, 1);
	ck_assert_uint_eq(answer(worker), 8);
}
END_TEST

static void enter_and_die(void *arg)
{
	(void)arg;
	enter();
	drop_dead();
}

START_TEST(a_look_that_is_due_in_a_far_future_is_damage)
{
	was_killed(fork_off(enter_and_die, NULL), SIGKILL);
	ck_assert_uint_eq(used(), 1);
	broker->map->reap_due = INT64_MAX;
	ck_assert_uint_eq(worker_reap_due(broker), 1);
	ck_assert_uint_eq(worker_reap_due(broker), 0);
	ck_assert_uint_eq(used(), 0);
}
END_TEST

START_TEST(a_worker_without_a_process_is_noticed)
{
	uint32_t worker = enter();
	struct buf report = BUF_INIT;

	worker_at(broker, worker)->pid = 0;
	ck_assert_int_eq(worker_check(broker, &report), 1);
	ck_assert_str_eq(buf_str(&report), "worker 0: no process\n");
	buf_release(&report);
	ck_assert_uint_eq(worker_reap(broker), 1);
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("worker");

	fixture_use(tc);
	tcase_add_test(tc, workers_have_different_slots_until_they_leave);
	tcase_add_test(tc, when_all_slots_live_one_must_leave_first);
	tcase_add_test(tc, the_dead_give_way_when_a_slot_is_needed);
	tcase_add_test(tc, only_the_dead_are_reaped);
	tcase_add_test(tc, the_sessions_of_a_dead_worker_wait_for_their_client);
	tcase_add_test(tc, the_sessions_of_a_worker_that_leaves_wait_too);
	tcase_add_test(tc, each_session_with_news_is_named_once);
	tcase_add_test(tc, a_session_nobody_listens_to_rings_nowhere);
	tcase_add_test(tc, a_new_worker_inherits_nothing_of_the_last);
	tcase_add_test(tc,
		an_event_from_another_process_wakes_the_worker_that_waits);
	tcase_add_test(tc, a_worker_can_be_rung_without_an_event);
	tcase_add_test(tc, after_a_repair_every_worker_looks_at_every_session);
	tcase_add_test(tc, a_look_that_is_due_in_a_far_future_is_damage);
	tcase_add_test(tc, a_worker_without_a_process_is_noticed);
	return unit_run();
}
