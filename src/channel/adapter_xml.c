/* SPDX-License-Identifier: MIT */
/*
 * adapter_xml.c - the formats xml and xml-strict
 *
 * Both write an event as <event name="value" ... />.  xml sends one after
 * another with no root, for clients that read a stream element by element;
 * xml-strict makes one document of them.
 *
 * Besides what XML itself demands, ' and \ are escaped, as clients of the
 * original server know it, and tab, newline and carriage return, which an XML
 * parser would else turn into blanks.
 */
#include "channel/adapter_list.h"

#include "base/utf8.h"
#include "channel/escape.h"

static void write_value(struct buf *out, unsigned long code)
{
	switch (code) {
	case '&':
		buf_puts(out, "&amp;");
		break;
	case '<':
		buf_puts(out, "&lt;");
		break;
	case '>':
		buf_puts(out, "&gt;");
		break;
	case '"':
		buf_puts(out, "&quot;");
		break;
	case '\'':
		buf_puts(out, "&#039;");
		break;
	case '\\':
		buf_puts(out, "&#092;");
		break;
	case '\t':
		buf_puts(out, "&#9;");
		break;
	case '\n':
		buf_puts(out, "&#10;");
		break;
	case '\r':
		buf_puts(out, "&#13;");
		break;
	default:
		buf_puts(out, ESCAPE_REPLACEMENT);
	}
}

static void write_name(struct buf *out, unsigned long code)
{
	(void)code;
	buf_putc(out, '_');
}

static bool not_in_xml(unsigned long code)
{
	return !utf8_xml_char(code);
}

static const struct escape value_escape = {
	.special = {
		[0 ... 0x1F] = true, ['&'] = true, ['<'] = true, ['>'] = true,
		['"'] = true, ['\''] = true, ['\\'] = true
	},
	.special_wide = not_in_xml,
	.write = write_value
};

/* Names were checked when the event came in.  Should a damaged segment hold
 * another, it cannot leave its place. */
static const struct escape name_escape = {
	.special = {
		[0 ... ','] = true, ['/'] = true, [':' ... '@'] = true,
		['[' ... '^'] = true, ['`'] = true, ['{' ... 0x7F] = true
	},
	.special_wide = not_in_xml,
	.write = write_name
};

static void start_document(struct buf *out, const char *callback)
{
	(void)callback;
	buf_puts(out, "<pushlet>");
}

static void finish_document(struct buf *out)
{
	buf_puts(out, "</pushlet>");
}

static void open_event(struct buf *out)
{
	buf_puts(out, "<event");
}

static void add_attr(struct buf *out, const struct attr *a, unsigned index)
{
	(void)index;
	buf_putc(out, ' ');
	escape_add(out, &name_escape, a->name, a->name_len);
	buf_puts(out, "=\"");
	escape_add(out, &value_escape, a->value, a->value_len);
	buf_putc(out, '"');
}

static void close_event(struct buf *out, uint64_t eid)
{
	(void)eid;
	buf_puts(out, " />");
}

const struct adapter adapter_xml = {
	.name = "xml",
	.content_type = "text/plain;charset=UTF-8",
	.padding = " ",
	.open = open_event,
	.attr = add_attr,
	.close = close_event
};

const struct adapter adapter_xml_strict = {
	.name = "xml-strict",
	.content_type = "text/xml;charset=UTF-8",
	.start = start_document,
	.padding = " ",
	.open = open_event,
	.attr = add_attr,
	.close = close_event,
	.finish = finish_document
};
