/* SPDX-License-Identifier: MIT */
/*
 * drain.h - a process's part of a drain (broker/steer.h)
 */
#ifndef CHANNEL_DRAIN_H
#define CHANNEL_DRAIN_H

#include "broker/broker.h"
#include "channel/ready.h"
#include "channel/roster.h"

/* To be called every tick ms: if there is a drain, makes as many of the channels
 * it means tired that the rest can follow until its end, and puts them into the
 * ready list. */
void drain_some(struct broker *b, struct roster *roster, struct ready *ready,
		int64_t tick);

#endif
