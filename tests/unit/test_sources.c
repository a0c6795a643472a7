/* SPDX-License-Identifier: MIT */
/*
 * test_sources.c - sources/settings.h and remarks.h: what the file says, and
 * what is said of a source
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "sources/remarks.h"
#include "sources/settings.h"

static struct settings settings;
static struct buf report;
static char file[64];
static int fd;

static void begin(void)
{
	fd = memfd_create("sources", 0);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
}

static void finish(void)
{
	settings_release(&settings);
	buf_release(&report);
	close(fd);
}

static int read_text(const char *text)
{
	size_t n = strlen(text);

	settings_release(&settings);
	buf_clear(&report);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pwrite(fd, text, n, 0), (ssize_t)n);
	return settings_read(&settings, file, &report);
}

START_TEST(sources_are_read_in_the_order_of_the_file)
{
	const struct source_settings *one;

	ck_assert_int_eq(read_text(
		"# comment\n"
		"sources.grace = 7\n"
		"source.b.command=vmstat 1 ; true # no comment = here\n"
		"source.a.subject=/a\n"
		"source.b.subject=/b\n"
		"source.a.command=date\n"
		"source.a.format=xml\n"
		"source.a.when=subscribed\n"
		"source.b.rate=5\n"), 0);
	ck_assert_str_eq(buf_str(&report), "");
	ck_assert_uint_eq(settings.grace, 7);
	ck_assert_uint_eq(settings.stop, 5);
	ck_assert_uint_eq(settings.n, 2);
	one = &settings.sources[0];
	ck_assert_str_eq(one->name, "b");
	ck_assert_str_eq(one->command, "vmstat 1 ; true # no comment = here");
	ck_assert_str_eq(one->attribute, "line");
	ck_assert_uint_eq(one->rate, 5);
	ck_assert_uint_eq(one->line, 3);
	ck_assert_ptr_eq(settings_find(&settings, "a"), one + 1);
	ck_assert_int_eq(one[1].format, FORMAT_XML);
	ck_assert_int_eq(one[1].when, WHEN_SUBSCRIBED);
	ck_assert_ptr_null(settings_find(&settings, "c"));
}
END_TEST

START_TEST(a_file_without_sources_is_fine)
{
	ck_assert_int_eq(read_text(""), 0);
	ck_assert_uint_eq(settings.n, 0);
}
END_TEST

#define FINE "source.a.command=date\nsource.a.subject=/a\n"

static const struct {
	const char *text;
	const char *complaint;		/* behind the name of the file */
} mistakes[] = {
	{ "source.a.command=date\n", ":1: source.a has no subject" },
	{ "\nsource.a.subject=/a\n", ":2: source.a has no command" },
	{ FINE "source.a.comand=x\n", ":3: unknown property "
	  "'source.a.comand'" },
	{ FINE "sources.x=1\n", ":3: unknown property 'sources.x'" },
	{ FINE "x=1\n", ":3: unknown property 'x'" },
	{ FINE "source.a.subject=/b\n", ":3: source.a.subject is there twice" },
	{ "sources.grace=1\nsources.grace=2\n", ":2: sources.grace is there "
	  "twice" },
	{ FINE "source.a.rate=0\n", ":3: source.a.rate must be a whole number "
	  "from 1 to 1000000, not '0'" },
	{ FINE "source.a.format=json\n", ":3: source.a.format must be one of "
	  "lines|xml, not 'json'" },
	{ FINE "source.a.when=never\n", ":3: source.a.when must be one of" },
	{ FINE "source.a.user=no-such-user\n", ":1: source.a.user: there is no "
	  "user 'no-such-user'" },
	{ FINE "source.a.attribute=p_x\n", ":1: source.a.attribute must be" },
	{ FINE "source.a.attribute=a b\n", ":1: source.a.attribute must be" },
	{ FINE "source.a.format=xml\nsource.a.attribute=x\n",
	  ":1: source.a.attribute: with format=xml" },
	{ "source.a.command=date\nsource.a.subject=/meta/x\n",
	  ":1: source.a.subject: /meta" },
	{ "source.a.command=date\nsource.a.subject=\xff\n",
	  ":1: source.a.subject is not UTF-8" },
	{ "source.a.command=x\nsource.a.format=xml\nsource.a.when=subscribed\n",
	  ":1: source.a has no subject: when=subscribed needs one" },
	{ "source..command=x\n", ":1: 'source..command' must be source.NAME" },
	{ "source.a/b.command=x\n", ":1: 'source.a/b.command' must be" },
	{ "source.abcdefghijklmnopqrstuvwxyzabcdefghij.command=x\n",
	  "must be source.NAME" },
	{ "source.a\n", ":1: there is no '='" },
	{ "source1=nl.justobjects.pushlet.test.TestEventPullSources$Stocks\n",
	  ":1: 'source1' names a class, as for the original server" },
	{ "sources.segment=x\n", "sources.segment must be '/'" },
	{ "sources.restart.min=9\nsources.restart.max=8\n",
	  "sources.restart.min is more" },
};

