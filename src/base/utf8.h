/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - is this text what XML 1.0 and UTF-8 allow?
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF)?  NUL bytes are not accepted. */
bool utf8_valid(const char *s, size_t n);

/* An XML 1.0 Name (https://www.w3.org/TR/xml/#NT-Name) without colon?  n >= 1.
 * Expects well-formed UTF-8. */
bool utf8_is_name(const char *s, size_t n);

/* May this code point stand in an XML 1.0 document (production Char)? */
bool utf8_xml_char(unsigned long code);

/*
 * Decodes the code point at *pos and moves *pos behind it.  Bytes that are no
 * well-formed sequence give U+FFFD and move by one byte, so a loop to end
 * always ends.
 */
unsigned long utf8_next(const char **pos, const char *end);

#endif
