/* SPDX-License-Identifier: MIT */
/*
 * joining.c - a session for who asks for one
 */
#include "command/joining.h"

#include <string.h>

#include "broker/owner.h"
#include "command/gate.h"

const char *joining_reliable(const struct task *t)
{
	const char *asked = task_field(t, "p_reliable");

	return asked && strcmp(asked, "1") == 0 ? asked : NULL;
}

int joining_join(struct task *t)
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
	if (outcome == DONE && (joining_reliable(t) || t->adapter->reliable))
		outcome = session_rely(t->broker, t->session.ref);
	if (outcome != DONE)
		return task_refuse(t, outcome, "session (sessionmanager."
				   "maxsessions)");
	return 0;
}
