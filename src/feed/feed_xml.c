/* SPDX-License-Identifier: MIT */
/*
 * feed_xml.c - each element is an event
 *
 * libxml2's push parser takes what arrives.  To it the stream is one document:
 * it is fed a root element first, and its end at the end.  Inside of a root
 * there can be no DTD, so no entities but the predefined ones, and nothing is
 * ever fetched.  An event is published at the end of its element, when it is
 * known that nothing was inside.
 *
 * What the push parser makes of broken input depends on how that is cut.  So
 * it is always cut alike, however it arrives; an event ends with a piece.
 *
 * A feed that resumes takes a new parser for the line after one that is not
 * XML.  If nothing ended in that line, it may be sound and what was left open
 * before it the mistake: so the new parser begins with it.
 */
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/event.h"
#include "feed/feed_kind.h"
#include "feed/piece.h"

#define ROOT "events"

/* The attributes arrive as five pointers each. */
enum { SAX_NAME, SAX_PREFIX, SAX_URI, SAX_VALUE, SAX_VALUE_END, SAX_STEP };

struct stream {
	struct feed feed;
	const char *subject, *to;	/* for those that name none */
	xmlParserCtxtPtr ctxt;
	struct event event;		/* owns the texts */
	struct pushlet_attribute *attributes;
	size_t cap;
	struct piece piece;
	unsigned long line;		/* where the element began */
	unsigned long base;		/* lines before the parser's first */
	unsigned depth;			/* the root has 0 */
	bool rooted;			/* the root has begun */
	bool ending;			/* all input was parsed */
	bool faulty;			/* the current element, complained of */
	bool dead;			/* the parser cannot go on */

	/* Of a feed that resumes. */
	bool resume;
	struct buf current;		/* the line, as far as it is there */
	unsigned long lines;		/* before it */
	unsigned long told;		/* the line last complained of */
	size_t part;			/* bytes of it that were parsed */
	size_t open;			/* bytes since something ended */
	bool fresh;			/* the parser began with this line */
	bool settled;			/* something ended in this line */
	bool retrying;
	bool skipping;			/* the rest of this line */
};

static unsigned long line_of(const struct stream *s)
{
	return s->base + (unsigned long)xmlSAX2GetLineNumber(s->ctxt);
}

static void stop(struct stream *s)
{
	s->dead = true;
	xmlStopParser(s->ctxt);
}

/* What is wrong with a line is not told again when it is read again. */
__attribute__((format(printf, 3, 4)))
static void tell(struct stream *s, unsigned long line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (s->retrying && line == s->told)
		return;
	s->told = line;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	feed_fault(&s->feed, line, "%s", text);
}

/* The current element is not published; the first reason is told. */
__attribute__((format(printf, 2, 3)))
static void fault(struct stream *s, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!s->faulty && !s->dead) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		tell(s, line_of(s), "not published: %s", text);
	}
	s->faulty = true;
}

static void out_of_memory(struct stream *s)
{
	s->feed.state = FEED_NO_MEMORY;
	stop(s);
}

/* Nothing is open. */
static void settle(struct stream *s)
{
	s->open = 0;
	s->settled = true;
}

/* -- publishing --------------------------------------------------------- */

/* Points attributes at the texts of the event. */
static bool list_attributes(struct stream *s)
{
	const char *pos = buf_str(&s->event.packed);
	const char *past = pos + s->event.packed.len;
	struct pushlet_attribute *list = s->attributes;
	struct attr a;
	size_t n = 0;

	if (s->event.count > s->cap) {
		list = realloc(list, s->event.count * sizeof(*list));
		if (!list)
			return false;
		s->attributes = list;
		s->cap = s->event.count;
	}
	for (; attr_next(&pos, past, &a); n++) {
		list[n].name = a.name;
		list[n].value = a.value;
	}
	return true;
}

static void publish_element(struct stream *s)
{
	const char *subject = event_get(&s->event, "p_subject");
	const char *to = event_get(&s->event, "p_to");
	struct outgoing event = {
		.subject = subject ? subject : s->subject,
		.to = to ? to : s->to,
		.n = s->event.count,
		.line = s->line,
	};

	if (!list_attributes(s)) {
		out_of_memory(s);
		return;
	}
	event.attributes = s->attributes;
	if (!event.subject)
		fault(s, "the element has no p_subject, and no SUBJECT was "
		      "given");
	else if (!feed_event(&s->feed, &event))
		stop(s);
}

/* -- callbacks of libxml2 ----------------------------------------------- */

