/* SPDX-License-Identifier: MIT */
/*
 * test_feed.c - feed/feed.h: lines and elements become events, however the
 * bytes are cut, and what is none is told of and skipped
 */
#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "feed/feed.h"

enum kind { LINES, XML, RESUMING };

static struct buf heard;		/* an event or a complaint a line */
static bool go_on;

static bool on_event(void *arg, const struct outgoing *event)
{
	size_t i;

	(void)arg;
	buf_printf(&heard, "%lu:%s", event->line, event->subject);
	for (i = 0; i < event->n; i++)
		buf_printf(&heard, " %s=%.20s", event->attributes[i].name,
			   event->attributes[i].value);
	buf_putc(&heard, '\n');
	return go_on;
}

static void on_fault(void *arg, const char *text)
{
	(void)arg;
	buf_printf(&heard, "! %s\n", text);
}

/* What a feed makes of the text, given to it so many bytes at a time. */
static const char *read_by(enum kind kind, const char *text, size_t n,
			   size_t step)
{
	static struct pushlet_attribute line = { "line", NULL };
	static struct outgoing like = { "/s", NULL, &line, 1, 0 };
	const struct feed_calls calls = { on_event, on_fault, NULL };
	enum feed_state state = FEED_ON;
	struct feed *f;
	size_t part;

	buf_clear(&heard);
	f = kind == LINES ? feed_lines(&calls, &like, &line) :
			    feed_xml(&calls, "/s", NULL, kind == RESUMING);
	ck_assert_ptr_nonnull(f);
	for (; n > 0 && state == FEED_ON; text += part, n -= part) {
		part = step < n ? step : n;
		state = feed_bytes(f, text, part);
	}
	feed_end(f);
	feed_free(&f);
	ck_assert_ptr_null(f);
	return buf_str(&heard);
}

static void begin(void)
{
	go_on = true;
}

static void finish(void)
{
	buf_release(&heard);
}

/* "! line N" stands for any complaint about that line. */
static void compare(const char *expected)
{
	const char *seen = buf_str(&heard);

	for (; *expected; expected += strcspn(expected, "\n") + 1) {
		size_t n = strcspn(expected, "\n");

		ck_assert_msg(strncmp(seen, expected, n) == 0 &&
			      (seen[n] == '\n' || *expected == '!'),
			      "not \"%.*s\" but \"%s\"", (int)n, expected, seen);
		seen += strcspn(seen, "\n") + 1;
	}
	ck_assert_str_eq(seen, "");
}

static const struct {
	enum kind kind;
	const char *text;
	const char *heard;
} readings[] = {
	{ LINES, "", "" },
	{ LINES, "a\nb\r\n\nc", "1:/s line=a\n2:/s line=b\n3:/s line=\n"
	  "4:/s line=c\n" },
	{ LINES, "a\n\xff\nb\n", "1:/s line=a\n! line 2: not published\n"
	  "3:/s line=b\n" },
	{ XML, "<a x='1'/> <b y='2'/>\n<c p_subject='/t'/>",
	  "1:/s x=1\n1:/s y=2\n2:/t p_subject=/t\n" },
	{ XML, "<a/>\noops <\n<b/>", "1:/s\n! line 2: not published\n"
	  "! line 2: not XML, cannot go on\n" },
	{ RESUMING, "<a x='1'/> <b y='2'/>\n<c/>", "1:/s x=1\n1:/s y=2\n"
	  "2:/s\n" },
	/* A line that is none, alone. */
	{ RESUMING, "<a/>\n<b x=1/>\n<c/>\n", "1:/s\n! line 2: not XML\n"
	  "3:/s\n" },
	{ RESUMING, "& junk\n<a/>\n&\n<b/>\n", "! line 1: not XML\n2:/s\n"
	  "! line 3: not XML\n4:/s\n" },
	{ RESUMING, "</x>\n<a/>\n", "! line 1: not XML\n2:/s\n" },
	{ RESUMING, "</events>\n<a/>\n", "! line 1: not published\n2:/s\n" },
	{ RESUMING, "<!DOCTYPE x>\n<a/>\n", "! line 1: not XML\n2:/s\n" },
	/* Left open: the line that shows it is sound. */
	{ RESUMING, "<a x='1\n<b/>\n<c/>\n", "! line 2: not XML\n2:/s\n"
	  "3:/s\n" },
	{ RESUMING, "<a/>\n<b\n<c/>\n", "1:/s\n! line 3: not XML\n3:/s\n" },
	/* What ended before the mistake is not there twice. */
	{ RESUMING, "\n<a/><b/>&&\n<c/>\n", "2:/s\n2:/s\n! line 2: not XML\n"
	  "3:/s\n" },
	{ RESUMING, "<a>\n<b/>\n</a>\n<c/>\n", "! line 2: not published\n"
	  "4:/s\n" },
	{ RESUMING, "<a\n x='1'\n/>\n<b/>\n", "3:/s x=1\n4:/s\n" },
	/* Of which libxml2 makes this and that, cut so and so. */
	{ RESUMING, "<a>\n<b/><\"><\r", "! line 2: not published\n"
	  "! line 2: not published: the input ends\n" },
	{ RESUMING, "<a/>\n<b", "1:/s\n! line 2: not published: the input "
	  "ends\n" },
};

