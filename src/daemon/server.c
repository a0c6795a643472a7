/* SPDX-License-Identifier: MIT */
/*
 * server.c - broker, reactor, servlet and controller wired together
 *
 * The arrows of the architecture point one way; what has to go against them
 * (a request to its controller, a channel to the reactor, a tick to the
 * servlet) goes through the callbacks set here.
 */
#include "daemon/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/sample.h"
#include "broker/worker.h"
#include "channel/acceptor.h"
#include "channel/reactor.h"
#include "command/controller.h"
#include "daemon/relays.h"
#include "fcgi/servlet.h"

enum { BUSY = 4096 };		/* requests waiting for a thread */

struct server {
	const struct options *options;
	struct properties properties;
	struct broker *broker;
	uint32_t worker;
	struct controller controller;
	struct reactor *reactor;
	struct servlet *servlet;
	struct relays relays;
	struct acceptor *web, *relayed;	/* or NULL */
	uv_signal_t term, interrupt, hangup;
	bool stopping;		/* we were told to; else: segment destroyed */
};

/* ---- callbacks ---- */

static void serve(void *arg, const struct request *q, struct response *r)
{
	struct server *s = arg;

	controller_serve(&s->controller, q, r);
}

static void park(void *arg, void *parked, int fd, int request)
{
	struct server *s = arg;

	reactor_adopt(s->reactor, parked, fd, request);
}

static void limits(void *arg, uint64_t *body_out, uint64_t *timeout_out)
{
	struct server *s = arg;
	controller_limits(&s->controller, body_out, timeout_out);
}

static void connection_ready(void *arg, int fd)
{
	struct server *s = arg;

	if (servlet_offer(s->servlet, fd) < 0)
		log_error("no memory for a request; connection closed");
}

static bool servlet_busy(void *arg)
{
	struct server *s = arg;

	return servlet_waiting(s->servlet) >= BUSY;
}

static void tick(void *arg)
{
	struct server *s = arg;

	sample_due(s->broker);
	if (s->servlet)
		servlet_tick(s->servlet);
	if (s->web)
		acceptor_tick(s->web, s->properties.request_timeout);
	if (s->relayed)
		acceptor_tick(s->relayed, s->properties.request_timeout);
}

static bool relay_admitted(void *arg, int fd)
{
	struct server *s = arg;

	return relays_admit(&s->relays, fd);
}

static int relay_brings(void *arg, int fd)
{
	(void)arg;
	return relays_take(fd);
}

/* ---- signals ---- */

static void stop_requests(struct server *s)
{
	if (s->web)
		acceptor_stop(s->web);
	if (s->relayed)
		acceptor_stop(s->relayed);
	s->web = s->relayed = NULL;
	if (s->servlet)
		servlet_stop(&s->servlet);
}

/* No new requests; those under way are answered; then the channels end. */
static void stop(uv_signal_t *signal, int number)
{
	struct server *s = signal->data;

	(void)number;
	if (s->stopping)
		return;
	s->stopping = true;
	log_debug("stopping");
	stop_requests(s);
	reactor_stop(s->reactor);
}

/* Without a socket for them the property means nothing. */
static int settle_relays(struct server *s, const struct properties *p)
{
	return s->options->relay ? relays_settle(&s->relays, p) : 0;
}

/* NULL: what is wrong with it has been said. */
static struct permit *make_permit(const struct properties *p)
{
	struct buf report = BUF_INIT;
	struct permit *permit = permit_new(p, &report);

	log_report(LOG_LEVEL_ERROR, &report);
	return permit;
}

static void reload(uv_signal_t *signal, int number)
{
	struct server *s = signal->data;
	struct buf report = BUF_INIT;
	struct permit *permit = NULL;
	struct properties fresh;

	(void)number;
	if (overrides_read(&s->options->overrides, &fresh) < 0 ||
	    !(permit = make_permit(&fresh)) || settle_relays(s, &fresh) < 0) {
		permit_drop(permit);
		log_error("properties not reloaded; the old ones stay");
		return;
	}
	conf_reload(properties_table, &s->properties, &fresh, &report);
	log_set_level((enum log_level)s->properties.log_level);
	log_to((enum log_target)s->properties.log_to, NULL);
	broker_settle(s->broker, &s->properties);
	controller_settle(&s->controller, &s->properties, permit);
	reactor_settle(s->reactor, &s->properties);
	log_info("properties reloaded");
	log_report(LOG_LEVEL_INFO, &report);
}

