/* SPDX-License-Identifier: MIT */
/*
 * test_properties.c - broker/properties.h: the settings of a server
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/properties.h"

static struct properties p;
static struct buf report;
static char file[64];

static void begin(void)
{
	int fd;

	snprintf(file, sizeof(file), "%s", "/tmp/test_properties.XXXXXX");
	fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	report = (struct buf)BUF_INIT;
	properties_defaults(&p);
}

static void end(void)
{
	unlink(file);
	buf_release(&report);
}

static int read_text(const char *content)
{
	FILE *fp = fopen(file, "w");

	ck_assert_ptr_nonnull(fp);
	ck_assert_int_ge(fputs(content, fp), 0);
	ck_assert_int_eq(fclose(fp), 0);
	return properties_read(&p, file, &report);
}

START_TEST(defaults_are_those_of_the_original_where_it_has_any)
{
	ck_assert_uint_eq(p.session_timeout, 5 * 60000);
	ck_assert_uint_eq(p.read_timeout, 20000);
	ck_assert_uint_eq(p.write_timeout, 20);
	ck_assert_uint_eq(p.pull_timeout, 45000);
	ck_assert_uint_eq(p.pull_wait_min, 2000);
	ck_assert_uint_eq(p.pull_wait_max, 6000);
	ck_assert_uint_eq(p.poll_timeout, 60000);
	ck_assert_uint_eq(p.poll_wait_min, 6000);
	ck_assert_uint_eq(p.poll_wait_max, 10000);
	ck_assert_uint_eq(p.log_level, LOG_LEVEL_INFO);
	ck_assert(!p.force_pull_all);
	ck_assert_str_eq(p.force_pull_agents, "");
}
END_TEST

START_TEST(our_own_defaults_agree_with_each_other)
{
	ck_assert_int_eq(properties_check(&p, "defaults", &report), 0);
	ck_assert_str_eq(buf_str(&report), "");
	ck_assert_str_eq(p.shm_name, "/pushlet");
	ck_assert_uint_eq(p.shm_mode, 0600);
	ck_assert_uint_eq(p.sessions_max, 10000);
	ck_assert_uint_eq(p.queue_size, 256);
	ck_assert_uint_eq(p.log_bytes, 8388608);
	ck_assert_uint_eq(p.history_bytes, 1048576);
	ck_assert_uint_eq(p.history_max, 100);
	ck_assert_str_eq(p.history_subjects, "/");
	ck_assert_int_eq(p.overflow, OVERFLOW_DROP_OLDEST);
	ck_assert_int_eq(p.publish_from, FROM_HANDLE);
	ck_assert_uint_eq(p.stream_max, 0);
	ck_assert_uint_eq(p.stream_max_bytes, 0);
	ck_assert_uint_eq(p.stream_padding, 0);
}
END_TEST

START_TEST(rules_are_collected_in_their_order)
{
	ck_assert_str_eq(p.permits, "");
	ck_assert_int_eq(read_text("rule=deny publish below /a\nrule=\n"
				   "queue.size=5\n rule = allow  publish\n"),
			 0);
	ck_assert_int_eq(properties_set(&p, "rule=deny join", &report), 0);
	ck_assert_str_eq(p.permits, "deny publish below /a\nallow  publish\n"
			 "deny join\n");
	properties_defaults(&p);
	ck_assert_str_eq(p.permits, "");
}
END_TEST

START_TEST(a_bad_rule_is_told_with_its_line)
{
	ck_assert_int_eq(read_text("rule=deny join\n\nrule=deny joins\n"
				   "rule=allow publish from 10/8\n"), -1);
	ck_assert_ptr_nonnull(strstr(buf_str(&report), ":3: rule: 'joins' is "
				     "none of join"));
	ck_assert_ptr_nonnull(strstr(buf_str(&report), ":4: rule: '10/8' is no "
				     "address"));
}
END_TEST

START_TEST(rules_together_have_a_limit)
{
	char line[128];
	int n = 0;

	snprintf(line, sizeof(line), "rule=deny publish below /%0100d", 0);
	while (properties_set(&p, line, &report) == 0)
		ck_assert_int_lt(n++, 100);
	ck_assert_int_gt(n, 60);
	ck_assert_ptr_nonnull(strstr(buf_str(&report), "all values of rule "
				     "together may have 8191 bytes"));
	ck_assert_uint_lt(strlen(p.permits), sizeof(p.permits));
}
END_TEST

START_TEST(a_file_of_the_original_server_loads)
{
	ck_assert_int_eq(read_text(
		"#\n# settings of a Java server\n#\n\n"
		"config.version=1.0.2\n"
		"controller.class=org.example.Controller\n"
		"dispatcher.class=org.example.Dispatcher\n"
		"logger.class=org.example.Logger\n"
		"sessionmanager.class=org.example.SessionManager\n"
		"session.class=org.example.Session\n"
		"subscriber.class=org.example.Subscriber\n"
		"subscription.class=org.example.Subscription\n"
		"# sessionmanager.maxsessions=200\n"
		"sources.activate=false\n"
		"log.level=4\t\n"
		"session.id.size=10\nsession.id.generation=randomstring\n"
		"session.timeout.mins=5\nqueue.size=24\n"
		"queue.read.timeout.millis=20000\n"
		"queue.write.timeout.millis=20\n"
		"listen.force.pull.all=false\n"
		"listen.force.pull.agents=safari\n"
		"pull.refresh.timeout.millis=45000\n"
		"pull.refresh.wait.min.millis=2000\n"
		"pull.refresh.wait.max.millis=6000\n"
		"poll.refresh.timeout.millis=60000\n"
		"poll.refresh.wait.min.millis=6000\n"
		"poll.refresh.wait.max.millis=10000\n"), 0);
	ck_assert_uint_eq(p.queue_size, 24);
	ck_assert_str_eq(p.force_pull_agents, "safari");
	ck_assert_ptr_nonnull(strstr(buf_str(&report), "config.version, "
				     "controller.class, "));
	ck_assert_ptr_eq(strchr(buf_str(&report), '\n'),
			 buf_str(&report) + report.len - 1);
}
END_TEST

static const struct {
	const char *content, *complaint;
} mistakes[] = {
	{ "shm.name=pushlet", ": shm.name must begin with '/' and have no "
	  "other '/', not 'pushlet'\n" },
	{ "shm.name=/a/b", ": shm.name must begin with '/' and have no other "
	  "'/', not '/a/b'\n" },
	{ "node=Alpha", ": node must be at most 8 of a to z and 0 to 9, or "
	  "empty, not 'Alpha'\n" },
	{ "node=abcdefghi", ": node must be at most 8 of a to z and 0 to 9, "
	  "or empty, not 'abcdefghi'\n" },
	{ "node=a-b", ": node must be at most 8 of a to z and 0 to 9, or "
	  "empty, not 'a-b'\n" },
	{ "shm.mode=0661", ": shm.mode must be made of 6 (read and write), 4 "
	  "(read) and 0 like 0660 or 0640, not 0661\n" },
	{ "shm.mode=0620", ": shm.mode must be made of 6 (read and write), 4 "
	  "(read) and 0 like 0660 or 0640, not 0620\n" },
	{ "shm.mode=0777", ":1: shm.mode must be an octal number from 0600 to "
	  "0666, not '0777'\n" },
	{ "pull.refresh.wait.min.millis=6001",
	  ": pull.refresh.wait.min.millis (6001) is more than "
	  "pull.refresh.wait.max.millis (6000)\n" },
	{ "poll.refresh.wait.max.millis=10",
	  ": poll.refresh.wait.min.millis (6000) is more than "
	  "poll.refresh.wait.max.millis (10)\n" },
	{ "log.max.bytes=268287", ": log.max.bytes must be at least 268288 "
	  "for event.max.bytes=65536 (it must hold 4 such events), not "
	  "268287\n" },
	{ "history.max.bytes=65535", ": history.max.bytes must be 0, for none, "
	  "or at least 65536, not 65535\n" },
	{ "queue.overflow=wait", ":1: queue.overflow must be one of "
	  "drop-oldest|abort, not 'wait'\n" },
	{ "session.timeout.mins=0", ":1: session.timeout.mins must be minutes "
	  "(decimals allowed) from 0.017 to 5256000, not '0'\n" },
	{ "stream.padding.bytes=1048577", ":1: stream.padding.bytes must be a "
	  "whole number from 0 to 1048576, not '1048577'\n" },
	{ "stream.max.bytes=-1", ":1: stream.max.bytes must be a whole number "
	  "from 0 to 1099511627776, not '-1'\n" },
	{ "log.level=7", ":1: log.level must be a whole number from 1 to 6, "
	  "not '7'\n" },
};

START_TEST(a_mistake_is_told_once_with_what_is_allowed)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "%s%s", file,
		 mistakes[_i].complaint);
	ck_assert_int_eq(read_text(mistakes[_i].content), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(buf_str(&report), expected);
}
END_TEST

START_TEST(the_bounds_that_involve_two_are_met_exactly)
{
	ck_assert_int_eq(read_text("log.max.bytes=268288\n"
				   "pull.refresh.wait.min.millis=6000\n"
				   "shm.mode=0644\n"), 0);
	ck_assert_str_eq(buf_str(&report), "");
}
END_TEST

START_TEST(options_may_come_in_any_order_and_are_checked_after_the_last)
{
	ck_assert_int_eq(properties_set(&p, "pull.refresh.wait.min.millis=7000",
					&report), 0);
	ck_assert_int_eq(properties_check(&p, "-o", &report), -1);
	buf_clear(&report);
	ck_assert_int_eq(properties_set(&p, "pull.refresh.wait.max.millis=7000",
					&report), 0);
	ck_assert_int_eq(properties_check(&p, "-o", &report), 0);
	ck_assert_str_eq(buf_str(&report), "");
}
END_TEST

START_TEST(an_option_with_a_mistake_is_refused)
{
	ck_assert_int_eq(properties_set(&p, "queue.size=0", &report), -1);
	ck_assert_str_eq(buf_str(&report), "-o: queue.size must be a whole "
			 "number from 1 to 65536, not '0'\n");
}
END_TEST

START_TEST(what_gives_the_segment_its_shape_does_not_change_on_reload)
{
	struct properties fresh = p;

	fresh.queue_size = 8;
	fresh.log_level = 6;
	conf_reload(properties_table, &p, &fresh, &report);
	ck_assert_uint_eq(p.queue_size, 256);
	ck_assert_uint_eq(p.log_level, 6);
	ck_assert_str_eq(buf_str(&report), "queue.size: the new value takes "
			 "effect after a restart\n");
}
END_TEST

START_TEST(no_name_is_in_the_table_twice)
{
	const struct conf_key *a, *b;

	for (a = properties_table; a->name; a++) {
		for (b = a + 1; b->name; b++)
			ck_assert_str_ne(a->name, b->name);
	}
}
END_TEST

START_TEST(the_file_to_read_is_named_by_the_environment)
{
	setenv("PUSHLET_CONF", "/some/file", 1);
	ck_assert_str_eq(properties_file(), "/some/file");
}
END_TEST

START_TEST(without_a_name_it_is_the_installed_file_if_there_is_one)
{
	static const char installed[] =
		SYSCONFDIR "/pushlet/pushlet.properties";

	setenv("PUSHLET_CONF", "", 1);
	if (access(installed, F_OK) == 0)
		ck_assert_pstr_eq(properties_file(), installed);
	else if (errno == ENOENT)
		ck_assert_pstr_eq(properties_file(), NULL);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("properties");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, defaults_are_those_of_the_original_where_it_has_any);
	tcase_add_test(tc, our_own_defaults_agree_with_each_other);
	tcase_add_test(tc, rules_are_collected_in_their_order);
	tcase_add_test(tc, a_bad_rule_is_told_with_its_line);
	tcase_add_test(tc, rules_together_have_a_limit);
	tcase_add_test(tc, a_file_of_the_original_server_loads);
	tcase_add_loop_test(tc, a_mistake_is_told_once_with_what_is_allowed, 0,
			    ROWS(mistakes));
	tcase_add_test(tc, the_bounds_that_involve_two_are_met_exactly);
	tcase_add_test(tc,
		options_may_come_in_any_order_and_are_checked_after_the_last);
	tcase_add_test(tc, an_option_with_a_mistake_is_refused);
	tcase_add_test(tc,
		what_gives_the_segment_its_shape_does_not_change_on_reload);
	tcase_add_test(tc, no_name_is_in_the_table_twice);
	tcase_add_test(tc, the_file_to_read_is_named_by_the_environment);
	tcase_add_test(tc,
		without_a_name_it_is_the_installed_file_if_there_is_one);
	return unit_run();
}
