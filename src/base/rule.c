/* SPDX-License-Identifier: MIT */
/*
 * rule.c - who may do what: a line into a rule, a case to its rule
 */
#include "base/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* One rule being read. */
struct reading {
	struct rule *rule;
	char *rest;			/* of the line */
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct reading *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, r->why_size, fmt, ap);
	va_end(ap);
	return -1;
}

/* The next word of the line, or NULL. */
static char *next_word(struct reading *r)
{
	char *word;

	if (!r->rest)
		return NULL;
	r->rest += strspn(r->rest, BLANKS);
	if (!*r->rest)
		return NULL;
	word = strsep(&r->rest, BLANKS);
	return word;
}

/* The next item of a comma list: its length, *list behind it.  False: there is
 * none. */
static bool next_item(const char **list, const char **item_out, size_t *n_out)
{
	if (!*list)
		return false;
	*item_out = *list;
	*n_out = strcspn(*list, ",");
	*list = (*list)[*n_out] ? *list + *n_out + 1 : NULL;
	return true;
}

static bool is_word(const char *item, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(item, word, n) == 0;
}

/* ---- words ---- */

static int take_action(struct reading *r, const char *word)
{
	if (word && strcmp(word, "allow") == 0)
		r->rule->allow = true;
	else if (!word || strcmp(word, "deny") != 0)
		return wrong(r, "rule must begin with allow or deny, not "
			     "'%.40s'", word ? word : "");
	return 0;
}

static const struct {
	const char *word;
	unsigned act;
} acts[] = {
	{ "join", RULE_JOIN },
	{ "subscribe", RULE_SUBSCRIBE },
	{ "publish", RULE_PUBLISH },
	{ "unicast", RULE_UNICAST },
};

static int take_acts(struct reading *r, const char *list)
{
	const char *item;
	size_t i, n;

	while (next_item(&list, &item, &n)) {
		for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
			if (is_word(item, n, acts[i].word))
				break;
		if (i == sizeof(acts) / sizeof(acts[0]))
			return wrong(r, "rule: '%.*s' is none of join, "
				     "subscribe, publish, unicast, with "
				     "commas between", n > 40 ? 40 : (int)n,
				     item);
		r->rule->acts |= acts[i].act;
	}
	return r->rule->acts ? 0 : wrong(r, "rule must say of what: join, "
					 "subscribe, publish, unicast");
}

static int take_below(struct reading *r, const char *word)
{
	if (r->rule->acts & RULE_JOIN)
		return wrong(r, "rule: a join has no subject; make two rules, "
			     "one of them without 'below'");
	r->rule->subject = word;
	return 0;
}

static int take_from(struct reading *r, const char *list)
{
	struct rule *rule = r->rule;
	const char *item;
	size_t n;

	while (next_item(&list, &item, &n)) {
		if (rule->networks == RULE_NETWORKS)
			return wrong(r, "rule: at most %d networks behind "
				     "'from'; make two rules", RULE_NETWORKS);
		if (network_read(&rule->from[rule->networks++], item, n) < 0)
			return wrong(r, "rule: '%.*s' is no address like "
				     "192.0.2.1 or 2001:db8::1, and no range "
				     "like 10.0.0.0/8", n > 50 ? 50 : (int)n,
				     item);
	}
	return 0;
}

static int take_users(struct reading *r, const char *list)
{
	const char *item, *rest = list;
	size_t n;

	while (next_item(&rest, &item, &n))
		if (n == 0)
			return wrong(r, "rule: an empty name in '%.40s'",
				     list);
	r->rule->users = list;
	return 0;
}

static int take_method(struct reading *r, const char *word)
{
	if (strcmp(word, "GET") != 0 && strcmp(word, "POST") != 0)
		return wrong(r, "rule: by GET or by POST, not '%.40s'", word);
	r->rule->method = word;
	return 0;
}

