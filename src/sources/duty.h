/* SPDX-License-Identifier: MIT */
/*
 * duty.h - when a source is to run
 *
 * It decides and does nothing: whoever keeps it tells it what happened and
 * what time it is (any clock in ms that is never set back), asks duty_next()
 * now and then and after each of these, and does what that says.
 *
 *	idle --wanted--> (START) --> running --unwanted, silent, retired-->
 *	  ^                ^            |                (TERM) leaving (KILL)
 *	  |             waiting <---- ended <-----------------------'
 *	  '----- over <-----------------'
 *
 * A source that ends by itself waits before it runs again: at first
 * delay_min, twice as long each time, at most delay_max; and delay_min again
 * after it ran for as long as stable.
 */
#ifndef SOURCES_DUTY_H
#define SOURCES_DUTY_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/settings.h"

struct duty_rules {
	enum restart restart;
	enum when when;
	int64_t grace;		/* it stays so long when nobody wants it */
	int64_t stop;		/* from TERM to KILL */
	int64_t delay_min, delay_max, stable;
	int64_t silence;	/* 0: it may be silent for ever */
};

enum duty_state {
	DUTY_IDLE,		/* nobody wants it, or it is retired */
	DUTY_WAITING,		/* wanted, but not yet */
	DUTY_RUNNING,
	DUTY_LEAVING,		/* on its way out */
	DUTY_OVER		/* ended, and is not to run again */
};

enum duty_why { WHY_ITSELF, WHY_UNWANTED, WHY_SILENT, WHY_RETIRED };

enum duty_act { DUTY_NOTHING, DUTY_START, DUTY_TERM, DUTY_KILL };

struct duty {
	struct duty_rules rules;
	enum duty_state state;
	enum duty_why why;	/* it is leaving, or left */
	int64_t since;		/* it runs, or leaves */
	int64_t heard;		/* the last time */
	int64_t wanted;		/* the last time */
	int64_t delay;		/* before the last restart; 0: there was none */
	int64_t due;		/* no start before that */
	bool retired;		/* is not to run any more */
	bool killed;
};

/* The rules of one source by the settings. */
struct duty_rules duty_rules(const struct settings *all,
			     const struct source_settings *one);

void duty_init(struct duty *d, const struct duty_rules *rules, int64_t now);

/* What is to be done; wanted: somebody subscribed (of when=always it does not
 * matter).  After DUTY_START comes duty_started() or duty_failed(). */
enum duty_act duty_next(struct duty *d, int64_t now, bool wanted);

/* Does anybody want what it says?  Its grace counts. */
bool duty_needed(const struct duty *d, int64_t now);

void duty_started(struct duty *d, int64_t now);
void duty_failed(struct duty *d, int64_t now);

/* It said something. */
void duty_heard(struct duty *d, int64_t now);

/* The command ended by itself; what it started may still be there. */
void duty_exited(struct duty *d, int64_t now);

/* All of it is gone; well: with status 0. */
void duty_ended(struct duty *d, int64_t now, bool well);

/* It is to run no more. */
void duty_retire(struct duty *d);

#endif
