/* SPDX-License-Identifier: MIT */
/*
 * test_digits.c - base/digits.h: numbers as text, just as printf writes them
 */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/digits.h"

static const uint64_t numbers[] = {
	0, 1, 9, 10, 15, 16, 99, 100, 255, 256, 0xfffffff, 0x10000000,
	UINT32_MAX, UINT64_MAX / 10, UINT64_MAX - 1, UINT64_MAX
};

START_TEST(decimals_are_those_of_printf)
{
	char room[DIGITS_SIZE], expected[DIGITS_SIZE];

	snprintf(expected, sizeof(expected), "%" PRIu64, numbers[_i]);
	ck_assert_str_eq(digits_decimal(room, numbers[_i]), expected);
}
END_TEST

START_TEST(hexadecimals_are_those_of_printf)
{
	char out[20], expected[20];
	int width;

	for (width = 1; width <= 16; width++) {
		snprintf(expected, sizeof(expected), "%0*" PRIx64, width,
			 numbers[_i]);
		ck_assert_ptr_eq(digits_hex(out, numbers[_i], width),
				 strchr(out, '\0'));
		ck_assert_str_eq(out, expected);
	}
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("digits");
	int n = sizeof(numbers) / sizeof(numbers[0]);

	tcase_add_loop_test(tc, decimals_are_those_of_printf, 0, n);
	tcase_add_loop_test(tc, hexadecimals_are_those_of_printf, 0, n);
	return unit_run();
}
