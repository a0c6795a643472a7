/* SPDX-License-Identifier: MIT */
/*
 * pushletctl.c - looks into a segment, checks it, removes it
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/ctl.h"

#define PROGRAM "pushletctl"

static const char usage[] =
"usage: pushletctl [options] status|sessions [--json]\n"
"       pushletctl [options] check\n"
"       pushletctl [options] destroy [--force]\n"
"\n"
"  status    how large the segment is, how that is spent, what is in it\n"
"  sessions  a line for each session\n"
"  check     verify every invariant, change nothing\n"
"  destroy   end all sessions and remove the segment\n"
"\n"
"  -c, --config FILE  properties file, for shm.name\n"
"      --force        destroy it though it is in use or damaged\n"
"  -h, --help         this text\n"
"      --json         for programs\n"
"  -n, --name NAME    name of the segment (/pushlet)\n"
"  -V, --version      print the version\n"
"\n"
"Exit status: 0 done, 1 wrong usage, broken or in use, 2 no segment,\n"
"3 no permission, 4 other failure.\n";

enum { OPT_FORCE = 256, OPT_JSON };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "name", required_argument, NULL, 'n' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

enum verb { STATUS, SESSIONS, CHECK, DESTROY, VERBS };

static const char *const verbs[] = { "status", "sessions", "check",
				     "destroy" };

struct arguments {
	const char *config, *name;
	bool force, json;
	enum verb verb;
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
		a->force = true;
		return 0;
	case OPT_JSON:
		a->json = true;
		return 0;
	default:		/* getopt_long() has complained */
		return -1;
	}
}

static int parse_verb(struct arguments *a, int n, char **words)
{
	if (n == 0) {
		complain("there is no command: status, sessions, check or "
			 "destroy");
		return -1;
	}
	if (n > 1) {
		complain("'%s': there is one command only", words[1]);
		return -1;
	}
	for (a->verb = STATUS; a->verb < VERBS; a->verb++)
		if (strcmp(words[0], verbs[a->verb]) == 0)
			return 0;
	complain("'%s' is no command: status, sessions, check or destroy",
		 words[0]);
	return -1;
}

static int check_options(const struct arguments *a)
{
	if (a->json && a->verb != STATUS && a->verb != SESSIONS)
		complain("--json goes with status and sessions only");
	else if (a->force && a->verb != DESTROY)
		complain("--force goes with destroy only");
	else
		return 0;
	return -1;
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

enum tool_exit ctl_check(struct broker *b)
{
	struct buf out = BUF_INIT;
	int broken = broker_check(b, &out);
	enum tool_exit status;

	if (broken == 0)
		buf_puts(&out, "all invariants hold\n");
	else
		buf_printf(&out, "%d broken\n", broken);
	status = tool_print(&out);
	buf_release(&out);
	return broken ? TOOL_BAD : status;
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
		return a->verb == CHECK && opened == SEGMENT_DAMAGED ?
			       TOOL_BAD : tool_exit_of(opened);
	}
	if (a->verb == STATUS)
		status = ctl_status(b, a->json);
	else if (a->verb == SESSIONS)
		status = ctl_sessions(b, a->json);
	else
		status = ctl_check(b);
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
	if (tool_properties(&p, a.config, a.name) != 0)
		return TOOL_BAD;
	return a.verb == DESTROY ? ctl_destroy(&p, a.force) : look(&a, &p);
}
