/* SPDX-License-Identifier: MIT */
/*
 * pushlet-sources.c - runs the commands a file names, publishes what they print
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sources/keeper.h"

#define PROGRAM "pushlet-sources"

static const char usage[] =
"usage: pushlet-sources [options]\n"
"\n"
"Runs the commands that a properties file names, and publishes each line or\n"
"XML element that they print.\n"
"\n"
"  -c, --config FILE  the sources (default: $PUSHLET_SOURCES, or\n"
"                     " SYSCONFDIR "/pushlet/sources.properties)\n"
"  -h, --help         this text\n"
"  -n, --name NAME    name of the segment, over that of the file\n"
"  -t, --test         check the file and exit: 0 it is fine, 1 it is not\n"
"  -V, --version      print the version\n"
"\n"
"SIGTERM stops the sources, the last of the file first; SIGHUP rereads the\n"
"file.  See pushlet-sources(8).\n";

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "name", required_argument, NULL, 'n' },
	{ "test", no_argument, NULL, 't' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

enum step { GO_ON, DONE, WRONG };

static enum step show(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) ? WRONG : DONE;
}

static enum step take_name(struct keeper_options *o, const char *name)
{
	size_t n = strlen(name);

	o->segment = name;
	if (n >= 2 && n < SEGMENT_NAME_MAX && *name == '/' &&
	    !strchr(name + 1, '/'))
		return GO_ON;
	log_error("-n: the name of a segment must be '/' and 1 to %d "
		  "characters without another '/', not '%s'",
		  SEGMENT_NAME_MAX - 2, name);
	return WRONG;
}

static enum step take_option(struct keeper_options *o, int option,
			     bool *test_out)
{
	switch (option) {
	case 'c':
		o->file = optarg;
		return GO_ON;
	case 'h':
		return show(usage);
	case 'n':
		return take_name(o, optarg);
	case 't':
		*test_out = true;
		return GO_ON;
	case 'V':
		return show(PROGRAM " " PUSHLET_VERSION "\n");
	default:		/* getopt_long() has complained */
		return WRONG;
	}
}

static enum step read_arguments(struct keeper_options *o, int argc,
				char **argv, bool *test_out)
{
	enum step step = GO_ON;
	int option;

	while (step == GO_ON &&
	       (option = getopt_long(argc, argv, "c:hn:tV", longs,
				     NULL)) != -1)
		step = take_option(o, option, test_out);
	if (step == GO_ON && optind < argc) {
		log_error("unexpected argument '%s'", argv[optind]);
		step = WRONG;
	}
	if (step == WRONG)
		fputs("Try '" PROGRAM " -h'.\n", stderr);
	return step;
}

static const char *default_file(void)
{
	const char *named = getenv("PUSHLET_SOURCES");

	return named && *named ? named :
				 SYSCONFDIR "/pushlet/sources.properties";
}

int main(int argc, char **argv)
{
	struct keeper_options options = { .file = default_file() };
	struct settings settings;
	bool test = false;

	log_init(PROGRAM, LOG_LEVEL_INFO);
	switch (read_arguments(&options, argc, argv, &test)) {
	case DONE:
		return EXIT_SUCCESS;
	case WRONG:
		return EXIT_FAILURE;
	case GO_ON:
		break;
	}
	if (keeper_read(&options, &settings) < 0)
		return EXIT_FAILURE;
	if (!test)
		return keeper_run(&options, &settings);
	log_info("%s: %zu source%s", options.file, settings.n,
		 settings.n == 1 ? "" : "s");
	settings_release(&settings);
	return EXIT_SUCCESS;
}
