/* SPDX-License-Identifier: MIT */
/*
 * utf8.c - is this text what XML 1.0 and UTF-8 allow?
 *
 * One decoder serves all: the first byte gives the length and the least code
 * point that needs it, which is how overlong forms show.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define REPLACEMENT 0xFFFDUL

struct range {
	uint32_t first, last;
};

/* https://www.w3.org/TR/xml/#NT-NameStartChar above ASCII */
static const struct range name_start[] = {
	{ 0xC0, 0xD6 },       { 0xD8, 0xF6 },	    { 0xF8, 0x2FF },
	{ 0x370, 0x37D },     { 0x37F, 0x1FFF },    { 0x200C, 0x200D },
	{ 0x2070, 0x218F },   { 0x2C00, 0x2FEF },   { 0x3001, 0xD7FF },
	{ 0xF900, 0xFDCF },   { 0xFDF0, 0xFFFD },   { 0x10000, 0xEFFFF },
	{ 0, 0 }
};

/* what NameChar has besides */
static const struct range name_more[] = {
	{ 0xB7, 0xB7 }, { 0x300, 0x36F }, { 0x203F, 0x2040 }, { 0, 0 }
};

static bool in_ranges(const struct range *r, unsigned long code)
{
	for (; r->last; r++) {
		if (code >= r->first && code <= r->last)
			return true;
	}
	return false;
}

/* How many bytes the sequence has that begins with first, and the least code
 * point it may mean; 0 if none begins so. */
static size_t sequence(unsigned char first, unsigned long *least_out)
{
	if (first < 0x80) {
		*least_out = 0;
		return 1;
	}
	if (first >= 0xC2 && first <= 0xDF) {
		*least_out = 0x80;
		return 2;
	}
	if ((first & 0xF0) == 0xE0) {
		*least_out = 0x800;
		return 3;
	}
	if (first >= 0xF0 && first <= 0xF4) {
		*least_out = 0x10000;
		return 4;
	}
	return 0;
}

/* Decodes the sequence at s.  Returns its length, or 0 if it is broken. */
static size_t decode(const char *s, const char *end, unsigned long *code_out)
{
	unsigned char first = (unsigned char)*s;
	unsigned long least, code;
	size_t len = sequence(first, &least), i;

	if (len == 0 || len > (size_t)(end - s))
		return 0;
	code = len == 1 ? first : first & (0x7FU >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3FU);
	}
	if (code < least || code > 0x10FFFF ||
	    (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*code_out = code;
	return len;
}

bool utf8_valid(const char *s, size_t n)
{
	const char *end = s + n;
	unsigned long code;
	size_t len;

	if (n > 0 && memchr(s, '\0', n))
		return false;
	while (s < end) {
		if ((unsigned char)*s < 0x80) {
			s++;
			continue;
		}
		len = decode(s, end, &code);
		if (len == 0)
			return false;
		s += len;
	}
	return true;
}

static bool starts_name(unsigned long code)
{
	if (code < 0x80)
		return (code >= 'a' && code <= 'z') ||
		       (code >= 'A' && code <= 'Z') || code == '_';
	return in_ranges(name_start, code);
}

static bool continues_name(unsigned long code)
{
	return starts_name(code) || (code >= '0' && code <= '9') ||
	       code == '-' || code == '.' || in_ranges(name_more, code);
}

bool utf8_is_name(const char *s, size_t n)
{
	const char *end = s + n;

	if (n == 0 || !starts_name(utf8_next(&s, end)))
		return false;
	while (s < end) {
		if (!continues_name(utf8_next(&s, end)))
			return false;
	}
	return true;
}

bool utf8_xml_char(unsigned long code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	return code <= 0xD7FF || (code >= 0xE000 && code <= 0xFFFD) ||
	       (code >= 0x10000 && code <= 0x10FFFF);
}

unsigned long utf8_next(const char **pos, const char *end)
{
	unsigned long code = REPLACEMENT;
	size_t len = decode(*pos, end, &code);

	*pos += len ? len : 1;
	return code;
}
