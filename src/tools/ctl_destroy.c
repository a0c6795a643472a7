/* SPDX-License-Identifier: MIT */
/*
 * ctl_destroy.c - pushletctl destroy
 *
 * A segment that does not open is removed too, if that is asked for: it is
 * then only a file that is in the way.
 */
#include "tools/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/status.h"
#include "broker/worker.h"

static void add_pids(struct buf *out, const struct status_worker *list,
		     unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		buf_printf(out, "%s%u", i ? ", " : "", list[i].pid);
}

/* Refuses while somebody serves from it. */
static bool in_use(struct broker *b)
{
	struct status_worker *list;
	struct buf pids = BUF_INIT;
	unsigned n;

	worker_reap(b);
	list = status_workers(b, &n);
	if (n > 0) {
		add_pids(&pids, list, n);
		complain("%s: in use by %u process%s (pid %s); stop %s first, "
			 "or destroy it with --force", broker_name(b), n,
			 n == 1 ? "" : "es", buf_str(&pids),
			 n == 1 ? "it" : "them");
	}
	buf_release(&pids);
	free(list);
	return n > 0;
}

static enum tool_exit say(const char *name, const char *what)
{
	struct buf out = BUF_INIT;
	enum tool_exit status;

	buf_printf(&out, "%s: %s\n", name, what);
	status = tool_print(&out);
	buf_release(&out);
	return status;
}

static enum tool_exit failed(const char *name)
{
	int saved = errno;

	complain("%s: cannot remove it: %s", name, strerror(saved));
	if (saved == ENOENT)
		return TOOL_NO_SEGMENT;
	return saved == EACCES || saved == EPERM ? TOOL_DENIED : TOOL_SYSTEM;
}

static enum tool_exit destroy_sound(struct broker *b)
{
	struct status s;
	struct buf what = BUF_INIT;
	enum tool_exit status;

	status_read(b, &s);
	if (broker_destroy(b) < 0)
		return failed(broker_name(b));
	buf_printf(&what, "destroyed, with %u session%s in it", s.sessions,
		   s.sessions == 1 ? "" : "s");
	status = say(broker_name(b), buf_str(&what));
	buf_release(&what);
	return status;
}

/* Does the file belong to this user?  Root may anyway. */
static bool ours(int fd)
{
	struct stat st;

	return geteuid() == 0 ||
	       (fstat(fd, &st) == 0 && st.st_uid == geteuid());
}

/* Marks it, as the version that made it expects, and removes it.  Only the
 * head is believed, which is the same in every version. */
static int retire(const char *name, int fd)
{
	struct segment_head head;
	struct segment s;

	if (pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	    segment_open(&s, name, head.stamp, NULL) == SEGMENT_OK) {
		int rc = segment_retire(&s);

		segment_close(&s);
		return rc;
	}
	return shm_unlink(name);
}

static enum tool_exit destroy_unsound(const char *name,
				      enum segment_status why)
{
	enum tool_exit status;
	int fd = shm_open(name, O_RDWR | O_CLOEXEC, 0);

	if (fd < 0)
		return failed(name);
	if (!ours(fd)) {
		complain("%s: it belongs to another user", name);
		status = TOOL_DENIED;
	} else if (retire(name, fd) < 0) {
		status = failed(name);
	} else {
		status = say(name, why == SEGMENT_OTHER_LAYOUT ?
			     "removed; another version had made it" :
			     "removed; it was damaged");
	}
	close(fd);
	return status;
}

enum tool_exit ctl_destroy(const struct properties *p, bool force)
{
	struct buf report = BUF_INIT;
	enum segment_status opened;
	enum tool_exit status;
	struct broker *b;

	opened = broker_open(&b, p, false, &report);
	buf_release(&report);
	if (opened == SEGMENT_OK) {
		status = force || !in_use(b) ? destroy_sound(b) : TOOL_BAD;
		broker_close(&b);
		return status;
	}
	if (opened != SEGMENT_OTHER_LAYOUT && opened != SEGMENT_DAMAGED) {
		complain("%s: %s", p->shm_name, segment_explain(opened));
		return tool_exit_of(opened);
	}
	if (force)
		return destroy_unsound(p->shm_name, opened);
	complain("%s: %s", p->shm_name, segment_explain(opened));
	complain("%s: --force removes it as it is", p->shm_name);
	return TOOL_BAD;
}
