/* SPDX-License-Identifier: MIT */
/*
 * test_adapter_json.c - the formats made of JSON: json, sse, multipart, and
 * json that calls a function
 */
#include "unit.h"

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

static const struct adapter *jsonp(void)
{
	return adapter_calling(adapter_find("json"));
}

/* A response: p_event=hb, then a data event with the number 7 of its session,
 * then p_event=abort. */
static const char *response(const struct adapter *a, const char *callback)
{
	unsigned index;

	if (a->start)
		a->start(&out, callback);
	event_add(&e, "p_event", "hb");
	adapter_event(a, &out, &e, true);
	event_clear(&e);
	event_add(&e, "p_event", "data");
	adapter_between(a, &out);
	index = adapter_shared(a, &out, e.packed.data, e.packed.len);
	adapter_own(a, &out, &index, "p_sid", "s1");
	adapter_own_int(a, &out, &index, "p_eid", 7);
	a->close(&out, 7);
	event_clear(&e);
	event_add(&e, "p_event", "abort");
	adapter_event(a, &out, &e, false);
	if (a->finish)
		a->finish(&out);
	ck_assert(!buf_failed(&out));
	return buf_str(&out);
}

#define HB "{\"p_event\":\"hb\"}"
#define DATA "{\"p_event\":\"data\",\"p_sid\":\"s1\",\"p_eid\":\"7\"}"
#define ABORT "{\"p_event\":\"abort\"}"

START_TEST(json_is_one_array_a_response)
{
	const struct adapter *a = adapter_find("json");

	ck_assert_str_eq(a->content_type, "application/json");
	ck_assert(!a->reliable);
	ck_assert_str_eq(response(a, NULL),
			 "[" HB ",\n" DATA ",\n" ABORT "]\n");
}
END_TEST

START_TEST(json_with_a_callback_is_one_call)
{
	const struct adapter *a = jsonp();

	ck_assert_str_eq(a->name, "json");
	ck_assert_str_eq(a->content_type, "text/javascript;charset=UTF-8");
	ck_assert_str_eq(response(a, "app.cb"),
			 "/**/app.cb([" HB ",\n" DATA ",\n" ABORT "]);\n");
}
END_TEST

START_TEST(sse_is_a_data_line_an_event_and_its_number)
{
	const struct adapter *a = adapter_find("sse");

	ck_assert_str_eq(a->content_type, "text/event-stream;charset=UTF-8");
	ck_assert(a->reliable);
	ck_assert_str_eq(response(a, NULL),
			 "data: " HB "\n\n"
			 "data: " DATA "\nid: 7\n\n"
			 "data: " ABORT "\n\n");
}
END_TEST

START_TEST(multipart_is_a_part_an_event_whole_when_its_boundary_came)
{
	const struct adapter *a = adapter_find("multipart");

	ck_assert_str_eq(a->content_type,
			 "multipart/x-mixed-replace;boundary=pushlet-event");
	ck_assert_str_eq(response(a, NULL),
			 "--pushlet-event\r\n"
			 "Content-Type: application/json\r\n\r\n" HB "\r\n"
			 "--pushlet-event\r\n"
			 "Content-Type: application/json\r\n\r\n" DATA "\r\n"
			 "--pushlet-event\r\n"
			 "Content-Type: application/json\r\n\r\n" ABORT "\r\n"
			 "--pushlet-event--\r\n");
}
END_TEST

START_TEST(no_event_says_multiparts_boundary)
{
	const struct adapter *a = adapter_find("multipart");
	const char *body;

	event_add(&e, "v", "\r\n--pushlet-event--\r\n");
	adapter_event(a, &out, &e, true);
	body = strstr(buf_str(&out), "{");
	ck_assert_str_eq(body, "{\"v\":\"\\r\\n--pushlet-event--\\r\\n\"}\r\n"
			 "--pushlet-event");
}
END_TEST

