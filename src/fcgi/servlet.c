/* SPDX-License-Identifier: MIT */
/*
 * servlet.c - libfcgi behind a queue of accepted connections
 *
 * libfcgi can be made to parse from a descriptor that somebody else accepted:
 * a request that claims to have a kept connection goes straight to reading.
 * That, and taking the connection away from it again, touches fields that
 * fcgiapp.h marks as its own; take() and leave() are the only places that do.
 */
#include "fcgi/servlet.h"

#include <errno.h>
#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct waiting {
	struct waiting *next;
	int fd;
};

struct thread {
	struct servlet *servlet;
	pthread_t id;
	int guard;		/* a duplicate of the connection's descriptor:
				 * libfcgi may close its own at any time, and
				 * the number be somebody else's; -1: none.
				 * By servlet->lock, as the next two */
	int64_t deadline;	/* clock_ms() */
	bool cut;		/* servlet_tick() shut it down */
};

struct servlet {
	struct servlet_calls calls;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct waiting *first, **last;
	unsigned waiting;
	bool stopping;
	unsigned n;
	struct thread threads[];
};

/* From now on servlet_tick() may cut this connection. */
static void begin(struct thread *t, int fd, uint64_t timeout)
{
	int guard = dup(fd);	/* nothing here ever execs */

	pthread_mutex_lock(&t->servlet->lock);
	t->guard = guard;
	t->deadline = clock_ms() + (int64_t)timeout;
	t->cut = false;
	pthread_mutex_unlock(&t->servlet->lock);
}

/* The connection was closed or is given away.  Was it cut? */
static bool end(struct thread *t)
{
	bool cut;
	int guard;

	pthread_mutex_lock(&t->servlet->lock);
	guard = t->guard;
	t->guard = -1;
	cut = t->cut;
	pthread_mutex_unlock(&t->servlet->lock);
	if (guard >= 0)
		close(guard);
	return cut;
}

static void set_timeouts(int fd, uint64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
			      (suseconds_t)(ms % 1000 * 1000) };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* Lets libfcgi read a request from the descriptor.  Detached, it does not
 * linger when it closes.  On failure the descriptor is closed. */
static int take(FCGX_Request *q, int fd)
{
	FCGX_InitRequest(q, -1, 0);
	q->ipcFd = fd;
	q->keepConnection = 1;
	FCGX_Detach(q);
	if (FCGX_Accept_r(q) < 0)
		return -1;
	q->keepConnection = 0;
	return 0;
}

/* Takes the connection out of libfcgi, its response still open. */
static int leave(FCGX_Request *q)
{
	int fd = q->ipcFd;

	FCGX_Free(q, 0);
	q->ipcFd = -1;
	q->keepConnection = 0;
	return fd;
}

static const char *param(FCGX_Request *q, const char *name)
{
	const char *value = FCGX_GetParam(name, q->envp);

	return value ? value : "";
}

/* The length that CONTENT_LENGTH promises, or -1: read to the end. */
static long long promised(const char *text)
{
	char *stop;
	long long n;

	if (!*text)
		return -1;
	n = strtoll(text, &stop, 10);
	return *stop || n < 0 ? -1 : n;
}

/* Reads the body to its end, so that what follows on the connection is a
 * record; bytes over max are read and let go.  Returns -1 when the connection
 * failed on the way. */
static int read_body(FCGX_Request *q, uint64_t max, struct buf *body,
		      struct request *out)
{
	char part[8192];
	long long expected = promised(param(q, "CONTENT_LENGTH"));
	uint64_t total = 0;
	int n;

	while ((n = FCGX_GetStr(part, sizeof(part), q->in)) > 0) {
		total += (uint64_t)n;
		if (total <= max)
			buf_add(body, part, (size_t)n);
	}
	out->body = buf_str(body);
	out->body_len = body->len;
	out->body_state = BODY_WHOLE;
	if (total > max)
		out->body_state = BODY_TOO_LARGE;
	else if (buf_failed(body))
		out->body_state = BODY_NO_MEMORY;
	else if (expected >= 0 && total < (uint64_t)expected)
		out->body_state = BODY_CUT_SHORT;
	return FCGX_GetError(q->in) ? -1 : 0;
}

/* To libfcgi a connection that fails amid the parameters has no more of them;
 * only reading on shows it. */
static int read_request(FCGX_Request *q, uint64_t max, struct buf *body,
			 struct request *out)
{
	memset(out, 0, sizeof(*out));
	out->method = param(q, "REQUEST_METHOD");
	out->query = param(q, "QUERY_STRING");
	out->path = param(q, "REQUEST_URI");
	out->path_len = strcspn(out->path, "?");
	out->content_type = param(q, "CONTENT_TYPE");
	out->user_agent = param(q, "HTTP_USER_AGENT");
	out->address = param(q, "REMOTE_ADDR");
	out->user = param(q, "REMOTE_USER");
	out->params = q->envp;
	out->last_event_id = param(q, "HTTP_LAST_EVENT_ID");
	return read_body(q, max, body, out);
}

/* Writes the answer.  Returns -1 when the peer has gone or stalls. */
static int answer(FCGX_Request *q, const struct buf *bytes)
{
	if (FCGX_PutStr(buf_str(bytes), (int)bytes->len, q->out) < 0)
		return -1;
	return FCGX_FFlush(q->out);
}

static void finish(struct thread *t, FCGX_Request *q)
{
	static struct log_pace pace;
	char others[LOG_OTHERS];

	FCGX_Finish_r(q);
	FCGX_Free(q, 1);
	if (end(t) && log_may(&pace, others))
		log_warn("a web server took no answer in time; connection "
			 "closed%s", others);
}

