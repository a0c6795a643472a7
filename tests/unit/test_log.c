/* SPDX-License-Identifier: MIT */
/*
 * test_log.c - base/log.h: one line an event, to standard error
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* Standard error is a pipe of packets: a read gives what one write wrote. */
static int packets;
static char line[PIPE_BUF + 1];

static void begin(void)
{
	int fd[2];

	ck_assert_int_eq(pipe2(fd, O_DIRECT | O_NONBLOCK), 0);
	ck_assert_int_ge(dup2(fd[1], STDERR_FILENO), 0);
	close(fd[1]);
	packets = fd[0];
	log_init("prog", LOG_LEVEL_TRACE);
}

static void end(void)
{
	close(packets);
}

/* What the oldest write not yet read wrote, "" if there is none. */
static const char *written(void)
{
	ssize_t n = read(packets, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

START_TEST(a_notice_is_the_program_and_the_text)
{
	log_info("ready: %d threads", 4);
	ck_assert_str_eq(written(), "prog: ready: 4 threads\n");
	ck_assert_str_eq(written(), "");
}
END_TEST

static const struct {
	enum log_level level;
	const char *word;
} words[] = {
	{ LOG_LEVEL_FATAL, "fatal" },	{ LOG_LEVEL_ERROR, "error" },
	{ LOG_LEVEL_WARN, "warning" },	{ LOG_LEVEL_DEBUG, "debug" },
	{ LOG_LEVEL_TRACE, "trace" },
};

START_TEST(other_lines_have_pid_and_level_too)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "prog[%ld]: %s: text\n",
		 (long)getpid(), words[_i].word);
	log_line(words[_i].level, "text");
	ck_assert_str_eq(written(), expected);
}
END_TEST

START_TEST(lines_above_the_level_are_not_written)
{
	log_set_level(LOG_LEVEL_WARN);
	log_info("not this");
	ck_assert(!log_shown(LOG_LEVEL_INFO));
	ck_assert(log_shown(LOG_LEVEL_WARN));
	ck_assert_str_eq(written(), "");
	log_set_level(LOG_LEVEL_INFO);
	log_info("but this");
	ck_assert_str_eq(written(), "prog: but this\n");
}
END_TEST

static const struct {
	const char *text, *shown;
} texts[] = {
	{ "a\nb", "a\\x0Ab" },
	{ "\r\t\x1B[31m", "\\x0D\\x09\\x1B[31m" },
	{ "\x7F", "\\x7F" },
	{ "\xC2\x9B", "\\xC2\\x9B" },		/* a C1 control */
	{ "\xFF\xE4\xB8", "\\xFF\\xE4\\xB8" },	/* not UTF-8 */
	{ "\xC3\xA9 \xE4\xB8\xAD", "\xC3\xA9 \xE4\xB8\xAD" },
	{ "\xEF\xBF\xBD", "\xEF\xBF\xBD" },
	{ "100% \\ ok", "100% \\ ok" },
};

START_TEST(control_characters_and_broken_bytes_are_shown_in_hex)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "prog: %s\n", texts[_i].shown);
	log_info("%s", texts[_i].text);
	ck_assert_str_eq(written(), expected);
}
END_TEST

START_TEST(a_long_line_is_cut_to_what_a_pipe_takes_whole)
{
	char longer[3 * PIPE_BUF];
	size_t n;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_info("%s", longer);
	n = strlen(written());
	ck_assert_uint_le(n, PIPE_BUF);
	ck_assert_uint_gt(n, PIPE_BUF - 32);
	ck_assert_str_eq(line + n - 5, "x...\n");
	ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(a_line_that_grows_by_its_escapes_is_cut_as_well)
{
	char longer[PIPE_BUF / 2];
	size_t n;

	memset(longer, '\1', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_info("%s", longer);
	n = strlen(written());
	ck_assert_uint_le(n, PIPE_BUF);
	ck_assert_str_eq(line + n - 8, "\\x01...\n");
}
END_TEST

START_TEST(errno_stays_what_it_was)
{
	close(STDERR_FILENO);
	errno = ENOENT;
	log_warn("nobody reads this");
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_condition_that_must_hold_costs_nothing_when_it_does)
{
	must(1 + 1 == 2);
	ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(a_condition_that_does_not_hold_stops_the_process)
{
	must(1 + 1 == 3);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("log");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_notice_is_the_program_and_the_text);
	tcase_add_loop_test(tc, other_lines_have_pid_and_level_too, 0,
			    ROWS(words));
	tcase_add_test(tc, lines_above_the_level_are_not_written);
	tcase_add_loop_test(tc,
		control_characters_and_broken_bytes_are_shown_in_hex, 0,
		ROWS(texts));
	tcase_add_test(tc, a_long_line_is_cut_to_what_a_pipe_takes_whole);
	tcase_add_test(tc, a_line_that_grows_by_its_escapes_is_cut_as_well);
	tcase_add_test(tc, errno_stays_what_it_was);
	tcase_add_test(tc,
		a_condition_that_must_hold_costs_nothing_when_it_does);
	tcase_add_test_raise_signal(tc,
		a_condition_that_does_not_hold_stops_the_process, SIGABRT);
	return unit_run();
}
