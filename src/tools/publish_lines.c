/* SPDX-License-Identifier: MIT */
/*
 * publish_lines.c - each line of standard input is an event
 */
#include "tools/publish.h"

#include <string.h>

#include "base/utf8.h"

#define CHUNK 65536
#define LINE_BYTES (1 << 20)	/* the most that event.max.bytes can be */

struct lines {
	struct outlet *outlet;
	struct outgoing *event;
	struct pushlet_attribute *attribute;
	struct buf line;		/* what there is of the current one */
	bool skipping;			/* its rest, for it is too long */
};

static void fault(struct lines *l, const char *what)
{
	complain("line %lu: not published: %s", l->event->line, what);
	outlet_fault(l->outlet, TOOL_BAD);
}

/* Publishes the line that is complete now. */
static bool publish_line(struct lines *l)
{
	const char *text = buf_str(&l->line);
	size_t n = l->line.len;

	if (memchr(text, '\0', n)) {
		fault(l, "it holds a NUL byte");
		return true;
	}
	if (!utf8_valid(text, n)) {
		fault(l, "it is not UTF-8");
		return true;
	}
	l->attribute->value = text;
	return outlet_publish(l->outlet, l->event);
}

/* The current line goes on. */
static bool gather(struct lines *l, const char *bytes, size_t n)
{
	if (l->skipping)
		return true;
	buf_add(&l->line, bytes, n);
	if (buf_failed(&l->line)) {
		complain("out of memory");
		outlet_fault(l->outlet, TOOL_SYSTEM);
		return false;
	}
	if (l->line.len > LINE_BYTES) {
		fault(l, "it is longer than 1048576 bytes, the most that an "
		      "event can have");
		l->skipping = true;
	}
	return true;
}

static void drop_return(struct buf *line)
{
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->data[--line->len] = '\0';
}

/* The current line ends here. */
static bool finish(struct lines *l)
{
	bool go_on = l->skipping || publish_line(l);

	buf_clear(&l->line);
	l->skipping = false;
	l->event->line++;
	return go_on;
}

static bool take(struct lines *l, const char *bytes, size_t n)
{
	const char *end = bytes + n, *newline;

	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		if (!gather(l, bytes, (size_t)(newline - bytes)))
			return false;
		drop_return(&l->line);
		if (!finish(l))
			return false;
		bytes = newline + 1;
	}
	return gather(l, bytes, (size_t)(end - bytes));
}

void publish_lines(struct outlet *o, struct outgoing *event,
		   struct pushlet_attribute *line)
{
	struct lines l = { .outlet = o, .event = event, .attribute = line };
	char chunk[CHUNK];
	bool go_on = true;
	ssize_t n = 0;

	event->line = 1;
	while (go_on && (n = outlet_read(o, chunk, sizeof(chunk))) > 0)
		go_on = take(&l, chunk, (size_t)n);
	if (go_on && n == 0 && l.line.len > 0 && !l.skipping)
		finish(&l);
	buf_release(&l.line);
}
