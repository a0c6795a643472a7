/* SPDX-License-Identifier: MIT */
/*
 * test_utf8.c - base/utf8.h: what XML 1.0 and UTF-8 allow
 */
#include "unit.h"

#include <string.h>

#include "base/utf8.h"

static const struct {
	const char *what;
	const char *bytes;
	bool valid;
} texts[] = {
	{ "nothing", "", true },
	{ "ASCII", "plain text", true },
	{ "two bytes", "\xC3\xA9", true },
	{ "three bytes", "\xE4\xB8\xAD", true },
	{ "four bytes", "\xF0\x9F\x98\x80", true },
	{ "the least of two bytes", "\xC2\x80", true },
	{ "the least of three bytes", "\xE0\xA0\x80", true },
	{ "the least of four bytes", "\xF0\x90\x80\x80", true },
	{ "the last before the surrogates", "\xED\x9F\xBF", true },
	{ "the first behind the surrogates", "\xEE\x80\x80", true },
	{ "U+10FFFF", "\xF4\x8F\xBF\xBF", true },
	{ "a continuation byte alone", "a\x80", false },
	{ "overlong two bytes", "\xC1\xBF", false },
	{ "overlong three bytes", "\xE0\x9F\xBF", false },
	{ "overlong four bytes", "\xF0\x8F\xBF\xBF", false },
	{ "a surrogate", "\xED\xA0\x80", false },
	{ "the last surrogate", "\xED\xBF\xBF", false },
	{ "above U+10FFFF", "\xF4\x90\x80\x80", false },
	{ "a first byte there is not", "\xF5\x80\x80\x80", false },
	{ "0xFF", "\xFF", false },
	{ "two bytes cut short", "\xC3", false },
	{ "three bytes cut short", "\xE4\xB8", false },
	{ "four bytes cut short", "\xF0\x9F\x98", false },
	{ "text where a continuation should be", "\xE4\xB8x", false },
	{ "Latin 1", "caf\xE9 ok", false },
};

START_TEST(only_well_formed_sequences_are_valid)
{
	const char *bytes = texts[_i].bytes;

	ck_assert_msg(utf8_valid(bytes, strlen(bytes)) == texts[_i].valid,
		      "%s", texts[_i].what);
}
END_TEST

START_TEST(a_nul_byte_is_not_valid)
{
	ck_assert(!utf8_valid("a\0b", 3));
	ck_assert(utf8_valid("a\0b", 1));
}
END_TEST

static const struct {
	const char *name;
	bool valid;
} names[] = {
	{ "a", true },		{ "_", true },
	{ "p_event", true },	{ "x-1.2", true },
	{ "\xC3\xA9t\xC3\xA9", true },		/* letters */
	{ "\xE4\xB8\xAD", true },
	{ "\xF0\x90\x80\x80", true },
	{ "a\xC2\xB7", true },			/* middle dot, not first */
	{ "a\xCC\x81", true },			/* combining accent */
	{ "", false },		{ "1a", false },
	{ "-a", false },	{ ".a", false },
	{ "a b", false },	{ "a:b", false },
	{ ":a", false },	{ "a=b", false },
	{ "a\"", false },	{ "a>", false },
	{ "\xC2\xB7""a", false },
	{ "\xCC\x81", false },
	{ "a\xC3\x97", false },			/* multiplication sign */
	{ "a\xC3\xB7", false },			/* division sign */
	{ "a\xE2\x80\xA8", false },		/* line separator */
};

START_TEST(a_name_is_what_xml_calls_one_without_colon)
{
	const char *name = names[_i].name;

	ck_assert_msg(utf8_is_name(name, strlen(name)) == names[_i].valid,
		      "'%s'", name);
}
END_TEST

static const struct {
	unsigned long code;
	bool valid;
} chars[] = {
	{ 0, false },	    { 8, false },	{ '\t', true },
	{ '\n', true },	    { 0xB, false },	{ '\r', true },
	{ 0x1F, false },    { ' ', true },	{ 0x7F, true },
	{ 0xD7FF, true },   { 0xD800, false },	{ 0xDFFF, false },
	{ 0xE000, true },   { 0xFFFD, true },	{ 0xFFFE, false },
	{ 0xFFFF, false },  { 0x10000, true },	{ 0x10FFFF, true },
	{ 0x110000, false },
};

START_TEST(characters_of_xml_are_those_of_its_production_char)
{
	ck_assert_msg(utf8_xml_char(chars[_i].code) == chars[_i].valid,
		      "U+%04lX", chars[_i].code);
}
END_TEST

START_TEST(decoding_goes_through_all_characters)
{
	const char text[] = "a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80";
	const char *pos = text, *end = text + sizeof(text) - 1;

	ck_assert_uint_eq(utf8_next(&pos, end), 'a');
	ck_assert_uint_eq(utf8_next(&pos, end), 0xE9);
	ck_assert_uint_eq(utf8_next(&pos, end), 0x4E2D);
	ck_assert_uint_eq(utf8_next(&pos, end), 0x1F600);
	ck_assert_ptr_eq(pos, end);
}
END_TEST

START_TEST(decoding_broken_bytes_gives_replacements_one_byte_each)
{
	const char text[] = "\xE4\xB8x\xFF";
	const char *pos = text, *end = text + sizeof(text) - 1;

	ck_assert_uint_eq(utf8_next(&pos, end), 0xFFFD);
	ck_assert_uint_eq(utf8_next(&pos, end), 0xFFFD);
	ck_assert_uint_eq(utf8_next(&pos, end), 'x');
	ck_assert_uint_eq(utf8_next(&pos, end), 0xFFFD);
	ck_assert_ptr_eq(pos, end);
}
END_TEST

/* Every code point, encoded by the plain rule, decodes to itself. */
START_TEST(every_code_point_decodes_to_itself)
{
	unsigned long code;
	const char *pos;
	char s[4];
	size_t n;

	for (code = 0x80; code <= 0x10FFFF; code++) {
		n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		s[0] = (char)((0xF00 >> n & 0xFF) | code >> (6 * (n - 1)));
		s[1] = (char)(0x80 | (code >> (6 * (n - 2)) & 0x3F));
		s[2] = (char)(0x80 | (n == 3 ? code & 0x3F :
				      code >> 6 & 0x3F));
		s[3] = (char)(0x80 | (code & 0x3F));
		pos = s;
		if (code >= 0xD800 && code <= 0xDFFF)
			ck_assert(!utf8_valid(s, n));
		else if (utf8_next(&pos, s + n) != code || pos != s + n)
			ck_abort_msg("U+%04lX", code);
	}
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("utf8");

	tcase_add_loop_test(tc, only_well_formed_sequences_are_valid, 0,
			    ROWS(texts));
	tcase_add_test(tc, a_nul_byte_is_not_valid);
	tcase_add_loop_test(tc, a_name_is_what_xml_calls_one_without_colon, 0,
			    ROWS(names));
	tcase_add_loop_test(tc,
		characters_of_xml_are_those_of_its_production_char, 0,
		ROWS(chars));
	tcase_add_test(tc, decoding_goes_through_all_characters);
	tcase_add_test(tc,
		decoding_broken_bytes_gives_replacements_one_byte_each);
	tcase_add_test(tc, every_code_point_decodes_to_itself);
	return unit_run();
}