/* A parked request whose peer is there goes on without libfcgi. */
static void park(struct thread *t, FCGX_Request *q, void *parked, bool alive)
{
	const struct servlet_calls *calls = &t->servlet->calls;
	int id = q->requestId, fd;

	if (!alive) {
		finish(t, q);
		calls->park(calls->arg, parked, -1, id);
		return;
	}
	fd = leave(q);
	if (end(t)) {
		close(fd);
		fd = -1;
	}
	calls->park(calls->arg, parked, fd, id);
}

static void serve(struct thread *t, FCGX_Request *q,
		  const struct request *request)
{
	const struct servlet_calls *calls = &t->servlet->calls;
	struct response r = { BUF_INIT, NULL };
	bool alive;

	calls->serve(calls->arg, request, &r);
	alive = !buf_failed(&r.bytes) && answer(q, &r.bytes) == 0;
	buf_release(&r.bytes);
	if (r.parked)
		park(t, q, r.parked, alive);
	else
		finish(t, q);
}

/* Half a request came.  A peer that went away is its own business; one that
 * keeps a thread waiting is worth a line. */
static void give_up(struct thread *t, int64_t since, uint64_t timeout)
{
	static struct log_pace pace;
	char others[LOG_OTHERS];

	if (!end(t) && clock_ms() - since < (int64_t)timeout)
		log_debug("a connection closed before its request was whole");
	else if (log_may(&pace, others))
		log_warn("a web server sent part of a request and stalled; "
			 "given up after %llu ms (request.timeout.millis)%s",
			 (unsigned long long)timeout, others);
}

static void handle(struct thread *t, int fd)
{
	const struct servlet_calls *calls = &t->servlet->calls;
	uint64_t body_max, timeout;
	int64_t start = clock_ms();
	struct buf body = BUF_INIT;
	struct request request;
	FCGX_Request q;

	calls->limits(calls->arg, &body_max, &timeout);
	set_timeouts(fd, timeout);
	begin(t, fd, timeout);
	if (take(&q, fd) < 0) {
		give_up(t, start, timeout);
	} else if (read_request(&q, body_max, &body, &request) < 0) {
		close(leave(&q));
		give_up(t, start, timeout);
	} else {
		serve(t, &q, &request);
	}
	buf_release(&body);
}

/* The next connection, or -1 when it is time to end. */
static int next(struct servlet *s)
{
	struct waiting *w;
	int fd = -1;

	pthread_mutex_lock(&s->lock);
	while (!s->first && !s->stopping)
		pthread_cond_wait(&s->wake, &s->lock);
	w = s->first;
	if (w) {
		s->first = w->next;
		if (!s->first)
			s->last = &s->first;
		s->waiting--;
		fd = w->fd;
	}
	pthread_mutex_unlock(&s->lock);
	free(w);
	return fd;
}

static void *run(void *arg)
{
	struct thread *t = arg;
	int fd;

	while ((fd = next(t->servlet)) >= 0)
		handle(t, fd);
	return NULL;
}

/* Signals are for the main thread: one that hits a thread in a read makes
 * libfcgi drop the request. */
static int start_threads(struct servlet *s, unsigned threads)
{
	sigset_t all, before;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (rc == 0 && s->n < threads) {
		struct thread *t = &s->threads[s->n];

		t->servlet = s;
		t->guard = -1;
		rc = pthread_create(&t->id, NULL, run, t);
		s->n += rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = rc;
	return rc ? -1 : 0;
}

struct servlet *servlet_start(unsigned threads,
			      const struct servlet_calls *calls)
{
	struct servlet *s;

	if (FCGX_Init() != 0)
		return NULL;
	s = calloc(1, sizeof(*s) + threads * sizeof(s->threads[0]));
	if (!s)
		return NULL;
	s->calls = *calls;
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	if (start_threads(s, threads) < 0) {
		int saved = errno;

		servlet_stop(&s);
		errno = saved;
	}
	return s;
}

int servlet_offer(struct servlet *s, int fd)
{
	struct waiting *w = malloc(sizeof(*w));

	if (!w) {
		close(fd);
		return -1;
	}
	w->fd = fd;
	w->next = NULL;
	pthread_mutex_lock(&s->lock);
	*s->last = w;
	s->last = &w->next;
	s->waiting++;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

unsigned servlet_waiting(struct servlet *s)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->waiting;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void cut_overdue(struct servlet *s, int64_t now)
{
	unsigned i;

	pthread_mutex_lock(&s->lock);
	for (i = 0; i < s->n; i++) {
		struct thread *t = &s->threads[i];

		if (t->guard < 0 || t->cut || now < t->deadline)
			continue;
		t->cut = true;
		shutdown(t->guard, SHUT_RDWR);
	}
	pthread_mutex_unlock(&s->lock);
}

void servlet_tick(struct servlet *s)
{
	cut_overdue(s, clock_ms());
}

void servlet_stop(struct servlet **s_ptr)
{
	struct servlet *s = *s_ptr;
	int64_t patience = clock_ms() + 300;
	struct timespec pause = { 0, 10 * 1000 * 1000 };
	unsigned i;

	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	for (i = 0; i < s->n; i++) {
		while (pthread_tryjoin_np(s->threads[i].id, NULL) == EBUSY) {
			nanosleep(&pause, NULL);
			if (clock_ms() > patience)
				cut_overdue(s, INT64_MAX);
		}
	}
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*s_ptr = NULL;
}
