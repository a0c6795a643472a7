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
#include "channel/json.h"

#define SCRIPT "<script language=\"JavaScript\">"

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
	.write = json_write
};

/* The frame's address holds the session id, which no referrer may show. */
static void start_page(struct buf *out, const char *callback)
{
	(void)callback;
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

static void close_event(struct buf *out, uint64_t eid)
{
	(void)eid;
	buf_puts(out, ");</script>");
}

static void refresh_page(struct buf *out, const struct event *e, unsigned wait)
{
	const char *url = event_get(e, "p_url");

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
	.padding = " ",
	.open = open_event,
	.attr = add_attr,
	.close = close_event,
	.refresh = refresh_page,
	.finish = finish_page
};
