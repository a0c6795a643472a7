/* SPDX-License-Identifier: MIT */
/*
 * segment.c - what operations on a segment cost, by how much is in it
 *
 * usage: segment
 *
 * Fills a segment of its own, in steps, with sessions of three subscriptions
 * each and prints for each step one line, a JSON object, with microseconds:
 * of join, subscribe and leave; of a publish that matches nobody, of one that
 * matches one session, always the same or each time another; of each session
 * of one that matches all, whose queues are full; of attaching and of a repair.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "broker/broker.h"
#include "broker/session.h"
#include "broker/subscription.h"
#include "pushlet.h"

enum {
	MOST = 100000,			/* sessions */
	EACH = 3,			/* subscriptions of each */
	PROBES = 1000,			/* joins and leaves timed at a size */
	EVENTS = 20000,
	QUEUE = 16,
	ROUNDS = 5			/* the median of so many counts */
};

static const unsigned sizes[] = { 100, 1000, 10000, MOST };

static struct {
	struct broker *broker;
	struct pushlet *publisher;
	unsigned sessions;
	char name[SEGMENT_NAME_MAX];
} bench;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

__attribute__((noreturn)) static void give_up(const char *what)
{
	fprintf(stderr, "segment: %s failed\n", what);
	if (bench.broker)
		broker_destroy(bench.broker);
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of several calls, each of which does n things: microseconds for one. */
static double median_of(void (*work)(unsigned n), unsigned n)
{
	double us[ROUNDS], start;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		start = now_us();
		work(n);
		us[i] = (now_us() - start) / n;
	}
	qsort(us, ROUNDS, sizeof(us[0]), by_size);
	return us[ROUNDS / 2];
}

/* -- what is timed ------------------------------------------------------ */

static struct session_view joined[PROBES];

static void join(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (session_join(bench.broker, 0, "", &joined[i]) != DONE)
			give_up("a join");
}

static void leave(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (session_leave(bench.broker, joined[i].ref) != DONE)
			give_up("a leave");
}

static void subscribe_to(struct session_ref ref, const char *subject)
{
	char sid[SID_SIZE];

	if (subscription_add(bench.broker, ref, subject, NULL, 0, sid) != DONE)
		give_up("a subscription");
}

static void subscribe_one(struct session_ref ref, unsigned number, char which)
{
	char subject[40];

	snprintf(subject, sizeof(subject), "/bench/%u/%c", number, which);
	subscribe_to(ref, subject);
}

static void subscribe(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		subscribe_one(joined[i].ref, MOST + i, 'x');
}

static void publish_on(const char *subject, unsigned expected)
{
	const struct pushlet_attribute a = { "text", "0123456789abcdef" };
	unsigned sessions;

	if (pushlet_publish(bench.publisher, subject, &a, 1, NULL, &sessions,
			    NULL) != PUSHLET_OK || sessions != expected)
		give_up("a publish");
}

static void publish_to(unsigned number, unsigned expected)
{
	char subject[40];

	snprintf(subject, sizeof(subject), "/bench/%u/a", number);
	publish_on(subject, expected);
}

static void publish_to_nobody(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		publish_to(2 * MOST + i, 0);
}

static void publish_to_one(unsigned n)
{
	while (n-- > 0)
		publish_to(bench.sessions / 2, 1);
}

/* As far apart as they can be: nothing of the next one is in any cache. */
static void publish_to_another(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		publish_to((unsigned)(i * 7919ull % bench.sessions), 1);
}

static void publish_to_all(unsigned n)
{
	while (n-- > 0)
		publish_on("/all", bench.sessions);
}

static void attach(unsigned n)
{
	struct pushlet *p;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (pushlet_open(&p, bench.name, NULL) != PUSHLET_OK)
			give_up("attaching");
		pushlet_close(&p);
	}
}

static void repair(unsigned n)
{
	while (n-- > 0)
		broker_repair(bench.broker);
}

/* -- the run ------------------------------------------------------------ */

static void set_up(void)
{
	struct buf report = BUF_INIT;
	struct properties p;

	properties_defaults(&p);
	snprintf(bench.name, sizeof(bench.name), "/pushlet-bench-%d",
		 (int)getpid());
	snprintf(p.shm_name, sizeof(p.shm_name), "%s", bench.name);
	p.sessions_max = MOST + PROBES;
	p.subscriptions_max = EACH * MOST + PROBES;
	p.subject_bytes = 64;
	p.queue_size = QUEUE;
	p.session_timeout = 3600 * 1000;
	if (broker_open(&bench.broker, &p, true, &report) != SEGMENT_OK)
		give_up("making the segment");
	buf_release(&report);
	if (pushlet_open(&bench.publisher, bench.name, NULL) != PUSHLET_OK)
		give_up("attaching");
}

static void fill(unsigned sessions)
{
	struct session_view s;
	int i;

	for (; bench.sessions < sessions; bench.sessions++) {
		if (session_join(bench.broker, 0, "", &s) != DONE)
			give_up("a join");
		subscribe_to(s.ref, "/all");
		for (i = 1; i < EACH; i++)
			subscribe_one(s.ref, bench.sessions,
				      (char)('a' + i - 1));
	}
}

/* Joins, subscribes and leaves in turn, so each is timed by itself. */
static void come_and_go(double us_out[3])
{
	void (*const steps[3])(unsigned) = { join, subscribe, leave };
	double us[3][ROUNDS], start;
	int i, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 3; i++) {
			start = now_us();
			steps[i](PROBES);
			us[i][round] = (now_us() - start) / PROBES;
		}
	}
	for (i = 0; i < 3; i++) {
		qsort(us[i], ROUNDS, sizeof(us[i][0]), by_size);
		us_out[i] = us[i][ROUNDS / 2];
	}
}

static void measure(void)
{
	double us[3];

	come_and_go(us);
	printf("{\"sessions\":%u,\"subscriptions\":%u,\"join\":%.3f,"
	       "\"subscribe\":%.3f,\"leave\":%.3f,", bench.sessions,
	       EACH * bench.sessions, us[0], us[1], us[2]);
	printf("\"none\":%.3f,\"one\":%.3f,\"another\":%.3f,",
	       median_of(publish_to_nobody, EVENTS),
	       median_of(publish_to_one, EVENTS),
	       median_of(publish_to_another, EVENTS));
	publish_to_all(QUEUE);
	printf("\"all\":%.4f,",
	       median_of(publish_to_all, QUEUE) / bench.sessions);
	printf("\"attach\":%.1f,\"repair\":%.1f}\n",
	       median_of(attach, 10), median_of(repair, 1));
	fflush(stdout);
}

int main(void)
{
	unsigned i;

	set_up();
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fill(sizes[i]);
		measure();
	}
	pushlet_close(&bench.publisher);
	broker_destroy(bench.broker);
	broker_close(&bench.broker);
	return 0;
}
