/* SPDX-License-Identifier: MIT */
/*
 * test_form.c - command/form.h: urlencoded text into an event
 */
#include "unit.h"

#include <string.h>

#include "command/form.h"

static const struct event_limits limits = { 300, 3, 100 };
static struct refusal why;
static struct event e;

static void begin(void)
{
	e = (struct event)EVENT_INIT;
	memset(&why, 0, sizeof(why));
}

static void end(void)
{
	event_release(&e);
}

/* The copy ends where the text does, for the sanitizer. */
static int parse_bytes(const char *text, size_t n)
{
	char *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, text, n);
	rc = form_parse(copy, n, &limits, &e, &why);
	free(copy);
	return rc;
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static const struct {
	const char *text, *name, *value;
	unsigned count;
} good[] = {
	{ "a=1", "a", "1", 1 },
	{ "a=1&b=2", "b", "2", 2 },
	{ "a=1&a=2", "a", "1", 1 },
	{ "a", "a", "", 1 },
	{ "a=", "a", "", 1 },
	{ "&&a=1&&", "a", "1", 1 },
	{ "=x&a=1", "a", "1", 1 },
	{ "=&=&a=1", "a", "1", 1 },
	{ "a=b=c", "a", "b=c", 1 },
	{ "a=1;b=2", "a", "1;b=2", 1 },
	{ "a=1+1", "a", "1 1", 1 },
	{ "a=1%2B1", "a", "1+1", 1 },
	{ "a=%26%3D%25", "a", "&=%", 1 },
	{ "%61=x", "a", "x", 1 },
	{ "a=%e4%B8%ad", "a", "\xE4\xB8\xAD", 1 },
	{ "a=\xE4\xB8\xAD", "a", "\xE4\xB8\xAD", 1 },
	{ "\xC3\xA9=x", "\xC3\xA9", "x", 1 },
	{ "a=%0D%0A", "a", "\r\n", 1 },
	{ "a=?x", "a", "?x", 1 },
};

START_TEST(fields_are_split_and_decoded)
{
	ck_assert_int_eq(parse(good[_i].text), 0);
	ck_assert_uint_eq(e.count, good[_i].count);
	ck_assert_pstr_eq(event_get(&e, good[_i].name), good[_i].value);
}
END_TEST

START_TEST(empty_text_has_no_fields)
{
	ck_assert_int_eq(form_parse("", 0, &limits, &e, &why), 0);
	ck_assert_uint_eq(e.count, 0);
}
END_TEST

#define PERCENT "Malformed request: a % must be followed by two hexadecimal " \
	"digits, not "

static const struct {
	const char *text;
	int status;
	const char *reason;
} bad[] = {
	{ "a=%zz", 400, PERCENT "'%zz'" },
	{ "a=%4", 400, PERCENT "'%4'" },
	{ "a=%", 400, PERCENT "'%'" },
	{ "a=%4&b=1", 400, PERCENT "'%4'" },
	{ "a%=1", 400, PERCENT "'%'" },
	{ "a=%1g", 400, PERCENT "'%1g'" },
	{ "=%zz", 400, PERCENT "'%zz'" },
	{ "v=%e9%ff", 400, "Malformed request: the value of 'v' is not UTF-8" },
	{ "v=caf\xE9", 400, "Malformed request: the value of 'v' is not "
	  "UTF-8" },
	{ "v=%ED%A0%80", 400, "Malformed request: the value of 'v' is not "
	  "UTF-8" },
	{ "%ff=1", 400, "Malformed request: the name '?' is not UTF-8" },
	{ "v=a%00b", 400, "Malformed request: the value of 'v' holds a NUL "
	  "character" },
	{ "a%00b=1", 400, "Malformed request: the name 'a' holds a NUL "
	  "character" },
	{ "1x=1", 200, "attribute name '1x' is not an XML name, or "
	  "reserved" },
	{ "a:b=1", 200, "attribute name 'a:b' is not an XML name, or "
	  "reserved" },
	{ "a%0Ab=1", 200, "attribute name 'a?b' is not an XML name, or "
	  "reserved" },
	{ "%20=1", 200, "attribute name ' ' is not an XML name, or "
	  "reserved" },
	{ "xmlns=x", 200, "attribute name 'xmlns' is not an XML name, or "
	  "reserved" },
	{ "a=&b=&c=&d=", 200, "more than 3 attributes (event.max.attributes)" },
	{ "p_a=&p_b=&p_c=&p_d=", 200, "more than 3 attributes that begin with "
	  "p_ (event.max.attributes)" },
};

START_TEST(what_is_wrong_is_refused_with_its_reason)
{
	ck_assert_int_eq(parse(bad[_i].text), -1);
	ck_assert_str_eq(why.text, bad[_i].reason);
	ck_assert_int_eq(why.status, bad[_i].status);
}
END_TEST

START_TEST(a_nul_byte_in_a_body_is_refused)
{
	ck_assert_int_eq(parse_bytes("a=1\0", 4), -1);
	ck_assert_int_eq(why.status, 400);
}
END_TEST

START_TEST(fields_before_a_mistake_are_kept)
{
	ck_assert_int_eq(parse("p_event=publish&p_id=x&a=%zz&p_label=l"), -1);
	ck_assert_str_eq(event_get(&e, "p_event"), "publish");
	ck_assert_str_eq(event_get(&e, "p_id"), "x");
	ck_assert_ptr_null(event_get(&e, "p_label"));
}
END_TEST

