/* SPDX-License-Identifier: MIT */
/*
 * conf_value.c - one property's value: text into a field, by type
 */
#include "base/conf_value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/rule.h"

#define MINUTE_MS 60000
#define ULL(n) ((unsigned long long)(n))

/* Fills why and returns -1.  A value is quoted with %.40s. */
__attribute__((format(printf, 2, 3)))
static int refuse_value(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CONF_WHY_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

static int parse_uint(const char *s, int base, uint64_t *out)
{
	const char *digits = base == 8 ? "01234567" : "0123456789";
	unsigned long long n;

	if (*s == '\0' || s[strspn(s, digits)] != '\0')
		return -1;
	errno = 0;
	n = strtoull(s, NULL, base);
	if (errno)
		return -1;
	*out = n;
	return 0;
}

static int set_uint(const struct conf_key *key, uint64_t *field,
		    const char *value, char *why)
{
	bool octal = key->type == CONF_OCTAL;
	uint64_t n;

	if (parse_uint(value, octal ? 8 : 10, &n) == 0 && n >= key->min &&
	    n <= key->max) {
		*field = n;
		return 0;
	}
	if (octal)
		return refuse_value(why, "%s must be an octal number from "
				    "%#llo to %#llo, not '%.40s'", key->name,
				    ULL(key->min), ULL(key->max), value);
	return refuse_value(why, "%s must be a whole number from %llu to "
			    "%llu, not '%.40s'", key->name, ULL(key->min),
			    ULL(key->max), value);
}

static int set_bool(const struct conf_key *key, bool *field, const char *value,
		    char *why)
{
	static const char *const words[] = {	/* false, true, false, ... */
		"false", "true", "no", "yes", "off", "on", "0", "1", NULL
	};
	int i;

	for (i = 0; words[i]; i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*field = i % 2;
			return 0;
		}
	}
	return refuse_value(why, "%s must be true or false, not '%.40s'",
			    key->name, value);
}

static int set_text(const struct conf_key *key, char *field, const char *value,
		    char *why)
{
	size_t len = strlen(value);

	if (len < key->min || len >= key->max)
		return refuse_value(why, "%s must have from %llu to %llu "
				    "characters, not %zu: '%.40s'", key->name,
				    ULL(key->min), ULL(key->max - 1), len,
				    value);
	memcpy(field, value, len + 1);
	return 0;
}

/* The part behind the point, in milliseconds; *pos moves behind its digits. */
static uint64_t parse_fraction(const char **pos)
{
	uint64_t unit = MINUTE_MS * 1000, micros = 0;

	for (; **pos >= '0' && **pos <= '9'; (*pos)++) {
		unit /= 10;
		micros += unit * (uint64_t)(**pos - '0');
	}
	return (micros + 500) / 1000;
}

/* "1.25" to 75000, whatever the locale's decimal point is. */
static int parse_minutes(const char *s, uint64_t *ms_out)
{
	size_t whole = strspn(s, "0123456789");
	const char *end = s + whole, *fraction;
	uint64_t minutes = 0;

	if (whole > 10)
		return -1;
	for (; s < end; s++)
		minutes = minutes * 10 + (uint64_t)(*s - '0');
	*ms_out = minutes * MINUTE_MS;
	if (*s == '.') {
		fraction = ++s;
		*ms_out += parse_fraction(&s);
		if (s == fraction)
			return -1;
	} else if (whole == 0) {
		return -1;
	}
	return *s == '\0' ? 0 : -1;
}

/* A bound as the user would write it; the last digit rounded up. */
static const char *minutes_text(char *out, size_t size, uint64_t ms)
{
	uint64_t thousandths = (ms * 1000 + MINUTE_MS - 1) / MINUTE_MS;

	if (thousandths % 1000)
		snprintf(out, size, "%llu.%03llu", ULL(thousandths / 1000),
			 ULL(thousandths % 1000));
	else
		snprintf(out, size, "%llu", ULL(thousandths / 1000));
	return out;
}

