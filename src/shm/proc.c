/* SPDX-License-Identifier: MIT */
/*
 * proc.c - /proc/PID/stat
 */
#include "shm/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS_AFTER_NAME = 20 };	/* "starttime" counted from behind ")" */

#define UNKNOWN 0
#define ENDED UINT64_MAX	/* killed, but its parent did not notice yet */

/* Reads the start time; UNKNOWN when there is no such file, or not
 * readable. */
static uint64_t started(uint32_t pid)
{
	char path[32], text[1024], *p;
	ssize_t n;
	int fd, i;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return UNKNOWN;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return UNKNOWN;
	text[n] = '\0';
	p = strrchr(text, ')');	/* the name may hold blanks and brackets */
	if (p && p[1] == ' ' && (p[2] == 'Z' || p[2] == 'X'))
		return ENDED;
	for (i = 0; p && i < FIELDS_AFTER_NAME; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : UNKNOWN;
}

struct proc proc_self(void)
{
	struct proc p = { .pid = (uint32_t)getpid() };

	p.started = started(p.pid);
	return p;
}

bool proc_alive(struct proc p)
{
	uint64_t now;

	if (p.pid == 0)
		return false;
	if (kill((pid_t)p.pid, 0) < 0 && errno == ESRCH)
		return false;
	now = started(p.pid);
	if (now == ENDED)
		return false;
	return now == UNKNOWN || p.started == UNKNOWN || now == p.started;
}