static void add_attribute(struct stream *s, const char *const *attribute)
{
	const char *name = attribute[SAX_NAME];
	const char *value = attribute[SAX_VALUE];

	if (attribute[SAX_PREFIX])
		fault(s, "the name of an attribute has a ':' before '%.64s'",
		      name);
	else if (event_add_n(&s->event, name, strlen(name), value,
			     (size_t)(attribute[SAX_VALUE_END] - value)) < 0)
		fault(s, "the attribute '%.64s' is too long", name);
}

static void begin_event(struct stream *s, int n, const char *const *attribute)
{
	int i;

	event_clear(&s->event);
	s->line = line_of(s);
	s->faulty = false;
	for (i = 0; i < n; i++)
		add_attribute(s, attribute + (size_t)i * SAX_STEP);
	if (buf_failed(&s->event.packed))
		out_of_memory(s);
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int namespaces,
		     const xmlChar **namespace, int attributes, int defaulted,
		     const xmlChar **attribute)
{
	struct stream *s = ctx;

	(void)prefix;
	(void)uri;
	(void)namespace;
	(void)defaulted;
	if (s->dead)
		return;
	if (!s->rooted) {
		s->rooted = true;
		return;
	}
	if (++s->depth > 1) {
		fault(s, "an element '%.64s' inside of an event",
		      (const char *)name);
		return;
	}
	begin_event(s, attributes, (const char *const *)attribute);
	if (namespaces > 0)
		fault(s, "the element '%.64s' declares a namespace",
		      (const char *)name);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct stream *s = ctx;

	(void)prefix;
	(void)uri;
	if (s->dead || s->ending)
		return;
	if (s->depth == 0) {
		s->faulty = false;
		fault(s, "'</%.64s>' ends nothing", (const char *)name);
		stop(s);
	} else if (--s->depth == 0) {
		settle(s);
		if (!s->faulty)
			publish_element(s);
	}
}

/* What XML calls white space (XML 1.0, 2.3). */
static bool white(xmlChar c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void on_text(void *ctx, const xmlChar *text, int n)
{
	struct stream *s = ctx;
	int i;

	if (s->depth == 0)
		s->open = 0;
	for (i = 0; i < n && white(text[i]); i++)
		;
	if (i == n || s->dead)
		return;
	fault(s, "text %s: an event is all in the attributes of its element",
	      s->depth ? "inside of an element" : "between elements");
}

/* Comments and instructions are skipped, however many there are. */
static void on_comment(void *ctx, const xmlChar *text)
{
	struct stream *s = ctx;

	(void)text;
	if (s->depth == 0)
		settle(s);
}

static void on_instruction(void *ctx, const xmlChar *target,
			   const xmlChar *data)
{
	(void)data;
	on_comment(ctx, target);
}

/* What libxml2 says, without the newline it ends with. */
static void tell_error(struct stream *s, const xmlError *error)
{
	const char *message = error->message ? error->message :
					       "not well-formed";
	unsigned long line = s->base + (unsigned long)error->line;

	/* What libxml2 says of a DOCTYPE amid elements. */
	if (error->code == XML_ERR_INTERNAL_ERROR)
		message = "only elements and comments are allowed, no '<!' "
			  "declaration";
	if (s->ending)
		tell(s, line_of(s), "not published: the input ends inside of "
		     "an element");
	else
		tell(s, line, "not XML, %s: %.*s",
		     s->resume ? "skipped" : "cannot go on",
		     (int)strcspn(message, "\n"), message);
}

/* The first error that is fatal counts: those after it follow from it, others
 * are about namespaces. */
static void on_error(void *ctx, const char *format, ...)
{
	struct stream *s = ctx;
	const xmlError *error = xmlCtxtGetLastError(s->ctxt);

	(void)format;
	if (s->dead || !error || error->level != XML_ERR_FATAL)
		return;
	tell_error(s, error);
	stop(s);
}

/* -- the parser --------------------------------------------------------- */

static void parse(struct stream *s, const char *bytes, size_t n, bool last)
{
	if (!s->dead)
		xmlParseChunk(s->ctxt, bytes, (int)n, last);
}

static bool new_parser(struct stream *s)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC };

	sax.startElementNs = on_start;
	sax.endElementNs = on_end;
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.cdataBlock = on_text;
	sax.comment = on_comment;
	sax.processingInstruction = on_instruction;
	sax.error = on_error;
	xmlFreeParserCtxt(s->ctxt);
	s->ctxt = xmlCreatePushParserCtxt(&sax, s, NULL, 0, NULL);
	if (!s->ctxt)
		return false;
	/* NOENT: "&amp;" arrives as "&"; there are no other entities. */
	xmlCtxtUseOptions(s->ctxt, XML_PARSE_NONET | XML_PARSE_NOENT);
	s->depth = 0;
	s->open = 0;
	s->rooted = s->faulty = s->dead = false;
	parse(s, "<" ROOT ">", strlen("<" ROOT ">"), false);
	return true;
}