static int set_minutes(const struct conf_key *key, uint64_t *field,
		       const char *value, char *why)
{
	char min[32], max[32];
	uint64_t ms;

	if (parse_minutes(value, &ms) == 0 && ms >= key->min &&
	    ms <= key->max) {
		*field = ms;
		return 0;
	}
	return refuse_value(why, "%s must be minutes (decimals allowed) from "
			    "%s to %s, not '%.40s'", key->name,
			    minutes_text(min, sizeof(min), key->min),
			    minutes_text(max, sizeof(max), key->max), value);
}

static int set_choice(const struct conf_key *key, int *field,
		      const char *value, char *why)
{
	size_t len, n = strlen(value);
	const char *word = key->choices;
	int i;

	for (i = 0;; i++) {
		len = strcspn(word, "|");
		if (len == n && memcmp(word, value, n) == 0) {
			*field = i;
			return 0;
		}
		if (word[len] == '\0')
			break;
		word += len + 1;
	}
	return refuse_value(why, "%s must be one of %s, not '%.40s'",
			    key->name, key->choices, value);
}

/* Adds a line to those that are there. */
static int add_rule(const struct conf_key *key, char *field, const char *value,
		    char *why)
{
	size_t len = strlen(field), n = strlen(value);
	struct rule rule;
	char *copy;
	int rc;

	if (n == 0)
		return 0;
	if (len + n + 2 > key->max)
		return refuse_value(why, "all values of %s together may have "
				    "%llu bytes", key->name,
				    ULL(key->max - 1));
	copy = strdup(value);
	if (!copy)
		return refuse_value(why, "no memory for %s", key->name);
	rc = rule_read(&rule, copy, why, CONF_WHY_SIZE);
	free(copy);
	if (rc == 0)
		snprintf(field + len, key->max - len, "%s\n", value);
	return rc;
}

int conf_value_set(const struct conf_key *key, void *target, const char *value,
		   char why_out[CONF_WHY_SIZE])
{
	void *field = (char *)target + key->offset;

	switch (key->type) {
	case CONF_UINT:
	case CONF_OCTAL:
		return set_uint(key, field, value, why_out);
	case CONF_BOOL:
		return set_bool(key, field, value, why_out);
	case CONF_TEXT:
		return set_text(key, field, value, why_out);
	case CONF_MINUTES:
		return set_minutes(key, field, value, why_out);
	case CONF_CHOICE:
		return set_choice(key, field, value, why_out);
	case CONF_RULES:
		return add_rule(key, field, value, why_out);
	case CONF_IGNORED:
		break;
	}
	return 0;
}

static size_t field_size(const struct conf_key *key)
{
	switch (key->type) {
	case CONF_UINT:
	case CONF_OCTAL:
	case CONF_MINUTES:
		return sizeof(uint64_t);
	case CONF_BOOL:
		return sizeof(bool);
	case CONF_TEXT:
	case CONF_RULES:
		return key->max;
	case CONF_CHOICE:
		return sizeof(int);
	case CONF_IGNORED:
		break;
	}
	return 0;
}

void conf_value_clear(const struct conf_key *key, void *target)
{
	if (key->type == CONF_RULES)
		*((char *)target + key->offset) = '\0';
}

bool conf_value_same(const struct conf_key *key, const void *a, const void *b)
{
	const char *field_a = (const char *)a + key->offset;
	const char *field_b = (const char *)b + key->offset;

	/* Behind the NUL of a text anything may stand. */
	if (key->type == CONF_TEXT || key->type == CONF_RULES)
		return strcmp(field_a, field_b) == 0;
	return memcmp(field_a, field_b, field_size(key)) == 0;
}

void conf_value_copy(const struct conf_key *key, void *to, const void *from)
{
	memcpy((char *)to + key->offset, (const char *)from + key->offset,
	       field_size(key));
}
