/* SPDX-License-Identifier: MIT */
/*
 * task.c - what all commands do: look at fields, answer, refuse, join
 */
#include "command/task.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/owner.h"
#include "command/gate.h"
#include "command/outcome.h"

const char *task_field(const struct task *t, const char *name)
{
	return event_get(&t->command.fields, name);
}

int task_acknowledge(struct task *t, const char *name, ...)
{
	struct event e = EVENT_INIT;
	const char *key, *value;
	va_list ap;

	event_add(&e, "p_event", name);
	va_start(ap, name);
	while ((key = va_arg(ap, const char *))) {
		value = va_arg(ap, const char *);
		if (value)
			event_add(&e, key, value);
	}
	va_end(ap);
	answer_head(&t->response->bytes, t->status ? t->status : 200,
		    t->adapter->content_type, t->head);
	answer_start(&t->answer, &t->response->bytes, t->adapter, t->callback);
	answer_event(&t->answer, &e);
	event_release(&e);
	return 0;
}

int task_complete(struct task *t)
{
	answer_finish(&t->answer);
	return 0;
}

int task_refuse(struct task *t, enum outcome outcome, const char *what)
{
	struct event_limits limits = broker_event_limits(t->broker);

	return outcome_refuse(&t->refusal, outcome, what, &limits,
			      t->rules);
}

const char *task_reliable(const struct task *t)
{
	const char *asked = task_field(t, "p_reliable");

	return asked && strcmp(asked, "1") == 0 ? asked : NULL;
}

/* The parameter that a header arrives as (RFC 3875, 4.1.18). */
static void param_of(char *out, size_t size, const char *header)
{
	int n = snprintf(out, size, "HTTP_%s", header);
	int i;

	for (i = 0; i < n; i++)
		out[i] = out[i] == '-' ? '_' : (char)toupper(out[i]);
}

/* A header may have been there before the last proxy added to it, so only its
 * last part counts. */
const char *task_address(const struct task *t)
{
	char name[sizeof(t->rules->address_header) + 8];
	const char *value, *last;
	struct address a;

	if (!*t->rules->address_header)
		return t->request->address;
	param_of(name, sizeof(name), t->rules->address_header);
	value = request_param(t->request, name);
	last = strrchr(value, ',');
	last = last ? last + 1 : value;
	return address_read(&a, last, strlen(last)) ? last :
						      t->request->address;
}

int task_number(const char *text, uint64_t *n_out)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 18 || text[digits])
		return -1;
	*n_out = strtoull(text, NULL, 10);
	return 0;
}

int task_last(struct task *t)
{
	const char *asked = task_field(t, "p_last");
	char quote[64];

	if (!asked || task_number(asked, &t->last) == 0)
		return 0;
	return refuse(&t->refusal, 200, "p_last must be a whole number, how "
		      "many earlier events, not '%s'",
		      refusal_quote(quote, asked));
}

int task_join(struct task *t)
{
	const char *asked = task_field(t, "p_reliable");
	enum outcome outcome;

	if (asked && strcmp(asked, "0") != 0 && strcmp(asked, "1") != 0)
		return refuse(&t->refusal, 200, "p_reliable must be 0 or 1");
	if (gate_join(t) < 0)
		return -1;
	outcome = session_join(t->broker, adapter_number(t->adapter),
			       task_address(t), &t->session);
	if (outcome == DONE && *t->request->user)
		outcome = owner_set(t->broker, t->session.ref,
				    t->request->user);
	if (outcome == DONE && (task_reliable(t) || t->adapter->reliable))
		outcome = session_rely(t->broker, t->session.ref);
	if (outcome != DONE)
		return task_refuse(t, outcome, "session (sessionmanager."
				   "maxsessions)");
	return 0;
}
