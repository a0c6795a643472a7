/* SPDX-License-Identifier: MIT */
/*
 * test_buf.c - base/buf.h: a byte buffer that grows
 */
#include "unit.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

static struct buf b;

static void begin(void)
{
	b = (struct buf)BUF_INIT;
}

static void end(void)
{
	buf_release(&b);
}

START_TEST(a_zeroed_buffer_is_an_empty_string)
{
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_uint_eq(b.len, 0);
	ck_assert(!buf_failed(&b));
}
END_TEST

START_TEST(appends_of_all_kinds_follow_each_other)
{
	buf_puts(&b, "one");
	buf_putc(&b, ' ');
	buf_add(&b, "two!", 3);
	buf_printf(&b, " %d %s", 3, "four");
	ck_assert_str_eq(buf_str(&b), "one two 3 four");
	ck_assert_uint_eq(b.len, 14);
}
END_TEST

START_TEST(bytes_that_are_nul_are_kept)
{
	buf_add(&b, "a\0b", 3);
	ck_assert_uint_eq(b.len, 3);
	ck_assert_mem_eq(b.data, "a\0b", 4);
}
END_TEST

START_TEST(it_grows_byte_by_byte_and_always_ends_with_nul)
{
	size_t i;

	for (i = 0; i < 5000; i++) {
		buf_putc(&b, (char)('a' + i % 26));
		ck_assert_uint_lt(b.len, b.cap);
		ck_assert_int_eq(b.data[b.len], '\0');
	}
	for (i = 0; i < 5000; i++)
		ck_assert_int_eq(b.data[i], (char)('a' + i % 26));
}
END_TEST

START_TEST(printing_more_than_the_room_there_is_grows_it)
{
	buf_printf(&b, "%0300d", 7);
	ck_assert_uint_eq(b.len, 300);
	ck_assert_int_eq(b.data[299], '7');
}
END_TEST

START_TEST(room_reserved_is_not_moved_by_the_appends_it_was_for)
{
	const char *data;

	ck_assert_int_eq(buf_reserve(&b, 1000), 0);
	data = b.data;
	ck_assert_str_eq(data, "");
	buf_printf(&b, "%01000d", 1);
	ck_assert_ptr_eq(b.data, data);
}
END_TEST

START_TEST(a_place_at_the_end_is_for_the_caller_to_fill)
{
	buf_puts(&b, "one ");
	memcpy(buf_extend(&b, 3), "two", 3);
	ck_assert_str_eq(buf_str(&b), "one two");
	ck_assert_uint_eq(b.len, 7);
	ck_assert_ptr_null(buf_extend(&b, SIZE_MAX));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(buf_extend(&b, 1));	/* it has failed before */
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_str_eq(buf_str(&b), "one two");
}
END_TEST

START_TEST(a_buffer_that_cannot_grow_keeps_what_it_has_and_says_so)
{
	buf_puts(&b, "kept");
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX / 2), -1);
	buf_puts(&b, " lost");
	buf_printf(&b, " lost");
	ck_assert(buf_failed(&b));
	ck_assert_str_eq(buf_str(&b), "kept");
}
END_TEST

START_TEST(clearing_forgets_content_and_failure_but_not_the_memory)
{
	size_t cap;

	buf_puts(&b, "something");
	cap = b.cap;
	buf_reserve(&b, SIZE_MAX);
	buf_clear(&b);
	ck_assert(!buf_failed(&b));
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_uint_eq(b.cap, cap);
}
END_TEST

START_TEST(dropping_moves_the_rest_to_the_front)
{
	buf_drop(&b, 0);
	buf_puts(&b, "head tail");
	buf_drop(&b, 5);
	ck_assert_str_eq(buf_str(&b), "tail");
	buf_drop(&b, 4);
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(a_released_buffer_can_be_used_again)
{
	buf_puts(&b, "first");
	buf_release(&b);
	ck_assert_ptr_null(b.data);
	buf_puts(&b, "second");
	ck_assert_str_eq(buf_str(&b), "second");
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("buf");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_zeroed_buffer_is_an_empty_string);
	tcase_add_test(tc, appends_of_all_kinds_follow_each_other);
	tcase_add_test(tc, bytes_that_are_nul_are_kept);
	tcase_add_test(tc, it_grows_byte_by_byte_and_always_ends_with_nul);
	tcase_add_test(tc, printing_more_than_the_room_there_is_grows_it);
	tcase_add_test(tc,
		room_reserved_is_not_moved_by_the_appends_it_was_for);
	tcase_add_test(tc, a_place_at_the_end_is_for_the_caller_to_fill);
	tcase_add_test(tc,
		a_buffer_that_cannot_grow_keeps_what_it_has_and_says_so);
	tcase_add_test(tc,
		clearing_forgets_content_and_failure_but_not_the_memory);
	tcase_add_test(tc, dropping_moves_the_rest_to_the_front);
	tcase_add_test(tc, a_released_buffer_can_be_used_again);
	return unit_run();
}
