/* SPDX-License-Identifier: MIT */
/*
 * elsewhere.h - how many are at other nodes, and here for them
 *
 * Counts for what is told below /meta.  They are some seconds old, end when
 * nobody brings new ones, and are of some subjects only if there are more than
 * fit: nothing else depends on them.
 */
#ifndef BROKER_ELSEWHERE_H
#define BROKER_ELSEWHERE_H

#include "broker/broker.h"
#include "broker/layout.h"

enum {
	ELSEWHERE_MS = 10000,		/* that counts last */
	CENSUS_MAX = 1000		/* subjects that a node tells of */
};

/* What there is here.  The caller releases subjects. */
struct census {
	uint64_t sessions;
	uint32_t watchers;
	unsigned count;
	uint32_t online[CENSUS_MAX];
	struct buf subjects;		/* each with a NUL behind it */
};

/* Counts; memory is kept from one time to the next. */
void census_read(struct broker *b, struct census *out);

/* One more node's count of a subject, into fresh ones that were all zero. */
void elsewhere_add(const struct broker *b, struct elsewhere *fresh,
		   const char *subject, size_t n, uint32_t online);

/* These are the counts from now on. */
void elsewhere_store(struct broker *b, const struct elsewhere *fresh);

#endif
