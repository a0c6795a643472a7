/* SPDX-License-Identifier: MIT */
/*
 * test_xmlbody.c - command/xmlbody.h: one XML element into an event
 */
#include "unit.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/xmlbody.h"

static const struct event_limits limits = { 300, 3, 100 };
static struct refusal why;
static struct event e;
static int errors;

/* What libxml2 might print goes where a test can see that there is none. */
static void begin(void)
{
	int fd[2];

	ck_assert_int_eq(pipe2(fd, O_NONBLOCK), 0);
	ck_assert_int_ge(dup2(fd[1], STDERR_FILENO), 0);
	close(fd[1]);
	errors = fd[0];
	e = (struct event)EVENT_INIT;
	memset(&why, 0, sizeof(why));
}

static void end(void)
{
	char byte;

	ck_assert_int_eq(read(errors, &byte, 1), -1);
	close(errors);
	event_release(&e);
}

/* The copy ends where the body does, for the sanitizer. */
static int parse_bytes(const char *body, size_t n)
{
	char *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, body, n);
	rc = xmlbody_parse(copy, n, &limits, &e, &why);
	free(copy);
	return rc;
}

static int parse(const char *body)
{
	return parse_bytes(body, strlen(body));
}

static const struct {
	const char *body, *name, *value;
	unsigned count;
} good[] = {
	{ "<event p_event=\"hb\" />", "p_event", "hb", 1 },
	{ "<event p_event='hb'/>", "p_event", "hb", 1 },
	{ "<x a = \"1\"\n\tb='2'></x>", "b", "2", 2 },
	{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<e a='1'/>\n", "a", "1",
	  1 },
	{ "\xEF\xBB\xBF<e a='1'/>", "a", "1", 1 },
	{ "<e/>", "a", NULL, 0 },
	{ "<!-- c --><?pi x?><e a='1'/><!-- d -->", "a", "1", 1 },
	{ "<e a='1'>text <f b='2'/> <![CDATA[ <g c='3'> ]]></e>", "b", NULL,
	  1 },
	{ "<n:e a='1'/>", "a", "1", 1 },
	{ "<e a='&lt;&gt;&amp;&quot;&apos;'/>", "a", "<>&\"'", 1 },
	{ "<e a='&#65;&#x42;&#x4e2d;'/>", "a", "AB\xE4\xB8\xAD", 1 },
	{ "<e a='&#38;&#x26;&amp;'/>", "a", "&&&", 1 },
	{ "<e a='&amp;#38;'/>", "a", "&#38;", 1 },
	{ "<e a='&amp;amp;&amp;'/>", "a", "&amp;&", 1 },
	{ "<e a='&amp;lt;'/>", "a", "&lt;", 1 },
	{ "<e a='x\ny\tz'/>", "a", "x y z", 1 },
	{ "<e a='x&#10;y&#9;&#13;'/>", "a", "x\ny\t\r", 1 },
	{ "<e a='c:\\dir > x'/>", "a", "c:\\dir > x", 1 },
	{ "<?xml version='1.0' encoding='ISO-8859-1'?><e a='\xE9'/>", "a",
	  "\xC3\xA9", 1 },
	{ "<e \xC3\xA9='\xE4\xB8\xAD'/>", "\xC3\xA9", "\xE4\xB8\xAD", 1 },
	{ "<e p_a='' a='' p_b='' b='' p_c='' c=''/>", "c", "", 6 },
};

START_TEST(the_attributes_of_the_root_are_the_event)
{
	ck_assert_msg(parse(good[_i].body) == 0, "%s", why.text);
	ck_assert_uint_eq(e.count, good[_i].count);
	ck_assert_pstr_eq(event_get(&e, good[_i].name), good[_i].value);
}
END_TEST

START_TEST(utf_16_is_understood)
{
	static const char body[] = "\xFF\xFE<\0e\0 \0a\0=\0'\0\x2D\x4E'\0/\0>";

	ck_assert_msg(parse_bytes(body, sizeof(body)) == 0, "%s", why.text);
	ck_assert_pstr_eq(event_get(&e, "a"), "\xE4\xB8\xAD");
}
END_TEST

