/* SPDX-License-Identifier: MIT */
/*
 * test_log.c - base/log.h: one line an event, to wherever it is to go
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
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

START_TEST(a_report_is_a_line_for_each_of_its_lines)
{
	struct buf report = BUF_INIT;

	log_report(LOG_LEVEL_INFO, &report);
	ck_assert_str_eq(written(), "");
	buf_puts(&report, "one\n\ntwo");
	errno = EACCES;
	log_report(LOG_LEVEL_INFO, &report);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_str_eq(written(), "prog: one\n");
	ck_assert_str_eq(written(), "prog: two\n");
	ck_assert_ptr_null(report.data);
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

/* ---- sockets ---- */

static char directory[64], socket_path[96], datagram[2 * PIPE_BUF];
static int reader = -1;

/* A socket as the journal or syslogd has it. */
static void begin_socket(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(directory, sizeof(directory), "/tmp/test-log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
	memcpy(at.sun_path, socket_path, sizeof(socket_path));
	reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(reader, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void end_socket(void)
{
	close(reader);
	unlink(socket_path);
	rmdir(directory);
}

/* The oldest datagram not yet read, "" if there is none. */
static const char *received(void)
{
	ssize_t n = recv(reader, datagram, sizeof(datagram) - 1, 0);

	datagram[n > 0 ? n : 0] = '\0';
	return datagram;
}

START_TEST(the_journal_gets_fields)
{
	const char *got;
	struct buf code = BUF_INIT;

	log_to(LOG_TO_JOURNAL, socket_path);
	log_name_segment("/mine");
	log_session(LOG_LEVEL_WARN, "0123abc", "100%% of %s\n", "it");
	buf_printf(&code, "CODE_FILE=%s\nCODE_LINE=%d\n", __FILE__,
		   __LINE__ - 2);
	got = received();
	ck_assert_ptr_nonnull(strstr(got, "MESSAGE=100% of it\\x0A\n"
		"PRIORITY=4\nSYSLOG_IDENTIFIER=prog\nPUSHLET_SESSION=0123abc\n"
		"PUSHLET_SEGMENT=/mine\n"));
	ck_assert_ptr_nonnull(strstr(got, buf_str(&code)));
	ck_assert_str_eq(written(), "");
	log_name_segment(NULL);
	log_info("alone");
	got = received();
	ck_assert_ptr_nonnull(strstr(got, "MESSAGE=alone\nPRIORITY=6\n"));
	ck_assert_ptr_null(strstr(got, "PUSHLET_"));
	buf_release(&code);
}
END_TEST

START_TEST(syslog_gets_a_line)
{
	char expected[64];
	const char *text;

	log_to(LOG_TO_SYSLOG, socket_path);
	log_error("no %s", "memory");
	snprintf(expected, sizeof(expected), " prog[%ld]: no memory",
		 (long)getpid());
	text = received();
	ck_assert_int_eq(strncmp(text, "<27>", 4), 0);
	ck_assert_str_eq(text + 4 + strlen("Nov 22 03:04:05"), expected);
	ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(a_line_as_long_as_can_be_is_taken_whole)
{
	char longer[2 * PIPE_BUF];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_to(LOG_TO_JOURNAL, socket_path);
	log_info("%s", longer);
	ck_assert_ptr_nonnull(strstr(received(), "x...\nPRIORITY=6\n"));
	log_to(LOG_TO_SYSLOG, socket_path);
	log_info("%s", longer);
	ck_assert_str_eq(received() + strlen(datagram) - 4, "x...");
}
END_TEST

/* It comes back, or another one does, and is found. */
START_TEST(what_a_socket_does_not_take_goes_to_standard_error)
{
	char away[128];
	int n;

	log_to(LOG_TO_JOURNAL, socket_path);
	snprintf(away, sizeof(away), "%s.away", socket_path);
	ck_assert_int_eq(rename(socket_path, away), 0);
	log_info("nobody is there");
	ck_assert_str_eq(written(), "prog: nobody is there\n");
	ck_assert_int_eq(rename(away, socket_path), 0);
	log_info("again");
	ck_assert_ptr_nonnull(strstr(received(), "MESSAGE=again\n"));
	for (n = 0; n < 10000 && !*written(); n++)
		log_info("many");
	ck_assert_str_eq(line, "prog: many\n");	/* none waits */
	log_to(LOG_TO_STDERR, NULL);
	log_info("here");
	ck_assert_str_eq(written(), "prog: here\n");
}
END_TEST

START_TEST(standard_error_that_is_the_journal_gets_priorities)
{
	char stream[64];
	struct stat s;

	ck_assert_int_eq(fstat(STDERR_FILENO, &s), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)s.st_dev,
		 (uintmax_t)s.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("prog", LOG_LEVEL_TRACE);
	log_info("text");
	ck_assert_str_eq(written(), "<6>prog: text\n");
	log_line(LOG_LEVEL_FATAL, "text");
	ck_assert_int_eq(strncmp(written(), "<2>prog[", 8), 0);
	setenv("JOURNAL_STREAM", "1:2", 1);	/* another one's */
	log_init("prog", LOG_LEVEL_TRACE);
	log_info("text");
	ck_assert_str_eq(written(), "prog: text\n");
}
END_TEST

START_TEST(what_is_said_again_and_again_is_said_once_a_second)
{
	struct log_pace pace = { 0 };
	char others[LOG_OTHERS];

	ck_assert(log_may(&pace, others));
	ck_assert_str_eq(others, "");
	ck_assert(!log_may(&pace, others));
	ck_assert(!log_may(&pace, others));
	pace.due = 0;				/* a second later */
	ck_assert(log_may(&pace, others));
	ck_assert_str_eq(others, "; 2 more such messages");
	pace.due = 0;
	ck_assert(log_may(&pace, others));
	ck_assert_str_eq(others, "");
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
	tcase_add_test(tc, a_report_is_a_line_for_each_of_its_lines);
	tcase_add_loop_test(tc,
		control_characters_and_broken_bytes_are_shown_in_hex, 0,
		ROWS(texts));
	tcase_add_test(tc, a_long_line_is_cut_to_what_a_pipe_takes_whole);
	tcase_add_test(tc, a_line_that_grows_by_its_escapes_is_cut_as_well);
	tcase_add_test(tc, errno_stays_what_it_was);
	tcase_add_test(tc, standard_error_that_is_the_journal_gets_priorities);
	tcase_add_test(tc, what_is_said_again_and_again_is_said_once_a_second);
	tcase_add_test(tc,
		a_condition_that_must_hold_costs_nothing_when_it_does);
	tcase_add_test_raise_signal(tc,
		a_condition_that_does_not_hold_stops_the_process, SIGABRT);
	tc = unit_case("sockets");
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_checked_fixture(tc, begin_socket, end_socket);
	tcase_add_test(tc, the_journal_gets_fields);
	tcase_add_test(tc, syslog_gets_a_line);
	tcase_add_test(tc, a_line_as_long_as_can_be_is_taken_whole);
	tcase_add_test(tc, what_a_socket_does_not_take_goes_to_standard_error);
	return unit_run();
}
