/* SPDX-License-Identifier: MIT */
/*
 * source.c - one source: a command, what it prints, and when it runs
 *
 * A command is over when its process was reaped, nothing of its group is left,
 * and all that it printed was read.
 */
#include "sources/source.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sources/flow.h"
#include "sources/remarks.h"

enum {
	CHUNK = 16384,
	ERR_BYTES = 65536,	/* of standard error, from step to step */
	PAUSE_MIN = 20		/* ms; shorter ones would be for one event */
};

struct source {
	struct common *common;
	struct source_settings settings;
	struct duty duty;
	struct child child;
	int status;		/* of the command, as waitpid(2) has it */
	struct feed *feed;
	struct outgoing like;	/* of format=lines */
	struct pushlet_attribute line;
	struct flow flow;
	struct remarks remarks;
	uv_poll_t out, err;
	uv_timer_t resume;
	unsigned closing;	/* handles whose callback is still to come */
	bool freed;		/* when that is 0 */
	bool last;		/* nobody is left who could print more */
	bool discard;		/* what it prints is not wanted any more */
	bool err_paused;
	bool counted;		/* something of the chunk took of the flow */
	size_t err_read;	/* since the last step */
	size_t at, len;		/* what is unread of the chunk */
	char chunk[CHUNK];
};

/* -- handles ------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
	struct source *s = handle->data;

	if (--s->closing == 0 && s->freed)
		free(s);
}

static void close_handle(struct source *s, void *handle)
{
	s->closing++;
	uv_close(handle, on_closed);
}

static void close_out(struct source *s)
{
	if (s->child.out < 0)
		return;
	uv_timer_stop(&s->resume);
	close_handle(s, &s->out);
	child_close_out(&s->child);
}

static void close_err(struct source *s)
{
	if (s->child.err < 0)
		return;
	close_handle(s, &s->err);
	child_close_err(&s->child);
}

/* -- what it prints ----------------------------------------------------- */

static void count(struct source *s)
{
	flow_take(&s->flow, clock_ms());
	s->counted = true;
}

static bool on_event(void *arg, const struct outgoing *event)
{
	struct source *s = arg;
	struct spout *spout = &s->common->spout;
	char text[320];

	count(s);
	if (spout_publish(spout, event))
		return true;
	snprintf(text, sizeof(text), "line %lu: not published: %s",
		 event->line, spout->error.text);
	remark(&s->remarks, clock_ms(), text);
	return true;
}

static void on_fault(void *arg, const char *text)
{
	struct source *s = arg;

	count(s);
	remark(&s->remarks, clock_ms(), text);
}

static bool new_feed(struct source *s)
{
	const struct feed_calls calls = { on_event, on_fault, s };
	const struct source_settings *set = &s->settings;

	s->line = (struct pushlet_attribute){ set->attribute, NULL };
	s->like = (struct outgoing){ set->subject, NULL, &s->line, 1, 0 };
	feed_free(&s->feed);
	if (set->format == FORMAT_LINES)
		s->feed = feed_lines(&calls, &s->like, &s->line);
	else
		s->feed = feed_xml(&calls, *set->subject ? set->subject : NULL,
				   NULL, true);
	return s->feed != NULL;
}

static void end_out(struct source *s)
{
	if (s->feed && !s->discard)
		feed_end(s->feed);
	close_out(s);
	uv_async_send(s->common->again);
}

static void stop_reading(struct source *s)
{
	s->discard = true;
	s->at = s->len = 0;
}

static void out_of_memory(struct source *s)
{
	log_error("%s: out of memory", s->settings.name);
	stop_reading(s);
	child_signal(&s->child, SIGTERM);
}

static void on_out(uv_poll_t *handle, int status, int events);
static void on_resume(uv_timer_t *timer);

/* Publishes what is in the chunk, as far as the rate allows it now.  A chunk
 * without any event counts as one, so that no flood keeps us busy. */
