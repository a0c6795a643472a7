/* SPDX-License-Identifier: MIT */
/*
 * test_lock.c - shm/lock.h: a lock that outlives its holders
 */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "shm/lock.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNIT_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define UNIT_TSAN 1
#elif !defined(UNIT_TSAN)
#define UNIT_TSAN 0
#endif

/* What the processes of a test share. */
struct shared {
	struct shared_lock lock;
	uint32_t entered;		/* processes that hold or held it */
	uint32_t repairs;		/* times repair() ran to its end */
	uint32_t begun;			/* times repair() began */
	uint32_t deadly;		/* repairs that shall be cut short */
	uint64_t a, b;			/* equal while nobody holds it */
};

static struct shared *shared;

static void set_up(void)
{
	shared = (struct shared *)shared_word();
	ck_assert_int_eq(lock_init(&shared->lock), 0);
}

static void repair(void *arg)
{
	struct shared *s = arg;

	s->begun++;
	if (s->begun <= s->deadly)
		drop_dead();
	s->a = s->b;
	s->repairs++;
}

static void take(void)
{
	lock_take(&shared->lock, repair, shared);
}

static void give(void)
{
	lock_give(&shared->lock);
}

static void take_and_die(void *arg)
{
	(void)arg;
	take();
	shared->a++;
	drop_dead();
}

static void take_and_give(void *arg)
{
	(void)arg;
	take();
	ck_assert_uint_eq(shared->a, shared->b);
	give();
}

START_TEST(without_a_death_nothing_is_repaired)
{
	take();
	give();
	ended_well(fork_off(take_and_give, NULL));
	take();
	give();
	ck_assert_uint_eq(shared->begun, 0);
}
END_TEST

START_TEST(after_a_death_the_next_repairs_once)
{
	was_killed(fork_off(take_and_die, NULL), SIGKILL);
	ck_assert_uint_ne(shared->a, shared->b);
	take();
	ck_assert_uint_eq(shared->repairs, 1);
	ck_assert_uint_eq(shared->a, shared->b);
	give();
	take();
	give();
	ended_well(fork_off(take_and_give, NULL));
	ck_assert_uint_eq(shared->repairs, 1);
}
END_TEST

START_TEST(a_death_inside_repair_leaves_the_duty_to_the_next)
{
	shared->deadly = 2;
	was_killed(fork_off(take_and_die, NULL), SIGKILL);
	was_killed(fork_off(take_and_give, NULL), SIGKILL);
	was_killed(fork_off(take_and_give, NULL), SIGKILL);
	ck_assert_uint_eq(shared->repairs, 0);
	ended_well(fork_off(take_and_give, NULL));
	ck_assert_uint_eq(shared->repairs, 1);
	ck_assert_uint_eq(shared->begun, 3);
	take();
	give();
	ck_assert_uint_eq(shared->repairs, 1);
}
END_TEST

/* Dies with the lock, after somebody began to wait for it. */
static void hold_until_awaited(void *arg)
{
	(void)arg;
	take();
	shared->a++;
	__atomic_store_n(&shared->entered, 1, __ATOMIC_SEQ_CST);
	await_word(&shared->entered, 2);
	drop_dead();
}

static void wait_for_it(void *arg)
{
	(void)arg;
	await_word(&shared->entered, 1);
	__atomic_store_n(&shared->entered, 2, __ATOMIC_SEQ_CST);
	take_and_give(NULL);
}

START_TEST(who_waits_gets_it_when_the_holder_dies)
{
	pid_t holder = fork_off(hold_until_awaited, NULL);
	pid_t waiter = fork_off(wait_for_it, NULL);

	was_killed(holder, SIGKILL);
	ended_well(waiter);
	ck_assert_uint_eq(shared->repairs, 1);
}
END_TEST

enum { ROUNDS = 5000, PROCESSES = 4 };

static void count(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		take();
		shared->a++;
		shared->b++;
		ck_assert_uint_eq(shared->a, shared->b);
		give();
	}
}

START_TEST(only_one_process_holds_it_at_a_time)
{
	pid_t pids[PROCESSES];
	int i;

	for (i = 0; i < PROCESSES; i++)
		pids[i] = fork_off(count, NULL);
	for (i = 0; i < PROCESSES; i++)
		ended_well(pids[i]);
	ck_assert_uint_eq(shared->a, ROUNDS * PROCESSES);
}
END_TEST

static void *count_in_thread(void *arg)
{
	count(arg);
	return NULL;
}

START_TEST(only_one_thread_holds_it_at_a_time)
{
	pthread_t threads[PROCESSES];
	int i;

	for (i = 0; i < PROCESSES; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						count_in_thread, NULL), 0);
	for (i = 0; i < PROCESSES; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(shared->a, ROUNDS * PROCESSES);
}
END_TEST

START_TEST(giving_what_one_does_not_hold_stops_the_process)
{
	give();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("lock");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, without_a_death_nothing_is_repaired);
	tcase_add_test(tc, after_a_death_the_next_repairs_once);
	tcase_add_test(tc, a_death_inside_repair_leaves_the_duty_to_the_next);
	tcase_add_test(tc, who_waits_gets_it_when_the_holder_dies);
	tcase_add_test(tc, only_one_process_holds_it_at_a_time);
	tcase_add_test(tc, only_one_thread_holds_it_at_a_time);
	/* ThreadSanitizer reports it by itself. */
	if (!UNIT_TSAN)
		tcase_add_test_raise_signal(tc,
			giving_what_one_does_not_hold_stops_the_process,
			SIGABRT);
	return unit_run();
}
