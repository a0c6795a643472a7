/* SPDX-License-Identifier: MIT */
/*
 * fixture.c - a broker for each test, and clients that talk to it
 */
#include "fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define EVENTS_MAX 4096

struct broker *broker;
struct properties limits;

static struct deliveries deliveries;
static struct buf spoken;

/* The events that the intake keeps, each once. */
static struct {
	uint64_t position;
	struct event event;
} events[EVENTS_MAX];
static unsigned events_count, events_max = EVENTS_MAX;

/* A worker of this process for those who do not care which. */
static uint32_t own_worker;
static pid_t own_worker_pid;

static char name[64];

/* -- the segment ---------------------------------------------------------- */

static void make_name(void)
{
	snprintf(name, sizeof(name), "/pushlet-unit-%ld", (long)getpid());
}

static void small_limits(void)
{
	properties_defaults(&limits);
	snprintf(limits.shm_name, sizeof(limits.shm_name), "%.32s-%ld", name,
		 (long)getpid());
	limits.sessions_max = 8;
	limits.subscriptions_max = 32;
	limits.workers_max = 4;
	limits.queue_size = 8;
	limits.log_bytes = 8192;
	limits.history_bytes = 4096;
	limits.subject_bytes = 64;
	limits.event_bytes = 1024;
	limits.event_attributes = 8;
	limits.session_subscriptions = 16;
}

static void open_broker(void)
{
	struct buf report = BUF_INIT;
	enum segment_status status;

	status = broker_open(&broker, &limits, true, &report);
	shm_unlink(limits.shm_name);
	ck_assert_msg(status == SEGMENT_OK, "%s: %s", limits.shm_name,
		      segment_explain(status));
	ck_assert(broker_made(broker));
	ck_assert_str_eq(buf_str(&report), "");
	buf_release(&report);
	own_worker_pid = 0;
}

static void forget_events(void)
{
	while (events_count > 0)
		event_release(&events[--events_count].event);
	events_max = EVENTS_MAX;
}

void fixture_remake(void)
{
	broker_close(&broker);
	forget_events();
	open_broker();
}

static void set_up(void)
{
	log_init("unit", LOG_LEVEL_ERROR);
	make_name();
	small_limits();
	forget_events();
	open_broker();
}

static void tear_down(void)
{
	broker_close(&broker);
	forget_events();
	deliveries_release(&deliveries);
	buf_release(&spoken);
}

void fixture_use(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
}

/* Unchecked fixtures run in the process of the runner, which survives any
 * test; so the name is its. */
static void name_set_up(void)
{
	log_init("unit", LOG_LEVEL_ERROR);
	make_name();
	small_limits();
	snprintf(limits.shm_name, sizeof(limits.shm_name), "%s", name);
}

static void name_remove(void)
{
	shm_unlink(name);
}

void fixture_use_name(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, name_set_up, name_remove);
	tcase_add_checked_fixture(tc, name_remove, name_remove);
	tcase_set_timeout(tc, 60);
}

const char *fixture_name(void)
{
	return name;
}

/* -- clients -------------------------------------------------------------- */

struct client client_join(const char *subjects)
{
	struct client c = { .worker = 0 };

	ck_assert_int_eq(session_join(broker, 0, "127.0.0.1", &c.session),
			 DONE);
	if (subjects)
		client_subscribe(&c, subjects, NULL);
	return c;
}

void client_subscribe(struct client *c, const char *subjects,
		      const char *label)
{
	ck_assert_int_eq(subscription_add(broker, c->session.ref, subjects,
					  label, 0, c->sid), DONE);
}

struct client client_join_reliable(const char *subjects)
{
	struct client c = client_join(subjects);

	ck_assert_int_eq(session_rely(broker, c.session.ref), DONE);
	return c;
}

struct client client_join_in_mode(const char *subjects, enum session_mode mode)
{
	struct client c = client_join(subjects);

	client_set_mode(&c, mode);
	return c;
}

void client_set_mode(struct client *c, enum session_mode mode)
{
	struct place place;

	ck_assert_int_eq(listener_listen(broker, c->session.ref, NONE, mode,
					 &place), DONE);
	if (place.channel)
		listener_detach(broker, c->session.ref, place.channel);
	c->mode = mode;
}

void client_listen(struct client *c)
{
	if (own_worker_pid != getpid())
		ck_assert_int_eq(worker_enter(broker, &own_worker), DONE);
	own_worker_pid = getpid();
	client_listen_in(c, own_worker);
}

void client_listen_in(struct client *c, uint32_t worker)
{
	struct place place;

	c->worker = worker;
	ck_assert_int_eq(listener_attach(broker, c->session.ref, worker,
					 c->mode, &place), DONE);
	ck_assert_int_eq(place.mode, c->mode);
	c->channel = place.channel;
}

void client_hang_up(struct client *c)
{
	listener_detach(broker, c->session.ref, c->channel);
	c->channel = 0;
}

static bool has(void *arg, uint64_t position)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < events_count; i++)
		if (events[i].position == position)
			return true;
	return false;
}

static void keep(void *arg, uint64_t position, const char *packed, size_t n)
{
	(void)arg;
	if (events_count == events_max)
		return;
	events[events_count].position = position;
	buf_add(&events[events_count].event.packed, packed, n);
	events_count++;
}

