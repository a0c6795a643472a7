/* SPDX-License-Identifier: MIT */
/*
 * test_token.c - base/token.h: unguessable text
 */
#include "unit.h"

#include <signal.h>
#include <string.h>

#include "base/token.h"

START_TEST(hex_text_has_two_digits_a_byte_and_an_end)
{
	char text[2 * 19 + 2];

	memset(text, '#', sizeof(text));
	token_hex(text, 19);
	ck_assert_uint_eq(strlen(text), 38);
	ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 38);
	ck_assert_int_eq(text[39], '#');
}
END_TEST

START_TEST(two_tokens_differ)
{
	char a[33], b[33];

	token_hex(a, 16);
	token_hex(b, 16);
	ck_assert_str_ne(a, b);
}
END_TEST

/* Each bit is 0 in all of 64 draws once in 2^64 runs. */
START_TEST(every_bit_of_the_bytes_gets_set_and_cleared)
{
	unsigned char bytes[64], ones[64] = { 0 }, zeros[64] = { 0 };
	size_t i, j;

	for (i = 0; i < 64; i++) {
		token_bytes(bytes, sizeof(bytes));
		for (j = 0; j < sizeof(bytes); j++) {
			ones[j] |= bytes[j];
			zeros[j] |= (unsigned char)~bytes[j];
		}
	}
	for (j = 0; j < sizeof(bytes); j++) {
		ck_assert_uint_eq(ones[j], 0xFF);
		ck_assert_uint_eq(zeros[j], 0xFF);
	}
}
END_TEST

START_TEST(no_more_bytes_are_written_than_asked_for)
{
	char bytes[3] = { 1, 2, 3 };

	token_bytes(bytes, 0);
	token_bytes(bytes + 1, 1);
	ck_assert_int_eq(bytes[0], 1);
	ck_assert_int_eq(bytes[2], 3);
}
END_TEST

START_TEST(equal_tells_a_difference_at_any_place)
{
	char a[] = "0123456789", b[] = "0123456789";
	size_t i;

	ck_assert(token_equal(a, b, 10));
	for (i = 0; i < 10; i++) {
		b[i] ^= 0x40;
		ck_assert(!token_equal(a, b, 10));
		ck_assert(token_equal(a, b, i));
		b[i] ^= 0x40;
	}
}
END_TEST

START_TEST(numbers_between_reach_both_ends_and_nothing_else)
{
	unsigned seen[4] = { 0 }, i;
	uint64_t n;

	for (i = 0; i < 1000; i++) {
		n = token_between(2000, 2003);
		ck_assert_uint_ge(n, 2000);
		ck_assert_uint_le(n, 2003);
		seen[n - 2000]++;
	}
	for (i = 0; i < 4; i++)
		ck_assert_uint_gt(seen[i], 100);
}
END_TEST

START_TEST(the_narrowest_and_the_widest_range_work)
{
	ck_assert_uint_eq(token_between(7, 7), 7);
	ck_assert_uint_eq(token_between(UINT64_MAX, UINT64_MAX), UINT64_MAX);
	ck_assert_uint_ne(token_between(0, UINT64_MAX),
			  token_between(0, UINT64_MAX));
	ck_assert_uint_ge(token_between(1, UINT64_MAX), 1);
}
END_TEST

START_TEST(a_range_the_wrong_way_round_stops_the_process)
{
	token_between(2, 1);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("token");

	tcase_add_test(tc, hex_text_has_two_digits_a_byte_and_an_end);
	tcase_add_test(tc, two_tokens_differ);
	tcase_add_test(tc, every_bit_of_the_bytes_gets_set_and_cleared);
	tcase_add_test(tc, no_more_bytes_are_written_than_asked_for);
	tcase_add_test(tc, equal_tells_a_difference_at_any_place);
	tcase_add_test(tc, numbers_between_reach_both_ends_and_nothing_else);
	tcase_add_test(tc, the_narrowest_and_the_widest_range_work);
	tcase_add_test_raise_signal(tc,
		a_range_the_wrong_way_round_stops_the_process, SIGABRT);
	return unit_run();
}
