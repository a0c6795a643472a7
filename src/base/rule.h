/* SPDX-License-Identifier: MIT */
/*
 * rule.h - who may do what: lines of the property "rule"
 *
 *	ACTION WHAT [below SUBJECT] [from NETWORKS] [user NAMES] [by METHOD]
 *
 * ACTION is allow or deny; WHAT a comma list of join, subscribe, publish,
 * unicast.  A rule matches if all its conditions hold; the first that matches
 * decides, and what none matches is allowed.  pushlet.properties(5) has the
 * whole of it.
 */
#ifndef BASE_RULE_H
#define BASE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/network.h"

#define RULE_NETWORKS 8			/* most in one rule */

/* Bits: what a rule is about, and what is asked.  To publish to one session is
 * both of the last two. */
enum rule_act {
	RULE_JOIN = 1,
	RULE_SUBSCRIBE = 2,
	RULE_PUBLISH = 4,
	RULE_UNICAST = 8
};

struct rule {
	bool allow;
	unsigned acts;
	const char *subject;		/* the beginning, or "" */
	const char *users;		/* comma list, "*", or NULL: anybody */
	const char *method;		/* "GET", "POST", or NULL */
	unsigned networks;		/* 0: from anywhere */
	struct network from[RULE_NETWORKS];
};

/* Who asks for what. */
struct rule_case {
	unsigned acts;
	const char *subject;		/* "" for a join */
	const uint8_t *address;		/* network.h */
	const char *user;		/* "": none that the web server knows */
	const char *method;
};

/* All of them, in their order. */
struct rulebook {
	char *text;			/* the rules point into it */
	struct rule *rules;
	unsigned count;
};

/* Reads a line, of which NULs make words: *r points into it.  Returns 0, or -1
 * with what is wrong, and what is allowed, in why_out. */
int rule_read(struct rule *r, char *line, char *why_out, size_t why_size);

bool rule_matches(const struct rule *r, const struct rule_case *c);

/* Reads lines that rule_read() has found good.  Returns 0, or -1 with ENOMEM.
 * The caller calls rulebook_release() after either. */
int rulebook_read(struct rulebook *book, const char *lines);
void rulebook_release(struct rulebook *book);

/*
 * The number (from 1) of the rule by which a case is denied, or 0.
 *
 * Who subscribes to a subject gets all that begins with it: each beginning that
 * some rule names below it must be allowed, too.  It need not be more than
 * that: of all subjects, first match decides alike between two such points.
 * *subject_out is what is denied, the subject asked for or one below it.
 */
unsigned rulebook_denies(const struct rulebook *book,
			 const struct rule_case *c, const char **subject_out);

#endif
