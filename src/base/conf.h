/* SPDX-License-Identifier: MIT */
/*
 * conf.h - property files: NAME=VALUE lines into a struct, by a table
 *
 * The reader is inih, whose dialect covers the original server's
 * pushlet.properties; what the names mean is the table's business.  Every
 * complaint names file and line ("pushlet.properties:12: ...") and says what
 * is allowed; all lines are read, so that one run shows every mistake.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum conf_type {
	CONF_UINT,		/* uint64_t, decimal, min..max */
	CONF_OCTAL,		/* uint64_t, octal, min..max */
	CONF_BOOL,		/* bool: true/false, yes/no, on/off, 1/0 */
	CONF_TEXT,		/* char[max]; min is the least length */
	CONF_MINUTES,		/* uint64_t milliseconds from decimal minutes */
	CONF_CHOICE,		/* int: the index of the word in choices */
	CONF_RULES,		/* char[max]: a line for each time it is given,
				 * as rule.h has them; "" adds none */
	CONF_IGNORED		/* accepted without effect, noticed once */
};

struct conf_key {
	const char *name;	/* "*.class" matches any name with that end */
	enum conf_type type;
	size_t offset;		/* of the field in the target struct */
	uint64_t min, max;	/* inclusive; CONF_MINUTES: in milliseconds */
	const char *value;	/* default, in the file's syntax */
	const char *choices;	/* CONF_CHOICE: "drop-oldest|abort" */
	bool reload;		/* may change while the server runs */
};

/* The table ends with a key whose name is NULL. */

/* Fills every field of target with its default.  A default that is not valid
 * is our own bug. */
void conf_defaults(const struct conf_key *table, void *target);

/*
 * Reads a property file over what target holds.  Complaints and notices are
 * appended to report, one line each.  Returns 0 (report may hold notices), or
 * -1 when the file cannot be read or holds a mistake (EINVAL); target is then
 * only partly changed and must not be used.
 */
int conf_read(const struct conf_key *table, void *target, const char *file,
	      struct buf *report);

/* Sets one property from "NAME=VALUE", as -o does.  where names the source in
 * complaints ("-o").  Returns 0 or -1 with EINVAL. */
int conf_set(const struct conf_key *table, void *target, const char *pair,
	     const char *where, struct buf *report);

/*
 * For files whose names no table can list: calls take() for each property, with
 * the value as it stands there, up to the end of the line.  Complaints are
 * those of the reader and of conf_complain().  Returns as conf_read().
 */
struct conf_place;

#define CONF_LINE_SIZE 8192	/* of a line, with newline and NUL */

int conf_each(const char *file,
	      void (*take)(void *arg, struct conf_place *at, const char *name,
			   const char *value),
	      void *arg, struct buf *report);

/* In take(): complains of the line, which makes the file a bad one. */
void conf_complain(struct conf_place *at, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* In take(): the number of the line, from 1. */
unsigned conf_line(const struct conf_place *at);

/* In take(): sets the key's field, or complains, by the property's name. */
void conf_assign(const struct conf_key *key, void *target, const char *name,
		 const char *value, struct conf_place *at);

/* Copies from the fresh values those that may change at run time (reload).
 * Appends to report a line for each other property that differs: it needs a
 * restart. */
void conf_reload(const struct conf_key *table, void *target, const void *fresh,
		 struct buf *report);

#endif
