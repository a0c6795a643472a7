/* SPDX-License-Identifier: MIT */
/*
 * fuzz_segment.c - a segment with any bytes damaged
 *
 * An input is three bytes, a bit for each operation that is to run, then what
 * is stored where in a segment in use, anywhere but in its lock.  No operation
 * may crash or hang, whether its process opened the segment before the damage
 * or after it; and a repair must leave nothing broken.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/closeup.h"
#include "broker/delivery.h"
#include "broker/listener.h"
#include "broker/metrics.h"
#include "broker/publish.h"
#include "broker/sample.h"
#include "broker/session.h"
#include "broker/status.h"
#include "broker/steer.h"
#include "broker/subscription.h"
#include "broker/view.h"
#include "broker/worker.h"

enum { CLIENTS = 3 };

static struct client {
	struct session_view session;
	uint64_t channel;
	char sid[SID_SIZE];
} clients[CLIENTS];

static struct properties properties;
static struct broker *before;	/* opened before the damage */
static struct broker *b;	/* this one, or one opened after */
static char *saved;		/* the segment without damage */
static uint32_t worker;

/* -- operations ----------------------------------------------------------- */

static bool has(void *arg, uint64_t position)
{
	return *(uint64_t *)arg == position;
}

static void keep(void *arg, uint64_t position, const char *packed, size_t n)
{
	const char *end = packed + n;
	struct attr a;

	while (attr_next(&packed, end, &a))
		must(strlen(a.value) <= a.value_len);
	*(uint64_t *)arg = position;
}

static void take_and_commit(const struct client *c)
{
	uint64_t kept = UINT64_MAX;
	struct intake intake = { has, keep, &kept };
	struct take t = { .ref = c->session.ref, .channel = c->channel,
			  .max = 4, .room = 4096 };
	struct commit commit = { .ref = t.ref, .channel = t.channel };
	struct deliveries d = DELIVERIES_INIT;

	delivery_take(b, &t, 1, &intake, &d);
	must(t.count <= t.max && t.count == d.count);
	commit.counter = t.count ? d.items[t.count - 1].counter + 1 : 0;
	commit.lost_told = t.lost;
	delivery_commit(b, &commit, 1);
	deliveries_release(&d);
}

static void take(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		take_and_commit(&clients[i]);
}

static void say(const char *subject, const char *to)
{
	struct event e = EVENT_INIT;
	struct publication p = { .subject = subject, .attributes = &e,
				 .to = to };
	unsigned reached;

	event_add(&e, "text", "more than a few bytes, as events have");
	publish(b, &p, &reached, NULL);
	event_release(&e);
}

static void say_to_all(void)
{
	say("/a/b", NULL);
}

static void say_to_one(void)
{
	say("/a", clients[0].session.id);
	say("/a", clients[1].session.handle);
}

static void say_much(void)
{
	int i;

	for (i = 0; i < 40; i++)
		say("/b/c", NULL);
}

static void look_closely(void)
{
	struct buf text = BUF_INIT;
	struct closeup_subject *list;
	struct closeup up;
	const char *why;
	unsigned n;
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (closeup_read(b, clients[i].session.handle, &up) == DONE)
			closeup_release(&up);
	list = closeup_subjects(b, &n);
	must(n <= properties.subscriptions_max);
	closeup_subjects_free(list, n);
	metrics_render(b, &text);
	must(!buf_failed(&text));
	buf_release(&text);
	must((metrics_health(b, &why) < 0) == (why != NULL));
}

static void look(void)
{
	struct status status;
	struct status_session *list;
	unsigned n, i;

	status_read(b, &status);
	free(status_workers(b, &n));
	list = status_sessions(b, &n);
	must(n <= properties.sessions_max);
	for (i = 0; i < n; i++) {
		must(strlen(list[i].handle) < sizeof(list[i].handle));
		must(strlen(list[i].address) < sizeof(list[i].address));
	}
	status_sessions_free(list, n);
	look_closely();
}

static void find(void)
{
	struct session_view view;
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (session_find(b, clients[i].session.id, &view) == DONE)
			must(strlen(view.handle) < sizeof(view.handle));
}

static void subscribe(void)
{
	char sid[SID_SIZE];

	subscription_ensure(b, clients[0].session.ref, "/a,/b", "label", 0,
			    sid);
	subscription_add(b, clients[1].session.ref, "/c,/d,/e", NULL, 9,
			 sid);
	subscription_add(b, clients[2].session.ref, "/a,/d", NULL, 9, sid);
}

static void unsubscribe(void)
{
	struct buf subjects = BUF_INIT, label = BUF_INIT;
	bool labelled;
	int i;

	for (i = 0; i < CLIENTS; i++)
		subscription_remove(b, clients[i].session.ref, clients[i].sid,
				    &subjects, &label, &labelled);
	buf_release(&subjects);
	buf_release(&label);
}

static void clear(void)
{
	subscription_clear(b, clients[0].session.ref);
}

static void join_and_leave(void)
{
	struct session_view view;
	int i;

	for (i = 0; i < 2; i++)
		if (session_join(b, 0, "::1", &view) == DONE && i == 0)
			session_leave(b, view.ref);
}

static void leave(void)
{
	session_leave(b, clients[1].session.ref);
}

