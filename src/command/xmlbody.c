/* SPDX-License-Identifier: MIT */
/*
 * xmlbody.c - one XML element, whose attributes are an event
 *
 * libxml2 parses into SAX callbacks of ours; no tree is built.  It hands over
 * an element only after all its attributes, and compares each with each, so
 * what has far too many of them is refused before it sees it.
 */
#include "command/xmlbody.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlmemory.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/fields.h"

#define DEPTH_MAX 32

/* The attributes arrive as five pointers each. */
enum { SAX_NAME, SAX_PREFIX, SAX_URI, SAX_VALUE, SAX_VALUE_END, SAX_STEP };

struct body {
	struct fields fields;
	struct refusal *why;
	xmlParserCtxtPtr ctxt;
	struct buf text;	/* a decoded value */
	unsigned depth;
	bool refused;		/* why is filled */
};

static void stop(struct body *b)
{
	b->refused = true;
	xmlStopParser(b->ctxt);
}

static void refuse_at(struct body *b, const char *what)
{
	refuse(b->why, 400, "POST body, line %d, column %d: %s",
	       xmlSAX2GetLineNumber(b->ctxt), xmlSAX2GetColumnNumber(b->ctxt),
	       what);
	stop(b);
}

/* Without entity substitution libxml2 leaves the one character that could
 * begin an entity as a reference: every & of a value stands here as &#38;. */
static void decode_value(struct buf *out, const char *pos, const char *end)
{
	static const char ampersand[] = "&#38;";
	const size_t len = sizeof(ampersand) - 1;
	const char *amp;

	buf_clear(out);
	while (pos < end) {
		amp = memchr(pos, '&', (size_t)(end - pos));
		if (!amp) {
			buf_add(out, pos, (size_t)(end - pos));
			return;
		}
		buf_add(out, pos, (size_t)(amp + 1 - pos));
		pos = amp + 1;
		if ((size_t)(end - amp) >= len &&
		    memcmp(amp, ampersand, len) == 0)
			pos = amp + len;
	}
}

/* With its prefix it is no name of an attribute: fields_add() says so. */
static int add_prefixed(struct body *b, const char *prefix, const char *name)
{
	char full[64];

	snprintf(full, sizeof(full), "%s:%s", prefix, name);
	return fields_add(&b->fields, full, "", 0);
}

static int add_attribute(struct body *b, const char *const *attribute)
{
	if (attribute[SAX_PREFIX])
		return add_prefixed(b, attribute[SAX_PREFIX],
				    attribute[SAX_NAME]);
	decode_value(&b->text, attribute[SAX_VALUE], attribute[SAX_VALUE_END]);
	if (buf_failed(&b->text))
		return refuse(b->why, 500, "out of memory");
	return fields_add(&b->fields, attribute[SAX_NAME], buf_str(&b->text),
			  b->text.len);
}

/* Declarations of namespaces do not come as attributes; as names they would
 * be refused, so they are. */
static int check_namespaces(struct body *b, int n, const char *const *prefixes)
{
	if (n == 0)
		return 0;
	if (prefixes[0])
		return add_prefixed(b, "xmlns", prefixes[0]);
	return fields_add(&b->fields, "xmlns", "", 0);
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int namespaces,
		     const xmlChar **namespace, int attributes, int defaulted,
		     const xmlChar **attribute)
{
	struct body *b = ctx;
	int i, rc;

	(void)name;
	(void)prefix;
	(void)uri;
	(void)defaulted;	/* there is no DTD that could */
	if (b->refused)
		return;
	if (++b->depth > DEPTH_MAX) {
		refuse_at(b, "elements nested too deep, at most 32 levels");
		return;
	}
	if (b->depth > 1)
		return;
	rc = check_namespaces(b, namespaces, (const char *const *)namespace);
	for (i = 0; rc == 0 && i < attributes; i++)
		rc = add_attribute(b, (const char *const *)attribute +
				   (size_t)i * SAX_STEP);
	if (rc != 0)
		stop(b);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct body *b = ctx;

	(void)name;
	(void)prefix;
	(void)uri;
	b->depth--;
}

static void on_doctype(void *ctx, const xmlChar *name,
		       const xmlChar *public_id, const xmlChar *system_id)
{
	(void)name;
	(void)public_id;
	(void)system_id;
	refuse_at(ctx, "a DOCTYPE is not allowed");
}

/* libxml2 ends its message with a newline and quotes the body in it. */
static void copy_message(char *out, size_t size, const char *message)
{
	size_t i;

	for (i = 0; i < size - 1 && message[i] && message[i] != '\n'; i++)
		out[i] = (message[i] & 0x80) || message[i] < ' ' ||
					 message[i] == 0x7F ?
				 '?' : message[i];
	out[i] = '\0';
}

/* Called for each complaint.  The first fatal one counts: those after it only
 * follow from it, and one that is not fatal is about namespaces.  The parser
 * ends by itself then; stopping it here could free what it still reads. */
