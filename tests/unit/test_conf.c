/* SPDX-License-Identifier: MIT */
/*
 * test_conf.c - base/conf.h: property files into a struct, by a table
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"

struct settings {
	uint64_t size;
	uint64_t mode;
	bool on;
	char text[8];
	uint64_t period;
	int choice;
	uint64_t fixed;
	char fixed_text[8];
};

#define AT(field) offsetof(struct settings, field)

static const struct conf_key table[] = {
	{ "size", CONF_UINT, AT(size), 2, 1000, "10", NULL, true },
	{ "mode", CONF_OCTAL, AT(mode), 0600, 0666, "0600", NULL, true },
	{ "on", CONF_BOOL, AT(on), 0, 1, "false", NULL, true },
	{ "text", CONF_TEXT, AT(text), 1, 8, "abc", NULL, true },
	{ "period", CONF_MINUTES, AT(period), 1000, 60000000, "5", NULL, true },
	{ "choice", CONF_CHOICE, AT(choice), 0, 0, "red", "red|green|blue",
	  true },
	{ "fixed", CONF_UINT, AT(fixed), 0, UINT64_MAX, "1", NULL, false },
	{ "fixed.text", CONF_TEXT, AT(fixed_text), 0, 8, "", NULL, false },
	{ "old.version", CONF_IGNORED, 0, 0, 0, NULL, NULL, true },
	{ "*.class", CONF_IGNORED, 0, 0, 0, NULL, NULL, true },
	{ NULL, CONF_IGNORED, 0, 0, 0, NULL, NULL, false }
};

static struct settings set;
static struct buf report;
static char file[64];

static void begin(void)
{
	int fd;

	snprintf(file, sizeof(file), "%s", "/tmp/test_conf.XXXXXX");
	fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	report = (struct buf)BUF_INIT;
	memset(&set, 0, sizeof(set));
	conf_defaults(table, &set);
}

static void end(void)
{
	unlink(file);
	buf_release(&report);
}

static int read_bytes(const char *content, size_t n)
{
	FILE *fp = fopen(file, "w");

	ck_assert_ptr_nonnull(fp);
	ck_assert_uint_eq(fwrite(content, 1, n, fp), n);
	ck_assert_int_eq(fclose(fp), 0);
	buf_clear(&report);
	return conf_read(table, &set, file, &report);
}

static int read_text(const char *content)
{
	return read_bytes(content, strlen(content));
}

/* The report has the one line "FILE" and then text. */
static void assert_report(const char *text)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "%s%s\n", file, text);
	ck_assert_str_eq(buf_str(&report), expected);
}

START_TEST(defaults_are_read_as_a_file_would_be)
{
	ck_assert_uint_eq(set.size, 10);
	ck_assert_uint_eq(set.mode, 0600);
	ck_assert(!set.on);
	ck_assert_str_eq(set.text, "abc");
	ck_assert_uint_eq(set.period, 300000);
	ck_assert_int_eq(set.choice, 0);
}
END_TEST

START_TEST(a_file_sets_every_type)
{
	ck_assert_int_eq(read_text("size=20\nmode=0640\non=TRUE\ntext=x y\n"
				   "period=0.05\nchoice=blue\n"), 0);
	ck_assert_str_eq(buf_str(&report), "");
	ck_assert_uint_eq(set.size, 20);
	ck_assert_uint_eq(set.mode, 0640);
	ck_assert(set.on);
	ck_assert_str_eq(set.text, "x y");
	ck_assert_uint_eq(set.period, 3000);
	ck_assert_int_eq(set.choice, 2);
	ck_assert_uint_eq(set.fixed, 1);
}
END_TEST

static const char *const forms[] = {
	"size=77", "size = 77", "  size=77", "\tsize\t=\t77\t", "size=77   \n",
	"size=77\r\n", "size:77", "\xEF\xBB\xBFsize=77\n",
	"\xEF\xBB\xBF  # comment\nsize=77", "size=3\nsize=77\n",
	"# a comment\n! another\n\n; a third\n   # indented\n   \nsize=77\n",
	"size=77 ; this is inih's comment", "text=ab\n   size=77\n",
	"\n\n\nsize=77",
};

START_TEST(all_ways_to_write_a_line_mean_the_same)
{
	ck_assert_int_eq(read_text(forms[_i]), 0);
	ck_assert_str_eq(buf_str(&report), "");
	ck_assert_uint_eq(set.size, 77);
}
END_TEST