START_TEST(protocol_fields_have_a_limit_of_their_own)
{
	ck_assert_int_eq(parse("p_a=&a=&p_b=&b=&p_c=&c="), 0);
	ck_assert_uint_eq(e.count, 6);
}
END_TEST

START_TEST(repeated_fields_do_not_count)
{
	ck_assert_int_eq(parse("a=&b=&c=&a=1&b=2&c=3"), 0);
	ck_assert_uint_eq(e.count, 3);
}
END_TEST

START_TEST(what_the_event_holds_already_counts)
{
	event_add(&e, "x", "");
	event_add(&e, "y", "");
	ck_assert_int_eq(parse("x=2&a="), 0);
	ck_assert_str_eq(event_get(&e, "x"), "");
	ck_assert_int_eq(parse("b="), -1);
	ck_assert_int_eq(parse("p_b="), 0);
}
END_TEST

/* A field NAME of n packed bytes. */
static int parse_field_of(const char *name, size_t n)
{
	struct buf text = BUF_INIT;
	int rc;

	buf_printf(&text, "%s=", name);
	n -= ATTR_EXTRA + strlen(name);
	while (n-- > 0)
		buf_puts(&text, "%41");
	rc = parse_bytes(text.data, text.len);
	buf_release(&text);
	return rc;
}

START_TEST(the_byte_limit_is_met_exactly_by_the_packed_fields)
{
	ck_assert_int_eq(parse_field_of("a", 200), 0);
	ck_assert_int_eq(parse_field_of("b", 101), -1);
	ck_assert_int_eq(why.status, 200);
	ck_assert_str_eq(why.text, "more than 300 bytes of attributes "
			 "(event.max.bytes)");
	ck_assert_int_eq(parse_field_of("b", 100), 0);
	ck_assert_uint_eq(e.packed.len, 300);
	ck_assert_int_eq(parse_field_of("p_a", 300), 0);
	ck_assert_int_eq(parse("p_b="), -1);
}
END_TEST

START_TEST(whose_request_it_is_is_known_behind_a_refused_field)
{
	ck_assert_int_eq(parse("1x=1&a=2&p_id=me&2x=1"), -1);
	ck_assert_int_eq(why.status, 200);
	ck_assert_str_eq(why.text, "attribute name '1x' is not an XML name, or "
			 "reserved");
	ck_assert_str_eq(event_get(&e, "p_id"), "me");
	ck_assert_ptr_null(event_get(&e, "a"));
}
END_TEST

START_TEST(one_field_larger_than_everything_is_refused)
{
	ck_assert_int_eq(parse_field_of("a", 301), -1);
	ck_assert_int_eq(why.status, 200);
	ck_assert_uint_eq(e.count, 0);
}
END_TEST

static const struct {
	const char *text, *quote;
} quotes[] = {
	{ "", "" },
	{ "short", "short" },
	{ "0123456789012345678901234567890123456789",
	  "0123456789012345678901234567890123456789" },
	{ "01234567890123456789012345678901234567890",
	  "0123456789012345678901234567890123456789..." },
	{ "012345678901234567890123456789012345678\xC3\xA9",
	  "012345678901234567890123456789012345678..." },
	{ "\xE4\xB8\xAD\n\x7F\xC2\x9B\xFF", "\xE4\xB8\xAD????" },
	{ "\xEF\xBF\xBE", "?" },
};

START_TEST(quotes_are_short_printable_and_whole_characters)
{
	char out[64];

	ck_assert_str_eq(refusal_quote(out, quotes[_i].text),
			 quotes[_i].quote);
}
END_TEST

START_TEST(a_reason_that_does_not_fit_is_cut_between_characters)
{
	char text[300];
	size_t i;

	for (i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xC3\xA9", 2);
	text[i] = '\0';
	ck_assert_int_eq(refuse(&why, 413, "%s", text), -1);
	ck_assert_int_eq(why.status, 413);
	ck_assert_uint_eq(strlen(why.text), 254);
	refuse(&why, 400, "x%s", text);
	ck_assert_uint_eq(strlen(why.text), 255);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("form");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_loop_test(tc, fields_are_split_and_decoded, 0, ROWS(good));
	tcase_add_test(tc, empty_text_has_no_fields);
	tcase_add_loop_test(tc, what_is_wrong_is_refused_with_its_reason, 0,
			    ROWS(bad));
	tcase_add_test(tc, a_nul_byte_in_a_body_is_refused);
	tcase_add_test(tc, fields_before_a_mistake_are_kept);
	tcase_add_test(tc, protocol_fields_have_a_limit_of_their_own);
	tcase_add_test(tc, repeated_fields_do_not_count);
	tcase_add_test(tc, what_the_event_holds_already_counts);
	tcase_add_test(tc, the_byte_limit_is_met_exactly_by_the_packed_fields);
	tcase_add_test(tc,
		       whose_request_it_is_is_known_behind_a_refused_field);
	tcase_add_test(tc, one_field_larger_than_everything_is_refused);
	tcase_add_loop_test(tc, quotes_are_short_printable_and_whole_characters,
			    0, ROWS(quotes));
	tcase_add_test(tc,
		a_reason_that_does_not_fit_is_cut_between_characters);
	return unit_run();
}
