/* SPDX-License-Identifier: MIT */
/*
 * segment.c - shm_open(3), with flock(2) deciding who creates
 */
#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/store.h"

#define MAGIC 0x317465736c687370ULL	/* changes never; the stamp does */

static enum segment_status system_status(void)
{
	switch (errno) {
	case ENOENT:
		return SEGMENT_MISSING;
	case EACCES:
	case EPERM:
		return SEGMENT_DENIED;
	case ENOSPC:
	case ENOMEM:
		return SEGMENT_NO_SPACE;
	default:
		return SEGMENT_SYSTEM;
	}
}

static enum segment_status map(struct segment *s, int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return system_status();
	s->head = p;
	s->size = size;
	return SEGMENT_OK;
}

/* Sets owner, mode and size, all memory reserved and zero. */
static int shape(int fd, const struct segment_plan *plan)
{
	int rc;

	if (plan->group != (gid_t)-1 && fchown(fd, (uid_t)-1, plan->group) < 0)
		return -1;
	if (fchmod(fd, plan->mode) < 0)
		return -1;
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)plan->size) < 0)
		return -1;
	do {
		rc = posix_fallocate(fd, 0, (off_t)plan->size);
	} while (rc == EINTR);
	errno = rc;
	return rc ? -1 : 0;
}

/* Holding the flock, and there is no magic: make it all. */
static enum segment_status make(struct segment *s, int fd, uint64_t stamp,
				const struct segment_plan *plan)
{
	int saved;

	if (shape(fd, plan) < 0)
		goto fail;
	if (map(s, fd, plan->size) != SEGMENT_OK)
		goto fail;
	STORE(s->head->stamp, stamp);
	STORE(s->head->size, plan->size);
	if (plan->fill(s, plan->arg) < 0)
		goto fail;
	STORE(s->head->magic, MAGIC);
	s->made = 1;
	return SEGMENT_OK;
fail:
	saved = errno;
	segment_close(s);
	/* Give the memory back.  Who waits for the flock finds the name gone
	 * and starts over. */
	shm_unlink(s->name);
	errno = saved;
	return system_status();
}

/* Maps what is there and believes it only if the head is ours. */
static enum segment_status attach(struct segment *s, int fd, off_t size,
				  uint64_t stamp)
{
	enum segment_status status;

	if ((size_t)size < sizeof(*s->head))
		return SEGMENT_DAMAGED;
	status = map(s, fd, (size_t)size);
	if (status != SEGMENT_OK)
		return status;
	if (s->head->stamp != stamp)
		status = SEGMENT_OTHER_LAYOUT;
	else if (s->head->size != (uint64_t)size)
		status = SEGMENT_DAMAGED;
	if (status != SEGMENT_OK)
		segment_close(s);
	return status;
}

/* Does the magic stand?  A creator may have died before it stored it. */
static int finished(int fd)
{
	uint64_t magic = 0;

	return pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) &&
	       magic == MAGIC;
}

/* Called with the flock held: make or attach. */
static enum segment_status enter(struct segment *s, int fd,
				 const struct stat *st, uint64_t stamp,
				 const struct segment_plan *plan)
{
	if (plan && st->st_uid != geteuid() && st->st_uid != 0)
		return SEGMENT_FOREIGN;
	if (finished(fd))
		return attach(s, fd, st->st_size, stamp);
	if (plan)
		return make(s, fd, stamp, plan);
	/* Bytes but no magic: not ours, or a creator that died. */
	return st->st_size ? SEGMENT_DAMAGED : SEGMENT_MISSING;
}

/* O_CREAT only where nothing is: with it the kernel refuses files of other
 * users in sticky directories (fs.protected_regular), and we could not say
 * whose the segment is, nor use one of root's. */
static int open_name(const char *name, int create)
{
	int fd = shm_open(name, O_RDWR | O_CLOEXEC, 0);

	if (fd < 0 && errno == ENOENT && create)
		fd = shm_open(name, O_RDWR | O_CLOEXEC | O_CREAT, 0600);
	return fd;
}

static int lock_file(int fd)
{
	int rc;

	do {
		rc = flock(fd, LOCK_EX);
	} while (rc < 0 && errno == EINTR);
	return rc;
}

enum segment_status segment_open(struct segment *s, const char *name,
				 uint64_t stamp,
				 const struct segment_plan *plan)
{
	enum segment_status status = SEGMENT_SYSTEM;
	struct stat st;
	int fd, saved, again;

	memset(s, 0, sizeof(*s));
	if (strlen(name) >= sizeof(s->name)) {
		errno = ENAMETOOLONG;
		return SEGMENT_SYSTEM;
	}
	snprintf(s->name, sizeof(s->name), "%s", name);
	do {
		again = 0;
		fd = open_name(name, plan != NULL);
		if (fd < 0)
			return system_status();
		if (lock_file(fd) < 0 || fstat(fd, &st) < 0)
			status = system_status();
		else if (st.st_nlink == 0)
			again = 1;	/* unlinked while we waited */
		else
			status = enter(s, fd, &st, stamp, plan);
		saved = errno;
		/* Closing alone would not do: the mapping holds the open file,
		 * and with it the flock. */
		flock(fd, LOCK_UN);
		close(fd);
		errno = saved;
	} while (again);
	return status;
}

void segment_close(struct segment *s)
{
	if (s->head)
		munmap(s->head, s->size);
	s->head = NULL;
}

int segment_retire(struct segment *s)
{
	/* The name may be that of a newer segment by now. */
	if (LOAD(s->head->retired)) {
		errno = ENOENT;
		return -1;
	}
	/* Marked after the name is gone: one that is marked and can still be
	 * opened would be let go again and again. */
	if (shm_unlink(s->name) < 0)
		return -1;
	STORE(s->head->retired, 1);
	return 0;
}

const char *segment_explain(enum segment_status status)
{
	switch (status) {
	case SEGMENT_OK:
		return "fine";
	case SEGMENT_MISSING:
		return "there is no such segment; is pushletd running?";
	case SEGMENT_DENIED:
		return "permission denied; see the properties shm.mode and "
		       "shm.group";
	case SEGMENT_FOREIGN:
		return "it belongs to another user; refusing to trust it";
	case SEGMENT_OTHER_LAYOUT:
		return "it was made by another version of this program; "
		       "stop that one and run pushletctl destroy --force";
	case SEGMENT_DAMAGED:
		return "it is damaged or not a pushlet segment: its size and "
		       "its head disagree; remove it with pushletctl destroy --force";
	case SEGMENT_NO_SPACE:
		return "not enough shared memory; make /dev/shm larger or the "
		       "limits in pushlet.properties smaller";
	case SEGMENT_SYSTEM:
		break;
	}
	return strerror(errno);
}
