/* SPDX-License-Identifier: MIT */
/*
 * pushlet-publish.c - publishes events from the command line
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tools/publish.h"

#define PROGRAM "pushlet-publish"
#define WAIT_MAX 86400

static const char usage[] =
"usage: pushlet-publish [options] SUBJECT [NAME=VALUE ...]\n"
"       pushlet-publish [options] --lines ATTR SUBJECT [NAME=VALUE ...]\n"
"       pushlet-publish [options] --xml [SUBJECT]\n"
"\n"
"Publishes one event; or one for each line of standard input, the line as the\n"
"attribute ATTR; or one for each XML element there, like\n"
"<event p_subject=\"/weather\" city=\"Oslo\"/>.\n"
"\n"
"  -c, --config FILE   properties file, for shm.name\n"
"  -h, --help          this text\n"
"      --lines ATTR    events from lines\n"
"  -n, --name NAME     name of the segment (/pushlet)\n"
"      --pace          wait for slow receivers, a little, before each event\n"
"  -t, --to ID         to the session with this handle or id only\n"
"  -v, --verbose       report each event on standard output\n"
"  -V, --version       print the version\n"
"  -w, --wait SECONDS  wait so long for a segment to be there\n"
"      --xml           events from XML elements\n"
"\n"
"Exit status: 0 published, 1 wrong usage or input, 2 no segment,\n"
"3 no permission, 4 other failure.\n";

enum { OPT_LINES = 256, OPT_PACE, OPT_XML };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "lines", required_argument, NULL, OPT_LINES },
	{ "name", required_argument, NULL, 'n' },
	{ "pace", no_argument, NULL, OPT_PACE },
	{ "to", required_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "wait", required_argument, NULL, 'w' },
	{ "xml", no_argument, NULL, OPT_XML },
	{ NULL, 0, NULL, 0 }
};

struct arguments {
	const char *config, *name, *to;
	const char *lines;		/* ATTR of --lines */
	bool xml, verbose, paced;
	int64_t wait;			/* ms */
	char **words;			/* SUBJECT NAME=VALUE ... */
	int count;
	struct pushlet_attribute *attributes;
	size_t n;
};

static int parse_wait(const char *text, int64_t *ms_out)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n > WAIT_MAX) {
		complain("--wait: it must be seconds from 0 to %d, not '%s'",
			 WAIT_MAX, text);
		return -1;
	}
	*ms_out = (int64_t)n * 1000;
	return 0;
}

/* 0, or -1 after having complained; *done_out: nothing is left to do. */
static int take_option(struct arguments *a, int option, bool *done_out)
{
	switch (option) {
	case 'c':
		a->config = optarg;
		return 0;
	case 'h':
		*done_out = true;
		return fputs(usage, stdout) < 0 || fflush(stdout) ? -1 : 0;
	case 'n':
		a->name = optarg;
		return 0;
	case 't':
		a->to = optarg;
		return 0;
	case 'v':
		a->verbose = true;
		return 0;
	case 'V':
		*done_out = true;
		return puts(PROGRAM " " PUSHLET_VERSION) < 0 || fflush(stdout) ?
			       -1 : 0;
	case 'w':
		return parse_wait(optarg, &a->wait);
	case OPT_LINES:
		a->lines = optarg;
		return 0;
	case OPT_PACE:
		a->paced = true;
		return 0;
	case OPT_XML:
		a->xml = true;
		return 0;
	default:		/* getopt_long() has complained */
		return -1;
	}
}

static int parse_options(struct arguments *a, int argc, char **argv,
			 bool *done_out)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:hn:t:vVw:", longs,
				     NULL)) != -1)
		if (take_option(a, option, done_out) != 0 || *done_out)
			return *done_out ? 0 : -1;
	a->words = argv + optind;
	a->count = argc - optind;
	return 0;
}

/* -- the event ---------------------------------------------------------- */

