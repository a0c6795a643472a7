/* SPDX-License-Identifier: MIT */
/*
 * test_bell.c - shm/bell.h: one word, one waiter, any ringers
 */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"
#include "shm/bell.h"

START_TEST(a_bell_is_silent_until_it_is_rung)
{
	uint32_t bell = 0;

	ck_assert(!bell_answer(&bell));
	bell_ring(&bell);
	ck_assert(bell_answer(&bell));
	ck_assert(!bell_answer(&bell));
}
END_TEST

START_TEST(ringing_twice_is_answered_once)
{
	uint32_t bell = 0;

	bell_ring(&bell);
	bell_ring(&bell);
	ck_assert(bell_answer(&bell));
	ck_assert(!bell_answer(&bell));
}
END_TEST

START_TEST(a_bell_that_rings_already_lets_nobody_wait)
{
	uint32_t bell = 0;
	int64_t began = clock_ms();

	bell_ring(&bell);
	bell_wait(&bell);
	ck_assert_int_lt(clock_ms() - began, 900);
	ck_assert(bell_answer(&bell));
}
END_TEST

/* Answers every ring, and says so by the second word, until the third. */
static void doorman(void *arg)
{
	uint32_t *word = arg;

	while (!__atomic_load_n(&word[2], __ATOMIC_SEQ_CST)) {
		bell_wait(&word[0]);
		if (bell_answer(&word[0]))
			__atomic_fetch_add(&word[1], 1, __ATOMIC_SEQ_CST);
	}
}

START_TEST(no_ring_from_another_process_is_lost)
{
	uint32_t *word = shared_word();
	pid_t pid = fork_off(doorman, word);
	int64_t began = clock_ms();
	uint32_t i;

	for (i = 1; i <= 2000; i++) {
		bell_ring(&word[0]);
		await_word(&word[1], i);
	}
	/* Each was a wake-up, not an early return of the wait. */
	ck_assert_int_lt(clock_ms() - began, 2000 * 900);
	__atomic_store_n(&word[2], 1, __ATOMIC_SEQ_CST);
	bell_ring(&word[0]);
	ended_well(pid);
}
END_TEST

START_TEST(a_wait_ends_by_itself_when_a_ringer_died)
{
	uint32_t bell = 0;
	int64_t began = clock_ms();

	bell_wait(&bell);
	ck_assert(!bell_answer(&bell));
	ck_assert_int_lt(clock_ms() - began, 30000);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("bell");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_bell_is_silent_until_it_is_rung);
	tcase_add_test(tc, ringing_twice_is_answered_once);
	tcase_add_test(tc, a_bell_that_rings_already_lets_nobody_wait);
	tcase_add_test(tc, no_ring_from_another_process_is_lost);
	tcase_add_test(tc, a_wait_ends_by_itself_when_a_ringer_died);
	return unit_run();
}
