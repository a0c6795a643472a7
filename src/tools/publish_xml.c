/* SPDX-License-Identifier: MIT */
/*
 * publish_xml.c - each element of standard input is an event
 *
 * libxml2's push parser takes what arrives.  To it the stream is one document:
 * it is fed a root element first, and its end at the end.  Inside of a root
 * there can be no DTD, so no entities but the predefined ones, and nothing is
 * ever fetched.  An event is published at the end of its element, when it is
 * known that nothing was inside.
 */
#include "tools/publish.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/event.h"

#define CHUNK 65536
#define ROOT "events"

/* The attributes arrive as five pointers each. */
enum { SAX_NAME, SAX_PREFIX, SAX_URI, SAX_VALUE, SAX_VALUE_END, SAX_STEP };

struct stream {
	struct outlet *outlet;
	const char *subject, *to;	/* for those that name none */
	xmlParserCtxtPtr ctxt;
	struct event event;		/* owns the texts */
	struct pushlet_attribute *attributes;
	size_t cap;
	unsigned long line;		/* where the element began */
	unsigned depth;			/* the root has 0 */
	bool rooted;			/* the root has begun */
	bool ending;			/* all input was parsed */
	bool faulty;			/* the current element, complained of */
	bool dead;			/* the parser cannot go on */
};

static unsigned long line_of(const struct stream *s)
{
	return (unsigned long)xmlSAX2GetLineNumber(s->ctxt);
}

static void stop(struct stream *s)
{
	s->dead = true;
	xmlStopParser(s->ctxt);
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
		complain("line %lu: not published: %s", line_of(s), text);
		outlet_fault(s->outlet, TOOL_BAD);
	}
	s->faulty = true;
}

static void out_of_memory(struct stream *s)
{
	complain("out of memory");
	outlet_fault(s->outlet, TOOL_SYSTEM);
	stop(s);
}

/* -- publishing --------------------------------------------------------- */

/* Points attributes at the texts of the event. */
static bool list_attributes(struct stream *s)
{
	const char *pos = buf_str(&s->event.packed);
	const char *end = pos + s->event.packed.len;
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
	for (; attr_next(&pos, end, &a); n++) {
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
	else if (!outlet_publish(s->outlet, &event))
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
	} else if (--s->depth == 0 && !s->faulty) {
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

	for (i = 0; i < n && white(text[i]); i++)
		;
	if (i == n || s->dead)
		return;
	fault(s, "text %s: an event is all in the attributes of its element",
	      s->depth ? "inside of an element" : "between elements");
}

/* libxml2 ends its message with a newline.  The first error that is fatal
 * counts: those after it follow from it, others are about namespaces. */
static void on_error(void *ctx, const char *format, ...)
{
	struct stream *s = ctx;
	const xmlError *error = xmlCtxtGetLastError(s->ctxt);
	const char *message;

	(void)format;
	if (s->dead || !error || error->level != XML_ERR_FATAL)
		return;
	message = error->message ? error->message : "not well-formed";
	/* What libxml2 says of a DOCTYPE amid elements. */
	if (error->code == XML_ERR_INTERNAL_ERROR)
		message = "only elements and comments are allowed, no '<!' "
			  "declaration";
	if (s->ending)
		complain("line %lu: not published: the input ends inside of an "
			 "element", line_of(s));
	else
		complain("line %d: not XML, cannot go on: %.*s", error->line,
			 (int)strcspn(message, "\n"), message);
	outlet_fault(s->outlet, TOOL_BAD);
	stop(s);
}

/* -- the parser --------------------------------------------------------- */

static bool new_parser(struct stream *s)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC };

	sax.startElementNs = on_start;
	sax.endElementNs = on_end;
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.cdataBlock = on_text;
	sax.error = on_error;
	s->ctxt = xmlCreatePushParserCtxt(&sax, s, NULL, 0, NULL);
	if (!s->ctxt)
		return false;
	/* NOENT: "&amp;" arrives as "&"; there are no other entities. */
	xmlCtxtUseOptions(s->ctxt, XML_PARSE_NONET | XML_PARSE_NOENT);
	return true;
}

/* False when there is no use to go on. */
static bool feed(struct stream *s, const char *bytes, size_t n, bool last)
{
	xmlParseChunk(s->ctxt, bytes, (int)n, last);
	return !s->dead;
}

static void read_all(struct stream *s)
{
	char chunk[CHUNK];
	ssize_t n = 0;

	if (!feed(s, "<" ROOT ">", strlen("<" ROOT ">"), false))
		return;
	do {
		n = outlet_read(s->outlet, chunk, sizeof(chunk));
	} while (n > 0 && feed(s, chunk, (size_t)n, false));
	if (n == 0) {
		s->ending = true;
		feed(s, "</" ROOT ">", strlen("</" ROOT ">"), true);
	}
}

void publish_xml(struct outlet *o, const char *subject, const char *to)
{
	struct stream s = { .outlet = o, .subject = subject, .to = to };

	if (new_parser(&s)) {
		read_all(&s);
		xmlFreeDoc(s.ctxt->myDoc);	/* of declarations */
		s.ctxt->myDoc = NULL;
		xmlFreeParserCtxt(s.ctxt);
	} else {
		out_of_memory(&s);
	}
	event_release(&s.event);
	free(s.attributes);
}
