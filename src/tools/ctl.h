/* SPDX-License-Identifier: MIT */
/*
 * ctl.h - inside pushletctl: its commands
 *
 * Each prints its answer to standard output and returns the exit status.  None
 * ever shows a session id: sessions are named by their handles.
 */
#ifndef TOOLS_CTL_H
#define TOOLS_CTL_H

#include <stdbool.h>

#include "tools/tool.h"

enum tool_exit ctl_status(struct broker *b, bool json);
enum tool_exit ctl_sessions(struct broker *b, bool json);
enum tool_exit ctl_check(struct broker *b);

/* Opens the segment for itself, for it may be one that does not open.  force:
 * though processes use it, or it is damaged. */
enum tool_exit ctl_destroy(const struct properties *p, bool force);

/* Appends a period as "3d 04:05:06". */
void ctl_add_period(struct buf *out, int64_t seconds);

/* Does the process of that number live? */
bool ctl_alive(uint32_t pid);

#endif
