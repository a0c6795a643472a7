/* SPDX-License-Identifier: MIT */
/*
 * settings.c - what the file of pushlet-sources says
 */
#include "sources/settings.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf_value.h"
#include "base/utf8.h"
#include "broker/event.h"

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
		     "0123456789_-"
#define DAY 86400
#define ALL(field) offsetof(struct settings, field)
#define ONE(field) offsetof(struct source_settings, field)
#define SIZE(type, field) sizeof(((struct type *)NULL)->field)

const struct conf_key settings_keys[] = {
	{ "segment", CONF_TEXT, ALL(segment), 0, SIZE(settings, segment), "",
	  NULL, true },
	{ "grace", CONF_UINT, ALL(grace), 0, DAY, "30", NULL, true },
	{ "stop", CONF_UINT, ALL(stop), 0, 600, "5", NULL, true },
	{ "restart.min", CONF_UINT, ALL(restart_min), 1, DAY, "1", NULL, true },
	{ "restart.max", CONF_UINT, ALL(restart_max), 1, DAY, "60", NULL,
	  true },
	{ "restart.stable", CONF_UINT, ALL(restart_stable), 1, DAY, "60", NULL,
	  true },
	{ NULL, CONF_IGNORED, 0, 0, 0, NULL, NULL, false }
};

const struct conf_key source_keys[] = {
	{ "command", CONF_TEXT, ONE(command), 0,
	  SIZE(source_settings, command), "", NULL, false },
	{ "subject", CONF_TEXT, ONE(subject), 0,
	  SIZE(source_settings, subject), "", NULL, false },
	{ "format", CONF_CHOICE, ONE(format), 0, 0, "lines", "lines|xml",
	  false },
	{ "attribute", CONF_TEXT, ONE(attribute), 1,
	  SIZE(source_settings, attribute), "line", NULL, false },
	{ "restart", CONF_CHOICE, ONE(restart), 0, 0, "always",
	  "always|failure|never", false },
	{ "user", CONF_TEXT, ONE(user), 0, SIZE(source_settings, user), "",
	  NULL, false },
	{ "when", CONF_CHOICE, ONE(when), 0, 0, "always", "always|subscribed",
	  false },
	{ "rate", CONF_UINT, ONE(rate), 1, 1000000, "1000", NULL, false },
	{ "silence", CONF_UINT, ONE(silence), 0, DAY, "0", NULL, false },
	{ NULL, CONF_IGNORED, 0, 0, 0, NULL, NULL, false }
};

struct reader {
	struct settings *settings;
	uint32_t given;			/* bits: the rows of settings_keys */
	const char *file;
	struct buf *report;
	bool failed;
};

/* -- lines -------------------------------------------------------------- */

static int row_of(const struct conf_key *table, const char *name)
{
	int i;

	for (i = 0; table[i].name; i++)
		if (strcmp(table[i].name, name) == 0)
			return i;
	return -1;
}

/* Sets the row of that key, once. */
static void assign(struct conf_place *at, const struct conf_key *table,
		   void *target, uint32_t *given, const char *name,
		   const char *key, const char *value)
{
	int row = row_of(table, key);

	if (row < 0) {
		conf_complain(at, "unknown property '%.120s' "
			      "(pushlet-sources(8) lists them)", name);
		return;
	}
	if (*given & 1u << row)
		conf_complain(at, "%.120s is there twice", name);
	*given |= 1u << row;
	conf_assign(&table[row], target, name, value, at);
}

/* The source of that name, made if there is none; NULL after complaining. */
static struct source_settings *source_of(struct settings *s,
					 struct conf_place *at,
					 const char *name, size_t n)
{
	struct source_settings *list, *one;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strlen(s->sources[i].name) == n &&
		    memcmp(s->sources[i].name, name, n) == 0)
			return &s->sources[i];
	if (s->n == SOURCES_MAX) {
		conf_complain(at, "more than %d sources", SOURCES_MAX);
		return NULL;
	}
	list = realloc(s->sources, (s->n + 1) * sizeof(*list));
	if (!list) {
		conf_complain(at, "out of memory");
		return NULL;
	}
	s->sources = list;
	one = &list[s->n++];
	memset(one, 0, sizeof(*one));
	memcpy(one->name, name, n);
	one->line = conf_line(at);
	conf_defaults(source_keys, one);
	return one;
}

