/* SPDX-License-Identifier: MIT */
/*
 * options.c - getopt(3)
 */
#include "bridge/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static int take(struct options *o, int option, const char *arg)
{
	switch (option) {
	case 'c':
		o->overrides.file = arg;
		return 0;
	case 'n':
		o->overrides.name = arg;
		return 0;
	case 'o':
		return overrides_add(&o->overrides, arg, "pushlet-bridge");
	case 'v':
		o->overrides.verbose = true;
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
