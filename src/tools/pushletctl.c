/* SPDX-License-Identifier: MIT */
/*
 * pushletctl.c - looks into a segment, steers it, removes it
 *
 * verbs[] is the one table of commands; what is refused of a command line, and
 * why, follows from it.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/ctl.h"

#define PROGRAM "pushletctl"

static const char usage[] =
"usage: pushletctl [options] COMMAND\n"
"\n"
"  status             what is in the segment, how fast, how near the limits\n"
"  sessions           a line for each session\n"
"  show HANDLE        all that is known of one session\n"
"  subjects           what is subscribed to, and by how many sessions\n"
"  top                status and sessions, again every second; keys: q, sort by\n"
"                     u queued, d delivered, l lost, / filter by subject\n"
"  watch SUBJECT      print its events as they pass, until interrupted\n"
"  check              verify every invariant, change nothing\n"
"  repair             make all that is derived anew, as after a crash\n"
"  kick HANDLE [REASON]\n"
"                     abort a session; its client is told the reason\n"
"  drain [SECONDS]    send all clients away, spread over so long (10), to come\n"
"                     back at once\n"
"  metrics            the same numbers as status, for Prometheus\n"
"  doctor URL         ask through the web server: does it buffer, cut, drop?\n"
"  destroy            end all sessions and remove the segment\n"
"\n"
"  -c, --config FILE  properties file, for shm.name\n"
"      --force        destroy it though it is in use or damaged\n"
"  -h, --help         this text\n"
"      --json         for programs\n"
"  -n, --name NAME    name of the segment (/pushlet)\n"
"      --seconds N    how long doctor listens (25)\n"
"      --subject S    only sessions that get events of subject S\n"
"  -V, --version      print the version\n"
"\n"
"Exit status: 0 done, 1 wrong usage, no such session, broken, in use, or\n"
"something found by doctor, 2 no segment, 3 no permission, 4 other failure.\n";

enum { OPT_FORCE = 256, OPT_JSON, OPT_SECONDS, OPT_SUBJECT };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "name", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "subject", required_argument, NULL, OPT_SUBJECT },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* The options that only some commands have. */
enum { JSON = 1, FORCE = 2, SUBJECT = 4, SECONDS = 8 };

struct verb {
	const char *name;
	const char *words;		/* what must follow it, or "" */
	unsigned least, most;		/* how many words may */
	unsigned options;
	/* NULL: it opens the segment itself, or none */
	enum tool_exit (*run)(struct broker *b, const struct ctl_request *q);
};

static const struct verb verbs[] = {
	{ "status", "", 0, 0, JSON, ctl_status },
	{ "sessions", "", 0, 0, JSON | SUBJECT, ctl_sessions },
	{ "show", " HANDLE", 1, 1, JSON, ctl_show },
	{ "subjects", "", 0, 0, JSON, ctl_subjects },
	{ "top", "", 0, 0, SUBJECT, ctl_top },
	{ "watch", " SUBJECT", 1, 1, JSON, ctl_watch },
	{ "check", "", 0, 0, JSON, ctl_check },
	{ "repair", "", 0, 0, JSON, ctl_repair },
	{ "kick", " HANDLE [REASON]", 1, 2, JSON, ctl_kick },
	{ "drain", " [SECONDS]", 0, 1, JSON, ctl_drain },
	{ "metrics", "", 0, 0, 0, ctl_metrics },
	{ "doctor", " URL", 1, 1, JSON | SECONDS, NULL },
	{ "destroy", "", 0, 0, FORCE, NULL },
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

struct arguments {
	const char *config, *name;
	const struct verb *verb;
	struct ctl_request request;
};

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
	case 'V':
		*done_out = true;
		return puts(PROGRAM " " PUSHLET_VERSION) < 0 || fflush(stdout) ?
			       -1 : 0;
	case OPT_FORCE:
		a->request.force = true;
		return 0;
	case OPT_JSON:
		a->request.json = true;
		return 0;
	case OPT_SECONDS:
		a->request.seconds = optarg;
		return 0;
	case OPT_SUBJECT:
		a->request.subject = optarg;
		return 0;
	default:		/* getopt_long() has complained */
		return -1;
	}
}

