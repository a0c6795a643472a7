/* SPDX-License-Identifier: MIT */
/*
 * test_event.c - broker/event.h: an event, a list of named values
 */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "broker/event.h"

static struct event e;

static void begin(void)
{
	e = (struct event)EVENT_INIT;
}

static void end(void)
{
	event_release(&e);
}

START_TEST(an_empty_event_has_no_attribute)
{
	const char *pos = buf_str(&e.packed);
	struct attr a;

	ck_assert_ptr_null(event_get(&e, "x"));
	ck_assert(!attr_next(&pos, pos, &a));
	ck_assert(attr_valid(pos, 0));
}
END_TEST

START_TEST(what_was_added_is_found)
{
	ck_assert_int_eq(event_add(&e, "p_event", "data"), 0);
	ck_assert_int_eq(event_add(&e, "empty", ""), 0);
	ck_assert_int_eq(event_add_int(&e, "least", INT64_MIN), 0);
	ck_assert_int_eq(event_add_n(&e, "part only", 4, "value", 3), 0);
	ck_assert_uint_eq(e.count, 4);
	ck_assert_str_eq(event_get(&e, "p_event"), "data");
	ck_assert_str_eq(event_get(&e, "empty"), "");
	ck_assert_str_eq(event_get(&e, "least"), "-9223372036854775808");
	ck_assert_str_eq(event_get(&e, "part"), "val");
	ck_assert_ptr_null(event_get(&e, "part "));
	ck_assert_ptr_null(event_get(&e, "p_even"));
}
END_TEST

START_TEST(a_name_is_there_only_once)
{
	size_t len;

	event_add(&e, "a", "first");
	len = e.packed.len;
	ck_assert_int_eq(event_add(&e, "a", "second"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_uint_eq(e.count, 1);
	ck_assert_uint_eq(e.packed.len, len);
	ck_assert_str_eq(event_get(&e, "a"), "first");
}
END_TEST

START_TEST(attributes_come_in_the_order_of_adding)
{
	const char *pos, *end_of_packed;
	struct attr a;

	event_add(&e, "b", "1");
	event_add(&e, "a", "22");
	pos = buf_str(&e.packed);
	end_of_packed = pos + e.packed.len;
	ck_assert(attr_next(&pos, end_of_packed, &a));
	ck_assert_str_eq(a.name, "b");
	ck_assert_uint_eq(a.name_len, 1);
	ck_assert_str_eq(a.value, "1");
	ck_assert(attr_next(&pos, end_of_packed, &a));
	ck_assert_str_eq(a.name, "a");
	ck_assert_uint_eq(a.value_len, 2);
	ck_assert_ptr_eq(pos, end_of_packed);
	ck_assert(!attr_next(&pos, end_of_packed, &a));
}
END_TEST

START_TEST(the_packed_size_is_the_texts_and_a_fixed_extra)
{
	event_add(&e, "name", "value");
	ck_assert_uint_eq(e.packed.len, ATTR_EXTRA + 4 + 5);
}
END_TEST

START_TEST(names_and_values_have_a_greatest_length)
{
	static char name[65536];

	memset(name, 'n', sizeof(name));
	ck_assert_int_eq(event_add_n(&e, name, 65536, "", 0), -1);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_int_eq(event_add_n(&e, "n", 1, "", ((size_t)1 << 31) + 1),
			 -1);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_uint_eq(e.count, 0);
	ck_assert_int_eq(event_add_n(&e, name, 65535, "v", 1), 0);
	ck_assert(attr_valid(e.packed.data, e.packed.len));
}
END_TEST

START_TEST(a_cleared_event_is_empty_and_usable)
{
	event_add(&e, "a", "1");
	event_clear(&e);
	ck_assert_ptr_null(event_get(&e, "a"));
	ck_assert_uint_eq(e.count, 0);
	ck_assert_int_eq(event_add(&e, "a", "2"), 0);
	ck_assert_str_eq(event_get(&e, "a"), "2");
}
END_TEST

/* The copy is exactly as long as what may be read, for the sanitizer. */
static bool valid_copy(const char *packed, size_t n)
{
	char *copy = malloc(n ? n : 1);
	bool valid;

	memcpy(copy, packed, n);
	valid = attr_valid(copy, n);
	free(copy);
	return valid;
}

START_TEST(bytes_cut_anywhere_hold_whole_attributes_only_at_their_borders)
{
	size_t border, n;

	event_add(&e, "one", "1");
	border = e.packed.len;
	event_add(&e, "two", "22");
	for (n = 0; n <= e.packed.len; n++)
		ck_assert_int_eq(valid_copy(e.packed.data, n),
				 n == 0 || n == border || n == e.packed.len);
}
END_TEST

START_TEST(damaged_bytes_never_lead_beyond_the_end)
{
	size_t i;
	int bit;

	event_add(&e, "one", "1");
	event_add(&e, "two", "22");
	for (i = 0; i < e.packed.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			e.packed.data[i] ^= (char)(1 << bit);
			valid_copy(e.packed.data, e.packed.len);
			e.packed.data[i] ^= (char)(1 << bit);
		}
	}
	memset(e.packed.data, 0xFF, e.packed.len);
	ck_assert(!valid_copy(e.packed.data, e.packed.len));
}
END_TEST

START_TEST(texts_that_do_not_end_with_nul_are_damaged)
{
	event_add(&e, "ab", "cd");
	e.packed.data[e.packed.len - 1] = 'x';
	ck_assert(!attr_valid(e.packed.data, e.packed.len));
	e.packed.data[e.packed.len - 1] = '\0';
	e.packed.data[ATTR_EXTRA - 2 + 2] = 'x';
	ck_assert(!attr_valid(e.packed.data, e.packed.len));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("event");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, an_empty_event_has_no_attribute);
	tcase_add_test(tc, what_was_added_is_found);
	tcase_add_test(tc, a_name_is_there_only_once);
	tcase_add_test(tc, attributes_come_in_the_order_of_adding);
	tcase_add_test(tc, the_packed_size_is_the_texts_and_a_fixed_extra);
	tcase_add_test(tc, names_and_values_have_a_greatest_length);
	tcase_add_test(tc, a_cleared_event_is_empty_and_usable);
	tcase_add_test(tc,
		bytes_cut_anywhere_hold_whole_attributes_only_at_their_borders);
	tcase_add_test(tc, damaged_bytes_never_lead_beyond_the_end);
	tcase_add_test(tc, texts_that_do_not_end_with_nul_are_damaged);
	return unit_run();
}