START_TEST(sse_has_no_id_line_for_what_has_no_number)
{
	const struct adapter *a = adapter_find("sse");

	a->open(&out);
	a->close(&out, 0);
	a->open(&out);
	a->close(&out, UINT64_MAX);
	ck_assert_str_eq(buf_str(&out), "data: {}\n\n"
			 "data: {}\nid: 18446744073709551615\n\n");
}
END_TEST

static void make_refresh(void)
{
	event_clear(&e);
	event_add(&e, "p_event", "refresh");
	event_add(&e, "p_wait", "2000");
	event_add(&e, "p_url", "/p?p_id=1&p_event=refresh&p_ack=3");
	buf_clear(&out);
}

#define REFRESH "{\"p_event\":\"refresh\",\"p_wait\":\"2000\"," \
		"\"p_url\":\"/p?p_id=1&p_event=refresh&p_ack=3\"}"

START_TEST(a_refresh_is_an_event_and_tells_an_eventsource_when_to_return)
{
	make_refresh();
	adapter_event(adapter_find("json"), &out, &e, true);
	ck_assert_str_eq(buf_str(&out), REFRESH);
	make_refresh();
	adapter_event(jsonp(), &out, &e, false);
	ck_assert_str_eq(buf_str(&out), ",\n" REFRESH);
	make_refresh();
	adapter_event(adapter_find("sse"), &out, &e, true);
	ck_assert_str_eq(buf_str(&out),
			 "retry: 2000\ndata: " REFRESH "\n\n");
}
END_TEST

/* A format of these and what it renders serve both. */
START_TEST(a_call_renders_as_json_and_is_its_number)
{
	const struct adapter *json = adapter_find("json");

	ck_assert_uint_eq(adapter_number(jsonp()), adapter_number(json));
	ck_assert_ptr_eq(adapter_at(adapter_number(jsonp())), json);
	ck_assert_ptr_eq(adapter_calling(jsonp()), jsonp());
	ck_assert_str_eq(jsonp()->between, json->between);
	ck_assert_ptr_eq(jsonp()->open, json->open);
	ck_assert_ptr_eq(jsonp()->attr, json->attr);
	ck_assert_ptr_eq(jsonp()->close, json->close);
	ck_assert_ptr_null(jsonp()->refresh);
}
END_TEST

START_TEST(only_json_calls_functions)
{
	const struct adapter *a;
	unsigned i;

	for (i = 0; (a = adapter_at(i)); i++)
		ck_assert(strcmp(a->name, "json") == 0 ||
			  !adapter_calling(a));
}
END_TEST

static const struct {
	const char *name;
	bool valid;
} callbacks[] = {
	{ "f", true },
	{ "_", true },
	{ "$", true },
	{ "jQuery_123.$cb", true },
	{ "a.b.c", true },
	{ "x1", true },
	{ "pushlet012345678901234567890123456789012345678901234567890123456",
	  true },	/* 64 bytes */
	{ "pushlet0123456789012345678901234567890123456789012345678901234567",
	  false },
	{ "", false },
	{ ".", false },
	{ "a.", false },
	{ ".a", false },
	{ "a..b", false },
	{ "1a", false },
	{ "a.1", false },
	{ "a b", false },
	{ " a", false },
	{ "a ", false },
	{ "a\n", false },
	{ "a-b", false },
	{ "a()", false },
	{ "a(b", false },
	{ "a;b", false },
	{ "a[0]", false },
	{ "a['b']", false },
	{ "a=b", false },
	{ "a/b", false },
	{ "a/**/", false },
	{ "a//", false },
	{ "a\\u0062", false },
	{ "a\"", false },
	{ "a`", false },
	{ "alert(1)//", false },
	{ "f</script>", false },
	{ "<script>", false },
	{ "\xC3\xA9", false },
	{ "a\xE2\x80\xA8", false },
	{ "a\x7F", false },
	{ "\x01", false },
	{ "CWS\x07", false },	/* as a Flash file begins */
};