static void pump(struct source *s)
{
	int64_t wait;
	size_t n;

	while (s->at < s->len && !s->discard) {
		wait = flow_wait(&s->flow, clock_ms());
		if (wait > 0) {
			uv_poll_stop(&s->out);
			wait = wait < PAUSE_MIN ? PAUSE_MIN : wait;
			uv_timer_start(&s->resume, on_resume, (uint64_t)wait,
				       0);
			return;
		}
		n = feed_piece(s->feed, s->chunk + s->at, s->len - s->at);
		if (feed_bytes(s->feed, s->chunk + s->at, n) != FEED_ON)
			out_of_memory(s);
		else
			s->at += n;
		duty_heard(&s->duty, clock_ms());
	}
	if (!s->counted)
		count(s);
	uv_poll_start(&s->out, UV_READABLE, on_out);
}

static void on_resume(uv_timer_t *timer)
{
	struct source *s = timer->data;

	if (s->child.out >= 0)
		pump(s);
}

static void read_out(struct source *s)
{
	ssize_t n = read(s->child.out, s->chunk, sizeof(s->chunk));

	if (n > 0) {
		s->at = 0;
		s->len = (size_t)n;
		s->counted = false;
		pump(s);
	} else if (n == 0 || (errno == EAGAIN && s->last) ||
		   (errno != EAGAIN && errno != EINTR)) {
		end_out(s);
	}
}

static void on_out(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	read_out(handle->data);
}

