/* SPDX-License-Identifier: MIT */
/*
 * ctl_watch.c - pushletctl watch
 *
 * A reader like any other: a session with a subscription, and a process at
 * whose doorbell it waits.  Whatever becomes of us, what is left of that is
 * found and freed: the process by those who serve, the session by its lease.
 * Its channel counts as a poll, so that it takes none of the listen.slots.
 */
#include "tools/ctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/delivery.h"
#include "broker/format.h"
#include "broker/listener.h"
#include "broker/session.h"
#include "broker/subscription.h"
#include "broker/worker.h"

enum { BATCH = 32, ROOM = 65536 };

/* An event of this batch. */
struct copy {
	uint64_t position;
	struct buf packed;
};

struct watch {
	struct broker *broker;
	bool json;
	uint32_t worker;
	struct session_view session;
	struct place place;
	struct take take;
	struct deliveries deliveries;
	struct copy copies[BATCH];
	unsigned n;
};

static volatile sig_atomic_t stopping;

static void stop(int number)
{
	(void)number;
	stopping = 1;
}

/* Without SA_RESTART: they are to end a write that waits.  One that comes just
 * before a wait is seen when that ends, within a second. */
static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = stop };

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* -- copies of events --------------------------------------------------- */

static struct copy *find(struct watch *w, uint64_t position)
{
	unsigned i;

	for (i = 0; i < w->n; i++)
		if (w->copies[i].position == position &&
		    !buf_failed(&w->copies[i].packed))
			return &w->copies[i];
	return NULL;
}

static bool has(void *arg, uint64_t position)
{
	return find(arg, position) != NULL;
}

static void keep(void *arg, uint64_t position, const char *packed, size_t n)
{
	struct watch *w = arg;
	struct copy *c = &w->copies[w->n];

	if (w->n == BATCH)
		return;			/* has() tells */
	w->n++;
	c->position = position;
	buf_clear(&c->packed);
	buf_add(&c->packed, packed, n);
}

/* -- an event, for people and for programs -------------------------------- */

/* A value as it is, in quotes if a reader could not see where it ends. */
static void add_value(struct buf *out, const char *value)
{
	bool quoted = !*value || strpbrk(value, " \"=");

	if (quoted)
		buf_putc(out, '"');
	tool_add_safe(out, value);
	if (quoted)
		buf_putc(out, '"');
}

static void show_attribute(struct buf *out, const char *name,
			   const char *value)
{
	buf_putc(out, ' ');
	tool_add_safe(out, name);
	buf_putc(out, '=');
	add_value(out, value);
}

/* Those that are told before the others, or say nothing here. */
static bool is_known(const char *name)
{
	return strcmp(name, "p_event") == 0 || strcmp(name, "p_time") == 0 ||
	       strcmp(name, "p_subject") == 0;
}

static void add_time(struct buf *out, const struct event *e)
{
	const char *time = event_get(e, "p_time");

	ctl_add_time(out, time ? strtoll(time, NULL, 10) : 0);
	buf_putc(out, ' ');
}

static void show_event(struct buf *out, const struct copy *c, uint64_t lost)
{
	struct event e = { .packed = c->packed };
	const char *pos = buf_str(&c->packed), *end = pos + c->packed.len;
	const char *subject = event_get(&e, "p_subject");
	struct attr a;

	if (lost)
		buf_printf(out, "(%llu lost)\n", (unsigned long long)lost);
	add_time(out, &e);
	tool_add_safe(out, subject ? subject : "?");
	while (attr_next(&pos, end, &a))
		if (!is_known(a.name))
			show_attribute(out, a.name, a.value);
	buf_putc(out, '\n');
}

static void write_event(struct buf *out, const struct copy *c, uint64_t lost)
{
	const char *pos = buf_str(&c->packed), *end = pos + c->packed.len;
	struct json j = { .out = out, .flat = true };
	struct attr a;

	json_object(&j, NULL);
	while (attr_next(&pos, end, &a))
		json_string_n(&j, a.name, a.value, a.value_len);
	if (lost)
		json_uint(&j, "p_lost", lost);
	json_end(&j);
}

/* -- reading ---------------------------------------------------------------- */

/* Returns 0; -1: stopped, or nobody reads; -2 after having complained. */
static int put_out(const struct buf *out)
{
	const char *p = buf_str(out), *end = p + out->len;
	ssize_t n;

	while (p < end) {
		n = write(STDOUT_FILENO, p, (size_t)(end - p));
		if (n >= 0)
			p += n;
		else if (errno == EPIPE || (errno == EINTR && stopping))
			return -1;
		else if (errno != EINTR)
			break;
	}
	if (p == end && !buf_failed(out))
		return 0;
	complain("standard output: %s", p == end ? "out of memory" :
						   strerror(errno));
	return -2;
}

static int print_batch(struct watch *w)
{
	struct buf out = BUF_INIT;
	unsigned i;
	int rc;

	for (i = 0; i < w->take.count; i++) {
		const struct copy *c =
			find(w, w->deliveries.items[i].position);
		uint64_t lost = i == 0 ? w->take.lost : 0;

		if (c && w->json)
			write_event(&out, c, lost);
		else if (c)
			show_event(&out, c, lost);
	}
	rc = put_out(&out);
	buf_release(&out);
	return rc;
}

