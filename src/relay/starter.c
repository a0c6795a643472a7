/* SPDX-License-Identifier: MIT */
/*
 * starter.c - flock(2), fork, fork, exec
 *
 * pushletd goes into the background by itself: the process that we start ends
 * when the server is ready, with a status.  Between it and us there is one
 * that holds the lock meanwhile.  It is in a session of its own, since what
 * ends a relay must not end the start.
 */
#include "relay/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/halt.h"

enum { NOT_RUN = 127 };		/* as a shell says it */

static enum start fail(char *why, size_t size, const char *what,
		       const char *name)
{
	snprintf(why, size, "%s %s: %s", what, name, strerror(errno));
	return START_NOT;
}

static enum start take_lock(struct starter *s, char *why, size_t size)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];
	int fd;

	snprintf(path, sizeof(path), "%s.lock", s->socket);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(why, size, "cannot open the lock", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		s->lock = fd;
	else
		close(fd);
	return START_WAIT;
}

static void redirect(const struct starter *s)
{
	int null = open("/dev/null", O_RDWR);
	int log = -1;

	if (s->log) {
		log = open(s->log, O_WRONLY | O_APPEND | O_CREAT, 0640);
		if (log < 0)
			log_error("-l %s: %s; messages of pushletd stay here",
				  s->log, strerror(errno));
	}
	if (log >= 0)
		dup2(log, STDERR_FILENO);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (log > STDERR_FILENO)
		close(log);
	if (null > STDERR_FILENO)
		close(null);
}

static void become_pushletd(const struct starter *s)
{
	halt_undo();
	redirect(s);
	execv(s->program[0], s->program);
	log_error("cannot run %s: %s", s->program[0], strerror(errno));
	_exit(NOT_RUN);
}

/* The web server's socket and connection: only the relay's copies count. */
static void close_others(int lock)
{
	close(STDIN_FILENO);
	if (lock > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)lock - 1, 0);
	close_range((unsigned)lock + 1, ~0U, 0);
}

/* Ends with the status of the start; the lock ends with it. */
static void hold_lock(const struct starter *s)
{
	int status = 0;
	pid_t pid;

	halt_undo();
	setsid();
	close_others(s->lock);
	pid = fork();
	if (pid == 0)
		become_pushletd(s);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		_exit(NOT_RUN);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : NOT_RUN);
}

static enum start begin(struct starter *s, char *why, size_t size)
{
	s->child = fork();
	if (s->child == 0)
		hold_lock(s);
	close(s->lock);
	s->lock = -1;
	if (s->child > 0)
		return START_WAIT;
	s->child = 0;
	return fail(why, size, "cannot start", s->program[0]);
}

/* Without a failure, a pushletd is there now, or was. */
static enum start watch(struct starter *s, char *why, size_t size)
{
	int status;

	if (waitpid(s->child, &status, WNOHANG) == 0)
		return START_WAIT;
	s->child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return START_WAIT;
	snprintf(why, size, "%s, started just now, ended before it served; it "
		 "has said why in %s", s->program[0],
		 s->log ? s->log : "this log");
	return START_NOT;
}

enum start starter_step(struct starter *s, char *why_out, size_t size)
{
	if (s->child)
		return watch(s, why_out, size);
	if (s->lock >= 0)
		return begin(s, why_out, size);
	return take_lock(s, why_out, size);
}

void starter_end(struct starter *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
	if (s->child && waitpid(s->child, NULL, WNOHANG) != 0)
		s->child = 0;
}
