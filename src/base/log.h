/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line an event, to standard error
 *
 * Levels carry the numbers of the property log.level.  A line is
 * "PROGRAM: TEXT" for notices and better and "PROGRAM[PID]: LEVEL: TEXT" for
 * warnings, errors and debugging; it is written with a single write(2), so
 * that lines of several processes on one file never mix.  Control characters
 * in the text are shown as \xNN.  Never log a session id or an event's
 * content: a session is named by its handle.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_LEVEL_FATAL = 1,
	LOG_LEVEL_ERROR = 2,
	LOG_LEVEL_WARN = 3,
	LOG_LEVEL_INFO = 4,
	LOG_LEVEL_DEBUG = 5,
	LOG_LEVEL_TRACE = 6
};

/* Names the program (kept by reference) and the highest level shown. */
void log_init(const char *program, enum log_level level);

/* Changes the level; may be called at any time from any thread. */
void log_set_level(enum log_level level);

/* Is a line of this level shown?  For callers whose text is dear to make. */
int log_shown(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Our own bug: says where and what, and stops the process there (abort).  The
 * segment survives that; the next lock holder repairs it.
 */
void log_bug(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define must(cond) \
	((cond) ? (void)0 : log_bug(__FILE__, __LINE__, #cond))

#endif