static void expire(void)
{
	struct drain order;

	session_expire(b);
	sample_due(b);
	if (steer_draining(b, &order))
		must(steer_share(&order, 7, 1000) <= 7);
	steer_drain(b, 3);
	steer_kick(b, clients[2].session.handle, "a reason");
}

static void attach(void)
{
	struct place place;

	listener_listen(b, clients[0].session.ref, worker, MODE_POLL, &place);
	if (listener_attach(b, clients[2].session.ref, worker, MODE_PULL,
			    &place) == DONE)
		listener_detach(b, clients[2].session.ref, place.channel);
}

static void note_ready(void *arg, uint32_t session)
{
	(void)arg;
	(void)session;
}

static void work(void)
{
	uint32_t other;

	worker_answer(b, worker, note_ready, NULL);
	worker_reap(b);
	if (worker_enter(b, &other) == DONE)
		worker_exit(b, other);
}

static void check(void)
{
	struct buf report = BUF_INIT;

	must((broker_check(b, &report) > 0) == (report.len > 0));
	buf_release(&report);
}

static void repair(void)
{
	struct buf report = BUF_INIT;

	broker_repair(b);
	if (broker_check(b, &report) != 0) {
		fprintf(stderr, "broken after a repair:\n%s",
			buf_str(&report));
		abort();
	}
	buf_release(&report);
}

static void (*const operations[])(void) = {
	check, look, find, take, say_to_all, say_to_one, subscribe,
	unsubscribe, clear, attach, leave, expire, join_and_leave, work,
	say_much, repair, take, say_to_all, repair
};

enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

/* -- the segment ---------------------------------------------------------- */

static void open_small(void)
{
	struct buf report = BUF_INIT;

	properties_defaults(&properties);
	fuzz_shm_name(properties.shm_name, getpid());
	properties.sessions_max = 5;
	properties.subscriptions_max = 16;
	properties.workers_max = 3;
	properties.queue_size = 4;
	properties.log_bytes = 4096;
	properties.history_bytes = 2048;
	properties.subject_bytes = 32;
	properties.event_bytes = 512;
	properties.session_timeout = UINT32_MAX;
	properties.poll_timeout = UINT32_MAX;
	must(broker_open(&before, &properties, true, &report) == SEGMENT_OK);
	shm_unlink(properties.shm_name);
	b = before;
	/* What lies behind it must not be reached in silence. */
	mmap((char *)b->map + b->segment.size, 1 << 20, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

static void enter_client(struct client *c, const char *subjects,
			 const char *label)
{
	struct place place;

	must(session_join(b, 0, "127.0.0.1", &c->session) == DONE);
	must(subscription_add(b, c->session.ref, subjects, label, 0, c->sid) ==
	     DONE);
	must(listener_listen(b, c->session.ref, worker, MODE_STREAM, &place) ==
	     DONE);
	c->channel = place.channel;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz", LOG_LEVEL_FATAL);
	open_small();
	must(worker_enter(b, &worker) == DONE);
	enter_client(&clients[0], "/a,/b", "label");
	enter_client(&clients[1], "/a", NULL);
	enter_client(&clients[2], "/b/c,/d,/e,/meta", NULL);
	say_to_all();
	say_to_one();
	take_and_commit(&clients[1]);
	listener_detach(b, clients[2].session.ref, clients[2].channel);
	say("/d", NULL);
	saved = malloc(b->segment.size);
	must(saved);
	memcpy(saved, b->map, b->segment.size);
	return 0;
}

/* Everything but the lock. */
static void copy_segment(char *to, const char *from)
{
	size_t lock = offsetof(struct layout, lock);
	size_t behind = lock + sizeof(struct shared_lock);

	memcpy(to, from, lock);
	memcpy(to + behind, from + behind, before->segment.size - behind);
}

/* Stores 1, 2, 4 or 8 bytes somewhere. */
static void damage(char *segment, struct fuzz_input *in)
{
	size_t lock = offsetof(struct layout, lock);
	size_t at = fuzz_byte(in) << 8, width, i;

	at = (at | fuzz_byte(in)) % before->segment.size;
	width = (size_t)1 << fuzz_byte(in) % 4;
	at -= at % width;
	for (i = 0; i < width; i++, at++)
		if (at < lock || at >= lock + sizeof(struct shared_lock))
			segment[at] = (char)fuzz_byte(in);
}

/* A process that comes now: does it believe the segment? */
static bool open_anew(void)
{
	struct buf report = BUF_INIT;
	enum segment_status status;
	int fd = shm_open(properties.shm_name, O_RDWR | O_CREAT | O_EXCL,
			  0600);

	must(fd >= 0);
	must(write(fd, before->map, before->segment.size) ==
	     (ssize_t)before->segment.size);
	close(fd);
	status = broker_open(&b, &properties, false, &report);
	shm_unlink(properties.shm_name);
	buf_release(&report);
	return status == SEGMENT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = { data, data + n };
	unsigned i, wanted, anew;

	wanted = fuzz_byte(&in) | fuzz_byte(&in) << 8;
	anew = fuzz_byte(&in);
	wanted |= (anew & 0x7f) << 16;
	while (in.pos < in.end)
		damage((char *)before->map, &in);
	b = before;
	if (!(anew & 0x80) || open_anew())
		for (i = 0; i < OPERATIONS; i++)
			if (wanted >> i & 1)
				operations[i]();
	if (b != before)
		broker_close(&b);
	copy_segment((char *)before->map, saved);
	return 0;
}
