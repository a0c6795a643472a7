/* SPDX-License-Identifier: MIT */
/*
 * subscription_mend.c - subscriptions made whole, and looked at
 *
 * Which are true: first parts that a live session owns, and the parts that
 * they lead to.  All others are void; lists and index are derived anew.
 */
#include "broker/subscription.h"
#include "broker/view.h"
#include "shm/store.h"

/* Is this first part one that a live session owns? */
static bool owned(struct broker *b, const struct subscription *sub)
{
	return session_of(b, (struct session_ref){ sub->session,
						   sub->session_generation });
}

/* Marks, in next_of_session, the parts that a first part leads to; cuts the
 * list where it leads astray. */
static void claim_parts(struct broker *b, uint32_t first)
{
	struct subscription *p = subscription_at(b, first), *next;

	for (;; p = next) {
		if (p->next_part == NONE)
			return;
		next = subscription_at(b, p->next_part);
		if (!next || next->slot.state != SUBSCRIPTION_PART ||
		    next->first != first || next->next_of_session != NONE) {
			STORE(p->next_part, NONE);
			return;
		}
		STORE(next->next_of_session, first);
	}
}

void subscriptions_rebuild(struct broker *b)
{
	uint32_t i, max = b->geometry.subscriptions;
	struct subscription *sub;

	topic_clear(b);
	for (i = 0; i < max; i++) {
		sub = subscription_at(b, i);
		if (sub->slot.state == SLOT_FREE)
			continue;
		STORE(sub->next_of_session, NONE);
		STORE(sub->counted, 0);
		if (sub->slot.state > SUBSCRIPTION_PART ||
		    !subscription_fits(b, sub) ||
		    (sub->slot.state == SLOT_LIVE && !owned(b, sub)))
			STORE(sub->slot.state, (uint32_t)SLOT_FREE);
	}
	for (i = 0; i < max; i++)
		if (subscription_at(b, i)->slot.state == SLOT_LIVE)
			claim_parts(b, i);
	for (i = 0; i < max; i++) {
		sub = subscription_at(b, i);
		if (sub->slot.state == SUBSCRIPTION_PART &&
		    sub->next_of_session == NONE)
			STORE(sub->slot.state, (uint32_t)SLOT_FREE);
	}
	pool_rebuild(&b->subscriptions);
	for (i = 0; i < max; i++)
		if (subscription_at(b, i)->slot.state == SLOT_LIVE)
			subscription_link(b, i);
}

/* Counts the parts of a first part; -1 if one is not its own. */
static int parts_of(struct broker *b, uint32_t first)
{
	struct subscription *p = subscription_at(b, first);
	uint32_t max = b->geometry.subscriptions;
	int n = 1;

	while (p->next_part != NONE) {
		p = subscription_at(b, p->next_part);
		if (!p || p->slot.state != SUBSCRIPTION_PART ||
		    p->first != first || (uint32_t)n++ > max)
			return -1;
	}
	return n;
}

int subscription_check(struct broker *b, struct buf *report)
{
	uint32_t i, total = 0;
	int n, broken = 0;

	for (i = 0; i < b->geometry.subscriptions; i++) {
		struct subscription *sub = subscription_at(b, i);

		if (sub->slot.state != SLOT_LIVE)
			continue;
		n = parts_of(b, i);
		total += n > 0 ? (uint32_t)n : 0;
		if (n > 0 && owned(b, sub) && subscription_fits(b, sub))
			continue;
		buf_printf(report, "subscription %u: %s\n", i, n < 0 ?
			   "a part is not its own" : "it belongs to nobody");
		broken++;
	}
	if (total != b->subscriptions.head->used) {
		buf_printf(report, "subscriptions: %u used, %u owned\n",
			   b->subscriptions.head->used, total);
		broken++;
	}
	return broken;
}
