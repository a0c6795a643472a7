/* SPDX-License-Identifier: MIT */
/*
 * test_entry.c - bridge/entry.h: an event as an entry of a stream
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "bridge/entry.h"

enum { FIELDS = 16 };

static redisReply fields[FIELDS], *elements[FIELDS];
static redisReply entry = { .type = REDIS_REPLY_ARRAY, .element = elements };
static struct entry e;

/* The fields of an entry: name, value, ..., NULL. */
static void an_entry_of(const char *const *texts)
{
	size_t i;

	for (i = 0; texts[i]; i++) {
		ck_assert_uint_lt(i, FIELDS);
		fields[i] = (redisReply){ .type = REDIS_REPLY_STRING,
					  .str = (char *)(uintptr_t)texts[i],
					  .len = strlen(texts[i]) };
		elements[i] = &fields[i];
	}
	entry.elements = i;
}

#define ENTRY(...) an_entry_of((const char *const []){ __VA_ARGS__, NULL })

START_TEST(an_event_comes_back_as_it_went)
{
	static struct args args;
	struct event sent = EVENT_INIT;
	char id[ENTRY_ID_SIZE];
	struct mark m;
	unsigned i;

	event_add(&sent, "p_event", "data");
	event_add(&sent, "p_subject", "/a");
	event_add(&sent, "p_time", "12");
	event_add(&sent, "p_from", "b-1");
	event_add(&sent, "text", "h\xc3\xa9 \"<&");
	event_add(&sent, "none", "");
	entry_write(&args, buf_str(&sent.packed), sent.packed.len);
	ck_assert_uint_eq(args.n, 10);
	for (i = 0; i < args.n; i++) {
		fields[i] = (redisReply){ .type = REDIS_REPLY_STRING,
					  .str = (char *)(uintptr_t)args.text[i],
					  .len = args.len[i] };
		elements[i] = &fields[i];
	}
	entry.elements = args.n;
	ck_assert_ptr_null(entry_read(&e, &entry));
	ck_assert_str_eq(e.subject, "/a");
	ck_assert_str_eq(e.from, "b-1");
	ck_assert_ptr_null(e.to);
	ck_assert_int_eq(e.time, 12);
	ck_assert_uint_eq(e.attributes.count, 2);
	ck_assert_str_eq(event_get(&e.attributes, "text"), "h\xc3\xa9 \"<&");
	ck_assert_str_eq(event_get(&e.attributes, "none"), "");
	entry_id(id, 1763758810123, 18446744073709551615u);
	ck_assert(entry_read_id(&m, id));
	ck_assert_uint_eq(m.epoch, 1763758810123);
	ck_assert_uint_eq(m.number, 18446744073709551615u);
	event_release(&sent);
}
END_TEST

START_TEST(what_a_later_version_may_add_is_left_out)
{
	ENTRY("p_subject", "/a", "p_time", "1", "p_new", "x", "p_to", "b-2");
	ck_assert_ptr_null(entry_read(&e, &entry));
	ck_assert_uint_eq(e.attributes.count, 0);
	ck_assert_str_eq(e.to, "b-2");
}
END_TEST

static const struct {
	const char *texts[10], *wrong;
} bad[] = {
	{ { "p_time", "1", "a", "b" }, "no p_subject" },
	{ { "p_subject", "/a" }, "no p_time" },
	{ { "p_subject", "/a", "p_time" }, "no names and values" },
	{ { "p_subject", "/a", "p_time", "x" }, "p_time" },
	{ { "p_subject", "/a", "p_time", "-1" }, "p_time" },
	{ { "p_subject", "/a", "p_time", "1 " }, "p_time" },
	{ { "p_subject", "/a", "p_time", "99999999999999999999" }, "p_time" },
	{ { "p_subject", "/a", "p_time", "" }, "p_time" },
	{ { "p_subject", "\xff", "p_time", "1" }, "no text" },
	{ { "p_subject", "/a", "p_time", "1", "a", "\xc3" }, "no text" },
	{ { "p_subject", "/a", "p_time", "1", "a", "1", "a", "2" }, "twice" },
	{ { "p_subject", "/a", "p_time", "1", "p_from", "" }, "empty" },
	{ { "p_subject", "/a", "p_time", "1", "p_to",
	    "0123456789012345678901234567890123456789"
	    "0123456789012345678901234" }, "too long" },
};

START_TEST(what_is_no_event_is_refused_with_a_reason)
{
	const char *wrong;

	an_entry_of(bad[_i].texts);
	wrong = entry_read(&e, &entry);
	ck_assert_ptr_nonnull(wrong);
	ck_assert_msg(strstr(wrong, bad[_i].wrong), "%s", wrong);
}
END_TEST

START_TEST(a_field_of_another_kind_or_with_a_nul_is_no_text)
{
	ENTRY("p_subject", "/a", "p_time", "1");
	fields[1].type = REDIS_REPLY_NIL;
	ck_assert_ptr_nonnull(entry_read(&e, &entry));
	ENTRY("p_subject", "/a\0b", "p_time", "1");
	fields[1].len = 4;
	ck_assert_ptr_nonnull(entry_read(&e, &entry));
	entry.type = REDIS_REPLY_INTEGER;
	ck_assert_ptr_nonnull(entry_read(&e, &entry));
	entry.type = REDIS_REPLY_ARRAY;
}
END_TEST

static const char *const no_ids[] = {
	"", "1", "1-", "-1", "0-1", "1-1-1", "1-1 ", "+1-1", "a-1",
	"18446744073709551616-1", "1-18446744073709551616",
};

START_TEST(what_is_no_id_is_refused)
{
	struct mark m;

	ck_assert(!entry_read_id(&m, no_ids[_i]));
}
END_TEST

static void release(void)
{
	event_release(&e.attributes);
}

int main(void)
{
	TCase *tc = unit_case("entry");

	tcase_add_checked_fixture(tc, NULL, release);
	tcase_add_test(tc, an_event_comes_back_as_it_went);
	tcase_add_test(tc, what_a_later_version_may_add_is_left_out);
	tcase_add_loop_test(tc, what_is_no_event_is_refused_with_a_reason, 0,
			    ROWS(bad));
	tcase_add_test(tc, a_field_of_another_kind_or_with_a_nul_is_no_text);
	tcase_add_loop_test(tc, what_is_no_id_is_refused, 0, ROWS(no_ids));
	return unit_run();
}
