/* SPDX-License-Identifier: MIT */
/*
 * feed_lines.c - each line is an event
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "feed/feed_kind.h"

struct lines {
	struct feed feed;
	struct outgoing *event;
	struct pushlet_attribute *attribute;
	struct buf line;		/* what there is of the current one */
	bool skipping;			/* its rest, for it is too long */
};

static void fault(struct lines *l, const char *what)
{
	feed_fault(&l->feed, l->event->line, "not published: %s", what);
}

/* Publishes the line that is complete now. */
static void publish_line(struct lines *l)
{
	const char *text = buf_str(&l->line);
	size_t n = l->line.len;

	if (memchr(text, '\0', n)) {
		fault(l, "it holds a NUL byte");
	} else if (!utf8_valid(text, n)) {
		fault(l, "it is not UTF-8");
	} else {
		l->attribute->value = text;
		feed_event(&l->feed, l->event);
	}
}

/* The current line goes on. */
static void gather(struct lines *l, const char *bytes, size_t n)
{
	if (l->skipping)
		return;
	buf_add(&l->line, bytes, n);
	if (buf_failed(&l->line)) {
		l->feed.state = FEED_NO_MEMORY;
	} else if (l->line.len > FEED_BYTES) {
		fault(l, "it is longer than 1048576 bytes, the most that an "
		      "event can have");
		l->skipping = true;
		buf_release(&l->line);
	}
}

static void drop_return(struct buf *line)
{
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->data[--line->len] = '\0';
}

/* The current line ends here. */
static void finish(struct lines *l)
{
	if (!l->skipping)
		publish_line(l);
	buf_clear(&l->line);
	l->skipping = false;
	l->event->line++;
}

static void take(struct feed *f, const char *bytes, size_t n)
{
	struct lines *l = (struct lines *)f;
	const char *past = bytes + n, *newline;

	while ((newline = memchr(bytes, '\n', (size_t)(past - bytes)))) {
		gather(l, bytes, (size_t)(newline - bytes));
		drop_return(&l->line);
		if (f->state == FEED_ON)
			finish(l);
		if (f->state != FEED_ON)
			return;
		bytes = newline + 1;
	}
	gather(l, bytes, (size_t)(past - bytes));
}

/* The last line need not end with a newline. */
static void end(struct feed *f)
{
	struct lines *l = (struct lines *)f;

	if (l->line.len > 0 && !l->skipping)
		finish(l);
}

static void release(struct feed *f)
{
	buf_release(&((struct lines *)f)->line);
}

struct feed *feed_lines(const struct feed_calls *calls, struct outgoing *like,
			struct pushlet_attribute *attribute)
{
	struct lines *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->feed = (struct feed){ *calls, FEED_ON, '\n', take, end, release };
	l->event = like;
	l->event->line = 1;
	l->attribute = attribute;
	return &l->feed;
}
