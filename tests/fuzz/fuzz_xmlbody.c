/* SPDX-License-Identifier: MIT */
/*
 * fuzz_xmlbody.c - any bytes as an XML body; what is accepted, written as an
 * event of the format xml-strict and read again
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "channel/adapter.h"
#include "command/xmlbody.h"

static void read_again(const struct event *e)
{
	struct event again = EVENT_INIT;
	struct buf xml = BUF_INIT;
	struct refusal why;

	adapter_event(adapter_find("xml-strict"), &xml, e, true);
	must(xmlbody_parse(buf_str(&xml), xml.len, &fuzz_limits, &again,
			   &why) == 0);
	must(fuzz_same(e, &again));
	event_release(&again);
	buf_release(&xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct event e = EVENT_INIT;
	struct refusal why = { 0, "" };

	if (xmlbody_parse((const char *)data, n, &fuzz_limits, &e, &why) == 0)
		read_again(&e);
	else
		must((why.status == 200 || why.status == 400) && why.text[0] &&
		     utf8_valid(why.text, strlen(why.text)));
	must(attr_valid(buf_str(&e.packed), e.packed.len));
	event_release(&e);
	return 0;
}
