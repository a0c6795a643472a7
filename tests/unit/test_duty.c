/* SPDX-License-Identifier: MIT */
/*
 * test_duty.c - sources/duty.h and flow.h: when a source runs, and how fast it
 * may speak; the clock is the tests' own
 */
#include "unit.h"

#include "sources/duty.h"
#include "sources/flow.h"

static const struct duty_rules usual = {
	.restart = RESTART_ALWAYS, .when = WHEN_ALWAYS, .grace = 30000,
	.stop = 5000, .delay_min = 1000, .delay_max = 8000, .stable = 60000,
};

static struct duty duty;
static int64_t now;

static void begin(struct duty_rules rules)
{
	now = 1000000;
	duty_init(&duty, &rules, now);
}

/* So much later, with or without a subscriber. */
static enum duty_act after(int64_t ms, bool wanted)
{
	now += ms;
	return duty_next(&duty, now, wanted);
}

static void starts(bool wanted)
{
	ck_assert_int_eq(after(0, wanted), DUTY_START);
	duty_started(&duty, now);
	ck_assert_int_eq(duty.state, DUTY_RUNNING);
}

/* It ends by itself after so long. */
static void ends(int64_t ms, bool well)
{
	now += ms;
	duty_exited(&duty, now);
	duty_ended(&duty, now, well);
}

START_TEST(one_that_always_runs_needs_no_subscriber)
{
	begin(usual);
	starts(false);
	ck_assert_int_eq(after(86400000, false), DUTY_NOTHING);
}
END_TEST

START_TEST(one_that_ends_waits_twice_as_long_each_time_up_to_the_most)
{
	static const int64_t delays[] = { 1000, 2000, 4000, 8000, 8000 };
	size_t i;

	begin(usual);
	for (i = 0; i < ROWS(delays); i++) {
		starts(false);
		ends(10, i % 2);
		ck_assert_int_eq(duty.delay, delays[i]);
		ck_assert_int_eq(after(delays[i] - 1, true), DUTY_NOTHING);
		ck_assert_int_eq(duty.state, DUTY_WAITING);
		now++;
	}
	starts(true);
}
END_TEST

START_TEST(one_that_ran_long_enough_begins_with_the_shortest_wait)
{
	begin(usual);
	starts(true);
	ends(10, false);
	now += 1000;
	starts(true);
	ends(59999, false);
	ck_assert_int_eq(duty.delay, 2000);
	now += 2000;
	starts(true);
	ends(60000, false);
	ck_assert_int_eq(duty.delay, 1000);
}
END_TEST

START_TEST(one_that_cannot_be_started_waits_as_well)
{
	struct duty_rules rules = usual;

	rules.restart = RESTART_NEVER;
	begin(rules);
	ck_assert_int_eq(after(0, true), DUTY_START);
	duty_failed(&duty, now);
	ck_assert_int_eq(after(999, true), DUTY_NOTHING);
	ck_assert_int_eq(after(1, true), DUTY_START);
}
END_TEST

static const struct {
	enum restart restart;
	bool well, again;
} restarts[] = {
	{ RESTART_ALWAYS, true, true },
	{ RESTART_ALWAYS, false, true },
	{ RESTART_FAILURE, true, false },
	{ RESTART_FAILURE, false, true },
	{ RESTART_NEVER, true, false },
	{ RESTART_NEVER, false, false },
};

START_TEST(whether_it_runs_again_is_said_by_restart)
{
	struct duty_rules rules = usual;

	rules.restart = restarts[_i].restart;
	begin(rules);
	starts(true);
	ends(10, restarts[_i].well);
	ck_assert_int_eq(duty.state, restarts[_i].again ? DUTY_WAITING :
							  DUTY_OVER);
	ck_assert_int_eq(after(86400000, true),
			 restarts[_i].again ? DUTY_START : DUTY_NOTHING);
}
END_TEST

static struct duty_rules on_demand(enum restart restart)
{
	struct duty_rules rules = usual;

	rules.when = WHEN_SUBSCRIBED;
	rules.restart = restart;
	return rules;
}

START_TEST(one_on_demand_runs_while_it_is_wanted)
{
	begin(on_demand(RESTART_ALWAYS));
	ck_assert_int_eq(after(0, false), DUTY_NOTHING);
	ck_assert_int_eq(after(500, true), DUTY_START);
	duty_started(&duty, now);
	ck_assert_int_eq(after(3600000, true), DUTY_NOTHING);
	ck_assert_int_eq(after(30000, false), DUTY_NOTHING);
	ck_assert(duty_needed(&duty, now));
	ck_assert_int_eq(after(1, false), DUTY_TERM);
	ck_assert(!duty_needed(&duty, now));
	ck_assert_int_eq(duty.why, WHY_UNWANTED);
	duty_ended(&duty, now, false);
	ck_assert_int_eq(after(1000, false), DUTY_NOTHING);
	ck_assert_int_eq(duty.state, DUTY_IDLE);
	ck_assert_int_eq(after(1, true), DUTY_START);
}
END_TEST

START_TEST(a_reloaded_page_does_not_restart_it)
{
	begin(on_demand(RESTART_ALWAYS));
	starts(true);
	ck_assert_int_eq(after(29000, false), DUTY_NOTHING);
	ck_assert_int_eq(after(500, true), DUTY_NOTHING);
	ck_assert_int_eq(after(29000, false), DUTY_NOTHING);
}
END_TEST

START_TEST(who_comes_while_it_leaves_gets_a_new_one)
{
	begin(on_demand(RESTART_ALWAYS));
	starts(true);
	ck_assert_int_eq(after(30001, false), DUTY_TERM);
	ck_assert_int_eq(after(10, true), DUTY_NOTHING);
	duty_ended(&duty, now, false);
	starts(true);
}
END_TEST

