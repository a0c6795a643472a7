/* SPDX-License-Identifier: MIT */
/*
 * permit.c - what the properties allow, made ready to be asked
 */
#include "command/permit.h"

#include <stdlib.h>

struct permit *permit_new(const struct properties *p, struct buf *report)
{
	struct permit *permit = calloc(1, sizeof(*permit));

	if (permit) {
		permit->held = 1;
		if (rulebook_read(&permit->rules, p->permits) == 0)
			return permit;
	}
	buf_puts(report, "no memory for the rules\n");
	permit_drop(permit);
	return NULL;
}

struct permit *permit_hold(struct permit *permit)
{
	__atomic_fetch_add(&permit->held, 1, __ATOMIC_RELAXED);
	return permit;
}

void permit_drop(struct permit *permit)
{
	if (!permit ||
	    __atomic_sub_fetch(&permit->held, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	rulebook_release(&permit->rules);
	free(permit);
}
