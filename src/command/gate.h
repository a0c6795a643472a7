/* SPDX-License-Identifier: MIT */
/*
 * gate.h - may this request do what it asks for?
 *
 * The one place where rules are applied to requests.  Only files of src/command
 * include this.  Each function returns 0, or -1 with the task's refusal filled
 * and marked as one by a rule, to be counted and logged by gate_note().
 */
#ifndef COMMAND_GATE_H
#define COMMAND_GATE_H

#include "command/task.h"

/* Asked of every request, before it is read. */
int gate_enter(struct task *t);

int gate_join(struct task *t);

/* subjects: a comma list, or NULL: nothing to ask. */
int gate_subscribe(struct task *t, const char *subjects);

/* clean: an empty event; it gets the attributes if they are not to go out as
 * they are, and is left empty else. */
int gate_publish(struct task *t, struct event *clean);

/* What a rule refused is counted in the segment, and logged: a line a second
 * and process at most. */
void gate_note(struct task *t);

#endif
