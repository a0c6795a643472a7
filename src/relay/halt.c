/* SPDX-License-Identifier: MIT */
/*
 * halt.c - ppoll(2) lets signals in
 */
#include "relay/halt.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "base/clock.h"

static volatile sig_atomic_t asked;
static int64_t asked_at;
static sigset_t before;

static void note(int number)
{
	if (number != SIGCHLD)
		asked = 1;
}

static void catch(int number)
{
	struct sigaction action = { .sa_handler = note };

	sigaction(number, &action, NULL);
}

void halt_init(void)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ours, &before);
	sigdelset(&before, SIGTERM);
	sigdelset(&before, SIGINT);
	sigdelset(&before, SIGCHLD);
	catch(SIGTERM);
	catch(SIGINT);
	catch(SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
}

void halt_undo(void)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

bool halt_asked(void)
{
	if (asked && !asked_at)
		asked_at = clock_ms();
	return asked;
}

int64_t halt_deadline(int64_t deadline, int64_t grace)
{
	if (halt_asked() && asked_at + grace < deadline)
		return asked_at + grace;
	return deadline;
}

void halt_wait(int fd, int64_t deadline)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	struct timespec wait = { 0, 0 };
	int64_t left = deadline - clock_ms();

	if (deadline == FOREVER) {
		ppoll(&poll, 1, asked ? &wait : NULL, &before);
		return;
	}
	if (left > 0)
		wait = (struct timespec){ left / 1000, left % 1000 * 1000000 };
	ppoll(&poll, 1, &wait, &before);
}
