/* SPDX-License-Identifier: MIT */
/*
 * fuzz_publish.c - any bytes through a feed: XML, XML that resumes, lines
 *
 * What is published must be the same however the bytes happen to arrive, and
 * something must have been said if anything was wrong.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "feed/feed.h"

enum kind { LINES, XML, RESUMING, KINDS };

struct reading {
	struct buf published;
	unsigned faults;
	enum feed_state state;
};

static bool note_event(void *arg, const struct outgoing *event)
{
	struct buf *out = &((struct reading *)arg)->published;
	size_t i;

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

static void note_fault(void *arg, const char *text)
{
	must(strncmp(text, "line ", 5) == 0);
	((struct reading *)arg)->faults++;
}

static struct reading read_all(enum kind kind, struct fuzz_input in,
			       size_t chunk)
{
	struct pushlet_attribute line = { "text", NULL };
	struct outgoing event = { "/subject", NULL, &line, 1, 0 };
	struct reading r = { .state = FEED_ON };
	struct feed_calls calls = { note_event, note_fault, &r };
	struct feed *f;
	size_t n;

	f = kind == LINES ? feed_lines(&calls, &event, &line) :
			    feed_xml(&calls, "/subject", NULL,
				     kind == RESUMING);
	must(f);
	for (; in.pos < in.end && r.state == FEED_ON; in.pos += n) {
		n = (size_t)(in.end - in.pos);
		n = feed_piece(f, (const char *)in.pos, n < chunk ? n : chunk);
		r.state = feed_bytes(f, (const char *)in.pos, n);
	}
	feed_end(f);
	feed_free(&f);
	must(r.state == FEED_ON || r.faults);
	must(r.state == FEED_ON || kind == XML);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = { data, data + n };
	enum kind kind = fuzz_byte(&in) % KINDS;
	size_t chunk = fuzz_byte(&in) % 16 + 1;
	struct reading whole, cut;

	log_init("fuzz", LOG_LEVEL_FATAL);
	whole = read_all(kind, in, 65536);
	cut = read_all(kind, in, chunk);
	must(!whole.faults == !cut.faults);
	must(whole.published.len == cut.published.len &&
	     memcmp(buf_str(&whole.published), buf_str(&cut.published),
		    whole.published.len) == 0);
	buf_release(&whole.published);
	buf_release(&cut.published);
	return 0;
}
