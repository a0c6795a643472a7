/* SPDX-License-Identifier: MIT */
/*
 * pushlet-relay.c - what mod_fcgid starts in the place of pushletd
 *
 * mod_fcgid gives a process one request at a time and ends processes as it
 * likes.  This one is small and holds nothing: it passes every connection to
 * a pushletd, where all of them live in one process, and survive this one.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/halt.h"
#include "relay/passing.h"

#define PROGRAM "pushlet-relay"

enum { PATIENCE = 10, PATIENCE_MAX = 600 };	/* seconds */

static const char usage[] =
"usage: pushlet-relay [options] unix:/PATH [-- PUSHLETD [ARGUMENT ...]]\n"
"\n"
"Accepts FastCGI connections on descriptor 0, as mod_fcgid passes it, and hands\n"
"them to the pushletd that listens for relays at /PATH.  If there is none, starts\n"
"PUSHLETD with the ARGUMENTs, and tells it to listen there.\n"
"\n"
"  -h, --help          this text\n"
"  -l, --log FILE      messages of the pushletd that is started; without it\n"
"                      they go where those of the relay go\n"
"  -V, --version       print the version\n"
"  -w, --wait SECONDS  before a request is answered 503 (10)\n";

static const struct option longs[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "log", required_argument, NULL, 'l' },
	{ "version", no_argument, NULL, 'V' },
	{ "wait", required_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 }
};

enum step { GO_ON, DONE, WRONG };

static enum step show(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) ? WRONG : DONE;
}

static enum step take_wait(struct passing *p, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > PATIENCE_MAX) {
		log_error("--wait: it must be seconds from 1 to %d, not '%s'",
			  PATIENCE_MAX, text);
		return WRONG;
	}
	p->patience = (int64_t)n * 1000;
	return GO_ON;
}

static enum step take_option(struct passing *p, int option)
{
	switch (option) {
	case 'h':
		return show(usage);
	case 'l':
		p->starter.log = optarg;
		return GO_ON;
	case 'V':
		return show(PROGRAM " " PUSHLET_VERSION "\n");
	case 'w':
		return take_wait(p, optarg);
	default:		/* getopt_long() has complained */
		return WRONG;
	}
}

static enum step take_address(struct passing *p, const char *text)
{
	const char *path = text + strlen("unix:");

	if (strncmp(text, "unix:/", 6) != 0) {
		log_error("%s: must be unix:/PATH, the socket of pushletd -r",
			  text);
		return WRONG;
	}
	if (strlen(path) >= sizeof(p->address.sun_path)) {
		log_error("%s: a path has at most %zu bytes", text,
			  sizeof(p->address.sun_path) - 1);
		return WRONG;
	}
	p->address.sun_family = AF_UNIX;
	snprintf(p->address.sun_path, sizeof(p->address.sun_path), "%s", path);
	p->starter.socket = p->address.sun_path;
	return GO_ON;
}

/* PUSHLETD and its arguments, and "-r ADDRESS" behind them. */
static enum step take_program(struct passing *p, char **words, size_t n,
			      char *address)
{
	char **program = calloc(n + 3, sizeof(*program));

	if (!program)
		return WRONG;
	if (*words[0] != '/' || access(words[0], X_OK) < 0) {
		log_error("%s: %s", words[0], *words[0] != '/' ?
			  "must be the absolute path of pushletd" :
			  strerror(errno));
		free(program);
		return WRONG;
	}
	memcpy(program, words, n * sizeof(*program));
	program[n] = (char *)"-r";
	program[n + 1] = address;
	p->starter.program = program;
	return GO_ON;
}

static enum step take_words(struct passing *p, char **words, int n)
{
	if (n == 0) {
		log_error("which pushletd?  Name its socket, unix:/PATH");
		return WRONG;
	}
	if (take_address(p, words[0]) != GO_ON)
		return WRONG;
	if (n == 1)
		return GO_ON;
	if (strcmp(words[1], "--") != 0 || n == 2) {
		log_error("only '-- PUSHLETD' and its arguments may follow the "
			  "socket, not '%s'%s", words[1], n == 2 ? " alone" :
			  "");
		return WRONG;
	}
	return take_program(p, words + 2, (size_t)n - 2, words[0]);
}

/* "+": options end at the first word; what follows is for pushletd. */
static enum step read_arguments(struct passing *p, int argc, char **argv)
{
	enum step step = GO_ON;
	int option;

	while (step == GO_ON &&
	       (option = getopt_long(argc, argv, "+hl:Vw:", longs, NULL)) != -1)
		step = take_option(p, option);
	if (step == GO_ON)
		step = take_words(p, argv + optind, argc - optind);
	if (step == WRONG)
		fputs("Try '" PROGRAM " --help'.\n", stderr);
	return step;
}

static int check_listening(void)
{
	int on = 0, flags = fcntl(STDIN_FILENO, F_GETFL);
	socklen_t n = sizeof(on);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 &&
	    on && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0)
		return 0;
	log_error("standard input is not a listening socket: " PROGRAM
		  " is to be started by mod_fcgid or the like");
	return -1;
}

/* Passes on all that has come.  Returns -1 when accepting fails for good. */
static int pass_waiting(struct passing *p)
{
	for (;;) {
		int fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0) {
			passing_on(p, fd);
			continue;
		}
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return 0;
		log_error("cannot accept: %s", strerror(errno));
		if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK)
			return -1;
		halt_wait(-1, clock_ms() + 1000);	/* a shortage */
		return 0;
	}
}

/* What had connected when SIGTERM came is passed on, too. */
static int serve(struct passing *p)
{
	int rc = 0;

	while (rc == 0 && !halt_asked()) {
		halt_wait(STDIN_FILENO, FOREVER);
		starter_end(&p->starter);
		rc = pass_waiting(p);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct passing p = { .patience = PATIENCE * 1000,
			     .starter = { .lock = -1 } };
	int rc;

	log_init(PROGRAM, LOG_LEVEL_INFO);
	switch (read_arguments(&p, argc, argv)) {
	case DONE:
		return EXIT_SUCCESS;
	case WRONG:
		return EXIT_FAILURE;
	case GO_ON:
		break;
	}
	rc = check_listening();
	if (rc == 0) {
		halt_init();
		rc = serve(&p);
	}
	free(p.starter.program);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