START_TEST(what_is_read_is_the_same_however_it_is_cut)
{
	const char *text = readings[_i].text;
	size_t step;

	for (step = strlen(text) + 1; step > 0; step--) {
		read_by(readings[_i].kind, text, strlen(text), step);
		compare(readings[_i].heard);
	}
}
END_TEST

START_TEST(a_line_with_a_nul_byte_is_skipped)
{
	read_by(LINES, "a\0b\nc\n", 6, 6);
	compare("! line 1: not published: it holds a NUL\n2:/s line=c\n");
}
END_TEST

#define EIGHT(text) text text text text text text text text
#define SIXTY_FOUR(text) EIGHT(EIGHT(text))

/* filler repeated to more than any event can have, between two texts. */
static void read_long(enum kind kind, const char *before, const char *filler,
		      const char *after)
{
	struct buf text = BUF_INIT;

	buf_puts(&text, before);
	while (text.len < 2 * FEED_BYTES + 5)
		buf_puts(&text, filler);
	buf_puts(&text, after);
	read_by(kind, buf_str(&text), text.len, 4096);
	buf_release(&text);
}

START_TEST(what_is_too_long_is_told_once_and_skipped)
{
	read_long(LINES, "", SIXTY_FOUR("x"), "\nb\n");
	compare("! line 1: not published: it is longer\n2:/s line=b\n");
	read_long(RESUMING, "<a x='", SIXTY_FOUR("x"), "'/>\n<b/>\n");
	compare("! line 1: not published: an element of more\n2:/s\n");
	read_long(RESUMING, "<a ", SIXTY_FOUR("\n"), "/>\n<b/>\n");
	compare("! line 1048574: not published\n"
		"! line 2097218: not published: text\n2097218:/s\n");
}
END_TEST

START_TEST(much_that_is_no_event_is_no_fault)
{
	read_long(RESUMING, "<a/>", "<!-- 0123456789 -->", "<b/>");
	compare("1:/s\n1:/s\n");
	read_long(RESUMING, "<a/>", "                   \n", "");
	compare("1:/s\n");
}
END_TEST

START_TEST(who_wants_no_more_gets_no_more)
{
	enum kind kind;

	go_on = false;
	read_by(LINES, "a\nb\nc\n", 6, 1);
	compare("1:/s line=a\n");
	for (kind = XML; kind <= RESUMING; kind++) {
		read_by(kind, "<a/>\n<b/>\n<c/>\n", 15, 15);
		compare("1:/s\n");
	}
}
END_TEST

START_TEST(a_piece_completes_one_event)
{
	const struct feed_calls calls = { on_event, on_fault, NULL };
	struct feed *f = feed_xml(&calls, "/s", NULL, true);

	ck_assert_uint_eq(feed_piece(f, "<a/><b/>", 8), 4);
	ck_assert_uint_eq(feed_piece(f, "<a", 2), 2);
	feed_bytes(f, "<a/>", 4);
	compare("1:/s\n");
	feed_free(&f);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("feed");

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_set_timeout(tc, 60);	/* megabytes, on a busy machine */
	tcase_add_loop_test(tc, what_is_read_is_the_same_however_it_is_cut, 0,
			    (int)ROWS(readings));
	tcase_add_test(tc, a_line_with_a_nul_byte_is_skipped);
	tcase_add_test(tc, what_is_too_long_is_told_once_and_skipped);
	tcase_add_test(tc, much_that_is_no_event_is_no_fault);
	tcase_add_test(tc, who_wants_no_more_gets_no_more);
	tcase_add_test(tc, a_piece_completes_one_event);
	return unit_run();
}
