/* SPDX-License-Identifier: MIT */
/*
 * child.c - a command of a source: started, signalled, gone
 *
 * The warden is told by the new process itself, before it becomes the command:
 * whenever we are killed, either the command does not run or the warden knows.
 */
#include "sources/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CANNOT_RUN = 127 };	/* as a shell says it */

struct start {
	const char *command;
	const struct passwd *user;	/* or NULL */
	const struct warden *warden;
	pid_t parent;
	int out, err;
};

/* The source's log shows it. */
__attribute__((noreturn))
static void give_up(const char *what)
{
	dprintf(STDERR_FILENO, "cannot start: %s: %s\n", what, strerror(errno));
	_exit(CANNOT_RUN);
}

/* Handlers and what we ignore are ours, not the command's. */
static void reset_signals(void)
{
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void redirect(const struct start *s)
{
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(s->err, STDERR_FILENO) < 0 ||
	    dup2(s->out, STDOUT_FILENO) < 0 || dup2(null, STDIN_FILENO) < 0)
		_exit(CANNOT_RUN);
}

static void become_user(const struct passwd *user)
{
	if (geteuid() == 0 && (initgroups(user->pw_name, user->pw_gid) < 0 ||
			       setgid(user->pw_gid) < 0 ||
			       setuid(user->pw_uid) < 0))
		give_up(user->pw_name);
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
}

/* Changing the user forgets the signal, so that comes after; and our death
 * may have come before. */
static void die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(CANNOT_RUN);
}

__attribute__((noreturn))
static void become(const struct start *s)
{
	reset_signals();
	redirect(s);
	if (setsid() < 0)
		give_up("setsid");
	if (warden_tell(s->warden, getpid(), true) < 0)
		give_up("warden");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		give_up("no new privileges");
	if (s->user)
		become_user(s->user);
	die_with(s->parent);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execl("/bin/sh", "sh", "-c", s->command, (char *)NULL);
	give_up("/bin/sh");
}

/* Two pipes whose reading ends do not block. */
static int make_pipes(int out[2], int err[2])
{
	if (pipe2(out, O_CLOEXEC) < 0)
		return -1;
	if (pipe2(err, O_CLOEXEC) == 0) {
		fcntl(out[0], F_SETFL, O_NONBLOCK);
		fcntl(err[0], F_SETFL, O_NONBLOCK);
		return 0;
	}
	close(out[0]);
	close(out[1]);
	return -1;
}

/* The handlers of libuv are not to run in the new process. */
static pid_t fork_off(const struct start *s)
{
	sigset_t all, old;
	pid_t pid;
	int saved;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0)
		become(s);
	saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

int child_start(struct child *c, const char *command, const char *user,
		const struct warden *warden)
{
	struct start s = { .command = command, .warden = warden,
			   .parent = getpid() };
	int out[2], err[2], saved;

	errno = 0;
	if (user && !(s.user = getpwnam(user))) {
		errno = errno ? errno : ENOENT;
		return -1;
	}
	if (make_pipes(out, err) < 0)
		return -1;
	s.out = out[1];
	s.err = err[1];
	c->out = out[0];
	c->err = err[0];
	c->reaped = false;
	c->pid = fork_off(&s);
	saved = errno;
	close(out[1]);
	close(err[1]);
	if (c->pid > 0)
		return 0;
	c->pid = 0;
	child_close_out(c);
	child_close_err(c);
	errno = saved;
	return -1;
}

void child_signal(const struct child *c, int number)
{
	/* Before the new process leads a group it can be reached alone. */
	if (c->pid && kill(-c->pid, number) < 0 && errno == ESRCH &&
	    !c->reaped)
		kill(c->pid, number);
}

bool child_gone(const struct child *c)
{
	return c->reaped && (kill(-c->pid, 0) < 0 && errno == ESRCH);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void child_close_out(struct child *c)
{
	close_end(&c->out);
}

void child_close_err(struct child *c)
{
	close_end(&c->err);
}