/* One that comes between two segments waits for the next loop. */
static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(how, &set, NULL);
}

static void on_signal(struct server *s, uv_signal_t *handle, uv_signal_cb cb,
		      int number)
{
	uv_signal_init(reactor_loop(s->reactor), handle);
	handle->data = s;
	uv_signal_start(handle, cb, number);
	uv_unref((uv_handle_t *)handle);
}

/* ---- life ---- */

static int open_broker(struct server *s)
{
	struct buf report = BUF_INIT;
	enum segment_status status;

	status = broker_open(&s->broker, &s->properties, true, &report);
	log_report(LOG_LEVEL_INFO, &report);
	if (status != SEGMENT_OK) {
		log_error("segment %s: %s", s->properties.shm_name,
			  segment_explain(status));
		return -1;
	}
	worker_reap(s->broker);	/* whoever was killed before us */
	if (worker_enter(s->broker, &s->worker) == DONE)
		return 0;
	log_error("segment %s: all worker slots are taken (workers.max)",
		  s->properties.shm_name);
	broker_close(&s->broker);
	return -1;
}

static int start_accepting(struct server *s, const struct sockets *sockets)
{
	struct acceptor_calls calls = { NULL, NULL, connection_ready,
					servlet_busy, s };
	uv_loop_t *loop = reactor_loop(s->reactor);

	if (sockets->web.fd >= 0) {
		s->web = acceptor_start(loop, sockets->web.fd, &calls);
		if (!s->web)
			return -1;
	}
	if (sockets->relay.fd < 0)
		return 0;
	calls.admit = relay_admitted;
	calls.unwrap = relay_brings;
	s->relayed = acceptor_start(loop, sockets->relay.fd, &calls);
	return s->relayed ? 0 : -1;
}

/* Starts everything that serves.  libfcgi sets signal handlers when the
 * servlet starts, so ours come after. */
static int start(struct server *s, const struct sockets *sockets)
{
	struct servlet_calls calls = { serve, park, limits, s };
	struct permit *permit = make_permit(&s->properties);

	if (!permit)
		return -1;
	controller_init(&s->controller, s->broker, s->worker, &s->properties,
			permit);
	s->reactor = reactor_new(s->broker, s->worker, &s->properties, tick,
				 s);
	if (!s->reactor)
		return -1;
	s->servlet = servlet_start(s->options->threads, &calls);
	if (!s->servlet)
		return -1;
	on_signal(s, &s->term, stop, SIGTERM);
	on_signal(s, &s->interrupt, stop, SIGINT);
	on_signal(s, &s->hangup, reload, SIGHUP);
	hold_signals(SIG_UNBLOCK);
	return start_accepting(s, sockets);
}

static void finish(struct server *s)
{
	stop_requests(s);
	hold_signals(SIG_BLOCK);
	if (s->reactor)
		reactor_free(&s->reactor);
	if (s->controller.permit)
		controller_release(&s->controller);
	worker_exit(s->broker, s->worker);
	broker_close(&s->broker);
}

static int serve_segment(struct server *s, const struct sockets *sockets,
			 void (*ready)(void *arg), void *arg)
{
	if (open_broker(s) < 0)
		return -1;
	if (start(s, sockets) < 0) {
		log_error("cannot start: %s", s->controller.permit ?
			  strerror(errno) : "see above");
		finish(s);
		return -1;
	}
	log_to((enum log_target)s->properties.log_to, NULL);
	if (ready)
		ready(arg);
	reactor_run(s->reactor);
	finish(s);
	return 0;
}

int server_run(const struct options *o, const struct properties *p,
	       const struct sockets *sockets,
	       void (*ready)(void *arg), void *arg)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return EXIT_FAILURE;
	s->options = o;
	s->properties = *p;
	log_name_segment(s->properties.shm_name);
	signal(SIGPIPE, SIG_IGN);
	rc = settle_relays(s, p);
	while (rc == 0 && !s->stopping) {
		rc = serve_segment(s, sockets, ready, arg);
		ready = NULL;
	}
	log_name_segment(NULL);
	free(s);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
