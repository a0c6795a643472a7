/* SPDX-License-Identifier: MIT */
/*
 * gate.c - may this request do what it asks for?
 */
#include "command/gate.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { NOTE_PERIOD = 1000 };		/* ms between lines about refusals */

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

int gate_join(struct task *t)
{
	const char *subject;
	unsigned number = ask(t, RULE_JOIN, "", &subject);

	if (number == 0)
		return 0;
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
int gate_publish(struct task *t)
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

/* ---- notes ---- */

/* Is it time for a line?  Then *unsaid_out is how many went without. */
static bool may_say(struct controller *c, unsigned *unsaid_out)
{
	int64_t now = clock_ms();
	bool may;

	pthread_rwlock_wrlock(&c->lock);
	may = now - c->noted >= NOTE_PERIOD;
	*unsaid_out = c->unsaid;
	c->unsaid = may ? 0 : c->unsaid + 1;
	if (may)
		c->noted = now;
	pthread_rwlock_unlock(&c->lock);
	return may;
}

void gate_note(struct task *t)
{
	const char *handle = *t->session.handle ? t->session.handle : "-";
	const char *address = task_address(t);
	char command[64], from[64], others[48] = "";
	unsigned unsaid;

	if (!t->denied)
		return;
	broker_count_refusal(t->broker);
	if (!may_say(t->controller, &unsaid))
		return;
	if (unsaid)
		snprintf(others, sizeof(others), "; %u more such messages",
			 unsaid);
	log_warn("refused: %s of session %s from %s: %s%s",
		 refusal_quote(command, t->command.name), handle,
		 refusal_quote(from, *address ? address : "-"),
		 t->refusal.text, others);
}
