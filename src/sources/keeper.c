/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - keeps all sources: starts, rereads, stops
 *
 * A source that was changed or removed while it runs becomes an old one, which
 * is freed when it is over; the new one of its name waits for that.
 */
#include "sources/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/properties.h"
#include "sources/source.h"

enum { TICK = 500 };		/* ms */

struct sources {
	struct source **list;
	size_t n;
};

struct keeper {
	const struct keeper_options *options;
	struct settings settings;
	struct common common;
	struct sources sources, old;
	uv_loop_t loop;
	uv_timer_t tick;
	uv_async_t again;
	uv_signal_t term, interrupt, hangup, child;
	bool stopping;
};

/* -- the file ----------------------------------------------------------- */

/* Who can write it decides what runs as us. */
static int check_owner(const char *file)
{
	struct stat st;

	if (geteuid() != 0 || stat(file, &st) < 0)
		return 0;	/* reading it tells what is wrong */
	if (st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	log_error("%s: its commands would run as root, so it must be root's "
		  "and nobody else may write it", file);
	return -1;
}

/* The segment that pushletd has, if nobody says another one. */
static int find_segment(const struct keeper_options *o, struct settings *s)
{
	const char *file = properties_file();
	struct buf report = BUF_INIT;
	struct properties p;
	int rc = 0;

	if (o->segment)
		snprintf(s->segment, sizeof(s->segment), "%s", o->segment);
	if (*s->segment)
		return 0;
	properties_defaults(&p);
	if (file)
		rc = properties_read(&p, file, &report);
	log_report(rc < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, &report);
	snprintf(s->segment, sizeof(s->segment), "%s", p.shm_name);
	return rc;
}

int keeper_read(const struct keeper_options *o, struct settings *out)
{
	struct buf report = BUF_INIT;

	if (check_owner(o->file) < 0)
		return -1;
	if (settings_read(out, o->file, &report) < 0) {
		log_report(LOG_LEVEL_ERROR, &report);
		return -1;
	}
	buf_release(&report);
	if (find_segment(o, out) == 0)
		return 0;
	settings_release(out);
	return -1;
}

/* -- lists -------------------------------------------------------------- */

static bool add(struct sources *to, struct source *s)
{
	struct source **list = realloc(to->list,
				       (to->n + 1) * sizeof(*list));

	if (!list)
		return false;
	to->list = list;
	to->list[to->n++] = s;
	return true;
}

static struct source *find(const struct sources *in, const char *name)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		if (in->list[i] &&
		    strcmp(source_settings(in->list[i])->name, name) == 0)
			return in->list[i];
	return NULL;
}

static void free_all(struct sources *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->list[i])
			source_free(&s->list[i]);
	free(s->list);
	memset(s, 0, sizeof(*s));
}

static void step_old(struct keeper *k)
{
	size_t i = 0;

	while (i < k->old.n) {
		source_step(k->old.list[i], true);
		if (source_over(k->old.list[i])) {
			source_free(&k->old.list[i]);
			k->old.list[i] = k->old.list[--k->old.n];
		} else {
			i++;
		}
	}
}

/* -- stopping ----------------------------------------------------------- */

/* The last of the file first, each when the one before has ended. */
static void stop_next(struct keeper *k)
{
	size_t i = k->sources.n;

	while (i > 0) {
		struct source *s = k->sources.list[--i];

		source_retire(s);
		source_step(s, true);
		if (!source_over(s))
			return;
	}
	if (k->old.n == 0)
		uv_stop(&k->loop);
}

static void step(struct keeper *k)
{
	size_t i;

	step_old(k);
	for (i = 0; i < k->sources.n; i++) {
		struct source *s = k->sources.list[i];

		source_step(s, k->stopping ||
			    find(&k->old, source_settings(s)->name));
	}
	if (k->stopping)
		stop_next(k);
}

static void kill_all(struct sources *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		source_retire(s->list[i]);
		source_kill(s->list[i]);
	}
}

static void on_stop(uv_signal_t *signal, int number)
{
	struct keeper *k = signal->data;

	(void)number;
	if (k->stopping) {
		log_warn("told to stop again: sources are killed");
		kill_all(&k->sources);
		kill_all(&k->old);
	}
	k->stopping = true;
	step(k);
}

/* -- rereading ---------------------------------------------------------- */

/* Takes a source that goes on out of the list of now; makes any other. */
static struct source *source_for(struct keeper *k, const struct settings *all,
				 const struct source_settings *one)
{
	size_t i;

	for (i = 0; i < k->sources.n; i++) {
		struct source *s = k->sources.list[i];

		if (!s || !source_settings_same(source_settings(s), one))
			continue;
		k->sources.list[i] = NULL;
		source_settle(s, all);
		return s;
	}
	return source_new(&k->common, all, one);
}

static void retire_rest(struct keeper *k)
{
	size_t i;

	for (i = 0; i < k->sources.n; i++) {
		struct source *s = k->sources.list[i];

		if (!s)
			continue;
		source_retire(s);
		if (add(&k->old, s))
			k->sources.list[i] = NULL;
	}
	free_all(&k->sources);	/* without memory: at once */
}

