/* SPDX-License-Identifier: MIT */
/*
 * entry.c - packed attributes to fields and back
 */
#include "bridge/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { FROM_MAX = 64 };		/* bytes of a p_from or p_to */

void entry_id(char id_out[ENTRY_ID_SIZE], uint64_t epoch, uint64_t number)
{
	snprintf(id_out, ENTRY_ID_SIZE, "%" PRIu64 "-%" PRIu64, epoch, number);
}

/* Digits up to the end character; false: they are not, or too many. */
static bool read_number(uint64_t *n_out, const char **p, char end)
{
	char *after;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*n_out = strtoull(*p, &after, 10);
	if (errno || *after != end)
		return false;
	*p = after + 1;
	return true;
}

bool entry_read_id(struct mark *mark_out, const char *id)
{
	*mark_out = (struct mark){ 0 };
	return read_number(&mark_out->epoch, &id, '-') &&
	       read_number(&mark_out->number, &id, '\0') &&
	       mark_out->epoch > 0;
}

static bool named(const char *name, size_t n, const char *as)
{
	return n == strlen(as) && memcmp(name, as, n) == 0;
}

void entry_write(struct args *args, const char *packed, size_t n)
{
	const char *end = packed + n;
	struct attr a;

	while (attr_next(&packed, end, &a)) {
		if (named(a.name, a.name_len, "p_event"))
			continue;
		args_add_n(args, a.name, a.name_len);
		args_add_n(args, a.value, a.value_len);
	}
}

/* Bytes of a reply that make a text without NULs. */
static bool is_text(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING &&
	       strlen(r->str) == (size_t)r->len &&
	       utf8_valid(r->str, (size_t)r->len);
}

static const char *read_time(struct entry *e, const char *text)
{
	char *end;

	errno = 0;
	e->time = strtoll(text, &end, 10);
	return errno || *end || *text < '0' || *text > '9' ?
		"a p_time that is no number of seconds" : NULL;
}

static const char *set_name(const char **to, const redisReply *value)
{
	if (value->len == 0 || value->len > FROM_MAX)
		return "a p_from or p_to that is too long, or empty";
	*to = value->str;
	return NULL;
}

static const char *add(struct entry *e, const redisReply *name,
		       const redisReply *value)
{
	if (event_add_n(&e->attributes, name->str, (size_t)name->len,
			value->str, (size_t)value->len) == 0)
		return NULL;
	return errno == EEXIST ? "a field twice" : "a field that is too long";
}

static const char *read_field(struct entry *e, const redisReply *name,
			      const redisReply *value)
{
	if (!is_text(name) || !is_text(value))
		return "a field that is no text";
	if (strncmp(name->str, "p_", 2) != 0)
		return add(e, name, value);
	if (strcmp(name->str, "p_subject") == 0)
		e->subject = value->str;
	else if (strcmp(name->str, "p_time") == 0)
		return read_time(e, value->str);
	else if (strcmp(name->str, "p_from") == 0)
		return set_name(&e->from, value);
	else if (strcmp(name->str, "p_to") == 0)
		return set_name(&e->to, value);
	return NULL;		/* of a version to come */
}

const char *entry_read(struct entry *e, const redisReply *r)
{
	const char *wrong = NULL;
	size_t i;

	event_clear(&e->attributes);
	e->subject = e->from = e->to = NULL;
	e->time = -1;
	if (r->type != REDIS_REPLY_ARRAY || r->elements % 2)
		return "no names and values";
	for (i = 0; i < r->elements && !wrong; i += 2)
		wrong = read_field(e, r->element[i], r->element[i + 1]);
	if (!wrong && !e->subject)
		wrong = "no p_subject";
	if (!wrong && e->time < 0)
		wrong = "no p_time";
	return wrong;
}
