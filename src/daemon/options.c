/* SPDX-License-Identifier: MIT */
/*
 * options.c - getopt(3)
 */
#include "daemon/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, THREADS_MAX = 256, WORKERS_MAX = 64 };

static const char usage[] =
	"usage: pushletd [-fhvV] [-c FILE] [-m MODE] [-n NAME] "
	"[-o KEY=VALUE]...\n"
	"                [-r ADDRESS] [-s ADDRESS] [-t THREADS] [-w WORKERS]\n";

static const char help[] =
	"Serves the Pushlet protocol over FastCGI.\n"
	"\n"
	"  -c FILE       properties (default: $PUSHLET_CONF, or\n"
	"                " SYSCONFDIR "/pushlet/pushlet.properties)\n"
	"  -f            stay in the foreground (so does an inherited socket)\n"
	"  -h            show this help\n"
	"  -m MODE       octal mode of unix sockets made with -r or -s (0660)\n"
	"  -n NAME       shared memory segment (property shm.name)\n"
	"  -o KEY=VALUE  set a property over the file's; may be repeated\n"
	"  -r ADDRESS    take connections from pushlet-relay at unix:/PATH, too;\n"
	"                then there need be no other socket\n"
	"  -s ADDRESS    listen on unix:/PATH or HOST:PORT; without it the\n"
	"                listening socket is standard input, as mod_fcgid,\n"
	"                spawn-fcgi, lighttpd and systemd pass it\n"
	"  -t THREADS    threads that serve requests (4; 1 under mod_fcgid)\n"
	"  -v            log what is done for each request\n"
	"  -V            show the version\n"
	"  -w WORKERS    processes, kept alive by a master (0: none, no "
	"master)\n"
	"\n"
	"SIGTERM ends all open channels so that their clients come back, and\n"
	"leaves the segment; SIGHUP rereads the properties.  See pushletd(8).\n";

static enum options_result wrong(void)
{
	fputs(usage, stderr);
	fputs("Try 'pushletd -h'.\n", stderr);
	return OPTIONS_WRONG;
}

/* A whole number within bounds, in the given base. */
static int number(const char *text, int base, unsigned min, unsigned max,
		  char option, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, base);

	if (*text < '0' || *text > '9' || *end || n < min || n > max) {
		fprintf(stderr, base == 8 ?
			"pushletd: -%c %s: must be an octal number from %o to "
			"%o\n" :
			"pushletd: -%c %s: must be a number from %u to %u\n",
			option, text, min, max);
		return -1;
	}
	*out = (unsigned)n;
	return 0;
}

static int take(struct options *o, int option, const char *arg)
{
	switch (option) {
	case 'c':
		o->overrides.file = arg;
		return 0;
	case 'f':
		o->foreground = true;
		return 0;
	case 'm':
		return number(arg, 8, 0, 0777, 'm', &o->mode);
	case 'n':
		o->overrides.name = arg;
		return 0;
	case 'o':
		return overrides_add(&o->overrides, arg, "pushletd");
	case 'r':
		o->relay = arg;
		return 0;
	case 's':
		o->address = arg;
		return 0;
	case 't':
		return number(arg, 10, 1, THREADS_MAX, 't', &o->threads);
	case 'v':
		o->overrides.verbose = true;
		return 0;
	case 'w':
		return number(arg, 10, 0, WORKERS_MAX, 'w', &o->workers);
	default:
		return -1;
	}
}

enum options_result options_read(struct options *o, int argc, char **argv)
{
	int option;

	memset(o, 0, sizeof(*o));
	o->mode = 0660;
	o->threads = THREADS;
	while ((option = getopt(argc, argv, "c:fhm:n:o:r:s:t:vVw:")) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			fputs(help, stdout);
			return OPTIONS_EXIT;
		}
		if (option == 'V') {
			puts("pushletd " PUSHLET_VERSION);
			return OPTIONS_EXIT;
		}
		if (take(o, option, optarg) < 0)
			return wrong();
	}
	if (optind < argc) {
		fprintf(stderr, "pushletd: unexpected argument '%s'\n",
			argv[optind]);
		return wrong();
	}
	return OPTIONS_GO;
}
