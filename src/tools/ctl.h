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

#include "broker/status.h"
#include "tools/tool.h"
#include "tools/tool_json.h"

/* What a command was given. */
struct ctl_request {
	bool json;
	bool force;			/* destroy */
	const char *subject;		/* sessions, top: NULL: all */
	const char *seconds;		/* doctor; NULL: as many as usual */
	const char *words[2];		/* behind its name; NULL: none */
};

enum tool_exit ctl_check(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_drain(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_kick(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_metrics(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_repair(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_sessions(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_show(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_status(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_subjects(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_top(struct broker *b, const struct ctl_request *q);
enum tool_exit ctl_watch(struct broker *b, const struct ctl_request *q);

/* Opens the segment for itself, for it may be one that does not open.  force:
 * though processes use it, or it is damaged. */
enum tool_exit ctl_destroy(const struct properties *p, bool force);

/* Looks at a server through its front, over HTTP, and needs no segment. */
enum tool_exit ctl_doctor(const struct ctl_request *q);

/* -- what they share ---------------------------------------------------- */

/* The width of a column of handles. */
int ctl_handle_width(const struct broker *b);

/* Complains that no session has that handle; returns TOOL_BAD. */
enum tool_exit ctl_no_session(const char *handle);

/* Prints what a command made, and releases it. */
enum tool_exit ctl_print(struct buf *out);

/* Appends a period as "3d 04:05:06", a point in time as "2026-11-22 00:01:02". */
void ctl_add_period(struct buf *out, int64_t seconds);
void ctl_add_time(struct buf *out, int64_t unix_seconds);

/* Seconds since a point in time; 0 if the clock was set back behind it. */
int64_t ctl_since(int64_t unix_seconds);

/* Does the process of that number live? */
bool ctl_alive(uint32_t pid);

/* What is known of a machine among several, and of the others; nothing of one
 * that is alone. */
void ctl_show_cluster(struct buf *out, const struct status *s);
void ctl_write_cluster(struct json *j, const struct status *s);

/* Would an event of that subject reach the session? */
bool ctl_wants(const struct status_session *s, const char *subject);

/* The members of a session, into an object that is open. */
void ctl_write_session(struct json *j, const struct status_session *s);

/* An array of the subjects of a comma list. */
void ctl_write_subjects(struct json *j, const char *list);

#endif