START_TEST(a_callback_is_a_name_and_nothing_else)
{
	ck_assert_msg(adapter_callback_valid(callbacks[_i].name) ==
		      callbacks[_i].valid, "'%s'", callbacks[_i].name);
}
END_TEST

static const struct {
	const char *value, *json;
} values[] = {
	{ "plain text", "plain text" },
	{ "", "" },
	{ "a&b > c", "a&b > c" },
	{ "<b>", "\\u003Cb>" },
	{ "</script><script>alert(1)</script>",
	  "\\u003C/script>\\u003Cscript>alert(1)\\u003C/script>" },
	{ "<!--", "\\u003C!--" },
	{ "say \"hi\"", "say \\\"hi\\\"" },
	{ "it's `so`", "it's `so`" },
	{ "c:\\dir", "c:\\\\dir" },
	{ "x\r\ny\tz", "x\\r\\ny\\tz" },
	{ "\x01\x08\x0B\x0C\x1F\x7F",
	  "\\u0001\\u0008\\u000B\\u000C\\u001F\\u007F" },
	{ "\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029" },
	{ "\xE4\xB8\xAD \xF0\x9F\x98\x80", "\xE4\xB8\xAD \xF0\x9F\x98\x80" },
	{ "\xEF\xBF\xBF", "\xEF\xBF\xBF" },
	{ "\xE4\xB8", "\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "a\xFFz", "a\xEF\xBF\xBDz" },
};

START_TEST(names_and_values_are_escaped)
{
	struct buf expected = BUF_INIT;
	const struct attr odd = {
		values[_i].value, strlen(values[_i].value), "1", 1
	};

	buf_printf(&expected, "{\"v\":\"%s\"}", values[_i].json);
	event_add(&e, "v", values[_i].value);
	adapter_event(adapter_find("json"), &out, &e, true);
	ck_assert_str_eq(buf_str(&out), buf_str(&expected));
	/* A name of this kind could only be in a damaged segment. */
	buf_clear(&out);
	buf_clear(&expected);
	buf_printf(&expected, ",\"%s\":\"1\"", values[_i].json);
	adapter_find("json")->attr(&out, &odd, 1);
	ck_assert_str_eq(buf_str(&out), buf_str(&expected));
	buf_release(&expected);
}
END_TEST

/* A strict reader of JSON strings (RFC 8259, 7), without surrogates, which we
 * never write: moves *pos behind one and appends what it stands for. */
static void read_string(const char **pos, struct buf *text)
{
	static const char letters[] = "bfnrt\"\\/";
	static const char meanings[] = "\b\f\n\r\t\"\\/";
	const char *s = *pos, *found;
	unsigned code;

	ck_assert_int_eq(*s++, '"');
	for (; *s != '"'; s++) {
		ck_assert_uint_ge((unsigned char)*s, 0x20);
		if (*s != '\\') {
			buf_putc(text, *s);
		} else if (*++s == 'u') {
			ck_assert_int_eq(sscanf(s + 1, "%4x", &code), 1);
			s += 4;
			ck_assert_uint_lt(code, 0xD800);
			if (code >= 0x800)
				buf_putc(text, (char)(0xE0 | code >> 12));
			if (code >= 0x80)
				buf_putc(text, (char)(code >= 0x800 ?
					0x80 | (code >> 6 & 0x3F) :
					0xC0 | code >> 6));
			buf_putc(text, (char)(code >= 0x80 ?
				0x80 | (code & 0x3F) : code));
		} else {
			found = strchr(letters, *s);
			ck_assert(*s && found);
			buf_putc(text, meanings[found - letters]);
		}
	}
	*pos = s + 1;
}

/* A code point as UTF-8. */
static void add_char(struct buf *text, unsigned long code)
{
	int shift = code < 0x80 ? 0 : code < 0x800 ? 6 :
		    code < 0x10000 ? 12 : 18;

	buf_putc(text, (char)(code < 0x80 ? code :
		(shift == 6 ? 0xC0 : shift == 12 ? 0xE0 : 0xF0) |
		code >> shift));
	while ((shift -= 6) >= 0)
		buf_putc(text, (char)(0x80 | (code >> shift & 0x3F)));
}

/* Every code point there is, in runs of 500. */
START_TEST(a_reader_gets_back_every_character_that_was_put_in)
{
	struct buf value = BUF_INIT, got = BUF_INIT;
	unsigned long code = 1;
	const char *pos;
	int i;

	while (code <= 0x10FFFF) {
		buf_clear(&value);
		for (i = 0; i < 500 && code <= 0x10FFFF; i++, code++)
			if (code < 0xD800 || code > 0xDFFF)
				add_char(&value, code);
		if (!value.len)
			continue;
		event_clear(&e);
		event_add(&e, "v", buf_str(&value));
		buf_clear(&out);
		adapter_event(adapter_find("json"), &out, &e, true);
		ck_assert_ptr_null(strpbrk(buf_str(&out), "<\n\r"));
		pos = strchr(buf_str(&out), ':') + 1;
		buf_clear(&got);
		read_string(&pos, &got);
		ck_assert_str_eq(buf_str(&got), buf_str(&value));
		ck_assert_str_eq(pos, "}");
	}
	buf_release(&value);
	buf_release(&got);
}
END_TEST

/* Two bytes of any kind can neither end a string, nor a line of sse, nor a
 * script element. */
START_TEST(no_value_leaves_its_string_or_its_line)
{
	struct buf got = BUF_INIT;
	char value[3] = { 0 };
	int first, second;
	const char *pos;

	for (first = 1; first < 0x100; first++) {
		for (second = 1; second < 0x100; second++) {
			value[0] = (char)first;
			value[1] = (char)second;
			event_clear(&e);
			event_add(&e, "v", value);
			buf_clear(&out);
			buf_clear(&got);
			adapter_event(adapter_find("sse"), &out, &e, true);
			ck_assert(utf8_valid(buf_str(&out), out.len));
			ck_assert_ptr_null(strpbrk(buf_str(&out), "<\r"));
			pos = strchr(buf_str(&out), '{') + strlen("{\"v\":");
			read_string(&pos, &got);
			ck_assert_str_eq(pos, "}\n\n");
			if (utf8_valid(value, 2))
				ck_assert_str_eq(buf_str(&got), value);
		}
	}
	buf_release(&got);
}
END_TEST

/* What means nothing behind an event, in every format. */
START_TEST(padding_is_blanks_or_comments)
{
	const struct adapter *a;
	unsigned i;

	for (i = 0; (a = adapter_at(i)); i++)
		ck_assert_str_eq(a->padding, strcmp(a->name, "sse") == 0 ?
				 ":\n" : " ");
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("adapter_json");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, json_is_one_array_a_response);
	tcase_add_test(tc, json_with_a_callback_is_one_call);
	tcase_add_test(tc, sse_is_a_data_line_an_event_and_its_number);
	tcase_add_test(tc,
		multipart_is_a_part_an_event_whole_when_its_boundary_came);
	tcase_add_test(tc, no_event_says_multiparts_boundary);
	tcase_add_test(tc, sse_has_no_id_line_for_what_has_no_number);
	tcase_add_test(tc,
		a_refresh_is_an_event_and_tells_an_eventsource_when_to_return);
	tcase_add_test(tc, a_call_renders_as_json_and_is_its_number);
	tcase_add_test(tc, only_json_calls_functions);
	tcase_add_loop_test(tc, a_callback_is_a_name_and_nothing_else, 0,
			    ROWS(callbacks));
	tcase_add_loop_test(tc, names_and_values_are_escaped, 0,
			    ROWS(values));
	tcase_add_test(tc,
		a_reader_gets_back_every_character_that_was_put_in);
	tcase_add_test(tc, no_value_leaves_its_string_or_its_line);
	tcase_add_test(tc, padding_is_blanks_or_comments);
	return unit_run();
}
