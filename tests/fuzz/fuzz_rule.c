/* SPDX-License-Identifier: MIT */
/*
 * fuzz_rule.c - any lines of the property rule, and a case for them
 *
 * An input is a case in one line, ACTS SUBJECT END ADDRESS USER METHOD, where
 * ACTS is a digit or two and END what a longer subject ends with; then rules, a
 * line each.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/rule.h"
#include "broker/address.h"

/* A line that is read must say what the header promises; one that is not, why. */
static bool read_line(const char *line)
{
	struct rule r;
	char *copy = strdup(line), why[256] = "";
	unsigned i;
	int rc;

	must(copy);
	rc = rule_read(&r, copy, why, sizeof(why));
	must((rc == 0) == (why[0] == '\0'));
	if (rc == 0) {
		must(r.acts && r.acts < 16 && r.networks <= RULE_NETWORKS);
		must(strlen(r.subject) <= strlen(line));
		must(!r.users || *r.users);
		must(!r.method || r.method[0] == 'G' || r.method[0] == 'P');
		for (i = 0; i < r.networks; i++)
			must(r.from[i].bits <= NETWORK_BYTES * 8);
	}
	free(copy);
	return rc == 0;
}

/* How many of the lines are rules. */
static unsigned read_lines(const char *lines)
{
	char *copy = strdup(lines), *rest = copy, *line;
	unsigned good = 0;

	must(copy);
	while ((line = strsep(&rest, "\n")))
		good += *line && read_line(line);
	free(copy);
	return good;
}

/* Who may subscribe to a subject gets all that begins with it: may they? */
static void check_longer(const struct rulebook *book, struct rule_case c,
			 const char *end)
{
	struct buf longer = BUF_INIT;
	const char *denied;

	buf_puts(&longer, c.subject);
	buf_puts(&longer, end);
	c.subject = buf_str(&longer);
	must(rulebook_denies(book, &c, &denied) == 0);
	buf_release(&longer);
}

static void check_case(const char *rules, struct rule_case c, const char *end)
{
	struct rulebook book = { NULL, NULL, 0 };
	const char *denied;
	unsigned number;

	must(rulebook_read(&book, rules) == 0);
	must(book.count == read_lines(rules));
	number = rulebook_denies(&book, &c, &denied);
	must(number <= book.count);
	must(strncmp(denied, c.subject, strlen(c.subject)) == 0);
	if (number) {
		must(!book.rules[number - 1].allow);
		c.subject = denied;
		must(rule_matches(&book.rules[number - 1], &c));
	} else if (c.acts == RULE_SUBSCRIBE) {
		check_longer(&book, c, end);
	}
	rulebook_release(&book);
}

static const char *word(char **line)
{
	char *found = strsep(line, " ");

	return found ? found : "";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct address address;
	struct rule_case c = { .address = address.bytes };
	char *text = strndup((const char *)data, n), *rules = text, *line;
	const char *end, *where;
	char again[ADDRESS_TEXT];
	struct address same;

	must(text);
	line = strsep(&rules, "\n");
	c.acts = strtoul(word(&line), NULL, 10) & 15;
	c.subject = word(&line);
	end = word(&line);
	where = word(&line);
	if (address_read(&address, where, strlen(where))) {
		address_write(again, &address);
		must(address_read(&same, again, strlen(again)));
		must(memcmp(&same, &address, sizeof(same)) == 0);
	}
	c.user = word(&line);
	c.method = word(&line);
	check_case(rules ? rules : "", c, end);
	free(text);
	return 0;
}