START_TEST(coming_and_going_does_not_shorten_the_wait)
{
	begin(on_demand(RESTART_ALWAYS));
	starts(true);
	ends(10, false);
	ck_assert_int_eq(after(100, false), DUTY_NOTHING);
	ck_assert_int_eq(duty.state, DUTY_IDLE);
	ck_assert_int_eq(after(100, true), DUTY_NOTHING);
	ck_assert_int_eq(after(800, true), DUTY_START);
}
END_TEST

START_TEST(one_that_was_to_run_once_runs_once_for_those_who_come_together)
{
	begin(on_demand(RESTART_NEVER));
	starts(true);
	ends(10, true);
	ck_assert_int_eq(after(600000, true), DUTY_NOTHING);
	ck_assert_int_eq(after(30000, false), DUTY_NOTHING);
	ck_assert_int_eq(after(500, true), DUTY_NOTHING);
	ck_assert_int_eq(after(30001, false), DUTY_NOTHING);
	starts(true);
}
END_TEST

START_TEST(one_that_does_not_leave_is_killed_once)
{
	begin(usual);
	starts(true);
	duty_retire(&duty);
	ck_assert(!duty_needed(&duty, now));
	ck_assert_int_eq(after(1, true), DUTY_TERM);
	ck_assert_int_eq(duty.why, WHY_RETIRED);
	ck_assert_int_eq(after(4999, true), DUTY_NOTHING);
	ck_assert_int_eq(after(1, true), DUTY_KILL);
	ck_assert_int_eq(after(99999, true), DUTY_NOTHING);
	duty_ended(&duty, now, false);
	ck_assert_int_eq(after(99999, true), DUTY_NOTHING);
}
END_TEST

START_TEST(what_an_ended_one_left_behind_is_killed_too)
{
	begin(usual);
	starts(true);
	now += 10;
	duty_exited(&duty, now);
	ck_assert_int_eq(duty.state, DUTY_LEAVING);
	ck_assert_int_eq(after(5000, true), DUTY_KILL);
	duty_ended(&duty, now, true);
	ck_assert_int_eq(duty.delay, 1000);
}
END_TEST

START_TEST(a_silent_one_is_restarted_as_one_that_failed)
{
	struct duty_rules rules = usual;

	rules.silence = 10000;
	rules.restart = RESTART_FAILURE;
	begin(rules);
	starts(true);
	ck_assert_int_eq(after(9000, true), DUTY_NOTHING);
	duty_heard(&duty, now);
	ck_assert_int_eq(after(9999, true), DUTY_NOTHING);
	ck_assert_int_eq(after(1, true), DUTY_TERM);
	ck_assert_int_eq(duty.why, WHY_SILENT);
	duty_ended(&duty, now, true);
	ck_assert_int_eq(duty.state, DUTY_WAITING);
}
END_TEST

START_TEST(silence_without_a_limit_is_fine)
{
	begin(usual);
	starts(true);
	ck_assert_int_eq(after(86400000, true), DUTY_NOTHING);
}
END_TEST

START_TEST(a_flow_lets_its_rate_through_and_no_more)
{
	static const uint64_t rates[] = { 1, 3, 10, 50, 1000, 1000000 };
	uint64_t rate = rates[_i], passed = 0;
	int64_t time = 5000;
	struct flow f;

	flow_init(&f, rate);
	for (; time < 15000; time++)
		for (; flow_wait(&f, time) == 0; passed++)
			flow_take(&f, time);
	ck_assert_uint_ge(passed, rate * 10);
	ck_assert_uint_le(passed, rate * 10 + rate / 10 + 2);
}
END_TEST

START_TEST(a_flow_says_how_long_to_wait)
{
	struct flow f;

	flow_init(&f, 2);
	ck_assert_int_eq(flow_wait(&f, 1000), 0);
	flow_take(&f, 1000);
	ck_assert_int_eq(flow_wait(&f, 1000), 500);
	ck_assert_int_eq(flow_wait(&f, 1499), 1);
	ck_assert_int_eq(flow_wait(&f, 1500), 0);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("duty");

	tcase_add_test(tc, one_that_always_runs_needs_no_subscriber);
	tcase_add_test(tc,
		one_that_ends_waits_twice_as_long_each_time_up_to_the_most);
	tcase_add_test(tc,
		one_that_ran_long_enough_begins_with_the_shortest_wait);
	tcase_add_test(tc, one_that_cannot_be_started_waits_as_well);
	tcase_add_loop_test(tc, whether_it_runs_again_is_said_by_restart, 0,
			    (int)ROWS(restarts));
	tcase_add_test(tc, one_on_demand_runs_while_it_is_wanted);
	tcase_add_test(tc, a_reloaded_page_does_not_restart_it);
	tcase_add_test(tc, who_comes_while_it_leaves_gets_a_new_one);
	tcase_add_test(tc, coming_and_going_does_not_shorten_the_wait);
	tcase_add_test(tc,
		one_that_was_to_run_once_runs_once_for_those_who_come_together);
	tcase_add_test(tc, one_that_does_not_leave_is_killed_once);
	tcase_add_test(tc, what_an_ended_one_left_behind_is_killed_too);
	tcase_add_test(tc, a_silent_one_is_restarted_as_one_that_failed);
	tcase_add_test(tc, silence_without_a_limit_is_fine);
	tcase_add_loop_test(tc, a_flow_lets_its_rate_through_and_no_more, 0,
			    6);
	tcase_add_test(tc, a_flow_says_how_long_to_wait);
	return unit_run();
}
