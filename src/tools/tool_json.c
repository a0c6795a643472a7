/* SPDX-License-Identifier: MIT */
/*
 * tool_json.c - writes JSON (RFC 8259)
 */
#include "tools/tool_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

#define LINE_DEPTH 2		/* deeper members share a line */

static void add_text(struct buf *out, const char *s, size_t n)
{
	const char *end = s + n, *pos;
	unsigned long code;

	buf_putc(out, '"');
	for (; s < end; s = pos) {
		pos = s;
		code = utf8_next(&pos, end);
		if (code == '"' || code == '\\')
			buf_printf(out, "\\%c", (int)code);
		else if (code < 0x20 || (code >= 0x7F && code < 0xA0) ||
			 (code >= 0x80 && pos == s + 1))
			buf_printf(out, "\\u%04lX", code);
		else
			buf_add(out, s, (size_t)(pos - s));
	}
	buf_putc(out, '"');
}

static void new_line(struct json *j)
{
	unsigned i;

	buf_putc(j->out, '\n');
	for (i = 0; i < j->depth; i++)
		buf_putc(j->out, '\t');
}

/* Everything of a member but its value. */
static void begin(struct json *j, const char *key)
{
	if (j->filled)
		buf_putc(j->out, ',');
	if (!j->flat && j->depth > 0 && j->depth <= LINE_DEPTH)
		new_line(j);
	else if (j->filled)
		buf_putc(j->out, ' ');
	if (key) {
		add_text(j->out, key, strlen(key));
		buf_puts(j->out, ": ");
	}
	j->filled = true;
}

static void nest(struct json *j, const char *key, char open, char close)
{
	must(j->depth < JSON_DEPTH);
	begin(j, key);
	buf_putc(j->out, open);
	j->close[j->depth++] = close;
	j->filled = false;
}

void json_object(struct json *j, const char *key)
{
	nest(j, key, '{', '}');
}

void json_array(struct json *j, const char *key)
{
	nest(j, key, '[', ']');
}

void json_end(struct json *j)
{
	char close = j->close[--j->depth];

	if (!j->flat && j->filled && j->depth < LINE_DEPTH)
		new_line(j);
	buf_putc(j->out, close);
	if (j->depth == 0)
		buf_putc(j->out, '\n');
	j->filled = true;
}

void json_string_n(struct json *j, const char *key, const char *s, size_t n)
{
	begin(j, key);
	add_text(j->out, s, n);
}

void json_string(struct json *j, const char *key, const char *s)
{
	json_string_n(j, key, s, strlen(s));
}

void json_uint(struct json *j, const char *key, uint64_t n)
{
	begin(j, key);
	buf_printf(j->out, "%" PRIu64, n);
}

void json_bool(struct json *j, const char *key, bool is)
{
	begin(j, key);
	buf_puts(j->out, is ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin(j, key);
	buf_puts(j->out, "null");
}

void json_thousandths(struct json *j, const char *key, uint64_t n)
{
	begin(j, key);
	buf_printf(j->out, "%" PRIu64 ".%03d", n / 1000, (int)(n % 1000));
}
