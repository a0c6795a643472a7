/* SPDX-License-Identifier: MIT */
/*
 * overrides.c - defaults, file, -o, -n, -v: later ones override earlier ones
 */
#include "broker/overrides.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

int overrides_add(struct overrides *v, const char *pair, const char *program)
{
	if (v->count == OVERRIDES_MAX) {
		fprintf(stderr, "%s: -o may be given %d times; use a file\n",
			program, OVERRIDES_MAX);
		return -1;
	}
	v->pairs[v->count++] = pair;
	return 0;
}

static int set_name(struct properties *p, const char *name,
		    struct buf *report)
{
	struct buf pair = BUF_INIT;
	int rc;

	buf_printf(&pair, "shm.name=%s", name);
	rc = conf_set(properties_table, p, buf_str(&pair), "-n", report);
	buf_release(&pair);
	return rc;
}

static int read_all(const struct overrides *v, struct properties *p,
		    struct buf *report)
{
	const char *file = v->file ? v->file : properties_file();
	unsigned i;

	if (file && properties_read(p, file, report) < 0)
		return -1;
	for (i = 0; i < v->count; i++)
		if (properties_set(p, v->pairs[i], report) < 0)
			return -1;
	if (v->name && set_name(p, v->name, report) < 0)
		return -1;
	return properties_check(p, "-o", report);
}

int overrides_read(const struct overrides *v, struct properties *out)
{
	struct buf report = BUF_INIT;
	int rc;

	properties_defaults(out);
	rc = read_all(v, out, &report);
	if (rc == 0 && v->verbose && out->log_level < LOG_LEVEL_DEBUG)
		out->log_level = LOG_LEVEL_DEBUG;
	log_report(rc < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, &report);
	return rc;
}
