/* SPDX-License-Identifier: MIT */
/*
 * conf.c - property files: NAME=VALUE lines into a struct, by a table
 *
 * inih splits a line into name and value.  The lines come to it through a
 * reader of ours, because inih by itself knows neither lines longer than its
 * buffer nor the number of a line in its handler, and takes an indented line
 * for the rest of the one before, where Java's property files do not mind
 * leading blanks.
 */
#include "base/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/conf_value.h"
#include "base/log.h"

#define BLANKS " \t\r\n\f\v"
#define NO_EQUALS "there is no '=': a line is NAME=VALUE, a comment begins " \
		  "with '#'"
#define BOM "\xEF\xBB\xBF"

/* A line of a file, or (line 0) an option. */
struct conf_place {
	const char *name;
	unsigned line;
	struct buf *report;
	struct buf ignored;	/* names, as the notice shows them */
	bool failed;		/* a complaint was made */
};

void conf_complain(struct conf_place *src, const char *fmt, ...)
{
	char text[CONF_WHY_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (src->line)
		buf_printf(src->report, "%s:%u: %s\n", src->name, src->line,
			   text);
	else
		buf_printf(src->report, "%s: %s\n", src->name, text);
	src->failed = true;
}

/* -- properties --------------------------------------------------------- */

static bool names(const struct conf_key *key, const char *name)
{
	size_t n = strlen(name), end;

	if (key->name[0] != '*')
		return strcmp(key->name, name) == 0;
	end = strlen(key->name + 1);
	return n > end && strcmp(name + n - end, key->name + 1) == 0;
}

static const struct conf_key *find(const struct conf_key *table,
				   const char *name)
{
	for (; table->name; table++) {
		if (names(table, name))
			return table;
	}
	return NULL;
}

static void set_named(const struct conf_key *table, void *target,
		      const char *name, const char *value,
		      struct conf_place *src)
{
	const struct conf_key *key = find(table, name);
	char why[CONF_WHY_SIZE];

	if (*name == '\0') {
		conf_complain(src, "there is no name before the '='");
	} else if (!key) {
		conf_complain(src, "unknown property '%.60s' "
			      "(pushlet.properties(5) lists them)", name);
	} else if (key->type == CONF_IGNORED) {
		if (src->ignored.len)
			buf_puts(&src->ignored, ", ");
		buf_puts(&src->ignored, name);
	} else if (conf_value_set(key, target, value, why) != 0) {
		conf_complain(src, "%s", why);
	}
}

/* Adds the notice.  Returns what the caller is to return. */
static int finish(struct conf_place *src)
{
	if (src->ignored.len)
		buf_printf(src->report, "%s: accepted without effect here: "
			   "%s\n", src->name, buf_str(&src->ignored));
	buf_release(&src->ignored);
	errno = EINVAL;
	return src->failed ? -1 : 0;
}

void conf_defaults(const struct conf_key *table, void *target)
{
	char why[CONF_WHY_SIZE];

	for (; table->name; table++) {
		conf_value_clear(table, target);
		must(conf_value_set(table, target, table->value, why) == 0);
	}
}

/* -- files -------------------------------------------------------------- */

struct reader {
	const struct conf_key *table;
	void *target;
	FILE *fp;
	struct conf_place src;
	bool pending;		/* inih has a line and gave no value yet */
};

enum { LINE_OK, LINE_END, LINE_TOO_LONG, LINE_NUL };

/* Reads one line of at most size - 2 bytes into out, ended by newline and NUL.
 * A line that is not LINE_OK is skipped to its end. */
static int read_line(FILE *fp, char *out, size_t size)
{
	int c, state = LINE_OK;
	size_t len = 0;

	while ((c = getc(fp)) != EOF && c != '\n') {
		if (c == '\0')
			state = LINE_NUL;
		else if (len < size - 2)
			out[len++] = (char)c;
		else if (state == LINE_OK)
			state = LINE_TOO_LONG;
	}
	if (c == EOF && len == 0 && state == LINE_OK)
		return LINE_END;
	out[len++] = '\n';
	out[len] = '\0';
	return state;
}

/* Leaves only what inih is to see of a line; false: nothing of it. */
static bool prepare(struct conf_place *src, char *line)
{
	char *start = line;
	size_t len;

	if (src->line == 1 && strncmp(start, BOM, strlen(BOM)) == 0)
		start += strlen(BOM);
	start += strspn(start, BLANKS);
	len = strlen(start);
	if (*start == '\0' || strchr("#!;", *start))
		return false;
	if (*start == '[') {
		conf_complain(src, "a property file has no [sections]");
		return false;
	}
	while (strchr(BLANKS, start[len - 1]))
		len--;
	if (start[len - 1] == '\\') {
		conf_complain(src, "a line cannot be continued with '\\'");
		return false;
	}
	memmove(line, start, strlen(start) + 1);
	return true;
}

/* inih says nothing of a line without "=" until it asks for the next one. */
static void check_pending(struct reader *r)
{
	if (r->pending)
		conf_complain(&r->src, NO_EQUALS);
	r->pending = false;
}

static bool usable(struct conf_place *at, int state, size_t size)
{
	if (state == LINE_TOO_LONG)
		conf_complain(at, "the line is too long: at most %zu bytes "
			      "are possible", size - 2);
	else if (state == LINE_NUL)
		conf_complain(at, "the line holds a NUL byte");
	return state == LINE_OK;
}

static char *next_line(char *str, int num, void *stream)
{
	struct reader *r = stream;
	int state;

	check_pending(r);
	while ((state = read_line(r->fp, str, (size_t)num)) != LINE_END) {
		r->src.line++;
		if (usable(&r->src, state, (size_t)num) &&
		    prepare(&r->src, str)) {
			r->pending = true;
			return str;
		}
	}
	return NULL;
}

static int take_value(void *user, const char *section, const char *name,
		      const char *value)
{
	struct reader *r = user;

	(void)section;		/* no line with one reaches inih */
	r->pending = false;
	set_named(r->table, r->target, name, value, &r->src);
	return 1;
}

static int unreadable(struct conf_place *src, int error)
{
	buf_printf(src->report, "%s: cannot be read: %s\n", src->name,
		   strerror(error));
	buf_release(&src->ignored);
	errno = error;
	return -1;
}

int conf_read(const struct conf_key *table, void *target, const char *file,
	      struct buf *report)
{
	struct reader r = { .table = table, .target = target,
			    .src = { .name = file, .report = report } };
	int error = 0;

	r.fp = fopen(file, "re");
	if (!r.fp)
		return unreadable(&r.src, errno);
	errno = 0;
	if (ini_parse_stream(next_line, &r, take_value, &r) < 0)
		error = ENOMEM;
	else if (ferror(r.fp))
		error = errno ? errno : EIO;
	fclose(r.fp);
	if (error)
		return unreadable(&r.src, error);
	return finish(&r.src);
}

/* Takes the blanks off both ends, in place. */
static char *trim(char *s)
{
	size_t len;

	s += strspn(s, BLANKS);
	len = strlen(s);
	while (len > 0 && strchr(BLANKS, s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

/* One line, split here: values may hold what inih takes for a comment. */
static void take_line(struct conf_place *at, char *line,
		      void (*take)(void *arg, struct conf_place *at,
				   const char *name, const char *value),
		      void *arg)
{
	char *equals = strchr(line, '=');

	if (!equals) {
		conf_complain(at, NO_EQUALS);
		return;
	}
	*equals = '\0';
	take(arg, at, trim(line), trim(equals + 1));
}

int conf_each(const char *file,
	      void (*take)(void *arg, struct conf_place *at, const char *name,
			   const char *value),
	      void *arg, struct buf *report)
{
	struct conf_place at = { .name = file, .report = report };
	char line[CONF_LINE_SIZE];
	FILE *fp = fopen(file, "re");
	int state, error;

	if (!fp)
		return unreadable(&at, errno);
	while ((state = read_line(fp, line, sizeof(line))) != LINE_END) {
		at.line++;
		if (usable(&at, state, sizeof(line)) && prepare(&at, line))
			take_line(&at, line, take, arg);
	}
	error = ferror(fp) ? errno : 0;
	fclose(fp);
	return error ? unreadable(&at, error) : finish(&at);
}

unsigned conf_line(const struct conf_place *at)
{
	return at->line;
}

void conf_assign(const struct conf_key *key, void *target, const char *name,
		 const char *value, struct conf_place *at)
{
	struct conf_key named = *key;
	char why[CONF_WHY_SIZE];

	named.name = name;
	if (conf_value_set(&named, target, value, why) != 0)
		conf_complain(at, "%s", why);
}

/* -- options and changes ------------------------------------------------ */

int conf_set(const struct conf_key *table, void *target, const char *pair,
	     const char *where, struct buf *report)
{
	struct conf_place src = { .name = where, .report = report };
	struct buf copy = BUF_INIT;
	char *equals;

	buf_puts(&copy, pair);
	if (buf_failed(&copy))
		return -1;
	equals = copy.data ? strchr(copy.data, '=') : NULL;
	if (equals) {
		*equals = '\0';
		set_named(table, target, trim(copy.data), trim(equals + 1),
			  &src);
	} else {
		conf_complain(&src, "'%.60s' has no '=': a property is "
			      "NAME=VALUE", pair);
	}
	buf_release(&copy);
	return finish(&src);
}

void conf_reload(const struct conf_key *table, void *target, const void *fresh,
		 struct buf *report)
{
	for (; table->name; table++) {
		if (conf_value_same(table, target, fresh))
			continue;
		if (table->reload)
			conf_value_copy(table, target, fresh);
		else
			buf_printf(report, "%s: the new value takes effect "
				   "after a restart\n", table->name);
	}
}
