/* SPDX-License-Identifier: MIT */
/*
 * gate.c - may this request do what it asks for?
 */
#include "command/gate.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "broker/owner.h"
#include "broker/rate.h"

/* To be returned by who has just refused by a rule. */
static int denied(struct task *t)
{
	t->denied = true;
	return -1;
}

/* The number of the rule that is against it, or 0. */
static unsigned ask(const struct task *t, unsigned acts, const char *subject,
		    const char **subject_out)
{
	struct rule_case c = {
		.acts = acts,
		.subject = subject,
		.user = t->request->user,
		.method = t->request->method,
	};
	struct address a;
	const char *text = task_address(t);

	address_read(&a, text, strlen(text));
	c.address = a.bytes;
	return rulebook_denies(&t->permit->rules, &c, subject_out);
}

static int ask_banned(struct task *t, const char *what)
{
	const char *text = task_address(t);
	struct address a;

	address_read(&a, text, strlen(text));
	if (!permit_banned(t->permit, a.bytes))
		return 0;
	refuse(&t->refusal, 200, "not allowed to %s from this address "
	       "(ban.addresses.file)", what);
	return denied(t);
}

/* A session is to be found again by its user's name. */
static int ask_name(struct task *t)
{
	if (!(t->rules->session_bind & BIND_USER) ||
	    strlen(t->request->user) <= OWNER_USER)
		return 0;
	refuse(&t->refusal, 200, "a user's name may have %d bytes "
	       "(session.bind)", OWNER_USER);
	return denied(t);
}

static int ask_requests(struct task *t)
{
	const char *text = task_address(t);
	size_t n = strlen(t->head);
	struct address a;

	if (!t->rules->address_requests)
		return 0;
	address_read(&a, text, strlen(text));
	t->wait = rate_request(t->broker, &a, t->rules->address_requests);
	if (!t->wait)
		return 0;
	snprintf(t->head + n, sizeof(t->head) - n, "Retry-After: %u\r\n",
		 (t->wait + 999) / 1000);
	refuse(&t->refusal, 429, "an address may make %llu requests a second "
	       "(address.max.requests.second); wait %u ms",
	       (unsigned long long)t->rules->address_requests, t->wait);
	return denied(t);
}

static int ask_publishes(struct task *t)
{
	if (!t->rules->session_publishes)
		return 0;
	t->wait = rate_publish(t->broker, t->session.ref,
			       t->rules->session_publishes);
	if (!t->wait)
		return 0;
	refuse(&t->refusal, 200, "a session may publish %llu times a second "
	       "(session.max.publishes.second); wait %u ms",
	       (unsigned long long)t->rules->session_publishes, t->wait);
	return denied(t);
}

int gate_enter(struct task *t)
{
	if (origin_allowed(t->rules->origin_allow, t->request, t->head))
		return ask_requests(t);
	refuse(&t->refusal, 403, "requests from pages of other sites are not "
	       "allowed here (origin.allow)");
	return denied(t);
}

int gate_join(struct task *t)
{
	const char *subject;
	unsigned number = ask(t, RULE_JOIN, "", &subject);

	if (number == 0)
		return ask_banned(t, "join") < 0 ? -1 : ask_name(t);
	refuse(&t->refusal, 200, "not allowed to join (rule %u)", number);
	return denied(t);
}

static int ask_subscribe(struct task *t, const char *subject)
{
	char quote[64], below[64];
	const char *where;
	unsigned number = ask(t, RULE_SUBSCRIBE, subject, &where);

	if (number == 0)
		return 0;
	refusal_quote(quote, subject);
	if (strcmp(where, subject) == 0)
		refuse(&t->refusal, 200, "not allowed to subscribe to '%s' "
		       "(rule %u)", quote, number);
	else
		refuse(&t->refusal, 200, "not allowed to subscribe to '%s': "
		       "'%s' is among that, and denied (rule %u)", quote,
		       refusal_quote(below, where), number);
	return denied(t);
}

