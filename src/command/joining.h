/* SPDX-License-Identifier: MIT */
/*
 * joining.h - a session for who asks for one
 *
 * Only files of src/command include this.
 */
#ifndef COMMAND_JOINING_H
#define COMMAND_JOINING_H

#include "command/task.h"

/* Joins a session of the chosen format, reliable if the request wants it or
 * the format needs it.  Returns 0, or -1 with the task's refusal filled. */
int joining_join(struct task *t);

/* "1" if the request asked for a reliable session, else NULL: what the
 * acknowledgement says of it. */
const char *joining_reliable(const struct task *t);

#endif