static const struct condition {
	const char *word;
	int (*take)(struct reading *r, const char *value);
} conditions[] = {
	{ "below", take_below },
	{ "from", take_from },
	{ "user", take_users },
	{ "by", take_method },
};

enum { CONDITIONS = sizeof(conditions) / sizeof(conditions[0]) };

static int find_condition(const char *word)
{
	int i;

	for (i = 0; i < CONDITIONS; i++)
		if (strcmp(word, conditions[i].word) == 0)
			return i;
	return -1;
}

static int take_conditions(struct reading *r)
{
	const char *word, *value;
	unsigned seen = 0;
	int i;

	while ((word = next_word(r))) {
		i = find_condition(word);
		if (i < 0)
			return wrong(r, "rule: '%.40s' is none of below, from, "
				     "user, by", word);
		if (seen & 1u << i)
			return wrong(r, "rule: '%s' stands there twice", word);
		seen |= 1u << i;
		value = next_word(r);
		if (!value)
			return wrong(r, "rule: nothing behind '%s'", word);
		if (conditions[i].take(r, value) < 0)
			return -1;
	}
	return 0;
}

int rule_read(struct rule *rule, char *line, char *why_out, size_t why_size)
{
	struct reading r = { rule, line, why_out, why_size };

	memset(rule, 0, sizeof(*rule));
	rule->subject = "";
	if (take_action(&r, next_word(&r)) < 0 ||
	    take_acts(&r, next_word(&r)) < 0)
		return -1;
	return take_conditions(&r);
}

/* ---- cases ---- */

static bool from_there(const struct rule *r, const struct rule_case *c)
{
	unsigned i;

	for (i = 0; i < r->networks; i++)
		if (network_has(&r->from[i], c->address))
			return true;
	return r->networks == 0;
}

static bool by_them(const struct rule *r, const struct rule_case *c)
{
	const char *list = r->users, *item;
	size_t n;

	if (!list || !*c->user)
		return !list;
	while (next_item(&list, &item, &n))
		if (is_word(item, n, "*") || is_word(item, n, c->user))
			return true;
	return false;
}

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

bool rule_matches(const struct rule *r, const struct rule_case *c)
{
	return r->acts & c->acts && begins_with(c->subject, r->subject) &&
	       (!r->method || strcmp(r->method, c->method) == 0) &&
	       from_there(r, c) && by_them(r, c);
}

int rulebook_read(struct rulebook *book, const char *lines)
{
	char why[256], *rest, *line;
	size_t most = 1;

	for (line = strchr(lines, '\n'); line; line = strchr(line + 1, '\n'))
		most++;
	book->count = 0;
	book->text = strdup(lines);
	book->rules = calloc(most, sizeof(*book->rules));
	if (!book->text || !book->rules)
		return -1;
	for (rest = book->text; (line = strsep(&rest, "\n"));)
		if (*line && rule_read(&book->rules[book->count], line, why,
				       sizeof(why)) == 0)
			book->count++;
	return 0;
}

void rulebook_release(struct rulebook *book)
{
	free(book->text);
	free(book->rules);
	*book = (struct rulebook){ NULL, NULL, 0 };
}

/* The number of the rule that decides, if it denies, or 0. */
static unsigned denied_by(const struct rulebook *book,
			  const struct rule_case *c)
{
	unsigned i;

	for (i = 0; i < book->count; i++)
		if (rule_matches(&book->rules[i], c))
			return book->rules[i].allow ? 0 : i + 1;
	return 0;
}

unsigned rulebook_denies(const struct rulebook *book,
			 const struct rule_case *c, const char **subject_out)
{
	struct rule_case below = *c;
	unsigned i, number = denied_by(book, c);

	*subject_out = c->subject;
	if (!(c->acts & RULE_SUBSCRIBE))
		return number;
	for (i = 0; number == 0 && i < book->count; i++) {
		below.subject = book->rules[i].subject;
		if (!begins_with(below.subject, c->subject))
			continue;
		number = denied_by(book, &below);
		*subject_out = below.subject;
	}
	return number;
}
