/* SPDX-License-Identifier: MIT */
/*
 * adapter_js.c - the format js: a page in a hidden frame that calls its parent
 *
 * Each event is a <script> that pushes names and values, by turns, to
 * parent.push().  A refresh sets the location of the frame after a while.
 *
 * A string must neither end itself nor the script element around it, so "<" is
 * always escaped: that covers "</script", and "<!--" and "<script", which lead
 * an HTML parser astray as well.
 */
#include "channel/adapter_list.h"

#include <string.h>

#include "channel/escape.h"

#define SCRIPT "<script language=\"JavaScript\">"

static void write_js(struct buf *out, unsigned long code)
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

/* The separators end a line for JavaScript before ES2019, controls of the
 * upper range are no valid HTML.  All have four hexadecimal digits. */
static bool special_wide(unsigned long code)
{
	return code < 0xA0 || code == 0x2028 || code == 0x2029;
}

static const struct escape js_escape = {
	.special = {
		[0 ... 0x1F] = true, ['"'] = true, ['\''] = true, ['<'] = true,
		['\\'] = true, [0x7F] = true
	},
	.special_wide = special_wide,
	.write = write_js
};

/* The frame's address holds the session id, which no referrer may show. */
static void start_page(struct buf *out)
{
	buf_puts(out,
		 "<html><head>"
		 "<meta name=\"referrer\" content=\"no-referrer\">"
		 "</head><body>\n"
		 SCRIPT
		 "var url = '';\n"
		 "function refresh() { document.location.href = url; }"
		 "</script>");
}

static void open_event(struct buf *out)
{
	buf_puts(out, SCRIPT "parent.push(");
}

static void add_attr(struct buf *out, const struct attr *a, unsigned index)
{
	buf_puts(out, index ? ",'" : "'");
	escape_add(out, &js_escape, a->name, a->name_len);
	buf_puts(out, "', \"");
	escape_add(out, &js_escape, a->value, a->value_len);
	buf_putc(out, '"');
}

static void close_event(struct buf *out)
{
	buf_puts(out, ");</script>");
}

static void refresh_page(struct buf *out, const char *url, unsigned wait)
{
	buf_puts(out, "\n" SCRIPT "url='");
	escape_add(out, &js_escape, url, strlen(url));
	buf_printf(out, "';\nsetTimeout(refresh, %u);\n</script>", wait);
}

static void finish_page(struct buf *out)
{
	buf_puts(out, "</body></html>");
}

const struct adapter adapter_js = {
	.name = "js",
	.content_type = "text/html;charset=UTF-8",
	.start = start_page,
	.open = open_event,
	.attr = add_attr,
	.close = close_event,
	.refresh = refresh_page,
	.finish = finish_page
};
