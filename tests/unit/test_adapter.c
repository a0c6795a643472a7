/* SPDX-License-Identifier: MIT */
/*
 * test_adapter.c - channel/adapter.h: how events look in each p_format
 */
#include "unit.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "channel/adapter.h"

static struct event e;
static struct buf out;

static void begin(void)
{
	e = (struct event)EVENT_INIT;
	out = (struct buf)BUF_INIT;
}

static void end(void)
{
	event_release(&e);
	buf_release(&out);
}

/* A whole response with the one event e, as format writes it. */
static const char *response(const char *format)
{
	const struct adapter *a = adapter_find(format);

	buf_clear(&out);
	if (a->start)
		a->start(&out, NULL);
	adapter_event(a, &out, &e, true);
	if (a->finish)
		a->finish(&out);
	ck_assert(!buf_failed(&out));
	return buf_str(&out);
}

/* The event with one attribute v, as format writes it. */
static const char *rendered(const char *format, const char *value)
{
	event_clear(&e);
	event_add(&e, "v", value);
	buf_clear(&out);
	adapter_event(adapter_find(format), &out, &e, true);
	return buf_str(&out);
}

START_TEST(formats_are_found_by_their_exact_name)
{
	ck_assert_str_eq(adapter_find("xml")->name, "xml");
	ck_assert_str_eq(adapter_find("xml-strict")->name, "xml-strict");
	ck_assert_str_eq(adapter_find("js")->name, "js");
	ck_assert_ptr_null(adapter_find("XML"));
	ck_assert_ptr_null(adapter_find("ser"));
	ck_assert_ptr_null(adapter_find(""));
	ck_assert_str_eq(adapter_default()->name, "js");
}
END_TEST

START_TEST(numbers_and_names_list_the_same_formats)
{
	struct buf names = BUF_INIT;
	const struct adapter *a;
	unsigned i;

	for (i = 0; (a = adapter_at(i)); i++) {
		ck_assert_uint_eq(adapter_number(a), i);
		ck_assert_ptr_eq(adapter_find(a->name), a);
		buf_printf(&names, "%s%s", i ? ", " : "", a->name);
	}
	ck_assert_uint_ge(i, 6);
	ck_assert_str_eq(buf_str(&names), adapter_names());
	ck_assert_ptr_null(adapter_at(~0U));
	buf_release(&names);
}
END_TEST

START_TEST(content_types_name_the_character_set)
{
	ck_assert_str_eq(adapter_find("xml")->content_type,
			 "text/plain;charset=UTF-8");
	ck_assert_str_eq(adapter_find("xml-strict")->content_type,
			 "text/xml;charset=UTF-8");
	ck_assert_str_eq(adapter_find("js")->content_type,
			 "text/html;charset=UTF-8");
}
END_TEST

START_TEST(xml_is_one_empty_element_an_event)
{
	event_add(&e, "p_event", "hb");
	event_add_int(&e, "p_time", 1);
	ck_assert_str_eq(response("xml"),
			 "<event p_event=\"hb\" p_time=\"1\" />");
}
END_TEST

START_TEST(xml_strict_is_the_same_in_one_document)
{
	event_add(&e, "p_event", "hb");
	ck_assert_str_eq(response("xml-strict"),
			 "<pushlet><event p_event=\"hb\" /></pushlet>");
}
END_TEST

START_TEST(js_pushes_names_and_values_to_the_parent)
{
	event_add(&e, "p_event", "hb");
	event_add(&e, "x", "2");
	buf_clear(&out);
	adapter_event(adapter_find("js"), &out, &e, true);
	ck_assert_str_eq(buf_str(&out),
			 "<script language=\"JavaScript\">parent.push("
			 "'p_event', \"hb\",'x', \"2\");</script>");
}
END_TEST

START_TEST(js_is_a_whole_page)
{
	const char *page = response("js");

	ck_assert_int_eq(strncmp(page, "<html><head>", 12), 0);
	ck_assert_ptr_nonnull(strstr(page, "function refresh() "
				     "{ document.location.href = url; }"));
	ck_assert_ptr_nonnull(strstr(page, "<meta name=\"referrer\" "
				     "content=\"no-referrer\">"));
	ck_assert_str_eq(page + strlen(page) - 14, "</body></html>");
}
END_TEST