/* The names of the commands that have one of these options (0: of all), as
 * "a, b and c". */
static void add_names(struct buf *out, unsigned options, const char *and)
{
	const char *last = NULL;
	int i;

	for (i = 0; i < VERBS; i++) {
		if (options && !(verbs[i].options & options))
			continue;
		if (last)
			buf_printf(out, "%s%s", out->len ? ", " : "", last);
		last = verbs[i].name;
	}
	buf_printf(out, "%s%s", out->len ? and : "", last);
}

static int refuse_verb(const char *word)
{
	struct buf names = BUF_INIT;

	add_names(&names, 0, " or ");
	if (word)
		complain("'%s' is no command: %s", word, buf_str(&names));
	else
		complain("there is no command: %s", buf_str(&names));
	buf_release(&names);
	return -1;
}

static int take_words(struct arguments *a, unsigned n, char **words)
{
	const struct verb *v = a->verb;
	unsigned i;

	if (n < v->least) {
		complain("%s needs%s", v->name, v->words);
		return -1;
	}
	if (n > v->most) {
		complain("'%s' is too much: %s%s is all", words[v->most],
			 v->name, v->words);
		return -1;
	}
	for (i = 0; i < n; i++)
		a->request.words[i] = words[i];
	return 0;
}

static int parse_verb(struct arguments *a, int n, char **words)
{
	int i;

	if (n == 0)
		return refuse_verb(NULL);
	for (i = 0; i < VERBS && strcmp(words[0], verbs[i].name) != 0; i++)
		;
	if (i == VERBS)
		return refuse_verb(words[0]);
	a->verb = &verbs[i];
	return take_words(a, (unsigned)n - 1, words + 1);
}

/* An option that was given must be one of the command's. */
static int check_option(const struct arguments *a, bool given,
			unsigned option, const char *name)
{
	struct buf names = BUF_INIT;

	if (!given || a->verb->options & option)
		return 0;
	add_names(&names, option, " and ");
	complain("%s goes with %s only", name, buf_str(&names));
	buf_release(&names);
	return -1;
}

static int check_options(const struct arguments *a)
{
	const struct ctl_request *q = &a->request;

	return check_option(a, q->json, JSON, "--json") ||
	       check_option(a, q->force, FORCE, "--force") ||
	       check_option(a, q->seconds, SECONDS, "--seconds") ||
	       check_option(a, q->subject, SUBJECT, "--subject") ? -1 : 0;
}

static int parse(struct arguments *a, int argc, char **argv, bool *done_out)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:hn:V", longs, NULL)) != -1)
		if (take_option(a, option, done_out) != 0 || *done_out)
			return *done_out ? 0 : -1;
	if (parse_verb(a, argc - optind, argv + optind) != 0)
		return -1;
	return check_options(a);
}

static enum tool_exit look(const struct arguments *a,
			   const struct properties *p)
{
	struct buf report = BUF_INIT;
	enum segment_status opened;
	enum tool_exit status;
	struct broker *b;

	opened = broker_open(&b, p, false, &report);
	buf_release(&report);
	if (opened != SEGMENT_OK) {
		complain("%s: %s", p->shm_name, segment_explain(opened));
		return a->verb->run == ctl_check && opened == SEGMENT_DAMAGED ?
			       TOOL_BAD : tool_exit_of(opened);
	}
	status = a->verb->run(b, &a->request);
	broker_close(&b);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments a = { .config = NULL };
	struct properties p;
	bool done = false;

	log_init(PROGRAM, LOG_LEVEL_INFO);
	if (parse(&a, argc, argv, &done) != 0)
		return tool_usage(PROGRAM);
	if (done)
		return TOOL_OK;
	if (a.verb->options & SECONDS)	/* what it asks is elsewhere */
		return ctl_doctor(&a.request);
	if (tool_properties(&p, a.config, a.name) != 0)
		return TOOL_BAD;
	return a.verb->run ? look(&a, &p) : ctl_destroy(&p, a.request.force);
}