/* Returns whether there may be more. */
static bool read_err(struct source *s)
{
	char bytes[4096];
	ssize_t n = read(s->child.err, bytes, sizeof(bytes));

	if (n > 0) {
		remarks_add(&s->remarks, clock_ms(), bytes, (size_t)n);
		s->err_read += (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_err(s);
	}
	return n > 0;
}

/* Who floods it has to wait, too. */
static void on_err(uv_poll_t *handle, int status, int events)
{
	struct source *s = handle->data;

	(void)status;
	(void)events;
	read_err(s);
	if (s->err_read < ERR_BYTES || s->child.err < 0)
		return;
	uv_poll_stop(handle);
	s->err_paused = true;
}

static void resume_err(struct source *s)
{
	s->err_read = 0;
	if (s->err_paused && s->child.err >= 0)
		uv_poll_start(&s->err, UV_READABLE, on_err);
	s->err_paused = false;
}

static void finish_err(struct source *s)
{
	s->err_read = 0;
	while (s->child.err >= 0 && s->err_read < ERR_BYTES && read_err(s))
		;
	close_err(s);
	remarks_flush(&s->remarks, clock_ms());
}

/* -- start and end ------------------------------------------------------ */

static void start(struct source *s, int64_t now)
{
	const struct source_settings *set = &s->settings;

	if (!new_feed(s)) {
		errno = ENOMEM;
	} else if (child_start(&s->child, set->command,
			       *set->user ? set->user : NULL,
			       &s->common->warden) == 0) {
		uv_poll_init(s->common->loop, &s->out, s->child.out);
		uv_poll_init(s->common->loop, &s->err, s->child.err);
		uv_poll_start(&s->out, UV_READABLE, on_out);
		uv_poll_start(&s->err, UV_READABLE, on_err);
		s->last = s->discard = s->err_paused = false;
		s->at = s->len = s->err_read = 0;
		duty_started(&s->duty, now);
		log_info("%s: started, pid %d", set->name, (int)s->child.pid);
		return;
	}
	log_error("%s: cannot be started: %s", set->name, strerror(errno));
	duty_failed(&s->duty, now);
}

static void terminate(struct source *s)
{
	child_signal(&s->child, SIGTERM);
	child_signal(&s->child, SIGCONT);
}

/* What it has still to say was not asked for. */
static void dismiss(struct source *s)
{
	terminate(s);
	stop_reading(s);
	if (s->child.out >= 0)
		pump(s);
}

static void say_how(const struct source *s, char *out, size_t size)
{
	if (s->duty.why == WHY_UNWANTED)
		snprintf(out, size, "stopped: nobody is subscribed to it");
	else if (s->duty.why == WHY_SILENT)
		snprintf(out, size, "stopped: it said nothing for %llu s",
			 (unsigned long long)s->settings.silence);
	else if (s->duty.why == WHY_RETIRED)
		snprintf(out, size, "stopped");
	else if (WIFSIGNALED(s->status))
		snprintf(out, size, "ended by signal %d (%s)",
			 WTERMSIG(s->status), strsignal(WTERMSIG(s->status)));
	else
		snprintf(out, size, "ended with status %d",
			 WEXITSTATUS(s->status));
}

static void finish(struct source *s, int64_t now)
{
	bool well = WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0;
	char how[128], again[64] = "";

	finish_err(s);
	warden_tell(&s->common->warden, s->child.pid, false);
	s->child.pid = 0;
	feed_free(&s->feed);
	duty_ended(&s->duty, now, well);
	if (s->duty.state == DUTY_WAITING)
		snprintf(again, sizeof(again), "; again in %lld s",
			 (long long)s->duty.delay / 1000);
	say_how(s, how, sizeof(how));
	log_info("%s: %s%s", s->settings.name, how, again);
	uv_async_send(s->common->again);
}

/* How far has its end come? */
static void follow_end(struct source *s, int64_t now)
{
	if (!s->child.pid || !s->child.reaped || !child_gone(&s->child))
		return;
	s->last = true;
	if (s->child.out >= 0 && s->at == s->len)
		read_out(s);
	if (s->child.out < 0)
		finish(s, now);
}

static bool wanted(struct source *s)
{
	const struct source_settings *set = &s->settings;

	return set->when == WHEN_ALWAYS ||
	       spout_wanted(&s->common->spout, set->subject,
			    set->format == FORMAT_XML);
}

void source_step(struct source *s, bool hold)
{
	int64_t now = clock_ms();

	remarks_tick(&s->remarks, now);
	resume_err(s);
	if (!duty_needed(&s->duty, now) && s->child.reaped)
		stop_reading(s);
	follow_end(s, now);
	switch (duty_next(&s->duty, now, wanted(s))) {
	case DUTY_START:
		/* Handles of the last time may not be closed yet. */
		if (!hold && !s->closing)
			start(s, now);
		break;
	case DUTY_TERM:
		dismiss(s);
		break;
	case DUTY_KILL:
		child_signal(&s->child, SIGKILL);
		break;
	case DUTY_NOTHING:
		break;
	}
}

bool source_reaped(struct source *s, pid_t pid, int status)
{
	if (!s->child.pid || s->child.reaped || s->child.pid != pid)
		return false;
	s->child.reaped = true;
	s->status = status;
	/* What it left behind in its group goes, too. */
	terminate(s);
	duty_exited(&s->duty, clock_ms());
	return true;
}

/* -- life --------------------------------------------------------------- */

struct source *source_new(struct common *common, const struct settings *all,
			  const struct source_settings *one)
{
	struct source *s = calloc(1, sizeof(*s));
	struct duty_rules rules = duty_rules(all, one);

	if (!s)
		return NULL;
	s->common = common;
	s->settings = *one;
	s->child.out = s->child.err = -1;
	s->remarks.name = s->settings.name;
	s->out.data = s->err.data = s->resume.data = s;
	duty_init(&s->duty, &rules, clock_ms());
	flow_init(&s->flow, one->rate);
	uv_timer_init(common->loop, &s->resume);
	return s;
}

void source_settle(struct source *s, const struct settings *all)
{
	s->duty.rules = duty_rules(all, &s->settings);
}

const struct source_settings *source_settings(const struct source *s)
{
	return &s->settings;
}

void source_retire(struct source *s)
{
	duty_retire(&s->duty);
}

void source_kill(struct source *s)
{
	child_signal(&s->child, SIGKILL);
}

void source_tell(struct source *s)
{
	if (s->child.pid)
		warden_tell(&s->common->warden, s->child.pid, true);
}

bool source_over(const struct source *s)
{
	return s->duty.retired && !s->child.pid;
}

void source_free(struct source **s_in)
{
	struct source *s = *s_in;

	*s_in = NULL;
	source_kill(s);
	close_out(s);
	close_err(s);
	feed_free(&s->feed);
	remarks_release(&s->remarks);
	s->freed = true;
	close_handle(s, &s->resume);
}