START_TEST(the_shared_part_and_ones_own_make_the_same_event)
{
	static const char *const formats[] = {
		"js", "xml", "xml-strict", "json", "sse", "multipart"
	};
	struct buf parts = BUF_INIT;
	const struct adapter *a;
	unsigned index, i;

	for (i = 0; i < ROWS(formats); i++) {
		a = adapter_find(formats[i]);
		event_clear(&e);
		event_add(&e, "p_event", "data");
		buf_clear(&parts);
		index = adapter_shared(a, &parts, e.packed.data, e.packed.len);
		ck_assert_uint_eq(index, 1);
		adapter_own(a, &parts, &index, "p_sid", "s1");
		adapter_own_int(a, &parts, &index, "p_seq", UINT64_MAX);
		ck_assert_uint_eq(index, 3);
		a->close(&parts, 0);
		event_add(&e, "p_sid", "s1");
		event_add(&e, "p_seq", "18446744073709551615");
		buf_clear(&out);
		adapter_event(a, &out, &e, true);
		ck_assert_str_eq(buf_str(&parts), buf_str(&out));
	}
	buf_release(&parts);
}
END_TEST

START_TEST(an_event_without_shared_attributes_begins_with_ones_own)
{
	const struct adapter *a = adapter_find("js");
	unsigned index = adapter_shared(a, &out, "", 0);

	adapter_own(a, &out, &index, "n", "v");
	a->close(&out, 0);
	ck_assert_str_eq(buf_str(&out), "<script language=\"JavaScript\">"
			 "parent.push('n', \"v\");</script>");
}
END_TEST

static const struct {
	const char *value, *xml, *js;
} values[] = {
	{ "plain text", "plain text", "plain text" },
	{ "", "", "" },
	{ "a&b", "a&amp;b", "a&b" },
	{ "<b>", "&lt;b&gt;", "\\u003Cb>" },
	{ "say \"hi\"", "say &quot;hi&quot;", "say \\\"hi\\\"" },
	{ "it's", "it&#039;s", "it\\'s" },
	{ "c:\\dir", "c:&#092;dir", "c:\\\\dir" },
	{ "x\r\ny\tz", "x&#13;&#10;y&#9;z", "x\\r\\ny\\tz" },
	{ "\x01\x1F", "\xEF\xBF\xBD\xEF\xBF\xBD", "\\u0001\\u001F" },
	{ "\x7F", "\x7F", "\\u007F" },
	{ "\xC2\x85", "\xC2\x85", "\\u0085" },
	{ "</script><!--", "&lt;/script&gt;&lt;!--",
	  "\\u003C/script>\\u003C!--" },
	{ "\xE2\x80\xA8\xE2\x80\xA9", "\xE2\x80\xA8\xE2\x80\xA9",
	  "\\u2028\\u2029" },
	{ "\xEF\xBF\xBE\xEF\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD",
	  "\xEF\xBF\xBE\xEF\xBF\xBF" },
	{ "\xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80",
	  "\xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80",
	  "\xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80" },
	{ "\xE4\xB8", "\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "a\xFFz", "a\xEF\xBF\xBDz", "a\xEF\xBF\xBDz" },
};

START_TEST(values_are_escaped_for_each_syntax)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "<event v=\"%s\" />",
		 values[_i].xml);
	ck_assert_str_eq(rendered("xml", values[_i].value), expected);
	ck_assert_str_eq(rendered("xml-strict", values[_i].value), expected);
	snprintf(expected, sizeof(expected), "<script language=\"JavaScript\">"
		 "parent.push('v', \"%s\");</script>", values[_i].js);
	ck_assert_str_eq(rendered("js", values[_i].value), expected);
}
END_TEST

/* Every code point that XML can carry, in runs of 512. */
START_TEST(an_xml_parser_gets_back_every_character_that_was_put_in)
{
	struct buf value = BUF_INIT;
	unsigned long code = 1;
	const char *text;
	xmlChar *got;
	xmlDoc *doc;
	int i, n;

	while (code <= 0x10FFFF) {
		buf_clear(&value);
		for (i = 0; i < 512 && code <= 0x10FFFF; code++) {
			if (!utf8_xml_char(code))
				continue;
			buf_reserve(&value, 4);
			n = xmlCopyCharMultiByte((xmlChar *)value.data +
						 value.len, (int)code);
			value.len += (size_t)n;
			value.data[value.len] = '\0';
			i++;
		}
		text = rendered("xml-strict", buf_str(&value));
		doc = xmlReadMemory(text, (int)out.len, NULL, NULL, 0);
		ck_assert_ptr_nonnull(doc);
		got = xmlGetProp(xmlDocGetRootElement(doc),
				 (const xmlChar *)"v");
		ck_assert_str_eq((const char *)got, buf_str(&value));
		xmlFree(got);
		xmlFreeDoc(doc);
	}
	buf_release(&value);
	xmlCleanupParser();
}
END_TEST

START_TEST(no_value_leaves_its_string_or_its_script)
{
	char value[3] = { 0 };
	const char *text, *body;
	int first, second;

	for (first = 1; first < 0x80; first++) {
		for (second = 1; second < 0x80; second++) {
			value[0] = (char)first;
			value[1] = (char)second;
			text = rendered("js", value);
			body = strchr(strstr(text, "', ") + 3, '"') + 1;
			ck_assert_ptr_null(memchr(body, '<', strlen(body) -
						  strlen("\");</script>")));
			while (*body != '"')
				body += *body == '\\' ? 2 : 1;
			ck_assert_str_eq(body, "\");</script>");
		}
	}
}
END_TEST