static void take_source(struct reader *r, struct conf_place *at,
			const char *name, const char *value)
{
	const char *own = name + strlen(SOURCE_PREFIX);
	size_t n = strspn(own, NAME_LETTERS);
	struct source_settings *one;

	if (n == 0 || n >= SOURCE_NAME_SIZE || own[n] != '.') {
		conf_complain(at, "'%.120s' must be source.NAME.PROPERTY, with "
			      "a NAME of 1 to %d letters, digits, '_', '-'",
			      name, SOURCE_NAME_SIZE - 1);
		return;
	}
	one = source_of(r->settings, at, own, n);
	if (one)
		assign(at, source_keys, one, &one->given, name, own + n + 1,
		       value);
}

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void take(void *arg, struct conf_place *at, const char *name,
		 const char *value)
{
	struct reader *r = arg;

	if (begins(name, SOURCE_PREFIX))
		take_source(r, at, name, value);
	else if (begins(name, SOURCES_PREFIX))
		assign(at, settings_keys, r->settings, &r->given, name,
		       name + strlen(SOURCES_PREFIX), value);
	else if (begins(name, "source"))
		conf_complain(at, "'%.60s' names a class, as for the original "
			      "server; here a source is a command: "
			      "source.NAME.command, source.NAME.subject "
			      "(pushlet-upgrading(7))", name);
	else
		conf_complain(at, "unknown property '%.120s' "
			      "(pushlet-sources(8) lists them)", name);
}

/* -- the whole ---------------------------------------------------------- */

/* Of a source, at the line where it begins. */
__attribute__((format(printf, 3, 4)))
static void refuse(struct reader *r, const struct source_settings *one,
		   const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(r->report, "%s:%u: source.%s%s\n", r->file, one->line,
		   one->name, text);
	r->failed = true;
}

static bool given(const struct source_settings *one, const char *key)
{
	int row = row_of(source_keys, key);

	return row >= 0 && (one->given >> row & 1u);
}

static void check_subject(struct reader *r, const struct source_settings *one)
{
	const char *subject = one->subject;

	if (!utf8_valid(subject, strlen(subject)))
		refuse(r, one, ".subject is not UTF-8");
	else if (begins(subject, "/meta") && (!subject[5] || subject[5] == '/'))
		refuse(r, one, ".subject: /meta and all below it are the "
		       "server's own");
	else if (!*subject && one->when == WHEN_SUBSCRIBED)
		refuse(r, one, " has no subject: when=subscribed needs one");
	else if (!*subject && one->format == FORMAT_LINES)
		refuse(r, one, " has no subject, which format=lines needs");
}

static void check_attribute(struct reader *r,
			    const struct source_settings *one)
{
	const char *name = one->attribute;

	if (one->format == FORMAT_XML && given(one, "attribute"))
		refuse(r, one, ".attribute: with format=xml the attributes are "
		       "those of the elements");
	else if (!event_name_valid(name, strlen(name)) || begins(name, "p_"))
		refuse(r, one, ".attribute must be an XML name without ':' "
		       "that does not begin with p_, not '%.40s'", name);
}

static void check_user(struct reader *r, const struct source_settings *one)
{
	const struct passwd *user;

	if (!*one->user)
		return;
	user = getpwnam(one->user);
	if (!user)
		refuse(r, one, ".user: there is no user '%s'", one->user);
	else if (geteuid() != 0 && user->pw_uid != geteuid())
		refuse(r, one, ".user: only root can run it as '%s'",
		       one->user);
}

static void check_source(struct reader *r, const struct source_settings *one)
{
	if (!*one->command)
		refuse(r, one, " has no command");
	check_subject(r, one);
	check_attribute(r, one);
	check_user(r, one);
}

static void check(struct reader *r)
{
	const struct settings *s = r->settings;
	size_t i;

	for (i = 0; i < s->n; i++)
		check_source(r, &s->sources[i]);
	if (s->restart_min > s->restart_max) {
		buf_printf(r->report, "%s: sources.restart.min is more than "
			   "sources.restart.max\n", r->file);
		r->failed = true;
	}
	if (*s->segment && (s->segment[0] != '/' || !s->segment[1] ||
			    strchr(s->segment + 1, '/'))) {
		buf_printf(r->report, "%s: sources.segment must be '/' and a "
			   "name without another '/', not '%s'\n", r->file,
			   s->segment);
		r->failed = true;
	}
}

int settings_read(struct settings *out, const char *file, struct buf *report)
{
	struct reader r = { .settings = out, .file = file, .report = report };
	int rc;

	memset(out, 0, sizeof(*out));
	conf_defaults(settings_keys, out);
	rc = conf_each(file, take, &r, report);
	if (rc == 0)
		check(&r);
	if (rc == 0 && !r.failed)
		return 0;
	settings_release(out);
	errno = EINVAL;
	return -1;
}

void settings_release(struct settings *s)
{
	free(s->sources);
	memset(s, 0, sizeof(*s));
}

bool source_settings_same(const struct source_settings *a,
			  const struct source_settings *b)
{
	const struct conf_key *key;

	for (key = source_keys; key->name; key++)
		if (!conf_value_same(key, a, b))
			return false;
	return strcmp(a->name, b->name) == 0;
}

const struct source_settings *settings_find(const struct settings *s,
					    const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->sources[i].name, name) == 0)
			return &s->sources[i];
	return NULL;
}
