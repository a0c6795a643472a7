/* SPDX-License-Identifier: MIT */
/*
 * fuzz_adapter.c - attributes of any bytes, written in each format
 *
 * As XML, libxml2 must read back the values, with U+FFFD for what XML cannot
 * hold, if the names are names; if not, no text may leave its place.  As js,
 * the strings of the one script must be the names and values.
 */
#include "fuzz.h"

#include <libxml/parser.h>

#include "base/utf8.h"
#include "channel/adapter.h"
#include "channel/escape.h"

#define SCRIPT "<script language=\"JavaScript\">parent.push("
#define SCRIPT_END ");</script>"

/* The text with U+FFFD for what is not UTF-8 or, for XML, no character. */
static void clean(struct buf *out, const char *s, size_t n, bool xml)
{
	const char *end = s + n, *start;

	buf_clear(out);
	while (s < end) {
		unsigned long code;

		start = s;
		code = utf8_next(&s, end);
		if ((code == 0xFFFD && s == start + 1) ||
		    (xml && !utf8_xml_char(code)))
			buf_puts(out, ESCAPE_REPLACEMENT);
		else
			buf_add(out, start, (size_t)(s - start));
	}
}

/* -- XML ------------------------------------------------------------------ */

/* Is it NAME="VALUE" after NAME="VALUE", up to the end of the tag? */
static void check_tag(const char *s, unsigned attributes)
{
	must(strncmp(s, "<event", 6) == 0);
	for (s += 6; attributes > 0; attributes--) {
		must(*s++ == ' ');
		s += strcspn(s, " \t\r\n\"'<>&=/");
		must(strncmp(s, "=\"", 2) == 0);
		s += 2;
		s += strcspn(s, "\"<>\t\r\n");
		must(*s++ == '"');
	}
	must(strcmp(s, " />") == 0);
}

static void check_values(const struct buf *text, const struct event *e)
{
	const char *pos = buf_str(&e->packed), *end = pos + e->packed.len;
	xmlDocPtr doc = xmlReadMemory(text->data, (int)text->len, "", NULL,
				      XML_PARSE_NONET);
	struct buf expected = BUF_INIT;
	struct attr a;

	must(doc);
	for (; attr_next(&pos, end, &a); xmlFree(expected.data)) {
		xmlChar *is = xmlGetNoNsProp(xmlDocGetRootElement(doc)->children,
					     (const xmlChar *)a.name);

		clean(&expected, a.value, a.value_len, true);
		must(is && strcmp((char *)is, buf_str(&expected)) == 0);
		xmlFree(is);
		buf_release(&expected);
	}
	xmlFreeDoc(doc);
}
