/* SPDX-License-Identifier: MIT */
/*
 * passing.c - again and again until the patience is over
 *
 * Who is not there, is not ready or ends amid a hand-over did not take the
 * connection (fcgi/handover.h), so it can be offered again.
 */
#include "relay/passing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/handover.h"
#include "relay/apology.h"
#include "relay/halt.h"

enum {
	PAUSE = 20,		/* ms between two attempts */
	GRACE = 300,		/* ms after SIGTERM; Apache stands still
				 * until its processes are gone */
	ANSWERING = 1000	/* ms for reading a request and answering it */
};

enum attempt {
	PASSED,
	ABSENT,			/* nobody listens */
	LATER,			/* nobody took it */
	NEVER			/* they do not want it */
};

/* One connection to be passed on, and what came of it last. */
struct errand {
	struct passing *passing;
	int connection;
	int64_t deadline;
	char why[512];		/* for the log */
	const char *text;	/* for the client */
};

static int64_t deadline_of(const struct errand *e)
{
	return halt_deadline(e->deadline, GRACE);
}

static enum attempt no_connection(struct errand *e)
{
	int error = errno;

	snprintf(e->why, sizeof(e->why), "no pushletd at unix:%s: %s",
		 e->passing->address.sun_path, error == EAGAIN ?
		 "its queue is full" : strerror(error));
	e->text = "The push server is not there.";
	if (error == ENOENT || error == ECONNREFUSED)
		return ABSENT;
	return error == EAGAIN || error == EINTR ? LATER : NEVER;
}

static int await_answer(struct errand *e, int fd, char *said, size_t size)
{
	enum handover h = handover_answer(fd, said, size);

	while (h == HANDOVER_OPEN && clock_ms() < deadline_of(e)) {
		halt_wait(fd, deadline_of(e));
		h = handover_answer(fd, said, size);
	}
	return h == HANDOVER_OPEN ? handover_withdraw(fd, said, size) : h;
}

static enum attempt offer(struct errand *e, int fd)
{
	char said[160];
	int rc = handover_offer(fd, e->connection);

	switch (await_answer(e, fd, said, sizeof(said))) {
	case HANDOVER_TAKEN:
		return PASSED;
	case HANDOVER_REFUSED:
		snprintf(e->why, sizeof(e->why), "the pushletd at unix:%s "
			 "refused it: %s", e->passing->address.sun_path, said);
		e->text = "The push server refused the web server.";
		return NEVER;
	default:
		snprintf(e->why, sizeof(e->why), "the pushletd at unix:%s %s",
			 e->passing->address.sun_path, rc < 0 ? "hung up" :
			 "did not take it");
		e->text = "The push server does not answer.";
		return LATER;
	}
}

static enum attempt attempt(struct errand *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un *address = &e->passing->address;
	enum attempt a;

	if (fd < 0 || connect(fd, (const void *)address, sizeof(*address)) < 0)
		a = no_connection(e);
	else
		a = offer(e, fd);
	if (fd >= 0)
		close(fd);
	return a;
}

static bool help(struct errand *e)
{
	struct starter *s = &e->passing->starter;

	if (!s->program || halt_asked())
		return true;
	e->text = "The push server cannot be started.";
	return starter_step(s, e->why, sizeof(e->why)) == START_WAIT;
}

static bool pass(struct errand *e)
{
	for (;;) {
		enum attempt a = attempt(e);

		if (a == PASSED)
			return true;
		if (a == NEVER || (a == ABSENT && !help(e)) ||
		    clock_ms() >= deadline_of(e))
			return false;
		halt_wait(-1, clock_ms() + PAUSE);
	}
}

void passing_on(struct passing *p, int connection)
{
	struct errand e = { .passing = p, .connection = connection,
			    .deadline = clock_ms() + p->patience };

	if (!pass(&e)) {
		log_error("a request was answered 503: %s", e.why);
		apology_make(connection, e.text, clock_ms() + ANSWERING);
		/* A pushletd that hangs has a copy in its queue. */
		shutdown(connection, SHUT_RDWR);
	}
	starter_end(&p->starter);
	close(connection);
}