static void on_error(void *ctx, const char *format, ...)
{
	struct body *b = ctx;
	const xmlError *error = xmlCtxtGetLastError(b->ctxt);
	char message[160];

	(void)format;
	if (b->refused || !error || error->level != XML_ERR_FATAL)
		return;
	copy_message(message, sizeof(message),
		     error->message ? error->message : "not well-formed");
	refuse(b->why, 400, "POST body, line %d, column %d: %s", error->line,
	       error->int2, message);
	b->refused = true;
}

/* Where the tag ends that s is in, and how many "=" it has outside of values:
 * its attributes, if it is well-formed. */
static const char *skip_tag(const char *s, const char *end, unsigned *count_out)
{
	const char *quote;

	*count_out = 0;
	for (; s < end && *s != '>'; s++) {
		if (*s == '=') {
			++*count_out;
		} else if (*s == '"' || *s == '\'') {
			quote = memchr(s + 1, *s, (size_t)(end - s - 1));
			if (!quote)
				return end;
			s = quote;
		}
	}
	return s;
}

/* Does any tag have more attributes than could ever be accepted?  Comments and
 * CDATA are searched as if they held tags: good enough, as what is in them has
 * no meaning here. */
static bool crowded(const char *s, size_t n, const struct event_limits *limits)
{
	const char *end = s + n;
	unsigned count;

	while (s < end && (s = memchr(s, '<', (size_t)(end - s)))) {
		if (++s < end && (*s == '!' || *s == '?' || *s == '/'))
			continue;
		s = skip_tag(s, end, &count);
		if (count / 2 > limits->attributes)
			return true;
	}
	return false;
}

/* Without memory libxml2 says anything of a body, so what it asks for is
 * watched. */
static _Thread_local bool starved;

static void *watched(void *p)
{
	starved |= !p;
	return p;
}

static void *watched_malloc(size_t n)
{
	return watched(malloc(n));
}

static void *watched_realloc(void *p, size_t n)
{
	return watched(realloc(p, n));
}

static char *watched_strdup(const char *s)
{
	return watched(strdup(s));
}

static int refuse_starved(struct refusal *why)
{
	return refuse(why, 503, "the server is short of memory; try again");
}

static pthread_once_t libxml_once = PTHREAD_ONCE_INIT;

static void start_libxml(void)
{
	xmlMemSetup(free, watched_malloc, watched_realloc, watched_strdup);
	xmlInitParser();
}

void xmlbody_prepare(void)
{
	pthread_once(&libxml_once, start_libxml);
}

static xmlParserCtxtPtr new_parser(const char *body, size_t n, struct body *b)
{
	xmlParserCtxtPtr ctxt;

	xmlbody_prepare();
	ctxt = xmlCreateMemoryParserCtxt(body, (int)n);
	if (!ctxt)
		return NULL;
	memset(ctxt->sax, 0, sizeof(*ctxt->sax));
	ctxt->sax->initialized = XML_SAX2_MAGIC;
	ctxt->sax->startElementNs = on_start;
	ctxt->sax->endElementNs = on_end;
	ctxt->sax->internalSubset = on_doctype;
	ctxt->sax->error = on_error;
	ctxt->userData = b;
	xmlCtxtUseOptions(ctxt, XML_PARSE_NONET);
	return ctxt;
}

/* Of declarations libxml2 makes a document, though nothing asks for one, and
 * leaves it behind when it gives up among them. */
static void free_parser(xmlParserCtxtPtr ctxt)
{
	xmlFreeDoc(ctxt->myDoc);
	ctxt->myDoc = NULL;
	xmlFreeParserCtxt(ctxt);
}

static int check_size(size_t n, struct refusal *why)
{
	if (n == 0)
		return refuse(why, 400, "POST body: it is empty, but must be "
			      "one XML element");
	if (n > INT_MAX)
		return refuse(why, 413, "POST body: larger than %d bytes",
			      INT_MAX);
	return 0;
}

int xmlbody_parse(const char *body, size_t n, const struct event_limits *limits,
		  struct event *e, struct refusal *why)
{
	struct body b = { .why = why };

	if (check_size(n, why) != 0)
		return -1;
	if (crowded(body, n, limits))
		return refuse(why, 400, "POST body: more than %u attributes "
			      "(event.max.attributes)", limits->attributes);
	starved = false;
	b.ctxt = new_parser(body, n, &b);
	if (!b.ctxt)
		return refuse_starved(why);
	fields_begin(&b.fields, e, limits, why);
	if (xmlParseDocument(b.ctxt) != 0 && !b.refused &&
	    !b.ctxt->wellFormed) {
		refuse(why, 400, "POST body: not well-formed XML");
		b.refused = true;
	}
	free_parser(b.ctxt);
	buf_release(&b.text);
	if (starved)
		return refuse_starved(why);
	return b.refused ? -1 : fields_end(&b.fields);
}
