/* SPDX-License-Identifier: MIT */
/*
 * format.h - the names of the formats, by the number that a session keeps
 *
 * The one table of formats: channel/ makes its table of adapters from it, and
 * tools, which do not render, learn the names here.  A new format is one row,
 * only ever added at the end, and one file channel/adapter_ID.c that defines
 * struct adapter adapter_ID.
 */
#ifndef BROKER_FORMAT_H
#define BROKER_FORMAT_H

/* X(identifier, p_format) */
#define FORMAT_ROWS(X) \
	X(js, "js") \
	X(xml, "xml") \
	X(xml_strict, "xml-strict") \
	X(json, "json") \
	X(sse, "sse") \
	X(multipart, "multipart")

/* The p_format of a number; "?" when there is no such format. */
static inline const char *format_name(unsigned number)
{
#define FORMAT_NAME(id, name) name,
	static const char *const names[] = { FORMAT_ROWS(FORMAT_NAME) };
#undef FORMAT_NAME

	return number < sizeof(names) / sizeof(names[0]) ? names[number] : "?";
}

#endif
