/* SPDX-License-Identifier: MIT */
/*
 * test_words.c - command/words.h: words that are not to be published
 */
#include "unit.h"

#include <string.h>

#include "command/words.h"

static struct words words;
static struct buf masked;

static void begin(void)
{
	static const char *const list[] = {
		"darn", "Heck*", "*blast*", "two words", "*ing", "\xC3\x84rger",
		"\xD0\x94\xD0\xA3\xD0\xA0\xD0\x90\xD0\x9A", "*\xE5\x82\xBB*",
		"a.b", "DARNED",
	};
	unsigned i;

	masked = (struct buf)BUF_INIT;
	for (i = 0; i < ROWS(list); i++)
		ck_assert_ptr_null(words_add(&words, list[i]));
}

static void end(void)
{
	words_release(&words);
	buf_release(&masked);
}

static const struct {
	const char *text, *masked;	/* NULL: nothing is found */
} cases[] = {
	{ "darn", "****" },
	{ "Darn it, DARN!", "**** it, ****!" },
	{ "darning", "darn***" },
	{ "darnel", NULL },
	{ "a_darn_b", "a_****_b" },
	{ "darned", "******" },
	{ "goddarn", NULL },
	{ "darn2", NULL },
	{ "heckler", "****ler" },
	{ "check", NULL },
	{ "sandblasted", "sand*****ed" },
	{ "two words", "*********" },
	{ "two  words", NULL },
	{ "\xC3\xA4rger", "*****" },
	{ "\xC3\x84RGER \xE2\x82\xAC", "***** \xE2\x82\xAC" },
	{ "\xC3\xA4rgerlich", NULL },
	{ "\xD0\xB4\xD1\x83\xD1\x80\xD0\xB0\xD0\xBA", "*****" },
	{ "\xE4\xBD\xA0\xE5\x82\xBB\xE4\xBD\xA0",
	  "\xE4\xBD\xA0*\xE4\xBD\xA0" },
	{ "a.b", "***" },
	{ "axb", NULL },
	{ "\xE2\x80\x9C" "darn\xE2\x80\x9D",
	  "\xE2\x80\x9C****\xE2\x80\x9D" },
	{ "", NULL },
	{ "\xFF\xFE darn", "\xFF\xFE ****" },
};

START_TEST(words_are_found_where_they_stand_alone)
{
	const char *text = cases[_i].text, *want = cases[_i].masked;

	ck_assert_int_eq(words_find(&words, text, strlen(text), &masked),
			 want != NULL);
	ck_assert_str_eq(buf_str(&masked), want ? want : text);
}
END_TEST

static const struct {
	uint32_t capital, small;
} letters[] = {
	{ 'A', 'a' }, { 'Z', 'z' }, { '[', '[' }, { 0xC4, 0xE4 },
	{ 0xD7, 0xD7 }, { 0xDF, 0xDF }, { 0x100, 0x101 }, { 0x101, 0x101 },
	{ 0x139, 0x13A }, { 0x13A, 0x13A }, { 0x17D, 0x17E },
	{ 0x391, 0x3B1 }, { 0x3A9, 0x3C9 }, { 0x410, 0x430 },
	{ 0x401, 0x451 }, { 0x1E9E, 0x1E9E }, { 0x1F600, 0x1F600 },
};

START_TEST(capitals_have_their_small_letters)
{
	ck_assert_uint_eq(words_lower(letters[_i].capital),
			  letters[_i].small);
}
END_TEST

START_TEST(nothing_else_is_a_word)
{
	ck_assert_ptr_nonnull(words_add(&words, "*"));
	ck_assert_ptr_nonnull(words_add(&words, "**"));
	ck_assert_ptr_nonnull(words_add(&words, ""));
	ck_assert_ptr_nonnull(words_add(&words, "\xFF"));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("words");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_loop_test(tc, words_are_found_where_they_stand_alone, 0,
			    ROWS(cases));
	tcase_add_loop_test(tc, capitals_have_their_small_letters, 0,
			    ROWS(letters));
	tcase_add_test(tc, nothing_else_is_a_word);
	return unit_run();
}
