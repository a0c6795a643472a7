/* SPDX-License-Identifier: MIT */
/*
 * fields.c - the fields of one request, whatever they came in as
 */
#include "command/fields.h"

#include <string.h>

static struct fields_used *used_by(struct fields *f, const char *name)
{
	return strncmp(name, "p_", 2) == 0 ? &f->protocol : &f->app;
}

static void count(struct fields_used *used, size_t name_len, size_t value_len)
{
	used->count++;
	used->bytes += ATTR_EXTRA + name_len + value_len;
}

void fields_begin(struct fields *f, struct event *e,
		  const struct event_limits *limits, struct refusal *why)
{
	const char *pos = buf_str(&e->packed), *end = pos + e->packed.len;
	struct attr a;

	*f = (struct fields){ .e = e, .limits = limits, .why = why };
	while (attr_next(&pos, end, &a))
		count(used_by(f, a.name), a.name_len, a.value_len);
}

static int check_name(const char *name, size_t len, struct refusal *why)
{
	char quote[64];

	if (event_name_valid(name, len))
		return 0;
	return refuse(why, 200, "attribute name '%s' is not an XML name, or "
		      "reserved", refusal_quote(quote, name));
}

static int check_limits(struct fields *f, const char *name, size_t need,
			struct refusal *why)
{
	const struct fields_used *used = used_by(f, name);
	const char *kind = used == &f->app ? "" : " that begin with p_";

	if (used->count >= f->limits->attributes)
		return refuse(why, 200, "more than %u attributes%s "
			      "(event.max.attributes)", f->limits->attributes,
			      kind);
	if (need > f->limits->bytes || used->bytes > f->limits->bytes - need)
		return refuse(why, 200, "more than %zu bytes of "
			      "attributes%s (event.max.bytes)",
			      f->limits->bytes, kind);
	return 0;
}

/* The first refusal is the one that is told. */
static int keep_refusal(struct fields *f, const struct refusal *why)
{
	if (!f->refused)
		*f->why = *why;
	f->refused = true;
	return 0;
}

int fields_add(struct fields *f, const char *name, const char *value,
	       size_t value_len)
{
	struct refusal why;
	size_t len = strlen(name);

	if (f->refused && used_by(f, name) == &f->app)
		return 0;
	if (check_name(name, len, &why) != 0)
		return keep_refusal(f, &why);
	if (event_get(f->e, name))
		return 0;
	if (check_limits(f, name, ATTR_EXTRA + len + value_len, &why) != 0)
		return keep_refusal(f, &why);
	if (event_add_n(f->e, name, len, value, value_len) != 0)
		return refuse(f->why, 500, "out of memory");
	count(used_by(f, name), len, value_len);
	return 0;
}

int fields_end(const struct fields *f)
{
	return f->refused ? -1 : 0;
}
