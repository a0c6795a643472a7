/* SPDX-License-Identifier: MIT */
/*
 * logsocket.c - one socket for all threads, never connected
 *
 * So it need not know whether who reads was started anew.  Datagrams are made
 * on the stack, as the lines are.
 */
#include "base/logsocket.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM = PIPE_BUF + 1024 };	/* a line, and what is known of it */

struct datagram {
	char bytes[DATAGRAM];
	size_t len;
};

static atomic_int log_socket = -1;

/* The first thread that needs it makes it. */
static int socket_get(void)
{
	int fd = atomic_load(&log_socket), none = -1;

	if (fd >= 0)
		return fd;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || atomic_compare_exchange_strong(&log_socket, &none, fd))
		return fd;
	close(fd);
	return none;
}

static int send_to(const char *path, const struct datagram *d)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket_get();

	if (fd < 0)
		return -1;
	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path));
	return sendto(fd, d->bytes, d->len, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : 0;
}

/* A field is left out that would not fit, or would become two. */
static void add_field(struct datagram *d, const char *name, const char *value)
{
	size_t n = value ? strlen(name) + strlen(value) + 2 : 0;

	if (n == 0 || d->len + n >= sizeof(d->bytes) || strchr(value, '\n'))
		return;
	snprintf(d->bytes + d->len, n + 1, "%s=%s\n", name, value);
	d->len += n;
}

static void add_number(struct datagram *d, const char *name, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	add_field(d, name, text);
}

int logsocket_journal(const char *path, const struct log_entry *e)
{
	struct datagram d = { .len = 0 };

	add_field(&d, "MESSAGE", e->text);
	add_number(&d, "PRIORITY", e->priority);
	add_field(&d, "SYSLOG_IDENTIFIER", e->program);
	add_field(&d, "PUSHLET_SESSION", e->session);
	add_field(&d, "PUSHLET_SEGMENT", e->segment);
	add_field(&d, "CODE_FILE", e->file);
	if (e->file)
		add_number(&d, "CODE_LINE", e->line);
	return send_to(path, &d);
}

int logsocket_syslog(const char *path, const struct log_entry *e)
{
	struct datagram d;
	time_t now = time(NULL);
	char when[32] = "";
	struct tm tm;
	int n;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%b %e %T", &tm);
	n = snprintf(d.bytes, sizeof(d.bytes), "<%d>%s %s[%ld]: %s",
		     LOG_DAEMON | e->priority, when, e->program,
		     (long)getpid(), e->text);
	d.len = n < (int)sizeof(d.bytes) ? (size_t)n : sizeof(d.bytes) - 1;
	return send_to(path, &d);
}
