/* SPDX-License-Identifier: MIT */
/*
 * tool_json.h - writes JSON (RFC 8259)
 *
 *	struct json j = { .out = &out };
 *
 *	json_object(&j, NULL);
 *	json_string(&j, "name", "x");
 *	json_array(&j, "list");
 *	json_uint(&j, NULL, 1);
 *	json_end(&j);
 *	json_end(&j);
 *
 * writes {"name": "x", "list": [1]}, a member a line down to the depth where
 * lines would get too many.  key is NULL inside of an array and at the top.
 * Running out of memory shows in out.
 */
#ifndef TOOLS_TOOL_JSON_H
#define TOOLS_TOOL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define JSON_DEPTH 8

struct json {
	struct buf *out;
	unsigned depth;			/* at most JSON_DEPTH */
	char close[JSON_DEPTH];		/* of each open object or array */
	bool filled;			/* the innermost has a member */
	bool flat;			/* all in one line */
};

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);

/* Ends the innermost object or array; a newline follows the outermost. */
void json_end(struct json *j);

/* s need not be UTF-8: what is broken becomes U+FFFD. */
void json_string(struct json *j, const char *key, const char *s);
void json_string_n(struct json *j, const char *key, const char *s, size_t n);

void json_uint(struct json *j, const char *key, uint64_t n);
void json_bool(struct json *j, const char *key, bool is);
void json_null(struct json *j, const char *key);

/* n / 1000: 1500 is 1.500. */
void json_thousandths(struct json *j, const char *key, uint64_t n);

#endif
