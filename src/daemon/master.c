/* SPDX-License-Identifier: MIT */
/*
 * master.c - fork, wait, fork again
 *
 * Single-threaded, so all signals are blocked and taken one at a time with
 * sigtimedwait(2).  A worker that dies young is started again only after a
 * pause, so that a fault at start-up does not become a storm of forks.
 */
#include "daemon/master.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	WORKERS = 64,
	YOUNG = 1000,		/* ms */
	PATIENCE = 1500		/* ms from SIGTERM to SIGKILL */
};

struct child {
	pid_t pid;		/* 0: not running */
	int64_t started;	/* clock_ms() */
	int ready_fd;		/* to read its byte from, or -1 */
	bool was_ready;
};

struct master {
	unsigned n;
	int (*work)(void *arg, int ready_fd);
	void (*ready)(void *arg);
	void *arg;
	struct child children[WORKERS];
	sigset_t signals;
	bool announced, stopping;
	int64_t kill_at;
};

/* In the worker: what the master blocked is open again, and it ends with the
 * master. */
static void become_worker(const sigset_t *signals, pid_t master)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		_exit(EXIT_FAILURE);
	sigprocmask(SIG_UNBLOCK, signals, NULL);
}

static void start(struct master *m, struct child *c)
{
	pid_t self = getpid();
	int fds[2];

	if (pipe(fds) < 0) {
		log_error("cannot start a worker: %s", strerror(errno));
		return;
	}
	c->started = clock_ms();
	c->was_ready = false;
	c->pid = fork();
	if (c->pid == 0) {
		become_worker(&m->signals, self);
		close(fds[0]);
		exit(m->work(m->arg, fds[1]));
	}
	close(fds[1]);
	c->ready_fd = fds[0];
	if (c->pid < 0) {
		log_error("cannot start a worker: %s", strerror(errno));
		close(fds[0]);
		c->ready_fd = -1;
		c->pid = 0;
	}
}

/* Waits for the byte of a worker; its death ends the wait too. */
static void await_ready(struct child *c)
{
	char byte;

	if (c->ready_fd < 0)
		return;
	c->was_ready = read(c->ready_fd, &byte, 1) == 1;
	close(c->ready_fd);
	c->ready_fd = -1;
}

static void start_missing(struct master *m)
{
	int64_t now = clock_ms();
	unsigned i;

	for (i = 0; i < m->n && !m->stopping; i++) {
		struct child *c = &m->children[i];

		if (c->pid || (c->started && now - c->started < YOUNG))
			continue;
		start(m, c);
		await_ready(c);
	}
}

static void describe_death(pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_warn("worker %d died of signal %d (%s); starting another",
			 (int)pid, WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		log_warn("worker %d ended with status %d; starting another",
			 (int)pid, WEXITSTATUS(status));
}

/* Collects the dead.  Returns false when one failed before it ever served:
 * then the next would, too. */
static bool bury(struct master *m)
{
	int status;
	pid_t pid;
	unsigned i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < m->n; i++) {
			if (m->children[i].pid != pid)
				continue;
			m->children[i].pid = 0;
			if (!m->stopping && !m->children[i].was_ready &&
			    !m->announced)
				return false;
			if (!m->stopping)
				describe_death(pid, status);
		}
	}
	return true;
}

static unsigned running(const struct master *m)
{
	unsigned i, n = 0;

	for (i = 0; i < m->n; i++)
		n += m->children[i].pid != 0;
	return n;
}

static void pass_on(struct master *m, int number)
{
	unsigned i;

	for (i = 0; i < m->n; i++)
		if (m->children[i].pid)
			kill(m->children[i].pid, number);
}

static void stop(struct master *m)
{
	if (!m->stopping)
		m->kill_at = clock_ms() + PATIENCE;
	m->stopping = true;
	pass_on(m, SIGTERM);
}

/* Waits a while for a signal and acts upon it. */
static void handle_signal(struct master *m)
{
	struct timespec wait = { 0, 100 * 1000 * 1000 };

	switch (sigtimedwait(&m->signals, NULL, &wait)) {
	case SIGTERM:
	case SIGINT:
		stop(m);
		break;
	case SIGHUP:
		pass_on(m, SIGHUP);
		break;
	default:
		break;		/* SIGCHLD, or time to look around */
	}
	if (m->stopping && clock_ms() >= m->kill_at)
		pass_on(m, SIGKILL);
}

static bool all_ready(const struct master *m)
{
	unsigned i;

	for (i = 0; i < m->n; i++)
		if (!m->children[i].was_ready)
			return false;
	return true;
}

int master_run(unsigned n, int (*work)(void *arg, int ready_fd),
	       void (*ready)(void *arg), void *arg)
{
	struct master m = { .n = n, .work = work, .ready = ready, .arg = arg };
	bool fine = true;

	must(n <= WORKERS);
	sigemptyset(&m.signals);
	sigaddset(&m.signals, SIGTERM);
	sigaddset(&m.signals, SIGINT);
	sigaddset(&m.signals, SIGHUP);
	sigaddset(&m.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &m.signals, NULL);
	do {
		start_missing(&m);
		if (!m.announced && all_ready(&m)) {
			m.announced = true;
			m.ready(m.arg);
		}
		handle_signal(&m);
		if (!bury(&m)) {
			fine = false;
			stop(&m);
		}
	} while (!m.stopping || running(&m));
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
