/* SPDX-License-Identifier: MIT */
/*
 * fuzz_adapter_xml.c - attributes of any bytes in the formats xml, xml-strict
 *
 * No text may leave its place.  If all names are names, libxml2 must read the
 * values back, with U+FFFD for what XML cannot hold.
 */
#include "fuzz.h"

#include <libxml/parser.h>

#include "base/utf8.h"
#include "channel/adapter.h"

/* Is s NAME="VALUE" after NAME="VALUE", up to the end of the tag? */
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

static void check_value(const char *is, const char *s, const char *end)
{
	const char *is_end = is + strlen(is);
	unsigned long code;

	while (s < end) {
		code = utf8_next(&s, end);
		must(is < is_end);
		must(utf8_next(&is, is_end) ==
		     (utf8_xml_char(code) ? code : 0xFFFD));
	}
	must(is == is_end);
}

static void check_document(const struct buf *text, const struct event *e)
{
	const char *pos = buf_str(&e->packed), *end = pos + e->packed.len;
	xmlDocPtr doc = xmlReadMemory(text->data, (int)text->len, "", NULL,
				      XML_PARSE_NONET);
	xmlChar *value;
	struct attr a;

	must(doc);
	while (attr_next(&pos, end, &a)) {
		value = xmlGetNoNsProp(xmlDocGetRootElement(doc)->children,
				       (const xmlChar *)a.name);
		must(value);
		check_value((char *)value, a.value, a.value + a.value_len);
		xmlFree(value);
	}
	xmlFreeDoc(doc);
}

static bool named_well(const struct event *e)
{
	const char *pos = buf_str(&e->packed), *end = pos + e->packed.len;
	struct attr a;

	while (attr_next(&pos, end, &a))
		if (!event_name_valid(a.name, a.name_len))
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = { data, data + n };
	const struct adapter *strict = adapter_find("xml-strict");
	struct buf tag = BUF_INIT, document = BUF_INIT;
	struct event e = EVENT_INIT;

	fuzz_event(&in, &e);
	adapter_event(adapter_find("xml"), &tag, &e, true);
	must(utf8_valid(buf_str(&tag), tag.len));
	check_tag(buf_str(&tag), e.count);
	strict->start(&document, NULL);
	adapter_event(strict, &document, &e, true);
	strict->finish(&document);
	must(strstr(document.data, tag.data));
	if (named_well(&e))
		check_document(&document, &e);
	buf_release(&tag);
	buf_release(&document);
	event_release(&e);
	return 0;
}