static const struct {
	const char *content, *complaint;
} mistakes[] = {
	{ "\nsize=abc",
	  ":2: size must be a whole number from 2 to 1000, not 'abc'" },
	{ "size=1", ":1: size must be a whole number from 2 to 1000, not '1'" },
	{ "size=1001",
	  ":1: size must be a whole number from 2 to 1000, not '1001'" },
	{ "size=-5", ":1: size must be a whole number from 2 to 1000, not "
	  "'-5'" },
	{ "size=+5", ":1: size must be a whole number from 2 to 1000, not "
	  "'+5'" },
	{ "size=", ":1: size must be a whole number from 2 to 1000, not ''" },
	{ "size=99999999999999999999",
	  ":1: size must be a whole number from 2 to 1000, not "
	  "'99999999999999999999'" },
	{ "mode=0690", ":1: mode must be an octal number from 0600 to 0666, "
	  "not '0690'" },
	{ "mode=777", ":1: mode must be an octal number from 0600 to 0666, not "
	  "'777'" },
	{ "on=maybe", ":1: on must be true or false, not 'maybe'" },
	{ "text=", ":1: text must have from 1 to 7 characters, not 0: ''" },
	{ "text=12345678",
	  ":1: text must have from 1 to 7 characters, not 8: '12345678'" },
	{ "period=0", ":1: period must be minutes (decimals allowed) from "
	  "0.017 to 1000, not '0'" },
	{ "period=1000.1", ":1: period must be minutes (decimals allowed) from "
	  "0.017 to 1000, not '1000.1'" },
	{ "period=.", ":1: period must be minutes (decimals allowed) from "
	  "0.017 to 1000, not '.'" },
	{ "period=1,5", ":1: period must be minutes (decimals allowed) from "
	  "0.017 to 1000, not '1,5'" },
	{ "period=99999999999", ":1: period must be minutes (decimals allowed) "
	  "from 0.017 to 1000, not '99999999999'" },
	{ "choice=yellow",
	  ":1: choice must be one of red|green|blue, not 'yellow'" },
	{ "choice=gre", ":1: choice must be one of red|green|blue, not 'gre'" },
	{ "choice=red|green",
	  ":1: choice must be one of red|green|blue, not 'red|green'" },
	{ "siez=3", ":1: unknown property 'siez' (pushlet.properties(5) lists "
	  "them)" },
	{ ".class=x", ":1: unknown property '.class' (pushlet.properties(5) "
	  "lists them)" },
	{ "=3", ":1: there is no name before the '='" },
	{ "# one\nsize 3\n# three\n", ":2: there is no '=': a line is "
	  "NAME=VALUE, a comment begins with '#'" },
	{ "[size]\nsize=3", ":1: a property file has no [sections]" },
	{ "text=ab\\\n", ":1: a line cannot be continued with '\\'" },
};

START_TEST(a_mistake_is_told_with_file_line_and_what_is_allowed)
{
	errno = 0;
	ck_assert_int_eq(read_text(mistakes[_i].content), -1);
	ck_assert_int_eq(errno, EINVAL);
	assert_report(mistakes[_i].complaint);
}
END_TEST

START_TEST(one_reading_shows_every_mistake)
{
	const char *pos;
	unsigned lines = 0;

	ck_assert_int_eq(read_text("size=x\nnonsense\n[s]\non=true\nnope=1\n"
				   "last"), -1);
	for (pos = buf_str(&report); (pos = strchr(pos, '\n')); pos++)
		lines++;
	ck_assert_uint_eq(lines, 5);
	ck_assert_ptr_nonnull(strstr(buf_str(&report), ":6: there is no '='"));
	ck_assert(set.on);
}
END_TEST

static int read_line_of(size_t n)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_puts(&b, "on=true\n#");
	while (b.len < 8 + n)
		buf_putc(&b, 'x');
	buf_puts(&b, "\nsize=3\n");
	rc = read_bytes(b.data, b.len);
	buf_release(&b);
	return rc;
}

START_TEST(a_line_is_too_long_only_beyond_the_length_it_says)
{
	size_t most;

	ck_assert_int_eq(read_line_of(100000), -1);
	ck_assert_int_eq(sscanf(buf_str(&report) + strlen(file),
				":2: the line is too long: at most %zu bytes "
				"are possible", &most), 1);
	ck_assert_uint_ge(most, 150);
	ck_assert_uint_eq(set.size, 3);
	ck_assert_int_eq(read_line_of(most + 1), -1);
	ck_assert_int_eq(read_line_of(most), 0);
}
END_TEST

START_TEST(a_nul_byte_is_a_mistake)
{
	ck_assert_int_eq(read_bytes("on=true\nsize=3\0\n", 16), -1);
	assert_report(":2: the line holds a NUL byte");
}
END_TEST

