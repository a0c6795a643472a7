/* SPDX-License-Identifier: MIT */
/*
 * logsocket.h - the local sockets that take lines of log: journal and syslog
 *
 * A line is a datagram.  None waits: a socket that is full or away takes
 * nothing, and the caller has the line still.
 */
#ifndef BASE_LOGSOCKET_H
#define BASE_LOGSOCKET_H

#define LOGSOCKET_JOURNAL "/run/systemd/journal/socket"
#define LOGSOCKET_SYSLOG "/dev/log"

/* Texts without line breaks; NULL: not known. */
struct log_entry {
	int priority;			/* as syslog(3) has them */
	const char *program;
	const char *text;
	const char *file;		/* where in the source, and */
	int line;
	const char *session;		/* a handle */
	const char *segment;
};

/*
 * Send it to the socket at path.  Return 0, or -1 with errno.
 *
 * The journal gets fields (https://systemd.io/JOURNAL_NATIVE_PROTOCOL):
 * MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, CODE_FILE, CODE_LINE, PUSHLET_SESSION,
 * PUSHLET_SEGMENT.  syslog gets a line as that of syslog(3), which would wait
 * for a syslogd that hangs.
 */
int logsocket_journal(const char *path, const struct log_entry *e);
int logsocket_syslog(const char *path, const struct log_entry *e);

#endif
