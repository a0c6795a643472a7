/* SPDX-License-Identifier: MIT */
/*
 * pushlet-bridge.c - one event space of several machines
 *
 * Waits until there is a segment, takes the bridge's seat in it, and lets two
 * threads carry events until a signal comes or the segment goes.  With the
 * next segment of that name it begins anew.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "bridge/options.h"
#include "bridge/span.h"

enum { TICK_MS = 250, GRACE_MS = 700 };

/* What ends a span, or the program. */
enum step { GO_ON, AGAIN, RELOAD, STOP, FAIL };

struct program {
	struct options options;
	struct properties properties;
	struct place place;
	int halt_fd;
	bool waits;			/* for a segment; that was said */
};

static sigset_t signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

/* Waits a tick, or for a signal. */
static enum step tick(void)
{
	static const struct timespec t = { 0, TICK_MS * 1000000L };
	sigset_t set = signals();
	int n = sigtimedwait(&set, NULL, &t);

	return n < 0 ? GO_ON : n == SIGHUP ? RELOAD : STOP;
}

/* -- one span -------------------------------------------------------------- */

/* A thread that does not end in time is left to the end of the process: it may
 * end anywhere. */
static bool join(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += GRACE_MS / 2 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static enum step watch(struct span *s)
{
	char node[NODE_SIZE];
	enum step step;

	while ((step = tick()) == GO_ON) {
		broker_node(s->broker, node);
		if (broker_retired(s->broker) || strcmp(node, s->node) != 0)
			return AGAIN;
	}
	return step;
}

static void halt(struct span *s, const pthread_t threads[2])
{
	uint64_t one = 1;
	bool ended;

	if (write(s->halt_fd, &one, sizeof(one)) < 0)
		log_warn("cannot tell the threads to end: %s", strerror(errno));
	bridge_ring(s->broker);
	ended = join(threads[OUT]);
	ended &= join(threads[IN]);
	if (!ended)
		_exit(EXIT_SUCCESS);
	if (read(s->halt_fd, &one, sizeof(one)) < 0)
		log_warn("cannot go on: %s", strerror(errno));
}

static enum step carry(struct span *s)
{
	pthread_t threads[2];
	enum step step;

	if (pthread_create(&threads[OUT], NULL, feed_run, s) ||
	    pthread_create(&threads[IN], NULL, intake_run, s)) {
		log_error("cannot start a thread");
		exit(EXIT_FAILURE);
	}
	step = watch(s);
	halt(s, threads);
	return step;
}

static void span_init(struct span *s, const struct program *p,
		      struct broker *b)
{
	memset(s, 0, sizeof(*s));
	s->broker = b;
	s->place = p->place;
	s->halt_fd = p->halt_fd;
	broker_node(b, s->node);
	snprintf(s->prefix, sizeof(s->prefix), "%s",
		 p->properties.bridge_prefix);
	snprintf(s->maxlen, sizeof(s->maxlen), "%llu",
		 (unsigned long long)p->properties.bridge_maxlen);
	pthread_mutex_init(&s->lock, NULL);
}

/* In the bridge's seat. */
static enum step span_run(const struct program *p, struct broker *b)
{
	enum step step = FAIL;
	struct span s;

	span_init(&s, p, b);
	if (s.node[0])
		step = carry(&s);
	else
		log_error("segment %s is no node of a cluster: set the "
			  "property node where pushletd is started",
			  broker_name(b));
	pthread_mutex_destroy(&s.lock);
	buf_release(&s.why);
	return step;
}

/* -- the program ------------------------------------------------------------- */

static enum step seated(const struct program *p, struct broker *b)
{
	uint32_t other = bridge_enter(b);
	enum step step;

	if (other) {
		log_error("segment %s has a bridge already: process %u",
			  broker_name(b), other);
		return FAIL;
	}
	step = span_run(p, b);
	bridge_exit(b);
	return step;
}

static enum step wait_for_segment(struct program *p)
{
	if (!p->waits)
		log_info("waiting for segment %s, which pushletd makes",
			 p->properties.shm_name);
	p->waits = true;
	return tick();
}

/* From a segment there is to the end of our work there. */
static enum step attend(struct program *p)
{
	struct buf report = BUF_INIT;
	enum segment_status status;
	struct broker *b;
	enum step step;

	status = broker_open(&b, &p->properties, false, &report);
	buf_release(&report);
	if (status == SEGMENT_MISSING)
		return wait_for_segment(p);
	if (status != SEGMENT_OK) {
		log_error("segment %s: %s", p->properties.shm_name,
			  segment_explain(status));
		return FAIL;
	}
	p->waits = false;
	step = broker_retired(b) ? wait_for_segment(p) : seated(p, b);
	broker_close(&b);
	return step;
}

static int settle(struct program *p)
{
	struct buf why = BUF_INIT;
	int rc = overrides_read(&p->options.overrides, &p->properties);

	if (rc == 0 && (rc = place_read(&p->place, &p->properties, &why)) < 0)
		log_error("%s", buf_str(&why));
	buf_release(&why);
	if (rc == 0)
		log_set_level((enum log_level)p->properties.log_level);
	return rc;
}

/* New properties that are wrong leave the old ones. */
static void reload(struct program *p)
{
	struct program fresh = *p;

	if (settle(&fresh) == 0)
		*p = fresh;
}

int main(int argc, char **argv)
{
	static struct program p;
	sigset_t set = signals();
	enum step step = GO_ON;

	log_init("pushlet-bridge", LOG_LEVEL_INFO);
	switch (options_read(&p.options, argc, argv)) {
	case OPTIONS_EXIT:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return EXIT_FAILURE;
	case OPTIONS_GO:
		break;
	}
	if (settle(&p) < 0)
		return EXIT_FAILURE;
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	p.halt_fd = eventfd(0, EFD_CLOEXEC);
	while (step != STOP && step != FAIL) {
		step = attend(&p);
		if (step == RELOAD)
			reload(&p);
	}
	return step == STOP ? EXIT_SUCCESS : EXIT_FAILURE;
}