static int check_name(const struct arguments *a, const char *name)
{
	size_t i;

	if (!event_name_valid(name, strlen(name))) {
		complain("'%s' is no name of an attribute: it must be an XML "
			 "name without ':', and not xmlns", name);
		return -1;
	}
	if (strncmp(name, "p_", 2) == 0) {
		complain("'%s': names that begin with p_ belong to the "
			 "protocol", name);
		return -1;
	}
	for (i = 0; i < a->n; i++) {
		if (strcmp(a->attributes[i].name, name) == 0) {
			complain("the attribute '%s' is there twice", name);
			return -1;
		}
	}
	return 0;
}

static int add_attribute(struct arguments *a, const char *name,
			 const char *value)
{
	if (check_name(a, name) != 0)
		return -1;
	if (!utf8_valid(value, strlen(value))) {
		complain("the value of '%s' is not UTF-8", name);
		return -1;
	}
	a->attributes[a->n].name = name;
	a->attributes[a->n++].value = value;
	return 0;
}

static int add_word(struct arguments *a, char *word)
{
	char *equals = strchr(word, '=');

	if (!equals) {
		complain("'%s' has no '=': attributes are NAME=VALUE", word);
		return -1;
	}
	*equals = '\0';
	return add_attribute(a, word, equals + 1);
}

/* The attributes of every event; that of --lines comes first. */
static int parse_words(struct arguments *a)
{
	int i;

	a->attributes = calloc((size_t)a->count + 1, sizeof(*a->attributes));
	if (!a->attributes) {
		complain("out of memory");
		return -1;
	}
	if (a->lines && add_attribute(a, a->lines, "") != 0)
		return -1;
	for (i = 1; i < a->count; i++)
		if (add_word(a, a->words[i]) != 0)
			return -1;
	return 0;
}

static int check_words(const struct arguments *a)
{
	if (a->xml && a->lines)
		complain("--lines and --xml exclude each other");
	else if (a->xml && a->count > 1)
		complain("'%s': with --xml the attributes are those of the "
			 "elements", a->words[1]);
	else if (a->paced && !a->xml && !a->lines)
		complain("--pace is for --lines or --xml: one event waits for "
			 "nobody");
	else if (!a->xml && a->count == 0)
		complain("there is no SUBJECT");
	else
		return 0;
	return -1;
}

/* -- running ------------------------------------------------------------ */

static void publish_all(struct outlet *o, struct arguments *a)
{
	struct outgoing event = {
		.subject = a->count ? a->words[0] : NULL,
		.to = a->to,
		.attributes = a->attributes,
		.n = a->n,
	};

	struct feed_calls calls = outlet_calls(o);
	struct feed *feed;

	o->one_subject = !a->xml;
	pushlet_pace(o->pushlet, a->paced);
	if (!a->xml && !a->lines) {
		outlet_publish(o, &event);
		return;
	}
	if (a->xml)
		feed = feed_xml(&calls, event.subject, event.to, false);
	else
		feed = feed_lines(&calls, &event, &a->attributes[0]);
	outlet_run(o, feed);
	feed_free(&feed);
}

static enum tool_exit run(struct arguments *a)
{
	struct outlet o = { .wait = a->wait, .verbose = a->verbose };
	struct properties p;

	if (tool_properties(&p, a->config, a->name) != 0)
		return TOOL_BAD;
	if (outlet_open(&o, p.shm_name))
		publish_all(&o, a);
	return outlet_close(&o);
}

int main(int argc, char **argv)
{
	struct arguments a = { .config = NULL };
	enum tool_exit status = TOOL_BAD;
	bool done = false;

	log_init(PROGRAM, LOG_LEVEL_INFO);
	/* Who reads our reports may go; what is published must not. */
	signal(SIGPIPE, SIG_IGN);
	if (parse_options(&a, argc, argv, &done) != 0)
		return tool_usage(PROGRAM);
	if (done)
		return TOOL_OK;
	if (check_words(&a) != 0)
		return tool_usage(PROGRAM);
	if (parse_words(&a) == 0)
		status = run(&a);
	free(a.attributes);
	return status;
}
