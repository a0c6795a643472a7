/* SPDX-License-Identifier: MIT */
/*
 * fuzz_form.c - any bytes as a form; what is accepted, encoded and read again
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "command/form.h"

static void encode(struct buf *out, const char *text, size_t n)
{
	for (; n > 0; n--)
		buf_printf(out, "%%%02x", (unsigned char)*text++);
}

static void encode_event(struct buf *out, const struct event *e)
{
	const char *pos = buf_str(&e->packed), *end = pos + e->packed.len;
	struct attr a;

	for (; attr_next(&pos, end, &a); buf_putc(out, '&')) {
		must(event_name_valid(a.name, a.name_len));
		must(utf8_valid(a.value, a.value_len));
		encode(out, a.name, a.name_len);
		buf_putc(out, '=');
		encode(out, a.value, a.value_len);
	}
	must(pos == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct event e = EVENT_INIT, again = EVENT_INIT;
	struct refusal why = { 0, "" };
	struct buf form = BUF_INIT;
	int rc = form_parse((const char *)data, n, &fuzz_limits, &e, &why);

	must(rc == 0 || why.status == 200 || why.status == 400);
	must(rc == 0 || (why.text[0] && utf8_valid(why.text,
						   strlen(why.text))));
	encode_event(&form, &e);
	must(form_parse(buf_str(&form), form.len, &fuzz_limits, &again,
			&why) == 0);
	must(fuzz_same(&e, &again));
	buf_release(&form);
	event_release(&e);
	event_release(&again);
	return 0;
}