/* Reasons with "*" at the end: libxml2's own words follow. */
static const struct {
	const char *body;
	int status;
	const char *reason;
} bad[] = {
	{ "", 400, "POST body: it is empty, but must be one XML element" },
	{ "a=1&b=2", 400, "POST body, line 1, column 1: *" },
	{ "   ", 400, "POST body, line 1, *" },
	{ "<e a='1'", 400, "POST body, line 1, *" },
	{ "<e a='1'>", 400, "POST body, line 1, *" },
	{ "<e a='1></e>", 400, "POST body, line 1, *" },
	{ "<e\n a=1/>", 400, "POST body, line 2, *" },
	{ "<e a='1' a='2'/>", 400, "POST body, line 1, *" },
	{ "<e a='<'/>", 400, "POST body, line 1, *" },
	{ "<e a='&nope;'/>", 400, "POST body, line 1, *" },
	{ "<e a='&#0;'/>", 400, "POST body, line 1, *" },
	{ "<e a='&#xFFFF;'/>", 400, "POST body, line 1, *" },
	{ "<e a='\x01'/>", 400, "POST body, line 1, *" },
	{ "<e a='\xFF'/>", 400, "POST body, line 1, *" },
	{ "<e a='1'/><f/>", 400, "POST body, line 1, *" },
	{ "<e a='1'></f>", 400, "POST body, line 1, *" },
	{ "<e a='1'/>x", 400, "POST body, line 1, *" },
	{ "<?xml version='1.0' encoding='nonsense'?><e/>", 400,
	  "POST body, line 1, *" },
	{ "<e a:b='1'/>", 200, "attribute name 'a:b' is not an XML name, or "
	  "reserved" },
	{ "<e xml:lang='en'/>", 200, "attribute name 'xml:lang' is not an XML "
	  "name, or reserved" },
	{ "<e xmlns:x='y'/>", 200, "attribute name 'xmlns:x' is not an XML "
	  "name, or reserved" },
	{ "<e xmlns='y'/>", 200, "attribute name 'xmlns' is not an XML name, or "
	  "reserved" },
	{ "<e a='' b='' c='' d=''/>", 200,
	  "more than 3 attributes (event.max.attributes)" },
	{ "<e p_a='' p_b='' p_c='' p_d=''/>", 200, "more than 3 attributes "
	  "that begin with p_ (event.max.attributes)" },
};

START_TEST(what_is_wrong_is_refused_with_its_reason)
{
	const char *reason = bad[_i].reason;
	size_t n = strlen(reason);

	ck_assert_int_eq(parse(bad[_i].body), -1);
	if (reason[n - 1] == '*') {
		ck_assert_msg(strncmp(why.text, reason, n - 1) == 0, "%s",
			      why.text);
		ck_assert_uint_gt(strlen(why.text), n + 4);
		ck_assert_ptr_null(strchr(why.text, '\n'));
	} else {
		ck_assert_str_eq(why.text, reason);
	}
	ck_assert_int_eq(why.status, bad[_i].status);
}
END_TEST

static const char *const doctypes[] = {
	"<!DOCTYPE e><e a='1'/>",
	"<!DOCTYPE e [<!ENTITY x 'y'>]><e a='&x;'/>",
	"<!DOCTYPE e SYSTEM 'file:///etc/passwd'><e/>",
	"<!DOCTYPE e PUBLIC '-//A//B' 'http://127.0.0.1:9/x.dtd'><e/>",
	"<!DOCTYPE e [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>"
	"<!ENTITY c '&b;&b;&b;&b;&b;&b;'>]><e a='&c;'>&c;</e>",
	"<?xml version='1.0'?>\n<!-- x -->\n"
	"<!DOCTYPE e [<!ATTLIST e a CDATA 'x'>]><e/>",
};

START_TEST(a_document_type_is_refused_whatever_it_declares)
{
	ck_assert_int_eq(parse(doctypes[_i]), -1);
	ck_assert_int_eq(why.status, 400);
	ck_assert_ptr_nonnull(strstr(why.text, ": a DOCTYPE is not allowed"));
	ck_assert_uint_eq(e.count, 0);
}
END_TEST

/* Of declarations in front of which the name is missing, libxml2 makes a
 * document, and forgets it when it gives up among them. */
START_TEST(declarations_without_a_name_leave_nothing_in_memory)
{
	static const char body[] =
		"<!DOCTYPE \t [<!ENTITY a \"b&#x10Fxmlns:p=\"u\" p:a=\"b\" "
		"a=FFF;&a;\"/>";
	size_t before = 0;
	int i;

	for (i = 0; i < 100; i++) {
		if (i == 10)
			before = mallinfo2().uordblks;
		ck_assert_int_eq(parse(body), -1);
		ck_assert_int_eq(why.status, 400);
	}
	ck_assert_uint_lt(mallinfo2().uordblks, before + 4096);
}
END_TEST

START_TEST(a_body_cut_short_anywhere_is_refused)
{
	static const char body[] = "<?xml version='1.0'?><e a='&lt;1'>x</e>";
	size_t n;

	for (n = 0; n < sizeof(body) - 1; n++) {
		event_clear(&e);
		ck_assert_int_eq(parse_bytes(body, n), -1);
		ck_assert_int_eq(why.status, 400);
	}
	event_clear(&e);
	ck_assert_int_eq(parse(body), 0);
}
END_TEST

static int parse_depth(unsigned depth)
{
	struct buf body = BUF_INIT;
	unsigned i;
	int rc;

	for (i = 0; i < depth; i++)
		buf_puts(&body, "<e>");
	for (i = 0; i < depth; i++)
		buf_puts(&body, "</e>");
	rc = parse_bytes(body.data, body.len);
	buf_release(&body);
	return rc;
}

