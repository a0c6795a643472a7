/* SPDX-License-Identifier: MIT */
/*
 * json.c - strings for JSON and for JavaScript alike
 */
#include "channel/json.h"

#include "channel/escape.h"

void json_write(struct buf *out, unsigned long code)
{
	switch (code) {
	case '\n':
		buf_puts(out, "\\n");
		break;
	case '\r':
		buf_puts(out, "\\r");
		break;
	case '\t':
		buf_puts(out, "\\t");
		break;
	case '\\':
	case '"':
	case '\'':
		buf_putc(out, '\\');
		buf_putc(out, (char)code);
		break;
	default:
		buf_printf(out, "\\u%04lX", code);
	}
}

/* Two ends of a line for JavaScript before ES2019. */
static bool special_wide(unsigned long code)
{
	return code == 0x2028 || code == 0x2029;
}

static const struct escape json_escape = {
	.special = {
		[0 ... 0x1F] = true, ['"'] = true, ['<'] = true,
		['\\'] = true, [0x7F] = true
	},
	.special_wide = special_wide,
	.write = json_write
};

static void add_string(struct buf *out, const char *s, size_t n)
{
	buf_putc(out, '"');
	escape_add(out, &json_escape, s, n);
	buf_putc(out, '"');
}

void json_open(struct buf *out)
{
	buf_putc(out, '{');
}

void json_attr(struct buf *out, const struct attr *a, unsigned index)
{
	if (index)
		buf_putc(out, ',');
	add_string(out, a->name, a->name_len);
	buf_putc(out, ':');
	add_string(out, a->value, a->value_len);
}
