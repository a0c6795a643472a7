/* SPDX-License-Identifier: MIT */
/*
 * name.c - ids and handles of sessions, as text
 */
#include "broker/name.h"

#include <stdlib.h>
#include <string.h>

#include "base/digits.h"

static const char hex[] = "0123456789abcdef";

/* As long as what a node may be called, else 0: none. */
static size_t node_length(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");

	return n <= NODE_TAG_LEN ? n : 0;
}

size_t name_node(const char *name)
{
	size_t n = node_length(name);

	return name[n] == '-' ? n : 0;
}

/* What follows NODE and its '-'. */
static const char *digits_of(const char *name)
{
	size_t n = name_node(name);

	return n ? name + n + 1 : name;
}

enum name_kind name_kind(const char *text)
{
	const char *digits = digits_of(text);
	size_t n = strspn(digits, hex);

	if (digits[n])
		return NAME_OTHER;
	return n == SESSION_ID_LEN ? NAME_ID :
	       n == SESSION_HANDLE_LEN ? NAME_HANDLE : NAME_OTHER;
}

bool name_foreign(const char *name, const char *node)
{
	size_t n = name_node(name);

	return n && (strlen(node) != n || memcmp(name, node, n) != 0);
}

uint32_t name_index(const char *name)
{
	return (uint32_t)strtoul(name + strlen(name) - INDEX_DIGITS, NULL, 16);
}

void name_complete(char *name, const char *node, uint32_t index)
{
	size_t n = strlen(name), tag = strlen(node);

	if (tag > 0 && node_length(node) == tag) {
		memmove(name + tag + 1, name, n);
		memcpy(name, node, tag + 1);
		name[tag] = '-';
		n += tag + 1;
	}
	digits_hex(name + n, index, INDEX_DIGITS);
}