START_TEST(elements_may_be_32_deep_and_no_deeper)
{
	ck_assert_int_eq(parse_depth(32), 0);
	ck_assert_int_eq(parse_depth(33), -1);
	ck_assert_int_eq(why.status, 400);
	ck_assert_ptr_nonnull(strstr(why.text, "elements nested too deep, at "
				     "most 32 levels"));
	ck_assert_int_eq(parse_depth(20000), -1);
}
END_TEST

START_TEST(the_byte_limit_is_met_exactly_by_the_packed_attributes)
{
	const int fits = 300 - (int)ATTR_EXTRA - 1;
	char body[400];

	snprintf(body, sizeof(body), "<e a='%0*d'/>", fits, 1);
	ck_assert_int_eq(parse(body), 0);
	ck_assert_uint_eq(e.packed.len, 300);
	event_clear(&e);
	snprintf(body, sizeof(body), "<e a='%0*d'/>", fits + 1, 1);
	ck_assert_int_eq(parse(body), -1);
	ck_assert_int_eq(why.status, 200);
	ck_assert_str_eq(why.text, "more than 300 bytes of attributes "
			 "(event.max.bytes)");
}
END_TEST

START_TEST(a_crowd_of_attributes_is_refused_before_it_is_compared)
{
	struct buf body = BUF_INIT;
	unsigned i;

	buf_puts(&body, "<e");
	for (i = 0; i < 200000; i++)
		buf_printf(&body, " a%u=''", i);
	buf_puts(&body, "/>");
	ck_assert_int_eq(parse_bytes(body.data, body.len), -1);
	ck_assert_int_eq(why.status, 400);
	ck_assert_str_eq(why.text, "POST body: more than 3 attributes "
			 "(event.max.attributes)");
	buf_release(&body);
}
END_TEST

START_TEST(whose_request_it_is_is_known_behind_a_refused_attribute)
{
	ck_assert_int_eq(parse("<e a:b='1' c='2' p_id='me'/>"), -1);
	ck_assert_int_eq(why.status, 200);
	ck_assert_str_eq(event_get(&e, "p_id"), "me");
	ck_assert_ptr_null(event_get(&e, "c"));
}
END_TEST

START_TEST(equal_signs_in_values_and_text_are_no_crowd)
{
	ck_assert_int_eq(parse("<e a='=========='>==========<f b='======'/>"
			       "</e>"), 0);
	ck_assert_str_eq(event_get(&e, "a"), "==========");
}
END_TEST

START_TEST(what_the_event_holds_already_counts_and_wins)
{
	event_add(&e, "a", "first");
	event_add(&e, "b", "");
	ck_assert_int_eq(parse("<e a='second' c=''/>"), 0);
	ck_assert_str_eq(event_get(&e, "a"), "first");
	ck_assert_int_eq(parse("<e d=''/>"), -1);
}
END_TEST

static void *parse_often(void *arg)
{
	struct event own = EVENT_INIT;
	struct refusal reason;
	char body[64], name[16];
	int i, ok = 0;

	snprintf(name, sizeof(name), "t%d", *(int *)arg);
	for (i = 0; i < 200; i++) {
		snprintf(body, sizeof(body), "<e %s='%d&amp;'/>%s", name, i,
			 i % 2 ? "<" : "");
		event_clear(&own);
		ok += xmlbody_parse(body, strlen(body), &limits, &own,
				    &reason) == (i % 2 ? -1 : 0) &&
		      own.count == 1 && event_get(&own, name);
	}
	event_release(&own);
	*(int *)arg = ok;
	return NULL;
}

START_TEST(threads_parse_at_the_same_time)
{
	pthread_t thread[4];
	int arg[4], i;

	for (i = 0; i < 4; i++) {
		arg[i] = i;
		ck_assert_int_eq(pthread_create(&thread[i], NULL, parse_often,
						&arg[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_int_eq(arg[i], 200);
	}
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("xmlbody");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_loop_test(tc, the_attributes_of_the_root_are_the_event, 0,
			    ROWS(good));
	tcase_add_test(tc, utf_16_is_understood);
	tcase_add_loop_test(tc, what_is_wrong_is_refused_with_its_reason, 0,
			    ROWS(bad));
	tcase_add_loop_test(tc, a_document_type_is_refused_whatever_it_declares,
			    0, ROWS(doctypes));
	tcase_add_test(tc,
		       declarations_without_a_name_leave_nothing_in_memory);
	tcase_add_test(tc, a_body_cut_short_anywhere_is_refused);
	tcase_add_test(tc, elements_may_be_32_deep_and_no_deeper);
	tcase_add_test(tc,
		the_byte_limit_is_met_exactly_by_the_packed_attributes);
	tcase_add_test(tc,
		a_crowd_of_attributes_is_refused_before_it_is_compared);
	tcase_add_test(tc,
		       whose_request_it_is_is_known_behind_a_refused_attribute);
	tcase_add_test(tc, equal_signs_in_values_and_text_are_no_crowd);
	tcase_add_test(tc, what_the_event_holds_already_counts_and_wins);
	tcase_add_test(tc, threads_parse_at_the_same_time);
	return unit_run();
}
