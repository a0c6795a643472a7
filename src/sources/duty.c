/* SPDX-License-Identifier: MIT */
/*
 * duty.c - when a source is to run
 */
#include "sources/duty.h"

#include <string.h>

struct duty_rules duty_rules(const struct settings *all,
			     const struct source_settings *one)
{
	return (struct duty_rules){
		.restart = (enum restart)one->restart,
		.when = (enum when)one->when,
		.grace = (int64_t)all->grace * 1000,
		.stop = (int64_t)all->stop * 1000,
		.delay_min = (int64_t)all->restart_min * 1000,
		.delay_max = (int64_t)all->restart_max * 1000,
		.stable = (int64_t)all->restart_stable * 1000,
		.silence = (int64_t)one->silence * 1000,
	};
}

void duty_init(struct duty *d, const struct duty_rules *rules, int64_t now)
{
	memset(d, 0, sizeof(*d));
	d->rules = *rules;
	d->wanted = d->due = now;
}

static enum duty_act leave(struct duty *d, int64_t now, enum duty_why why)
{
	d->state = DUTY_LEAVING;
	d->why = why;
	d->since = now;
	d->killed = false;
	return DUTY_TERM;
}

static enum duty_act idle_next(struct duty *d, int64_t now, bool wanted)
{
	d->state = DUTY_IDLE;
	if (d->retired || !wanted)
		return DUTY_NOTHING;
	if (now >= d->due)
		return DUTY_START;
	d->state = DUTY_WAITING;
	return DUTY_NOTHING;
}

bool duty_needed(const struct duty *d, int64_t now)
{
	return !d->retired && now - d->wanted <= d->rules.grace;
}

static enum duty_act running_next(struct duty *d, int64_t now)
{
	if (!duty_needed(d, now))
		return leave(d, now, d->retired ? WHY_RETIRED : WHY_UNWANTED);
	if (d->rules.silence && now - d->heard >= d->rules.silence)
		return leave(d, now, WHY_SILENT);
	return DUTY_NOTHING;
}

static enum duty_act leaving_next(struct duty *d, int64_t now)
{
	if (d->killed || now - d->since < d->rules.stop)
		return DUTY_NOTHING;
	d->killed = true;
	return DUTY_KILL;
}

enum duty_act duty_next(struct duty *d, int64_t now, bool wanted)
{
	wanted = wanted || d->rules.when == WHEN_ALWAYS;
	if (wanted)
		d->wanted = now;
	switch (d->state) {
	case DUTY_IDLE:
	case DUTY_WAITING:
		return idle_next(d, now, wanted);
	case DUTY_RUNNING:
		return running_next(d, now);
	case DUTY_LEAVING:
		return leaving_next(d, now);
	case DUTY_OVER:
		/* Who subscribes after all had gone finds a new one. */
		if (now - d->wanted > d->rules.grace)
			d->state = DUTY_IDLE;
		break;
	}
	return DUTY_NOTHING;
}

void duty_started(struct duty *d, int64_t now)
{
	d->state = DUTY_RUNNING;
	d->since = d->heard = now;
}

static void wait_longer(struct duty *d, int64_t now)
{
	d->delay = d->delay ? d->delay * 2 : d->rules.delay_min;
	if (d->delay > d->rules.delay_max)
		d->delay = d->rules.delay_max;
	d->due = now + d->delay;
	d->state = DUTY_WAITING;
}

void duty_failed(struct duty *d, int64_t now)
{
	d->why = WHY_ITSELF;
	wait_longer(d, now);
}

void duty_heard(struct duty *d, int64_t now)
{
	d->heard = now;
}

void duty_exited(struct duty *d, int64_t now)
{
	if (d->state != DUTY_RUNNING)
		return;
	if (now - d->since >= d->rules.stable)
		d->delay = 0;
	leave(d, now, WHY_ITSELF);
}

void duty_ended(struct duty *d, int64_t now, bool well)
{
	bool failed = !well || d->why == WHY_SILENT;

	d->state = DUTY_IDLE;
	if (d->why == WHY_UNWANTED || d->why == WHY_RETIRED)
		return;
	if (d->rules.restart == RESTART_ALWAYS ||
	    (d->rules.restart == RESTART_FAILURE && failed))
		wait_longer(d, now);
	else
		d->state = DUTY_OVER;
}

void duty_retire(struct duty *d)
{
	d->retired = true;
}
