/* SPDX-License-Identifier: MIT */
/*
 * main.c - pushletd
 *
 * Reads the options, finds the sockets, and decides what this process becomes:
 * a server, a master of servers, and either of them in the background or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/listen.h"
#include "daemon/master.h"
#include "daemon/options.h"
#include "daemon/server.h"

enum { DESCRIPTORS = 65536 };	/* more than one front can use */

struct start {
	struct options options;
	struct properties properties;
	struct sockets sockets;
	int parent_fd;		/* who started us in the background waits at
				 * its other end; -1: nobody */
};

/* The one line that says we serve; and lets the starter go.  Who starts us
 * sees on standard error why we do not; from now on the log is the place. */
static void announce(void *arg)
{
	struct start *s = arg;
	struct buf line = BUF_INIT;

	log_to((enum log_target)s->properties.log_to, NULL);
	log_name_segment(s->properties.shm_name);
	buf_printf(&line, "ready: segment %s, ", s->properties.shm_name);
	if (s->sockets.web.fd >= 0)
		buf_printf(&line, "%s, ", s->sockets.web.name);
	if (s->sockets.relay.fd >= 0)
		buf_printf(&line, "%s for relays, ", s->sockets.relay.name);
	if (s->options.workers)
		buf_printf(&line, "%u workers of ", s->options.workers);
	buf_printf(&line, "%u thread%s, pid %d", s->options.threads,
		   s->options.threads == 1 ? "" : "s", (int)getpid());
	log_info("%s", buf_str(&line));
	buf_release(&line);
	if (s->parent_fd >= 0) {
		if (write(s->parent_fd, "+", 1) < 0)
			log_debug("nobody waits for us to start");
		close(s->parent_fd);
		s->parent_fd = -1;
	}
}

/* A worker tells its master instead. */
static void tell_master(void *arg)
{
	int fd = *(int *)arg;

	if (write(fd, "+", 1) < 0)
		log_warn("the master has gone");
	close(fd);
}

static int work(void *arg, int ready_fd)
{
	struct start *s = arg;

	return server_run(&s->options, &s->properties, &s->sockets, tell_master,
			  &ready_fd);
}

static int run(struct start *s)
{
	if (s->options.workers)
		return master_run(s->options.workers, work, announce, s);
	return server_run(&s->options, &s->properties, &s->sockets, announce,
			  s);
}

/* The parent: leaves when the child serves, or with its failure. */
static int await_child(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* In the child: a session of its own, no input, no output; messages still go
 * where standard error goes. */
static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
}

static int run_in_background(struct start *s)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		log_error("cannot go into the background: %s",
			  strerror(errno));
		return EXIT_FAILURE;
	}
	if (pid > 0) {
		close(fds[1]);
		return await_child(fds[0]);
	}
	close(fds[0]);
	s->parent_fd = fds[1];
	leave_terminal();
	return run(s);
}

/* Whatever is made to run in our name gets no more rights by it (prctl(2)): no
 * set-user-ID program, no file capability. */
static void renounce_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		log_warn("cannot renounce new privileges: %s",
			 strerror(errno));
}

/* Every open channel is a descriptor: take what we may have. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max :
							DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("cannot raise the limit of open files: %s",
			 strerror(errno));
}

static int find_web_socket(struct start *s)
{
	if (s->options.address)
		return listen_make(&s->sockets.web, 's', s->options.address,
				   (mode_t)s->options.mode);
	if (listen_inherited(&s->sockets.web) == 0) {
		s->options.foreground = true;
		return 0;
	}
	if (s->options.relay)
		return 0;
	log_error("no socket: standard input is not a listening one; start "
		  "with -s unix:/PATH or -s HOST:PORT");
	return -1;
}

static int find_sockets(struct start *s)
{
	if (find_web_socket(s) < 0)
		return -1;
	if (!s->options.relay || listen_make(&s->sockets.relay, 'r',
					     s->options.relay,
					     (mode_t)s->options.mode) == 0)
		return 0;
	listen_close(&s->sockets.web);
	return -1;
}

static void close_sockets(struct start *s)
{
	listen_close(&s->sockets.web);
	listen_close(&s->sockets.relay);
}

int main(int argc, char **argv)
{
	struct start s = { .sockets = { { .fd = -1 }, { .fd = -1 } },
			   .parent_fd = -1 };
	pid_t self = getpid();
	int status;

	log_init("pushletd", LOG_LEVEL_INFO);
	switch (options_read(&s.options, argc, argv)) {
	case OPTIONS_EXIT:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return EXIT_FAILURE;
	case OPTIONS_GO:
		break;
	}
	if (overrides_read(&s.options.overrides, &s.properties) < 0)
		return EXIT_FAILURE;
	log_set_level((enum log_level)s.properties.log_level);
	renounce_privileges();
	raise_descriptor_limit();
	if (find_sockets(&s) < 0)
		return EXIT_FAILURE;
	if (s.options.foreground)
		status = run(&s);
	else
		status = run_in_background(&s);
	/* Only who serves (or is the master of those) takes the sockets away:
	 * the parent of a background server and its workers do not get here
	 * or are not it. */
	if (s.options.foreground || getpid() != self)
		close_sockets(&s);
	return status;
}
