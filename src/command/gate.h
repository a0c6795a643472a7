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

int gate_join(struct task *t);

/* subjects: a comma list, or NULL: nothing to ask. */
int gate_subscribe(struct task *t, const char *subjects);

int gate_publish(struct task *t);

/* What a rule refused is counted in the segment, and logged: a line a second
 * and process at most. */
void gate_note(struct task *t);

#endif
