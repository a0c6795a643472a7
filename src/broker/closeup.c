/* SPDX-License-Identifier: MIT */
/*
 * closeup.c - copied under one lock, put in order without it
 */
#include "broker/closeup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/name.h"
#include "broker/view.h"

/* ---- one session ---- */

/* The subjects of all parts, as a comma list on the heap. */
static char *subjects_of(struct broker *b, const struct subscription *sub)
{
	uint32_t steps = b->geometry.subscriptions;
	struct buf list = BUF_INIT;

	buf_puts(&list, "");
	for (; sub && steps; sub = subscription_at(b, sub->next_part), steps--) {
		if (list.len)
			buf_putc(&list, ',');
		if (subscription_fits(b, sub))
			buf_add(&list, sub->text, sub->subject_bytes);
	}
	if (buf_failed(&list))
		buf_release(&list);
	return list.data;
}

/* Returns 0, or -1: no memory. */
static int copy_subscription(struct broker *b, const struct subscription *sub,
			     struct closeup_subscription *out)
{
	subscription_sid(out->sid, subscription_index(b, sub),
			 sub->slot.generation);
	out->subjects = subjects_of(b, sub);
	if (!out->subjects)
		return -1;
	if (sub->label_bytes == NO_LABEL || !subscription_fits(b, sub))
		return 0;
	out->label = strndup(sub->text + sub->subject_bytes, sub->label_bytes);
	return out->label ? 0 : -1;
}

static int copy_subscriptions(struct broker *b, const struct session *s,
			      struct closeup *out)
{
	uint32_t most = s->subscription_count;
	const struct subscription *sub;

	if (most > b->geometry.subscriptions)
		most = b->geometry.subscriptions;
	out->subscriptions = calloc((size_t)most + 1,
				    sizeof(*out->subscriptions));
	if (!out->subscriptions)
		return -1;
	sub = subscription_at(b, s->first_subscription);
	for (; sub && out->n < most;
	     sub = subscription_at(b, sub->next_of_session))
		if (copy_subscription(b, sub, &out->subscriptions[out->n++]))
			return -1;
	return 0;
}

static enum outcome copy_session(struct broker *b, const struct session *s,
				 int64_t now, struct closeup *out)
{
	status_session_copy(b, s, now, &out->session);
	out->reliable = s->flags & SESSION_RELIABLE;
	out->yielded = s->flags & SESSION_YIELDED;
	out->aborted = s->flags & SESSION_ABORTED;
	out->served_as = s->served_as;
	out->sent = s->queue.sent - s->queue.tail;
	out->untold = s->queue.lost - s->lost_told;
	return copy_subscriptions(b, s, out) < 0 ||
	       buf_failed(&out->session.subjects) ? NO_MEMORY : DONE;
}

enum outcome closeup_read(struct broker *b, const char *handle,
			  struct closeup *out)
{
	int64_t now = clock_ms();
	enum outcome outcome = GONE;
	const struct session *s;

	memset(out, 0, sizeof(*out));
	if (!name_is_handle(handle))
		return GONE;
	broker_lock(b);
	s = session_named(b, handle);
	if (s && session_current(s, now))
		outcome = copy_session(b, s, now, out);
	broker_unlock(b);
	if (outcome == NO_MEMORY)
		closeup_release(out);
	return outcome;
}

void closeup_release(struct closeup *c)
{
	while (c->n > 0) {
		free(c->subscriptions[--c->n].subjects);
		free(c->subscriptions[c->n].label);
	}
	free(c->subscriptions);
	c->subscriptions = NULL;
	buf_release(&c->session.subjects);
}

/* ---- all subjects ---- */

/* Of one part of a subscription. */
struct wish {
	char *subject;
	uint32_t session;
};

/* Returns 0, or -1: no memory. */
static int copy_wish(struct broker *b, const struct subscription *sub,
		     struct wish *out)
{
	if (!subscription_fits(b, sub))
		return 0;
	out->session = sub->session;
	out->subject = strndup(sub->text, sub->subject_bytes);
	return out->subject ? 0 : -1;
}

/* Is it there?  A part is only as long as its first one leads to it. */
static bool alive(struct broker *b, const struct subscription *sub)
{
	const struct session *s = session_at(b, sub->session);
	const struct subscription *first = subscription_at(b, sub->first);

	return (sub->slot.state == SLOT_LIVE ||
		(sub->slot.state == SUBSCRIPTION_PART && first &&
		 first->slot.state == SLOT_LIVE)) &&
	       s && s->slot.state == SLOT_LIVE;
}

/* How many into list, which has room for max; -1: no memory. */
static int copy_wishes(struct broker *b, struct wish *list, uint32_t max)
{
	uint32_t i, n = 0;

	for (i = 0; i < b->geometry.subscriptions && n < max; i++) {
		const struct subscription *sub = subscription_at(b, i);

		if (!alive(b, sub))
			continue;
		if (copy_wish(b, sub, &list[n]) < 0)
			return -1;
		n += list[n].subject != NULL;
	}
	return (int)n;
}

static int by_subject(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;
	int rc = strcmp(x->subject, y->subject);

	return rc ? rc : (x->session > y->session) - (x->session < y->session);
}

/* Folds wishes, which are in order, into subjects; takes over their texts.
 * Returns how many. */
static unsigned fold(struct wish *w, unsigned n, struct closeup_subject *out)
{
	unsigned i, count = 0;

	for (i = 0; i < n; i++) {
		bool same = i && strcmp(w[i].subject, out[count - 1].subject) == 0;

		if (!same)
			out[count++] = (struct closeup_subject){ w[i].subject,
								 1 };
		else if (w[i].session != w[i - 1].session)
			out[count - 1].sessions++;
		if (same)
			free(w[i].subject);
	}
	return count;
}

struct closeup_subject *closeup_subjects(struct broker *b, unsigned *n_out)
{
	uint32_t i, max = b->geometry.subscriptions;
	struct wish *wishes = calloc(max, sizeof(*wishes));
	struct closeup_subject *list = NULL;
	int n = -1;

	*n_out = 0;
	if (wishes) {
		broker_lock(b);
		n = copy_wishes(b, wishes, max);
		broker_unlock(b);
	}
	if (n > 0)
		list = calloc((size_t)n, sizeof(*list));
	if (list) {
		qsort(wishes, (size_t)n, sizeof(*wishes), by_subject);
		*n_out = fold(wishes, (unsigned)n, list);
	}
	for (i = 0; wishes && !list && i < max; i++)
		free(wishes[i].subject);
	free(wishes);
	errno = n < 0 || (n > 0 && !list) ? ENOMEM : 0;
	return list;
}

void closeup_subjects_free(struct closeup_subject *list, unsigned n)
{
	while (list && n > 0)
		free(list[--n].subject);
	free(list);
}
