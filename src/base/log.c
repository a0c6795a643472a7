/* SPDX-License-Identifier: MIT */
/*
 * log.c - one line an event
 *
 * A line is at most PIPE_BUF bytes, which a pipe takes whole or not at all, and
 * is made on the stack: logging works when memory has run out.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logsocket.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES PIPE_BUF
#define CUT "..."

enum { PACE = 1000 };		/* ms between two lines of log_may() */

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;		/* always leaves room for CUT and newline */
	size_t message;		/* where what was said begins */
};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_FATAL] = { "fatal", LOG_CRIT },
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
	[LOG_LEVEL_TRACE] = { "trace", LOG_DEBUG },
};

static _Atomic(const char *) log_program = "pushlet";
static _Atomic(const char *) log_segment;
static _Atomic(const char *) log_path;
static atomic_int log_level = LOG_LEVEL_INFO;
static atomic_int log_target = LOG_TO_STDERR;
static atomic_bool log_priorities;	/* on standard error, too */

/* Is standard error the journal?  systemd says which file that would be. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat s;

	if (!stream || fstat(STDERR_FILENO, &s) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)s.st_dev,
		 (uintmax_t)s.st_ino);
	return strcmp(own, stream) == 0;
}

void log_init(const char *program, enum log_level level)
{
	atomic_store(&log_program, program);
	atomic_store(&log_priorities, stderr_is_journal());
	log_set_level(level);
}

void log_to(enum log_target target, const char *path)
{
	static const char *const usual[] = {
		[LOG_TO_SYSLOG] = LOGSOCKET_SYSLOG,
		[LOG_TO_JOURNAL] = LOGSOCKET_JOURNAL,
	};

	if (!path && target != LOG_TO_STDERR)
		path = usual[target];
	atomic_store(&log_path, path);
	atomic_store(&log_target, (int)target);
}

void log_name_segment(const char *name)
{
	atomic_store(&log_segment, name);
}

void log_set_level(enum log_level level)
{
	atomic_store(&log_level, (int)level);
}

int log_shown(enum log_level level)
{
	return (int)level <= atomic_load(&log_level);
}

/* Returns false when the line is full. */
static bool line_add(struct line *l, const char *bytes, size_t n)
{
	if (n > sizeof(l->text) - sizeof(CUT) - l->len)
		return false;
	memcpy(l->text + l->len, bytes, n);
	l->len += n;
	return true;
}

static void line_begin(struct line *l, enum log_level level)
{
	const char *program = atomic_load(&log_program);
	char start[128], priority[16] = "";

	if (atomic_load(&log_priorities))
		snprintf(priority, sizeof(priority), "<%d>",
			 levels[level].priority);
	if (level == LOG_LEVEL_INFO)
		snprintf(start, sizeof(start), "%s%s: ", priority, program);
	else
		snprintf(start, sizeof(start), "%s%s[%ld]: %s: ", priority,
			 program, (long)getpid(), levels[level].name);
	l->len = 0;
	line_add(l, start, strlen(start));
	l->message = l->len;
}

/* Control characters could move a terminal's cursor or fake a line. */
static bool is_control(unsigned long code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static bool line_add_hex(struct line *l, const char *bytes, size_t n)
{
	char hex[8];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(hex, sizeof(hex), "\\x%02X", (unsigned char)bytes[i]);
		if (!line_add(l, hex, 4))
			return false;
	}
	return true;
}

/* text is cut by the caller when it filled its buffer: was_cut. */
static void line_add_text(struct line *l, const char *text, bool was_cut)
{
	const char *end = text + strlen(text), *pos;
	unsigned long code;
	bool broken, fits = true;

	while (fits && text < end) {
		pos = text;
		code = utf8_next(&pos, end);
		broken = pos == text + 1 && code >= 0x80;
		if (broken || is_control(code))
			fits = line_add_hex(l, text, (size_t)(pos - text));
		else
			fits = line_add(l, text, (size_t)(pos - text));
		text = pos;
	}
	if (!fits || was_cut) {
		memcpy(l->text + l->len, CUT, sizeof(CUT) - 1);
		l->len += sizeof(CUT) - 1;
	}
}

static void line_write(struct line *l)
{
	ssize_t n;

	l->text[l->len++] = '\n';
	do {
		n = write(STDERR_FILENO, l->text, l->len);
	} while (n < 0 && errno == EINTR);
}

/* Returns false when it is to go to standard error. */
static bool line_send(struct line *l, enum log_level level,
		      struct log_entry *e)
{
	int target = atomic_load(&log_target);
	const char *path = atomic_load(&log_path);

	if (target == LOG_TO_STDERR)
		return false;
	l->text[l->len] = '\0';
	e->priority = levels[level].priority;
	e->program = atomic_load(&log_program);
	e->segment = atomic_load(&log_segment);
	e->text = l->text + l->message;
	return (target == LOG_TO_JOURNAL ? logsocket_journal(path, e) :
		logsocket_syslog(path, e)) == 0;
}

void log_write(enum log_level level, const char *file, int line,
	       const char *session, const char *fmt, ...)
{
	struct log_entry e = { .file = file, .line = line,
			       .session = session };
	char text[LINE_MAX_BYTES];
	int saved = errno;
	struct line l;
	va_list ap;
	int n;

	if (!log_shown(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_begin(&l, level);
	line_add_text(&l, n < 0 ? fmt : text, n >= (int)sizeof(text));
	if (!line_send(&l, level, &e))
		line_write(&l);
	errno = saved;
}

void log_report(enum log_level level, struct buf *report)
{
	char *line, *rest = report->data;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_line(level, "%s", line);
	buf_release(report);
}

bool log_may(struct log_pace *pace, char others_out[LOG_OTHERS])
{
	int64_t due = atomic_load(&pace->due), now = clock_ms();
	unsigned unsaid;

	others_out[0] = '\0';
	if (now < due ||
	    !atomic_compare_exchange_strong(&pace->due, &due, now + PACE)) {
		atomic_fetch_add(&pace->unsaid, 1);
		return false;
	}
	unsaid = atomic_exchange(&pace->unsaid, 0);
	if (unsaid)
		snprintf(others_out, LOG_OTHERS, "; %u more such messages",
			 unsaid);
	return true;
}

void log_bug(const char *file, int line, const char *what)
{
	log_write(LOG_LEVEL_FATAL, file, line, NULL,
		  "bug at %s:%d: %s does not hold", file, line, what);
	abort();
}
