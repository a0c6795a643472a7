/* SPDX-License-Identifier: MIT */
/*
 * sample.h - how fast it goes: the counts of the last minute, once a second
 */
#ifndef BROKER_SAMPLE_H
#define BROKER_SAMPLE_H

#include "broker/broker.h"
#include "broker/layout.h"

/* What was counted within a period. */
struct pace {
	int64_t ms;			/* how long it was; 0: nobody sampled */
	struct counts counts;
};

/* Writes the counts down, unless another process did so within the last
 * second. */
void sample_due(struct broker *b);

/* What was counted since about so many seconds (at most a minute) ago, up to
 * now.  The lock is held. */
struct pace sample_pace(struct broker *b, unsigned seconds);

#endif