START_TEST(names_without_effect_are_noticed_together_once)
{
	ck_assert_int_eq(read_text("old.version=1\nsize=3\nlogger.class=a.B\n"
				   "x.y.class=\n"), 0);
	assert_report(": accepted without effect here: old.version, "
		      "logger.class, x.y.class");
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said_so)
{
	ck_assert_int_eq(conf_read(table, &set, "/nonexistent/x", &report), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(buf_str(&report), "/nonexistent/x: cannot be read: "
			 "No such file or directory\n");
}
END_TEST

START_TEST(a_directory_is_not_a_file)
{
	ck_assert_int_eq(conf_read(table, &set, "/", &report), -1);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_str_eq(buf_str(&report),
			 "/: cannot be read: Is a directory\n");
}
END_TEST

START_TEST(an_empty_file_changes_nothing)
{
	ck_assert_int_eq(read_text(""), 0);
	ck_assert_str_eq(buf_str(&report), "");
	ck_assert_uint_eq(set.size, 10);
}
END_TEST

START_TEST(an_option_sets_one_property)
{
	ck_assert_int_eq(conf_set(table, &set, "size=20", "-o", &report), 0);
	ck_assert_int_eq(conf_set(table, &set, " text = a=b ", "-o", &report),
			 0);
	ck_assert_str_eq(buf_str(&report), "");
	ck_assert_uint_eq(set.size, 20);
	ck_assert_str_eq(set.text, "a=b");
}
END_TEST

static const struct {
	const char *pair, *complaint;
} options[] = {
	{ "size", "-o: 'size' has no '=': a property is NAME=VALUE\n" },
	{ "", "-o: '' has no '=': a property is NAME=VALUE\n" },
	{ "=1", "-o: there is no name before the '='\n" },
	{ "si ze=1", "-o: unknown property 'si ze' (pushlet.properties(5) "
	  "lists them)\n" },
	{ "on=2", "-o: on must be true or false, not '2'\n" },
};

START_TEST(an_option_with_a_mistake_names_the_option)
{
	ck_assert_int_eq(conf_set(table, &set, options[_i].pair, "-o",
				  &report), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(buf_str(&report), options[_i].complaint);
}
END_TEST

START_TEST(a_reload_takes_what_may_change_and_names_what_may_not)
{
	struct settings fresh = set;

	fresh.size = 500;
	fresh.choice = 1;
	snprintf(fresh.text, sizeof(fresh.text), "new");
	fresh.fixed = 2;
	snprintf(fresh.fixed_text, sizeof(fresh.fixed_text), "new");
	conf_reload(table, &set, &fresh, &report);
	ck_assert_uint_eq(set.size, 500);
	ck_assert_int_eq(set.choice, 1);
	ck_assert_str_eq(set.text, "new");
	ck_assert_uint_eq(set.fixed, 1);
	ck_assert_str_eq(set.fixed_text, "");
	ck_assert_str_eq(buf_str(&report),
			 "fixed: the new value takes effect after a restart\n"
			 "fixed.text: the new value takes effect after a "
			 "restart\n");
}
END_TEST

START_TEST(what_stands_behind_the_end_of_a_text_is_no_difference)
{
	struct settings fresh = set;

	fresh.fixed_text[5] = 'x';
	conf_reload(table, &set, &fresh, &report);
	ck_assert_str_eq(buf_str(&report), "");
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("conf");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, defaults_are_read_as_a_file_would_be);
	tcase_add_test(tc, a_file_sets_every_type);
	tcase_add_loop_test(tc, all_ways_to_write_a_line_mean_the_same, 0,
			    ROWS(forms));
	tcase_add_loop_test(tc,
		a_mistake_is_told_with_file_line_and_what_is_allowed, 0,
		ROWS(mistakes));
	tcase_add_test(tc, one_reading_shows_every_mistake);
	tcase_add_test(tc, a_line_is_too_long_only_beyond_the_length_it_says);
	tcase_add_test(tc, a_nul_byte_is_a_mistake);
	tcase_add_test(tc, names_without_effect_are_noticed_together_once);
	tcase_add_test(tc, a_file_that_is_not_there_is_said_so);
	tcase_add_test(tc, a_directory_is_not_a_file);
	tcase_add_test(tc, an_empty_file_changes_nothing);
	tcase_add_test(tc, an_option_sets_one_property);
	tcase_add_loop_test(tc, an_option_with_a_mistake_names_the_option, 0,
			    ROWS(options));
	tcase_add_test(tc,
		a_reload_takes_what_may_change_and_names_what_may_not);
	tcase_add_test(tc,
		what_stands_behind_the_end_of_a_text_is_no_difference);
	return unit_run();
}