/* The list is taken apart as subscriptions are. */
int gate_subscribe(struct task *t, const char *subjects)
{
	struct buf one = BUF_INIT;
	size_t n;
	int rc = 0;

	for (; rc == 0 && subjects && *subjects; subjects += n) {
		n = strcspn(subjects, ",");
		buf_clear(&one);
		buf_add(&one, subjects, n);
		if (buf_failed(&one))
			rc = task_refuse(t, NO_MEMORY, NULL);
		else if (n > 0)
			rc = ask_subscribe(t, buf_str(&one));
		n += subjects[n] == ',';
	}
	buf_release(&one);
	return rc;
}

/* What is for one session is published, too: who denies to publish denies
 * both. */
static int ask_publish(struct task *t)
{
	bool one = task_field(t, "p_to");
	const char *subject = task_field(t, "p_subject");
	unsigned number, acts = RULE_PUBLISH | (one ? RULE_UNICAST : 0);
	char quote[64];

	if (!subject)
		return 0;
	number = ask(t, acts, subject, &subject);
	if (number == 0)
		return 0;
	refuse(&t->refusal, 200, "not allowed to publish to '%s'%s (rule %u)",
	       refusal_quote(quote, subject), one ? ", for one session" : "",
	       number);
	return denied(t);
}

/* The words of one attribute; what is left of it goes to clean. */
static int ask_words(struct task *t, const struct attr *a, struct buf *masked,
		     struct event *clean, bool *found)
{
	char quote[64];
	int rc = 0;

	buf_clear(masked);
	if (strncmp(a->name, "p_", 2) != 0)
		rc = words_find(&t->permit->words, a->value, a->value_len,
				masked);
	if (rc < 0)
		return task_refuse(t, NO_MEMORY, NULL);
	if (rc > 0 && t->rules->filter_words == FILTER_REFUSE) {
		refuse(&t->refusal, 200, "attribute '%s' holds a word that is "
		       "not allowed here (filter.words.file)",
		       refusal_quote(quote, a->name));
		return denied(t);
	}
	*found |= rc > 0;
	if (event_add_n(clean, a->name, a->name_len,
			rc > 0 ? buf_str(masked) : a->value,
			rc > 0 ? masked->len : a->value_len) < 0)
		return task_refuse(t, NO_MEMORY, NULL);
	return 0;
}

static int filter(struct task *t, struct event *clean)
{
	const struct buf *packed = &t->command.fields.packed;
	const char *pos = buf_str(packed), *end = pos + packed->len;
	struct buf masked = BUF_INIT;
	bool found = false;
	struct attr a;
	int rc = 0;

	if (!*t->rules->words_file)
		return 0;
	while (rc == 0 && attr_next(&pos, end, &a))
		rc = ask_words(t, &a, &masked, clean, &found);
	buf_release(&masked);
	if (!found)
		event_clear(clean);
	return rc;
}

int gate_publish(struct task *t, struct event *clean)
{
	if (!t->rules->publish_get && strcmp(t->request->method, "GET") == 0) {
		refuse(&t->refusal, 200, "publishing by GET is switched off "
		       "here (publish.get); use POST");
		return denied(t);
	}
	if (ask_banned(t, "publish") < 0 || ask_publish(t) < 0 ||
	    ask_publishes(t) < 0)
		return -1;
	return filter(t, clean);
}

/* ---- notes ---- */

void gate_note(struct task *t)
{
	static struct log_pace pace;
	const char *handle = *t->session.handle ? t->session.handle : NULL;
	const char *address = task_address(t);
	char command[64], from[64], others[LOG_OTHERS];

	if (!t->denied)
		return;
	broker_count_refusal(t->broker);
	if (!log_may(&pace, others))
		return;
	log_session(LOG_LEVEL_WARN, handle,
		    "refused: %s of session %s from %s: %s%s",
		    refusal_quote(command, t->command.name),
		    handle ? handle : "-",
		    refusal_quote(from, *address ? address : "-"),
		    t->refusal.text, others);
}
