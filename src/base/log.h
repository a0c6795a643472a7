/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line an event: to standard error, to syslog or to the journal
 *
 * Levels carry the numbers of the property log.level.  A line is
 * "PROGRAM: TEXT" for notices and better and "PROGRAM[PID]: LEVEL: TEXT" for
 * warnings, errors and debugging; it is written with a single write(2), so
 * that lines of several processes on one file never mix.  Where standard error
 * is the journal (JOURNAL_STREAM, sd-daemon(3)), "<PRIORITY>" stands before it.
 * syslog and the journal get the text alone, with what is known of it.
 *
 * Control characters in the text are shown as \xNN.  Never log a session id or
 * an event's content: a session is named by its handle.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum log_level {
	LOG_LEVEL_FATAL = 1,
	LOG_LEVEL_ERROR = 2,
	LOG_LEVEL_WARN = 3,
	LOG_LEVEL_INFO = 4,
	LOG_LEVEL_DEBUG = 5,
	LOG_LEVEL_TRACE = 6
};

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_JOURNAL };

/* Names the program (kept by reference) and the highest level shown. */
void log_init(const char *program, enum log_level level);

/* Changes the level; may be called at any time from any thread. */
void log_set_level(enum log_level level);

/* Where lines go from now on: to standard error at first.  path: the socket to
 * use, kept by reference; NULL: the usual one.  A line that it does not take
 * at once goes to standard error after all.  At any time, from any thread. */
void log_to(enum log_target target, const char *path);

/* The segment that the lines are about, kept by reference. */
void log_name_segment(const char *name);

/* Is a line of this level shown?  For callers whose text is dear to make. */
int log_shown(enum log_level level);

/* file, line: where in the source; session: a handle, or NULL. */
void log_write(enum log_level level, const char *file, int line,
	       const char *session, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#define log_line(level, ...) \
	log_write(level, __FILE__, __LINE__, NULL, __VA_ARGS__)

/* About a session: the journal knows its handle apart from the text. */
#define log_session(level, handle, ...) \
	log_write(level, __FILE__, __LINE__, handle, __VA_ARGS__)

/* Writes each line of what a function reported, and releases it.  errno stays
 * as it is. */
void log_report(enum log_level level, struct buf *report);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * For a place that others can make say the same again and again (a static one,
 * all zero): may it, now?  Once a second it may, and others_out is what to put
 * behind the text: how many went without a line since, or "".
 */
struct log_pace {
	_Atomic int64_t due;
	atomic_uint unsaid;
};

enum { LOG_OTHERS = 48 };

bool log_may(struct log_pace *pace, char others_out[LOG_OTHERS]);

/*
 * Our own bug: says where and what, and stops the process there (abort).  The
 * segment survives that; the next lock holder repairs it.
 */
void log_bug(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define must(cond) \
	((cond) ? (void)0 : log_bug(__FILE__, __LINE__, #cond))

#endif
