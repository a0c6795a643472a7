/* SPDX-License-Identifier: MIT */
/*
 * test_name.c - broker/name.h: ids and handles of sessions, as text
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "broker/name.h"

#define RANDOM12 "0123456789ab"
#define RANDOM32 "0123456789abcdef0123456789abcdef"

static const struct {
	const char *text;
	enum name_kind kind;
	const char *node;
} forms[] = {
	{ RANDOM32 "00000a", NAME_ID, "" },
	{ RANDOM12 "00000a", NAME_HANDLE, "" },
	{ "a-" RANDOM32 "00000a", NAME_ID, "a" },
	{ "node1234-" RANDOM12 "00000a", NAME_HANDLE, "node1234" },
	{ "node12345-" RANDOM12 "00000a", NAME_OTHER, "" },
	{ "-" RANDOM12 "00000a", NAME_OTHER, "" },
	{ "Node-" RANDOM12 "00000a", NAME_OTHER, "" },
	{ "a-b-" RANDOM12 "00000a", NAME_OTHER, "a" },
	{ "a-" RANDOM12 "00000", NAME_OTHER, "a" },
	{ "a-" RANDOM12 "00000aa", NAME_OTHER, "a" },
	{ "a-" RANDOM12 "00000A", NAME_OTHER, "a" },
	{ "a-" RANDOM12 "00000 ", NAME_OTHER, "a" },
	{ "a-", NAME_OTHER, "a" },
	{ "-", NAME_OTHER, "" },
	{ "", NAME_OTHER, "" },
};

START_TEST(an_id_and_a_handle_are_known_by_their_form)
{
	ck_assert_int_eq(name_kind(forms[_i].text), forms[_i].kind);
	ck_assert_uint_eq(name_node(forms[_i].text), strlen(forms[_i].node));
	ck_assert_int_eq(memcmp(forms[_i].text, forms[_i].node,
				strlen(forms[_i].node)), 0);
}
END_TEST

START_TEST(a_name_is_made_of_node_digits_and_index)
{
	char name[SESSION_HANDLE_SIZE] = RANDOM12;

	name_complete(name, "node1234", 0xabcdef);
	ck_assert_str_eq(name, "node1234-" RANDOM12 "abcdef");
	ck_assert_uint_eq(name_index(name), 0xabcdef);
	snprintf(name, sizeof(name), "%s", RANDOM12);
	name_complete(name, "", 1);
	ck_assert_str_eq(name, RANDOM12 "000001");
	ck_assert_uint_eq(name_index(name), 1);
}
END_TEST

START_TEST(a_name_is_foreign_where_it_names_another_node)
{
	ck_assert(name_foreign("a-" RANDOM12 "000001", "b"));
	ck_assert(name_foreign("a-" RANDOM12 "000001", "ab"));
	ck_assert(name_foreign("ab-" RANDOM12 "000001", "a"));
	ck_assert(name_foreign("a-" RANDOM12 "000001", ""));
	ck_assert(!name_foreign("a-" RANDOM12 "000001", "a"));
	ck_assert(!name_foreign(RANDOM12 "000001", "a"));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("name");

	tcase_add_loop_test(tc, an_id_and_a_handle_are_known_by_their_form, 0,
			    sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(tc, a_name_is_made_of_node_digits_and_index);
	tcase_add_test(tc, a_name_is_foreign_where_it_names_another_node);
	return unit_run();
}
