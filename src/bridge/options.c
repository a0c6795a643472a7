/* SPDX-License-Identifier: MIT */
/*
 * options.c - getopt(3) and the order in which settings override each other
 */
#include "bridge/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const char usage[] =
	"usage: pushlet-bridge [-hvV] [-c FILE] [-n NAME] [-o KEY=VALUE]...\n";

static const char help[] =
	"Carries events between a segment and those of other machines, by Redis.\n"
	"\n"
	"  -c FILE       properties (default: $PUSHLET_CONF, or\n"
	"                " SYSCONFDIR "/pushlet/pushlet.properties)\n"
	"  -h            show this help\n"
	"  -n NAME       shared memory segment (property shm.name)\n"
	"  -o KEY=VALUE  set a property over the file's; may be repeated\n"
	"  -v            log more\n"
	"  -V            show the version\n"
	"\n"
	"SIGTERM ends it, SIGHUP rereads the properties.  See pushlet-bridge(8).\n";

static enum options_result wrong(void)
{
	fputs(usage, stderr);
	fputs("Try 'pushlet-bridge -h'.\n", stderr);
	return OPTIONS_WRONG;
}

static int add_override(struct options *o, const char *pair)
{
	if (o->overrides_count == OVERRIDES_MAX) {
		fprintf(stderr, "pushlet-bridge: -o may be given %d times; use "
			"a file\n", OVERRIDES_MAX);
		return -1;
	}
	o->overrides[o->overrides_count++] = pair;
	return 0;
}

static int take(struct options *o, int option, const char *arg)
{
	switch (option) {
	case 'c':
		o->file = arg;
		return 0;
	case 'n':
		o->name = arg;
		return 0;
	case 'o':
		return add_override(o, arg);
	case 'v':
		o->verbose = true;
		return 0;
	default:
		return -1;
	}
}

enum options_result options_read(struct options *o, int argc, char **argv)
{
	int option;

	memset(o, 0, sizeof(*o));
	while ((option = getopt(argc, argv, "c:hn:o:vV")) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			fputs(help, stdout);
			return OPTIONS_EXIT;
		}
		if (option == 'V') {
			puts("pushlet-bridge " PUSHLET_VERSION);
			return OPTIONS_EXIT;
		}
		if (take(o, option, optarg) < 0)
			return wrong();
	}
	if (optind < argc) {
		fprintf(stderr, "pushlet-bridge: unexpected argument '%s'\n",
			argv[optind]);
		return wrong();
	}
	return OPTIONS_GO;
}

static void log_report(const struct buf *report, int failed)
{
	const char *line = buf_str(report), *end;

	for (; *line; line = end + (*end == '\n')) {
		end = line + strcspn(line, "\n");
		log_line(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%.*s",
			 (int)(end - line), line);
	}
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

static int read_all(const struct options *o, struct properties *p,
		    struct buf *report)
{
	const char *file = o->file ? o->file : properties_file();
	unsigned i;

	if (file && properties_read(p, file, report) < 0)
		return -1;
	for (i = 0; i < o->overrides_count; i++)
		if (properties_set(p, o->overrides[i], report) < 0)
			return -1;
	if (o->name && set_name(p, o->name, report) < 0)
		return -1;
	return properties_check(p, "-o", report);
}

int options_properties(const struct options *o, struct properties *p)
{
	struct buf report = BUF_INIT;
	int rc;

	properties_defaults(p);
	rc = read_all(o, p, &report);
	if (rc == 0 && o->verbose && p->log_level < LOG_LEVEL_DEBUG)
		p->log_level = LOG_LEVEL_DEBUG;
	log_report(&report, rc < 0);
	buf_release(&report);
	return rc;
}