START_TEST(a_damaged_name_cannot_leave_its_place)
{
	const struct attr a = { "x\"=<' y>", 8, "v", 1 };

	adapter_find("xml")->attr(&out, &a, 0);
	ck_assert_str_eq(buf_str(&out), " x_____y_=\"v\"");
	buf_clear(&out);
	adapter_find("js")->attr(&out, &a, 0);
	ck_assert_str_eq(buf_str(&out), "'x\\\"=\\u003C\\' y>', \"v\"");
}
END_TEST

START_TEST(names_of_all_letters_stay_as_they_are)
{
	const struct attr a = { "p_A-z.9\xC3\xA9", 9, "", 0 };

	adapter_find("xml")->attr(&out, &a, 0);
	ck_assert_str_eq(buf_str(&out), " p_A-z.9\xC3\xA9=\"\"");
}
END_TEST

static void make_refresh(const char *url, const char *wait)
{
	event_clear(&e);
	event_add(&e, "p_event", "refresh");
	if (wait)
		event_add(&e, "p_wait", wait);
	if (url)
		event_add(&e, "p_url", url);
	buf_clear(&out);
}

START_TEST(a_refresh_in_xml_is_an_event_like_any_other)
{
	make_refresh("/p?p_id=1&p_event=refresh", "2000");
	adapter_event(adapter_find("xml"), &out, &e, true);
	ck_assert_str_eq(buf_str(&out), "<event p_event=\"refresh\" "
			 "p_wait=\"2000\" "
			 "p_url=\"/p?p_id=1&amp;p_event=refresh\" />");
}
END_TEST

START_TEST(a_refresh_in_js_sets_the_location_after_the_wait)
{
	make_refresh("/p?p_id=1&p_event=refresh", "2000");
	adapter_event(adapter_find("js"), &out, &e, true);
	ck_assert_str_eq(buf_str(&out), "\n<script language=\"JavaScript\">"
			 "url='/p?p_id=1&p_event=refresh';\n"
			 "setTimeout(refresh, 2000);\n</script>");
}
END_TEST

START_TEST(the_url_of_a_refresh_is_escaped_too)
{
	make_refresh("/';alert(1)//</script>", "0");
	adapter_event(adapter_find("js"), &out, &e, true);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "url='/\\';alert(1)//"
				     "\\u003C/script>';\n"));
}
END_TEST

static const struct {
	const char *wait, *shown;
} waits[] = {
	{ "0", "refresh, 0)" },
	{ "2147483647", "refresh, 2147483647)" },
	{ "2147483648", "refresh, 2147483647)" },
	{ "99999999999999999999", "refresh, 2147483647)" },
	{ "12x", "refresh, 2147483647)" },
	{ "-1", "refresh, 0)" },
	{ NULL, "refresh, 0)" },
};

START_TEST(the_wait_of_a_refresh_is_always_a_number)
{
	make_refresh("/p", waits[_i].wait);
	adapter_event(adapter_find("js"), &out, &e, true);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), waits[_i].shown));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("adapter");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, formats_are_found_by_their_exact_name);
	tcase_add_test(tc, numbers_and_names_list_the_same_formats);
	tcase_add_test(tc, content_types_name_the_character_set);
	tcase_add_test(tc, xml_is_one_empty_element_an_event);
	tcase_add_test(tc, xml_strict_is_the_same_in_one_document);
	tcase_add_test(tc, js_pushes_names_and_values_to_the_parent);
	tcase_add_test(tc, js_is_a_whole_page);
	tcase_add_test(tc, the_shared_part_and_ones_own_make_the_same_event);
	tcase_add_test(tc,
		an_event_without_shared_attributes_begins_with_ones_own);
	tcase_add_loop_test(tc, values_are_escaped_for_each_syntax, 0,
			    ROWS(values));
	tcase_add_test(tc,
		an_xml_parser_gets_back_every_character_that_was_put_in);
	tcase_add_test(tc, no_value_leaves_its_string_or_its_script);
	tcase_add_test(tc, a_damaged_name_cannot_leave_its_place);
	tcase_add_test(tc, names_of_all_letters_stay_as_they_are);
	tcase_add_test(tc, a_refresh_in_xml_is_an_event_like_any_other);
	tcase_add_test(tc, a_refresh_in_js_sets_the_location_after_the_wait);
	tcase_add_test(tc, the_url_of_a_refresh_is_escaped_too);
	tcase_add_loop_test(tc, the_wait_of_a_refresh_is_always_a_number, 0,
			    ROWS(waits));
	return unit_run();
}