START_TEST(a_mistake_is_told_with_its_line)
{
	ck_assert_int_eq(read_text(mistakes[_i].text), -1);
	ck_assert_msg(strstr(buf_str(&report), mistakes[_i].complaint),
		      "no \"%s\" in \"%s\"", mistakes[_i].complaint,
		      buf_str(&report));
	ck_assert_ptr_null(settings.sources);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
	ck_assert_int_eq(read_text("a=1\nb=2\nsource.x.rate=x\n"), -1);
	ck_assert_ptr_nonnull(strstr(buf_str(&report), ":1: "));
	ck_assert_ptr_nonnull(strstr(buf_str(&report), ":2: "));
	ck_assert_ptr_nonnull(strstr(buf_str(&report), ":3: "));
}
END_TEST

START_TEST(there_are_so_many_sources_and_no_more)
{
	struct buf text = BUF_INIT;
	int i;

	for (i = 0; i < SOURCES_MAX; i++)
		buf_printf(&text, "source.s%d.command=x\n"
			   "source.s%d.subject=/s\n", i, i);
	ck_assert_int_eq(read_text(buf_str(&text)), 0);
	buf_puts(&text, "source.more.command=x\n");
	ck_assert_int_eq(read_text(buf_str(&text)), -1);
	ck_assert_ptr_nonnull(strstr(buf_str(&report), ":513: more than 256"));
	buf_release(&text);
}
END_TEST

START_TEST(a_source_is_the_same_when_all_that_was_set_is)
{
	struct source_settings before;

	read_text(FINE);
	before = settings.sources[0];
	read_text("\n\n" FINE "source.a.rate=1000\n");
	ck_assert(source_settings_same(&before, &settings.sources[0]));
	read_text(FINE "source.a.rate=999\n");
	ck_assert(!source_settings_same(&before, &settings.sources[0]));
	read_text("source.b.command=date\nsource.b.subject=/a\n");
	ck_assert(!source_settings_same(&before, &settings.sources[0]));
}
END_TEST

/* -- remarks ------------------------------------------------------------ */

static int saved, messages[2];

static void catch_log(void)
{
	log_init("test", LOG_LEVEL_INFO);
	saved = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe(messages), 0);
	dup2(messages[1], STDERR_FILENO);
}

/* How many lines were logged; the last of them in out. */
static unsigned caught(char *out, size_t size)
{
	unsigned n = 0;
	FILE *in;

	dup2(saved, STDERR_FILENO);
	close(messages[1]);
	in = fdopen(messages[0], "r");
	while (fgets(out, (int)size, in))
		n++;
	fclose(in);
	return n;
}

START_TEST(lines_of_any_pieces_are_logged_behind_the_name)
{
	struct remarks r = { .name = "load" };
	char line[2000];

	catch_log();
	remarks_add(&r, 1000, "one\ntw", 6);
	remarks_add(&r, 1000, "o\n\nthree", 8);
	remarks_flush(&r, 1000);
	remarks_flush(&r, 1000);
	ck_assert_uint_eq(caught(line, sizeof(line)), 3);
	ck_assert_str_eq(line, "test: load: three\n");
	remarks_release(&r);
}
END_TEST

START_TEST(too_many_and_too_long_lines_are_left_out)
{
	struct remarks r = { .name = "load" };
	char line[2000], much[5000];
	int i;

	memset(much, 'x', sizeof(much));
	catch_log();
	for (i = 0; i < 100; i++)
		remark(&r, 5000, "again");
	remarks_tick(&r, 5999);
	remarks_tick(&r, 6000);
	remarks_add(&r, 6000, much, sizeof(much));
	ck_assert_uint_le(r.line.len, 1100);
	ck_assert_uint_eq(caught(line, sizeof(line)), 21);
	ck_assert_ptr_nonnull(strstr(line, "load: 80 more lines were left"));
	remarks_release(&r);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("sources");

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_add_test(tc, sources_are_read_in_the_order_of_the_file);
	tcase_add_test(tc, a_file_without_sources_is_fine);
	tcase_add_loop_test(tc, a_mistake_is_told_with_its_line, 0,
			    (int)ROWS(mistakes));
	tcase_add_test(tc, all_mistakes_are_told_at_once);
	tcase_add_test(tc, there_are_so_many_sources_and_no_more);
	tcase_add_test(tc, a_source_is_the_same_when_all_that_was_set_is);
	tcase_add_test(tc, lines_of_any_pieces_are_logged_behind_the_name);
	tcase_add_test(tc, too_many_and_too_long_lines_are_left_out);
	return unit_run();
}
