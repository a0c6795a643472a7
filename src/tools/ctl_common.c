/* SPDX-License-Identifier: MIT */
/*
 * ctl_common.c - what the commands share
 */
#include "tools/ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "broker/name.h"

enum tool_exit ctl_print(struct buf *out)
{
	enum tool_exit status = tool_print(out);

	buf_release(out);
	return status;
}

int ctl_handle_width(const struct broker *b)
{
	char node[NODE_SIZE];

	broker_node(b, node);
	return SESSION_HANDLE_LEN + (*node ? (int)strlen(node) + 1 : 0);
}

enum tool_exit ctl_no_session(const char *handle)
{
	/* It may be an id, which is not to be seen. */
	if (name_kind(handle) == NAME_ID)
		complain("that is no handle: pushletctl sessions lists them");
	else
		complain("'%s': there is no session of that handle: "
			 "pushletctl sessions lists them", handle);
	return TOOL_BAD;
}

void ctl_add_period(struct buf *out, int64_t seconds)
{
	if (seconds >= 86400)
		buf_printf(out, "%" PRId64 "d ", seconds / 86400);
	seconds %= 86400;
	buf_printf(out, "%02d:%02d:%02d", (int)(seconds / 3600),
		   (int)(seconds / 60 % 60), (int)(seconds % 60));
}

void ctl_add_time(struct buf *out, int64_t unix_seconds)
{
	time_t t = (time_t)unix_seconds;
	char text[32] = "?";
	struct tm tm;

	if (localtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	buf_puts(out, text);
}

int64_t ctl_since(int64_t unix_seconds)
{
	int64_t seconds = clock_unix() - unix_seconds;

	return seconds > 0 ? seconds : 0;
}

bool ctl_alive(uint32_t pid)
{
	return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* The length of the next subject of a comma list, which *list moves behind. */
static size_t next_subject(const char **list)
{
	size_t n = strcspn(*list, ",");

	*list += n + ((*list)[n] == ',');
	return n;
}

bool ctl_wants(const struct status_session *s, const char *subject)
{
	const char *list = buf_str(&s->subjects), *at;
	size_t n;

	for (at = list; *at; at = list) {
		n = next_subject(&list);
		if (strncmp(subject, at, n) == 0)
			return true;
	}
	return false;
}

void ctl_write_subjects(struct json *j, const char *list)
{
	const char *at;
	size_t n;

	json_array(j, "subjects");
	for (at = list; *at; at = list) {
		n = next_subject(&list);
		json_string_n(j, NULL, at, n);
	}
	json_end(j);
}
