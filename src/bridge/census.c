/* SPDX-License-Identifier: MIT */
/*
 * census.c - counts to fields of a hash and back
 */
#include "bridge/census.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { TELL_MS = 2500, CHANGE_MS = 200, MOST = 1000000000 };

#define LIFE "10000"		/* ms: ELSEWHERE_MS */
#define SUBJECT "s:"

int told_init(struct told *t, const struct span *s, struct args *args)
{
	memset(t, 0, sizeof(*t));
	span_key(s, t->key, "counts", s->node);
	t->args = args;
	t->numbers = calloc(CENSUS_MAX + 2, sizeof(*t->numbers));
	return t->numbers ? 0 : -1;
}

void told_release(struct told *t)
{
	buf_release(&t->now.subjects);
	buf_release(&t->last.subjects);
	free(t->numbers);
}

static bool same(const struct census *a, const struct census *b)
{
	return a->sessions == b->sessions && a->watchers == b->watchers &&
	       a->count == b->count &&
	       memcmp(a->online, b->online, a->count * sizeof(*a->online)) == 0 &&
	       a->subjects.len == b->subjects.len &&
	       (a->subjects.len == 0 || memcmp(a->subjects.data,
				b->subjects.data, a->subjects.len) == 0);
}

static void add_number(struct told *t, unsigned i, uint64_t n)
{
	snprintf(t->numbers[i], sizeof(*t->numbers), "%" PRIu64,
		 n < MOST ? n : MOST);
	args_add(t->args, t->numbers[i]);
}

/* HSET with all fields.  The names of subjects get their "s:" in a text that
 * lives as long as the arguments. */
static int ask_set(struct told *t, struct link *l, struct buf *names)
{
	const struct census *c = &t->now;
	const char *subject = buf_str(&c->subjects);
	size_t *starts = calloc(c->count + 1, sizeof(*starts));
	unsigned i;
	int rc;

	for (i = 0; starts && i < c->count; i++) {
		starts[i] = names->len;
		buf_puts(names, SUBJECT);
		buf_puts(names, subject);
		buf_putc(names, '\0');
		subject += strlen(subject) + 1;
	}
	if (!starts || buf_failed(names)) {
		free(starts);
		return link_fail(l, "out of memory");
	}
	t->args->n = 0;
	args_add(t->args, "HSET");
	args_add(t->args, t->key);
	args_add(t->args, "sessions");
	add_number(t, 0, c->sessions);
	args_add(t->args, "watchers");
	add_number(t, 1, c->watchers);
	for (i = 0; i < c->count; i++) {
		args_add(t->args, buf_str(names) + starts[i]);
		add_number(t, i + 2, c->online[i]);
	}
	rc = link_ask(l, t->args);
	free(starts);
	return rc;
}

static int tell(struct told *t, struct link *l)
{
	struct buf names = BUF_INIT;
	redisReply *r = NULL;
	int i, rc;

	rc = link_ask_list(l, "MULTI", NULL);
	if (rc == 0)
		rc = link_ask_list(l, "DEL", t->key, NULL);
	if (rc == 0)
		rc = ask_set(t, l, &names);
	if (rc == 0)
		rc = link_ask_list(l, "PEXPIRE", t->key, LIFE, NULL);
	if (rc == 0)
		rc = link_ask_list(l, "EXEC", NULL);
	for (i = 0; rc == 0 && i < 5; i++) {
		r = link_expect(l, ANSWER_MS);
		if (!r)
			rc = -1;
		else
			freeReplyObject(r);
	}
	buf_release(&names);
	return rc;
}

int told_tell(struct told *t, const struct span *s, struct link *l)
{
	int64_t now = clock_ms();
	struct census last;

	if (now < t->change_due)
		return 0;
	t->change_due = now + CHANGE_MS;
	census_read(s->broker, &t->now);
	if (now < t->due && same(&t->now, &t->last))
		return 0;
	if (tell(t, l) < 0)
		return -1;
	t->due = now + TELL_MS;
	last = t->last;
	t->last = t->now;
	t->now = last;
	return 0;
}

int census_ask(const struct span *s, struct link *l, const char *node)
{
	char key[KEY_SIZE];

	span_key(s, key, "counts", node);
	return link_ask_list(l, "HGETALL", key, NULL);
}

/* A number of at most nine digits; more is nonsense, and 0. */
static uint32_t read_count(const redisReply *r)
{
	if (r->type != REDIS_REPLY_STRING || r->len == 0 || r->len > 9 ||
	    strspn(r->str, "0123456789") != (size_t)r->len)
		return 0;
	return (uint32_t)strtoul(r->str, NULL, 10);
}

static void take_field(const struct span *s, struct elsewhere *draft,
		       const redisReply *name, uint32_t n)
{
	size_t skip = strlen(SUBJECT);

	if (name->type != REDIS_REPLY_STRING)
		return;
	if (strcmp(name->str, "sessions") == 0)
		draft->sessions += n;
	else if (strcmp(name->str, "watchers") == 0)
		draft->watchers += n;
	else if (strncmp(name->str, SUBJECT, skip) == 0)
		elsewhere_add(s->broker, draft, name->str + skip,
			      (size_t)name->len - skip, n);
}

int census_take(const struct span *s, struct link *l, struct elsewhere *draft)
{
	redisReply *r = link_answer(l, ANSWER_MS);
	size_t i;

	if (!r)
		return -1;
	for (i = 0; r->type == REDIS_REPLY_ARRAY && i + 1 < r->elements; i += 2)
		take_field(s, draft, r->element[i],
			   read_count(r->element[i + 1]));
	freeReplyObject(r);
	return 0;
}
