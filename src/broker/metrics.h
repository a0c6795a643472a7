/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - what is in the segment, as Prometheus wants it
 */
#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

#include "broker/broker.h"

/* Of the text that metrics_render() makes. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends the text exposition format 0.0.4. */
void metrics_render(struct broker *b, struct buf *out);

/*
 * Would a new client be served?  Returns 0, or -1 with the reason, a line of
 * static text, in *why_out.
 */
int metrics_health(struct broker *b, const char **why_out);

#endif
