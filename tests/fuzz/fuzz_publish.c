/* SPDX-License-Identifier: MIT */
/*
 * fuzz_publish.c - any bytes on the standard input of pushlet-publish, as
 * --xml and as --lines
 *
 * What is published must be the same however the bytes happen to arrive, and
 * something must have been said if anything was wrong.  In place of
 * publish_outlet.c there is an outlet that notes what it is given.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "tools/publish.h"

static struct {
	struct fuzz_input input;
	size_t chunk;			/* bytes that a read returns */
	struct buf published;		/* of one reading */
} outlet;

bool outlet_publish(struct outlet *o, const struct outgoing *event)
{
	struct buf *out = &outlet.published;
	size_t i;

	(void)o;
	buf_printf(out, "%lu %s %s", event->line, event->subject,
		   event->to ? event->to : "");
	for (i = 0; i < event->n; i++) {
		must(utf8_valid(event->attributes[i].value,
				strlen(event->attributes[i].value)));
		buf_printf(out, " %s=\"%s\"", event->attributes[i].name,
			   event->attributes[i].value);
	}
	buf_putc(out, '\n');
	return true;
}

void outlet_fault(struct outlet *o, enum tool_exit status)
{
	if (status > o->status)
		o->status = status;
}

ssize_t outlet_read(struct outlet *o, char *out, size_t size)
{
	size_t n = (size_t)(outlet.input.end - outlet.input.pos);

	(void)o;
	if (n > outlet.chunk)
		n = outlet.chunk;
	must(n <= size);
	memcpy(out, outlet.input.pos, n);
	outlet.input.pos += n;
	return (ssize_t)n;
}

/* Returns what the exit status would be; outlet.published is filled. */
static enum tool_exit read_all(bool xml, struct fuzz_input in, size_t chunk)
{
	struct pushlet_attribute line = { "text", NULL };
	struct outgoing event = { "/subject", NULL, &line, 1, 0 };
	struct outlet o = { .status = TOOL_OK };

	outlet.input = in;
	outlet.chunk = chunk;
	buf_clear(&outlet.published);
	if (xml)
		publish_xml(&o, "/subject", NULL);
	else
		publish_lines(&o, &event, &line);
	return o.status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = { data, data + n };
	bool xml = fuzz_byte(&in) % 2 == 0;
	size_t chunk = fuzz_byte(&in) % 16 + 1;
	enum tool_exit status;
	struct buf whole;

	log_init("fuzz", LOG_LEVEL_FATAL);
	status = read_all(xml, in, 65536);
	whole = outlet.published;
	outlet.published = (struct buf)BUF_INIT;
	must(status == read_all(xml, in, chunk));
	must(whole.len == outlet.published.len &&
	     memcmp(buf_str(&whole), buf_str(&outlet.published),
		    whole.len) == 0);
	buf_release(&whole);
	buf_release(&outlet.published);
	return 0;
}
