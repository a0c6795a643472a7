/* SPDX-License-Identifier: MIT */
/*
 * form.c - application/x-www-form-urlencoded into an event
 */
#include "command/form.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "command/fields.h"

/* The value of a hexadecimal digit, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int refuse_escape(struct refusal *why, const char *pos, const char *end)
{
	char bad[4], quote[64];

	snprintf(bad, sizeof(bad), "%.*s", (int)(end - pos > 3 ? 3 : end - pos),
		 pos);
	return refuse(why, 400, "Malformed request: a %% must be followed by "
		      "two hexadecimal digits, not '%s'",
		      refusal_quote(quote, bad));
}

/* Replaces the content of out by the decoded text. */
static int decode(struct buf *out, const char *pos, const char *end,
		  struct refusal *why)
{
	size_t plain;
	int high, low;

	buf_clear(out);
	while (pos < end) {
		for (plain = 0; pos + plain < end; plain++) {
			if (pos[plain] == '%' || pos[plain] == '+')
				break;
		}
		buf_add(out, pos, plain);
		pos += plain;
		if (pos < end && *pos == '+') {
			buf_putc(out, ' ');
			pos++;
		} else if (pos < end) {
			high = end - pos > 2 ? hex_digit(pos[1]) : -1;
			low = high < 0 ? -1 : hex_digit(pos[2]);
			if (low < 0)
				return refuse_escape(why, pos, end);
			buf_putc(out, (char)(high << 4 | low));
			pos += 3;
		}
	}
	return 0;
}

static int check_text(const struct buf *b, const char *what, const char *name,
		      struct refusal *why)
{
	char quote[64];

	if (buf_failed(b))
		return refuse(why, 500, "out of memory");
	if (utf8_valid(buf_str(b), b->len))
		return 0;
	return refuse(why, 400, "Malformed request: the %s '%s' %s", what,
		      refusal_quote(quote, name),
		      memchr(buf_str(b), '\0', b->len) ?
			      "holds a NUL character" : "is not UTF-8");
}

/* One NAME=VALUE. */
static int add_pair(struct fields *f, struct buf *name, struct buf *value,
		    const char *pos, const char *end)
{
	const char *equals = memchr(pos, '=', (size_t)(end - pos));

	if (decode(name, pos, equals ? equals : end, f->why) != 0 ||
	    check_text(name, "name", buf_str(name), f->why) != 0)
		return -1;
	if (decode(value, equals ? equals + 1 : end, end, f->why) != 0 ||
	    check_text(value, "value of", buf_str(name), f->why) != 0)
		return -1;
	if (name->len == 0)
		return 0;
	return fields_add(f, buf_str(name), buf_str(value), value->len);
}

int form_parse(const char *text, size_t n, const struct event_limits *limits,
	       struct event *e, struct refusal *why)
{
	const char *end = text + n, *pair_end;
	struct buf name = BUF_INIT, value = BUF_INIT;
	struct fields f;
	int rc = 0;

	fields_begin(&f, e, limits, why);
	while (rc == 0 && text < end) {
		pair_end = memchr(text, '&', (size_t)(end - text));
		if (!pair_end)
			pair_end = end;
		if (pair_end > text)
			rc = add_pair(&f, &name, &value, text, pair_end);
		text = pair_end + 1;
	}
	buf_release(&name);
	buf_release(&value);
	return rc ? rc : fields_end(&f);
}