static void apply(struct keeper *k, struct settings *fresh)
{
	struct sources sources = { NULL, 0 };
	size_t i;

	for (i = 0; i < fresh->n; i++) {
		struct source *s = source_for(k, fresh, &fresh->sources[i]);

		if (!s || !add(&sources, s)) {
			log_error("%s: out of memory", fresh->sources[i].name);
			if (s)
				source_free(&s);
		}
	}
	retire_rest(k);
	k->sources = sources;
	settings_release(&k->settings);
	k->settings = *fresh;
	spout_name(&k->common.spout, k->settings.segment);
	spout_tick(&k->common.spout);
}

static void on_reload(uv_signal_t *signal, int number)
{
	struct keeper *k = signal->data;
	struct settings fresh;

	(void)number;
	if (k->stopping)
		return;
	if (keeper_read(k->options, &fresh) < 0) {
		log_error("%s not reloaded; the old sources stay",
			  k->options->file);
		return;
	}
	apply(k, &fresh);
	log_info("%s reloaded: %zu source%s", k->options->file, k->settings.n,
		 k->settings.n == 1 ? "" : "s");
	step(k);
}

/* -- other callbacks ---------------------------------------------------- */

static void tell_warden(struct keeper *k)
{
	size_t i;

	if (k->common.warden.pid || warden_start(&k->common.warden) < 0)
		return;
	for (i = 0; i < k->sources.n; i++)
		source_tell(k->sources.list[i]);
	for (i = 0; i < k->old.n; i++)
		source_tell(k->old.list[i]);
}

static bool reaped_by(const struct sources *s, pid_t pid, int status)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (source_reaped(s->list[i], pid, status))
			return true;
	return false;
}

/* Those of others that came to us (subreaper) need no more than this. */
static void on_child(uv_signal_t *signal, int number)
{
	struct keeper *k = signal->data;
	int status;
	pid_t pid;

	(void)number;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == k->common.warden.pid) {
			warden_died(&k->common.warden);
			log_warn("the warden died; another one is started");
			tell_warden(k);
		} else if (!reaped_by(&k->sources, pid, status)) {
			reaped_by(&k->old, pid, status);
		}
	}
	step(k);
}

static void on_tick(uv_timer_t *timer)
{
	struct keeper *k = timer->data;

	tell_warden(k);
	spout_tick(&k->common.spout);
	step(k);
}

static void on_again(uv_async_t *again)
{
	step(again->data);
}

/* -- life --------------------------------------------------------------- */

static void on_signal(struct keeper *k, uv_signal_t *handle, uv_signal_cb cb,
		      int number)
{
	uv_signal_init(&k->loop, handle);
	handle->data = k;
	uv_signal_start(handle, cb, number);
}

static int begin(struct keeper *k)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (warden_start(&k->common.warden) < 0 || uv_loop_init(&k->loop) < 0) {
		log_error("cannot start: %s", strerror(errno));
		return -1;
	}
	k->common.loop = &k->loop;
	k->common.again = &k->again;
	k->again.data = k->tick.data = k;
	uv_async_init(&k->loop, &k->again, on_again);
	uv_timer_init(&k->loop, &k->tick);
	uv_timer_start(&k->tick, on_tick, 0, TICK);
	on_signal(k, &k->term, on_stop, SIGTERM);
	on_signal(k, &k->interrupt, on_stop, SIGINT);
	on_signal(k, &k->hangup, on_reload, SIGHUP);
	on_signal(k, &k->child, on_child, SIGCHLD);
	return 0;
}

static void close_own(struct keeper *k)
{
	uv_close((uv_handle_t *)&k->again, NULL);
	uv_close((uv_handle_t *)&k->tick, NULL);
	uv_close((uv_handle_t *)&k->term, NULL);
	uv_close((uv_handle_t *)&k->interrupt, NULL);
	uv_close((uv_handle_t *)&k->hangup, NULL);
	uv_close((uv_handle_t *)&k->child, NULL);
}

/* Whoever is in a hurry may tell us once more: it is over anyhow. */
static void ignore_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void end(struct keeper *k)
{
	ignore_signals();
	free_all(&k->sources);
	free_all(&k->old);
	close_own(k);
	uv_run(&k->loop, UV_RUN_DEFAULT);
	uv_loop_close(&k->loop);
	warden_stop(&k->common.warden);
	spout_close(&k->common.spout);
	settings_release(&k->settings);
}

int keeper_run(const struct keeper_options *o, struct settings *settings)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (!k)
		return EXIT_FAILURE;
	k->options = o;
	if (begin(k) < 0) {
		warden_stop(&k->common.warden);
		settings_release(settings);
		free(k);
		return EXIT_FAILURE;
	}
	apply(k, settings);
	log_info("ready: %zu source%s, segment %s, pid %d", k->settings.n,
		 k->settings.n == 1 ? "" : "s", k->settings.segment,
		 (int)getpid());
	uv_run(&k->loop, UV_RUN_DEFAULT);
	end(k);
	free(k);
	return EXIT_SUCCESS;
}
