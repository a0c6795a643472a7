/* SPDX-License-Identifier: MIT */
/*
 * fuzz_adapter_js.c - attributes of any bytes in the format js
 *
 * A browser must see one script, whose strings are the names and the values,
 * with U+FFFD for what is not UTF-8.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "channel/adapter.h"

#define SCRIPT "<script language=\"JavaScript\">"

static const char *skip(const char *s, const char *what)
{
	must(strncmp(s, what, strlen(what)) == 0);
	return s + strlen(what);
}

/* The next character of a string, its escape undone. */
static unsigned long next_char(const char **pos, const char *end)
{
	char digits[5] = "", *digits_end;
	unsigned long code;

	code = utf8_next(pos, end);
	must(code >= ' ' && code != '<' && code != 0x2028 && code != 0x2029);
	if (code != '\\')
		return code;
	switch (*(*pos)++) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'u':
		must(end - *pos >= 4);
		memcpy(digits, *pos, 4);
		*pos += 4;
		code = strtoul(digits, &digits_end, 16);
		must(*digits_end == '\0');
		return code;
	default:
		return (unsigned char)(*pos)[-1];
	}
}

/* Reads a string that must mean these n bytes; returns where it ends. */
static const char *read_string(const char *s, const char *end, char quote,
			       const char *text, size_t n)
{
	const char *text_end = text + n;

	must(*s++ == quote);
	while (*s != quote)
		must(text < text_end &&
		     next_char(&s, end) == utf8_next(&text, text_end));
	must(text == text_end);
	return s + 1;
}

static void check_event(const struct buf *js, const struct event *e)
{
	const char *pos = buf_str(&e->packed), *pos_end = pos + e->packed.len;
	const char *s = skip(js->data, SCRIPT "parent.push(");
	const char *end = js->data + js->len;
	const char *comma = "";
	struct attr a;

	for (; attr_next(&pos, pos_end, &a); comma = ",") {
		s = skip(s, comma);
		s = read_string(s, end, '\'', a.name, a.name_len);
		s = skip(s, ", ");
		s = read_string(s, end, '"', a.value, a.value_len);
	}
	must(skip(s, ");</script>") == end);
}

static void check_refresh(const struct buf *js, const char *url)
{
	const char *s = skip(js->data, "\n" SCRIPT "url=");
	const char *end = js->data + js->len;

	s = read_string(s, end, '\'', url, strlen(url));
	s = skip(s, ";\nsetTimeout(refresh, ");
	s += strspn(s, "0123456789");
	must(skip(s, ");\n</script>") == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = { data, data + n };
	struct event e = EVENT_INIT;
	struct buf js = BUF_INIT;
	const char *kind, *url;

	fuzz_event(&in, &e);
	adapter_event(adapter_find("js"), &js, &e, true);
	must(utf8_valid(buf_str(&js), js.len));
	kind = event_get(&e, "p_event");
	url = event_get(&e, "p_url");
	if (kind && url && strcmp(kind, "refresh") == 0)
		check_refresh(&js, url);
	else
		check_event(&js, &e);
	buf_release(&js);
	event_release(&e);
	return 0;
}
