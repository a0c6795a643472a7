/* SPDX-License-Identifier: MIT */
/*
 * outcome.h - what the broker would not do, in words for a client
 */
#ifndef COMMAND_OUTCOME_H
#define COMMAND_OUTCOME_H

#include "broker/broker.h"
#include "command/refusal.h"

/* Fills why for any outcome but DONE: a nack, or an HTTP error where the
 * session is gone (400) or this process is short of memory (503).  what is the
 * offending text, or what there is no room for; NULL: nothing to name.
 * Returns -1. */
int outcome_refuse(struct refusal *why, enum outcome outcome, const char *what,
		   const struct event_limits *limits,
		   const struct properties *rules);

#endif