/* -- going on ----------------------------------------------------------- */

static void restart(struct stream *s, bool skip)
{
	s->base = s->lines;
	s->skipping = skip;
	if (!new_parser(s))
		s->feed.state = FEED_NO_MEMORY;
}

/* The parser gave up in the current line. */
static void recover(struct stream *s)
{
	bool again = !s->fresh && !s->settled;

	restart(s, !again);
	if (!again || s->feed.state != FEED_ON)
		return;
	s->fresh = s->retrying = true;
	parse(s, buf_str(&s->current), s->current.len, false);
	if (s->dead && s->feed.state == FEED_ON)
		restart(s, true);
	s->retrying = false;
}

/* A part of the current line; it is kept as long as it may be read again. */
static void take_part(struct stream *s, const char *bytes, size_t n)
{
	if (s->skipping)
		return;
	if (!s->settled && !s->fresh) {
		buf_add(&s->current, bytes, n);
		if (buf_failed(&s->current)) {
			s->feed.state = FEED_NO_MEMORY;
			return;
		}
	}
	s->open += n;
	s->part += n;
	parse(s, bytes, n, false);
	if (s->dead && s->feed.state == FEED_ON) {
		recover(s);
	} else if (s->open > FEED_BYTES) {
		tell(s, s->lines + 1, "not published: an element of more than "
		     "1048576 bytes, the most that an event can have");
		restart(s, true);
	}
}

/*
 * Does the parser wait for the end of what can have none?  It looks for the
 * ';' of any '&', and (as of 2.11) for the quote that ends a value, however
 * far away; but neither of them goes beyond a newline, or a '<'.
 */
static bool stuck(const struct stream *s)
{
	const char *pos = (const char *)s->ctxt->input->cur;
	const char *past = (const char *)s->ctxt->input->end;
	size_t n = (size_t)(past - pos);

	if (n < 2 || *pos != '<')
		return memchr(pos, '&', n) != NULL;
	if (pos[1] == '!' || pos[1] == '?')
		return false;
	n = n - 1 < s->part ? n - 1 : s->part;
	return memchr(past - n, '<', n) != NULL;
}

static void end_line(struct stream *s)
{
	if (!s->skipping && !s->dead && stuck(s)) {
		tell(s, s->lines + 1, "not XML, skipped: a '<' or '&' that is "
		     "none of a tag or an entity");
		stop(s);
		recover(s);
		if (!s->skipping && !s->dead && stuck(s))
			restart(s, true);
	}
	s->lines++;
	s->part = 0;
	/* A parser that was to skip begins with the next line. */
	s->fresh = s->skipping;
	if (s->skipping)
		s->base = s->lines;
	s->skipping = s->settled = false;
	buf_clear(&s->current);
}

static void take_piece(struct stream *s, const char *bytes, size_t n)
{
	if (s->resume) {
		take_part(s, bytes, n);
		if (bytes[n - 1] == '\n')
			end_line(s);
		return;
	}
	parse(s, bytes, n, false);
	if (s->dead && s->feed.state == FEED_ON)
		s->feed.state = FEED_STOPPED;
}

static void take(struct feed *f, const char *bytes, size_t n)
{
	struct stream *s = (struct stream *)f;

	while (f->state == FEED_ON && piece_next(&s->piece, &bytes, &n))
		take_piece(s, s->piece.at, s->piece.len);
	if (buf_failed(&s->piece.kept))
		f->state = FEED_NO_MEMORY;
}

/* -- life --------------------------------------------------------------- */

static void end(struct feed *f)
{
	struct stream *s = (struct stream *)f;

	if (piece_last(&s->piece))
		take_piece(s, s->piece.at, s->piece.len);
	s->ending = true;
	if (!s->skipping)
		parse(s, "</" ROOT ">", strlen("</" ROOT ">"), true);
}

static void release(struct feed *f)
{
	struct stream *s = (struct stream *)f;

	xmlFreeParserCtxt(s->ctxt);
	event_release(&s->event);
	buf_release(&s->current);
	piece_release(&s->piece);
	free(s->attributes);
}

struct feed *feed_xml(const struct feed_calls *calls, const char *subject,
		      const char *to, bool resume)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct feed *f;

	if (!s)
		return NULL;
	f = &s->feed;
	*f = (struct feed){ *calls, FEED_ON, '>', take, end, release };
	s->subject = subject;
	s->to = to;
	s->resume = s->piece.lines = resume;
	s->fresh = true;
	if (!new_parser(s))
		feed_free(&f);
	return f;
}