/* They are printed: they leave the queue. */
static void commit_batch(struct watch *w)
{
	uint64_t settled, counter =
		w->deliveries.items[w->take.count - 1].counter + 1;
	struct commit c = { .ref = w->session.ref,
			    .channel = w->place.channel, .counter = counter,
			    .lost_told = w->take.lost };

	delivery_commit(w->broker, &c, 1);
	delivery_acknowledge(w->broker, w->session.ref, &counter, &settled);
}

static void take_batch(struct watch *w)
{
	struct intake intake = { has, keep, w };

	w->n = 0;
	w->take = (struct take){ .ref = w->session.ref,
				 .channel = w->place.channel, .max = BATCH,
				 .room = ROOM };
	delivery_take(w->broker, &w->take, 1, &intake, &w->deliveries);
}

/* The session ended without us. */
static int ended(struct watch *w)
{
	if (broker_retired(w->broker))
		complain("%s: the segment was destroyed",
			 broker_name(w->broker));
	else if (w->take.result == TAKEN_ABORTED)
		complain("aborted: %s", *w->take.reason ? w->take.reason :
			 "too slow (queue.overflow=abort)");
	else
		complain("the session is gone");
	return -2;
}

/* All that waits.  As put_out(). */
static int print_waiting(struct watch *w)
{
	int rc = 0;

	do {
		take_batch(w);
		if (w->take.result != TAKEN)
			return ended(w);
		if (w->take.count == 0)
			break;
		rc = print_batch(w);
		if (rc == 0)
			commit_batch(w);
	} while (rc == 0 && w->take.more && !stopping);
	return rc;
}

/* Has who read our output gone?  Only a pipe or terminal says so. */
static bool reader_gone(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	return poll(&p, 1, 0) == 1 && p.revents & (POLLERR | POLLHUP);
}

/* The bell leads to one session only. */
static void no_matter(void *arg, uint32_t session)
{
	(void)arg;
	(void)session;
}

static enum tool_exit read_on(struct watch *w)
{
	int rc = 0;

	while (rc == 0 && !stopping && !reader_gone()) {
		if (broker_retired(w->broker))
			rc = ended(w);
		else
			rc = print_waiting(w);
		if (rc < 0 || stopping)
			break;
		worker_wait(w->broker, w->worker);
		worker_answer(w->broker, w->worker, no_matter, NULL);
	}
	if (rc == -2 && broker_retired(w->broker))
		return TOOL_NO_SEGMENT;
	return rc == -2 ? TOOL_BAD : TOOL_OK;
}

/* -- beginning and end ------------------------------------------------------ */

static unsigned format_json(void)
{
	unsigned i = 0;

	while (strcmp(format_name(i), "json") != 0 &&
	       strcmp(format_name(i), "?") != 0)
		i++;
	return i;
}

static enum outcome subscribe(struct watch *w, const char *subjects)
{
	char sid[SID_SIZE];
	enum outcome outcome;

	outcome = session_join(w->broker, format_json(), "", &w->session);
	if (outcome != DONE)
		return outcome;
	outcome = subscription_add(w->broker, w->session.ref, subjects, NULL,
				   0, sid);
	if (outcome == DONE)
		outcome = session_rely(w->broker, w->session.ref);
	if (outcome == DONE)
		outcome = listener_attach(w->broker, w->session.ref, w->worker,
					  MODE_POLL, &w->place);
	if (outcome != DONE)
		session_leave(w->broker, w->session.ref);
	return outcome;
}

static enum tool_exit refused(const struct broker *b, enum outcome outcome,
			      const char *subject)
{
	switch (outcome) {
	case NO_SUBJECT:
		complain("there is no subject");
		return TOOL_BAD;
	case BAD_TEXT:
		complain("the subject is not UTF-8");
		return TOOL_BAD;
	case SUBJECT_TOO_LONG:
		complain("'%s' is too long; a subject has at most %zu bytes "
			 "(subject.max.bytes)", subject,
			 broker_event_limits(b).subject);
		return TOOL_BAD;
	case TOO_MANY_SUBSCRIPTIONS:
		complain("too many subjects (session.max.subscriptions)");
		return TOOL_BAD;
	case NO_MEMORY:
		complain("out of memory");
		return TOOL_SYSTEM;
	default:
		complain("there is no room for another reader: see "
			 "pushletctl status");
		return TOOL_SYSTEM;
	}
}

enum tool_exit ctl_watch(struct broker *b, const struct ctl_request *q)
{
	struct watch w = { .broker = b, .json = q->json,
			   .deliveries = DELIVERIES_INIT };
	enum outcome outcome = worker_enter(b, &w.worker);
	enum tool_exit status;
	unsigned i;

	if (outcome != DONE)
		return refused(b, outcome, q->words[0]);
	catch_signals();
	outcome = subscribe(&w, q->words[0]);
	if (outcome == DONE) {
		status = read_on(&w);
		session_leave(b, w.session.ref);
	} else {
		status = refused(b, outcome, q->words[0]);
	}
	worker_exit(b, w.worker);
	deliveries_release(&w.deliveries);
	for (i = 0; i < BATCH; i++)
		buf_release(&w.copies[i].packed);
	return status;
}
