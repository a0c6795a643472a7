/* SPDX-License-Identifier: MIT */
/*
 * log.c - one line an event, to standard error
 *
 * A line is at most PIPE_BUF bytes, which a pipe takes whole or not at all, and
 * is made on the stack: logging works when memory has run out.
 */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

#define LINE_MAX_BYTES PIPE_BUF
#define CUT "..."

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;		/* always leaves room for CUT and newline */
};

static _Atomic(const char *) log_program = "pushlet";
static atomic_int log_level = LOG_LEVEL_INFO;

void log_init(const char *program, enum log_level level)
{
	atomic_store(&log_program, program);
	log_set_level(level);
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
	static const char *const names[] = {
		[LOG_LEVEL_FATAL] = "fatal",	 [LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warning",	 [LOG_LEVEL_DEBUG] = "debug",
		[LOG_LEVEL_TRACE] = "trace",
	};
	const char *program = atomic_load(&log_program);
	char start[128];

	if (level == LOG_LEVEL_INFO)
		snprintf(start, sizeof(start), "%s: ", program);
	else
		snprintf(start, sizeof(start), "%s[%ld]: %s: ", program,
			 (long)getpid(), names[level]);
	l->len = 0;
	line_add(l, start, strlen(start));
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

void log_line(enum log_level level, const char *fmt, ...)
{
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
	line_write(&l);
	errno = saved;
}

void log_bug(const char *file, int line, const char *what)
{
	log_line(LOG_LEVEL_FATAL, "bug at %s:%d: %s does not hold", file, line,
		 what);
	abort();
}
