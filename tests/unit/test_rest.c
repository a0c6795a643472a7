/* SPDX-License-Identifier: MIT */
/*
 * test_rest.c - channel/rest.h: a moment in which more work may gather
 */
#include "unit.h"

#include "channel/rest.h"

#define MS 1000000ull

static uv_loop_t loop;
static uv_async_t wake;
static struct rest rest;
static unsigned woken;

static void wakes(uv_async_t *handle)
{
	woken++;
	uv_close((uv_handle_t *)handle, NULL);
	uv_close((uv_handle_t *)&rest.timer, NULL);
}

static void begin(void)
{
	woken = 0;
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(uv_async_init(&loop, &wake, wakes), 0);
	rest_init(&rest, &loop, &wake);
}

/* A round of so many nanoseconds has just ended. */
static void worked(uint64_t ns)
{
	rest_after(&rest, uv_hrtime() - ns);
}

START_TEST(at_first_there_is_no_rest)
{
	ck_assert(!rest_now(&rest));
}
END_TEST

START_TEST(a_short_round_needs_no_rest)
{
	worked(MS / 10);
	ck_assert(!rest_now(&rest));
}
END_TEST

START_TEST(after_a_long_round_it_rests_and_is_woken_when_that_is_over)
{
	uint64_t until;

	worked(2 * MS);
	until = rest.until;
	ck_assert(rest_now(&rest));
	ck_assert(rest_now(&rest));
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(woken, 1);
	ck_assert_uint_ge(uv_hrtime() + 2 * MS, until);
}
END_TEST

START_TEST(it_never_rests_for_long)
{
	worked(60 * 1000 * MS);
	ck_assert_uint_le(rest.until, uv_hrtime() + 10 * MS);
	ck_assert(rest_now(&rest));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("rest");

	tcase_add_checked_fixture(tc, begin, NULL);
	tcase_add_test(tc, at_first_there_is_no_rest);
	tcase_add_test(tc, a_short_round_needs_no_rest);
	tcase_add_test(tc,
		after_a_long_round_it_rests_and_is_woken_when_that_is_over);
	tcase_add_test(tc, it_never_rests_for_long);
	return unit_run();
}
