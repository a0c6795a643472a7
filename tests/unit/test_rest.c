/* SPDX-License-Identifier: MIT */
/*
 * test_rest.c - a rest follows work, ends by itself, and is never long
 */
#include "unit.h"

#include "channel/rest.h"

#define MS 1000000ull

static uv_loop_t loop;
static uv_async_t wake;
static struct rest rest;
static int woken;

static void note(uv_async_t *handle)
{
	(void)handle;
	woken++;
	uv_stop(&loop);
}

static void set_up(void)
{
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(uv_async_init(&loop, &wake, note), 0);
	rest_init(&rest, &loop, &wake);
	woken = 0;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	uv_close(handle, NULL);
}

static void tear_down(void)
{
	uv_walk(&loop, close_handle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

START_TEST(without_work_there_is_none)
{
	ck_assert(!rest_now(&rest));
	rest_after(&rest, uv_hrtime());
	ck_assert(!rest_now(&rest));
}
END_TEST

START_TEST(who_asks_in_it_is_woken_at_its_end)
{
	int tries = 1000;

	/* A busy machine may take longer to ask than the rest lasts. */
	do {
		rest_after(&rest, uv_hrtime() - 50 * MS);
	} while (!rest_now(&rest) && --tries > 0);
	ck_assert_int_gt(tries, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(woken, 1);
	ck_assert_uint_le(rest.until, uv_hrtime() + MS);
	ck_assert(!rest_now(&rest));
}
END_TEST

START_TEST(it_is_ten_milliseconds_at_most)
{
	uint64_t now = uv_hrtime();

	rest_after(&rest, now - 1000 * MS);
	ck_assert_uint_ge(rest.until, now + 10 * MS);
	ck_assert_uint_le(rest.until, uv_hrtime() + 10 * MS);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("rest");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, without_work_there_is_none);
	tcase_add_test(tc, who_asks_in_it_is_woken_at_its_end);
	tcase_add_test(tc, it_is_ten_milliseconds_at_most);
	return unit_run();
}