const struct delivery *delivered(unsigned i)
{
	ck_assert_uint_lt(i, deliveries.count);
	return &deliveries.items[i];
}

const char *delivered_label(unsigned i)
{
	const struct delivery *d = delivered(i);

	return d->label_bytes == 0xffff ? NULL :
	       buf_str(&deliveries.labels) + d->label;
}

const struct event *delivered_event(unsigned i)
{
	unsigned n;

	for (n = 0; n < events_count; n++)
		if (events[n].position == delivered(i)->position)
			return &events[n].event;
	ck_abort_msg("the event of delivery %u was not kept", i);
}

static const struct intake intake = { .has = has, .keep = keep };

struct intake client_intake(void)
{
	return intake;
}

void client_intake_limit(unsigned max)
{
	ck_assert_uint_le(max, EVENTS_MAX);
	events_max = max;
}

static void take(struct client *c, unsigned max)
{
	c->take = (struct take){
		.ref = c->session.ref,
		.channel = c->channel,
		.max = max,
		.room = SIZE_MAX,
	};
	delivery_take(broker, &c->take, 1, &intake, &deliveries);
}

enum taken client_result(struct client *c)
{
	take(c, 0);
	return c->take.result;
}

const char *client_take(struct client *c, unsigned max)
{
	unsigned i;

	take(c, max);
	ck_assert_int_eq(c->take.result, TAKEN);
	ck_assert_uint_eq(c->take.first, 0);
	ck_assert_uint_eq(c->take.count, deliveries.count);
	buf_clear(&spoken);
	if (c->take.lost)
		buf_printf(&spoken, "lost=%llu",
			   (unsigned long long)c->take.lost);
	for (i = 0; i < c->take.count; i++) {
		const char *text = event_get(delivered_event(i), "text");

		buf_printf(&spoken, "%s%s", spoken.len ? " " : "",
			   text ? text : "(none)");
		c->counter = delivered(i)->counter + 1;
	}
	if (c->take.more)
		buf_puts(&spoken, spoken.len ? " ..." : "...");
	return buf_str(&spoken);
}

void client_commit(struct client *c)
{
	struct commit commit = {
		.ref = c->session.ref,
		.channel = c->channel,
		.counter = c->counter,
		.lost_told = c->take.lost,
	};

	delivery_commit(broker, &commit, 1);
	c->take.lost = 0;
}

const char *client_receive(struct client *c)
{
	const char *text = client_take(c, EVENTS_MAX);

	client_commit(c);
	return text;
}

const char *client_peek(struct client *c)
{
	const char *text;

	client_listen(c);
	text = client_take(c, EVENTS_MAX);
	client_hang_up(c);
	return text;
}

void client_acknowledge(struct client *c, uint64_t ack)
{
	ck_assert_int_eq(delivery_acknowledge(broker, c->session.ref, &ack,
					      &c->settled), DONE);
}

void client_return(struct client *c)
{
	ck_assert_int_eq(delivery_acknowledge(broker, c->session.ref, NULL,
					      &c->settled), DONE);
}

bool client_lives(const struct client *c)
{
	struct session_view view;

	return session_find(broker, c->session.id, &view) == DONE;
}

/* -- publishers ----------------------------------------------------------- */

unsigned say_to(const char *to, const char *subject, const char *text)
{
	struct event attributes = EVENT_INIT;
	struct publication p = {
		.subject = subject,
		.attributes = &attributes,
		.to = to,
	};
	unsigned reached;

	ck_assert_int_eq(event_add(&attributes, "text", text), 0);
	ck_assert_int_eq(publish(broker, &p, &reached, NULL), DONE);
	event_release(&attributes);
	return reached;
}

unsigned client_say(const struct client *c, const char *subject,
		    const char *key)
{
	struct event attributes = EVENT_INIT;
	struct publication p = {
		.subject = subject,
		.attributes = &attributes,
		.key = key,
		.by = c->session.ref,
	};
	unsigned reached;

	ck_assert_int_eq(event_add(&attributes, "text", key), 0);
	ck_assert_int_eq(publish(broker, &p, &reached, NULL), DONE);
	event_release(&attributes);
	return reached;
}

unsigned say(const char *subject, const char *text)
{
	return say_to(NULL, subject, text);
}

/* -- the rest ------------------------------------------------------------- */

void all_is_well(void)
{
	struct buf report = BUF_INIT;
	int broken = broker_check(broker, &report);

	ck_assert_msg(broken == 0, "%d broken:\n%s", broken,
		      buf_str(&report));
	buf_release(&report);
}

pid_t fork_off(void (*body)(void *arg), void *arg)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		body(arg);
		_exit(0);
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

void ended_well(pid_t pid)
{
	int status = status_of(pid);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "process %ld ended with status %#x", (long)pid,
		      (unsigned)status);
}

void was_killed(pid_t pid, int signal)
{
	int status = status_of(pid);

	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == signal,
		      "process %ld ended with status %#x", (long)pid,
		      (unsigned)status);
}

void drop_dead(void)
{
	kill(getpid(), SIGKILL);
	abort();
}

uint32_t *shared_word(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(p != MAP_FAILED);
	return p;
}

static void pause_briefly(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

void await_word(const uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
		pause_briefly();
}

void await_clock(int64_t ms)
{
	while (clock_ms() <= ms)
		pause_briefly();
}
