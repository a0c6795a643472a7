/* SPDX-License-Identifier: MIT */
/*
 * warden.c - a process that ends what we started when we cannot
 */
#include "sources/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sources/settings.h"

enum {
	GROUPS = SOURCES_MAX * 2,	/* old ones may go as new ones come */
	PATIENCE = 2000,		/* ms */
	NAP = 20
};

/* Smaller than PIPE_BUF: written whole or not at all. */
struct message {
	int32_t group;
	int32_t begun;
};

struct wards {
	pid_t groups[GROUPS];
	size_t n;
};

static void take(struct wards *w, const struct message *m)
{
	size_t i;

	for (i = 0; i < w->n && w->groups[i] != m->group; i++)
		;
	if (i == w->n && m->begun && w->n < GROUPS)
		w->groups[w->n++] = m->group;
	else if (i < w->n && !m->begun)
		w->groups[i] = w->groups[--w->n];
}

/* Forgets the groups that are gone after the signal. */
static void signal_all(struct wards *w, int number)
{
	size_t i = 0;

	while (i < w->n) {
		if (kill(-w->groups[i], number) < 0 && errno == ESRCH)
			w->groups[i] = w->groups[--w->n];
		else
			i++;
	}
}

static void end_all(struct wards *w)
{
	int64_t deadline = clock_ms() + PATIENCE;

	signal_all(w, SIGTERM);
	signal_all(w, SIGCONT);
	while (w->n > 0 && clock_ms() < deadline) {
		poll(NULL, 0, NAP);
		signal_all(w, 0);
	}
	signal_all(w, SIGKILL);
}

/* Signals that are meant for us, or for all of us, do not end it. */
static void stand_firm(int fd)
{
	static const int firm[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t none;
	size_t i;

	prctl(PR_SET_NAME, "pushlet-warden");
	setsid();
	for (i = 0; i < sizeof(firm) / sizeof(firm[0]); i++)
		signal(firm[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(fd, STDIN_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	close(STDOUT_FILENO);
}

static void watch(int fd)
{
	static struct wards wards;
	struct message m;
	ssize_t n;

	stand_firm(fd);
	while ((n = read(STDIN_FILENO, &m, sizeof(m))) != 0)
		if (n == (ssize_t)sizeof(m))
			take(&wards, &m);
	end_all(&wards);
	_exit(EXIT_SUCCESS);
}

int warden_start(struct warden *w)
{
	sigset_t all, old;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	/* What libuv has for signals is not to run in the other process. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	w->pid = fork();
	if (w->pid == 0)
		watch(fds[0]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fds[0]);
	if (w->pid > 0) {
		w->fd = fds[1];
		return 0;
	}
	close(fds[1]);
	w->pid = 0;
	w->fd = -1;
	return -1;
}

int warden_tell(const struct warden *w, pid_t group, bool begun)
{
	struct message m = { group, begun };
	ssize_t n;

	do {
		n = write(w->fd, &m, sizeof(m));
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(m) ? 0 : -1;
}

void warden_died(struct warden *w)
{
	close(w->fd);
	w->fd = -1;
	w->pid = 0;
}

void warden_stop(struct warden *w)
{
	pid_t pid = w->pid;

	if (!pid)
		return;
	warden_died(w);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
