/* SPDX-License-Identifier: MIT */
/*
 * test_subscription.c - broker/subscription.h: which events a session wants
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "broker/view.h"
#include "fixture.h"

static enum outcome add(struct client *c, const char *subjects,
			const char *label)
{
	return subscription_add(broker, c->session.ref, subjects, label, 0,
				c->sid);
}

/* What ended, as "subjects", or "subjects [label]". */
static const char *removed(struct client *c, const char *sid)
{
	static char text[200];
	struct buf subjects = BUF_INIT, label = BUF_INIT;
	bool labelled;

	ck_assert_int_eq(subscription_remove(broker, c->session.ref, sid,
					     &subjects, &label, &labelled),
			 DONE);
	snprintf(text, sizeof(text), labelled ? "%s [%s]" : "%s",
		 buf_str(&subjects), buf_str(&label));
	buf_release(&subjects);
	buf_release(&label);
	return text;
}

static enum outcome removal(struct client *c, const char *sid)
{
	struct buf subjects = BUF_INIT, label = BUF_INIT;
	bool labelled;
	enum outcome outcome;

	outcome = subscription_remove(broker, c->session.ref, sid, &subjects,
				      &label, &labelled);
	ck_assert(outcome == DONE || subjects.len + label.len == 0);
	buf_release(&subjects);
	buf_release(&label);
	return outcome;
}

static uint32_t used(void)
{
	return broker->subscriptions.head->used;
}

START_TEST(a_sid_is_short_plain_and_different_for_each)
{
	struct client c = client_join("/a");
	char first[SID_SIZE];

	memcpy(first, c.sid, sizeof(first));
	ck_assert_uint_ge(strlen(first), 8);
	ck_assert_uint_eq(strspn(first, "0123456789abcdefghijklmnopqrstuvwxyz"),
			  strlen(first));
	client_subscribe(&c, "/a", NULL);
	ck_assert_str_ne(c.sid, first);
	/* The same slot again is another subscription. */
	ck_assert_str_eq(removed(&c, first), "/a");
	client_subscribe(&c, "/a", NULL);
	ck_assert_str_ne(c.sid, first);
	ck_assert_int_eq(removal(&c, first), NO_SUCH_SUBSCRIPTION);
}
END_TEST

START_TEST(the_largest_sid_fits)
{
	char sid[SID_SIZE];

	subscription_sid(sid, UINT32_MAX, UINT32_MAX);
	ck_assert_uint_lt(strlen(sid), SID_SIZE);
}
END_TEST

START_TEST(ending_one_leaves_the_others)
{
	struct client c = client_join("/a");
	char a[SID_SIZE];

	memcpy(a, c.sid, sizeof(a));
	client_subscribe(&c, "/b,/c", NULL);
	client_subscribe(&c, "/d", NULL);
	ck_assert_str_eq(removed(&c, a), "/a");
	ck_assert_uint_eq(say("/a", "x"), 0);
	ck_assert_uint_eq(say("/b", "x"), 1);
	ck_assert_uint_eq(say("/d", "x"), 1);
	ck_assert_uint_eq(used(), 3);
	all_is_well();
}
END_TEST

START_TEST(a_comma_list_is_one_subscription)
{
	struct client c = client_join(",/a,,/b,/c,");

	ck_assert_uint_eq(used(), 3);
	ck_assert_uint_eq(say("/b", "x"), 1);
	client_listen(&c);
	client_receive(&c);
	ck_assert_str_eq(delivered(0)->sid, c.sid);
	ck_assert_str_eq(removed(&c, c.sid), "/a,/b,/c");
	ck_assert_uint_eq(used(), 0);
	ck_assert_uint_eq(say("/a", "x") + say("/b", "x") + say("/c", "x"), 0);
	all_is_well();
}
END_TEST

START_TEST(a_label_is_kept_even_when_it_is_empty)
{
	struct client c = client_join(NULL);

	client_subscribe(&c, "/a", NULL);
	ck_assert_str_eq(removed(&c, c.sid), "/a");
	client_subscribe(&c, "/a", "");
	ck_assert_str_eq(removed(&c, c.sid), "/a []");
	client_subscribe(&c, "/a,/b", "my label, \xc3\xa4");
	ck_assert_str_eq(removed(&c, c.sid), "/a,/b [my label, \xc3\xa4]");
}
END_TEST

START_TEST(a_label_goes_with_the_events_of_its_subscription_only)
{
	struct client c = client_join(NULL);

	client_subscribe(&c, "/a", "A");
	client_subscribe(&c, "/b", NULL);
	client_subscribe(&c, "/c,/d", "CD");
	say("/a", "1");
	say("/b", "2");
	say("/d", "3");
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "1 2 3");
	ck_assert_str_eq(delivered_label(0), "A");
	ck_assert_ptr_null(delivered_label(1));
	ck_assert_str_eq(delivered_label(2), "CD");
}
END_TEST

START_TEST(the_sid_of_another_session_is_refused)
{
	struct client a = client_join("/a"), b = client_join("/b");

	ck_assert_int_eq(removal(&a, b.sid), NO_SUCH_SUBSCRIPTION);
	ck_assert_int_eq(removal(&b, a.sid), NO_SUCH_SUBSCRIPTION);
	ck_assert_uint_eq(say("/a", "x"), 1);
	ck_assert_uint_eq(say("/b", "x"), 1);
}
END_TEST

static const char *const no_sids[] = {
	"", "0", "0000000", "00000001x", "0000000 1", "+0000001", "-0000001",
	"00000002", "0000001", "00000010", "0x000001", "fffffff1", "ffffffff",
	"000000011", "000000001", "00000001 ", "0000000123456789012345678901",
	"zzzzzzzz", "0000000\xff",
};

START_TEST(what_is_no_sid_ends_nothing)
{
	struct client c = client_join("/a");

	ck_assert_str_eq(c.sid, "00000001");
	ck_assert_int_eq(removal(&c, no_sids[_i]), NO_SUCH_SUBSCRIPTION);
	ck_assert_int_eq(removal(&c, c.sid), DONE);
}
END_TEST

START_TEST(a_part_of_a_list_cannot_be_ended_alone)
{
	struct client c = client_join("/a,/b");
	char sid[SID_SIZE];

	subscription_sid(sid, 1, subscription_at(broker, 1)->slot.generation);
	ck_assert_int_eq(removal(&c, sid), NO_SUCH_SUBSCRIPTION);
	ck_assert_uint_eq(say("/b", "x"), 1);
}
END_TEST

#define TEXT_32 "0123456789abcdef0123456789abcdef"

static const struct {
	const char *subjects, *label;
	enum outcome outcome;
} rows[] = {
	{ "", NULL, NO_SUBJECT },
	{ ",", NULL, NO_SUBJECT },
	{ ",,,", "label", NO_SUBJECT },
	{ TEXT_32 TEXT_32, NULL, DONE },
	{ TEXT_32 TEXT_32, "", DONE },
	{ TEXT_32 TEXT_32, "l", SUBJECT_TOO_LONG },
	{ TEXT_32 TEXT_32 "x", NULL, SUBJECT_TOO_LONG },
	{ TEXT_32, TEXT_32, DONE },
	{ TEXT_32, TEXT_32 "x", SUBJECT_TOO_LONG },
	{ "/a," TEXT_32 TEXT_32, "l", DONE },
	{ "/a," TEXT_32 TEXT_32 "x", NULL, SUBJECT_TOO_LONG },
	{ "/\xff", NULL, BAD_TEXT },
	{ "/\xc3", NULL, BAD_TEXT },
	{ "/a", "\xed\xa0\x80", BAD_TEXT },
	{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", NULL, DONE },
	{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", NULL,
	  TOO_MANY_SUBSCRIPTIONS },
};

START_TEST(what_cannot_be_stored_is_refused_and_changes_nothing)
{
	struct client c = client_join(NULL);

	ck_assert_int_eq(add(&c, rows[_i].subjects, rows[_i].label),
			 rows[_i].outcome);
	ck_assert_int_eq(used() > 0, rows[_i].outcome == DONE);
	all_is_well();
}
END_TEST

START_TEST(a_session_has_no_more_than_its_share)
{
	struct client c = client_join("1,2,3,4,5,6,7,8"), other;

	client_subscribe(&c, "1,2,3,4,5,6,7,8", NULL);
	ck_assert_int_eq(add(&c, "/", NULL), TOO_MANY_SUBSCRIPTIONS);
	other = client_join("/");
	ck_assert_int_eq(removal(&c, c.sid), DONE);
	ck_assert_int_eq(add(&c, "/", NULL), DONE);
	ck_assert_uint_eq(say("/", "x"), 2);
	ck_assert(client_lives(&other));
}
END_TEST

START_TEST(when_the_segment_is_full_others_can_make_room)
{
	struct client a = client_join("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16");
	struct client b = client_join("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15");
	struct client c = client_join(NULL);

	ck_assert_int_eq(add(&c, "/a,/b", NULL), SEGMENT_FULL);
	all_is_well();
	ck_assert_int_eq(add(&c, "/a", NULL), DONE);
	ck_assert_int_eq(add(&c, "/b", NULL), SEGMENT_FULL);
	ck_assert_int_eq(session_leave(broker, a.session.ref), DONE);
	ck_assert_int_eq(add(&c, "/b", NULL), DONE);
	ck_assert_uint_eq(used(), 17);
	ck_assert_uint_eq(say("15", "x"), 1);
	ck_assert(client_lives(&b));
	all_is_well();
}
END_TEST

START_TEST(a_session_that_left_can_neither_subscribe_nor_unsubscribe)
{
	struct client c = client_join("/a");

	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	ck_assert_uint_eq(used(), 0);
	ck_assert_int_eq(removal(&c, c.sid), GONE);
	ck_assert_int_eq(add(&c, "/a", NULL), GONE);
	ck_assert_int_eq(subscription_clear(broker, c.session.ref), GONE);
	/* Nor in the name of who has its slot now. */
	client_join("/a");
	ck_assert_int_eq(removal(&c, c.sid), GONE);
	ck_assert_int_eq(add(&c, "/a", NULL), GONE);
}
END_TEST

START_TEST(clearing_ends_all_of_one_session)
{
	struct client a = client_join("/a,/b"), b = client_join("/a");

	client_subscribe(&a, "/c", "label");
	ck_assert_int_eq(subscription_clear(broker, a.session.ref), DONE);
	ck_assert_int_eq(subscription_clear(broker, a.session.ref), DONE);
	ck_assert_uint_eq(used(), 1);
	ck_assert_uint_eq(say("/a", "x"), 1);
	ck_assert_int_eq(removal(&b, b.sid), DONE);
	all_is_well();
}
END_TEST

/* Whether ensuring that finds the subscription with that sid. */
static bool ensured(struct client *c, const char *subjects, const char *label,
		    const char *sid)
{
	char found[SID_SIZE];

	ck_assert_int_eq(subscription_ensure(broker, c->session.ref, subjects,
					     label, 0, found), DONE);
	return strcmp(found, sid) == 0;
}

START_TEST(ensuring_finds_the_very_same_subscription_and_no_other)
{
	struct client c = client_join("/first"), other = client_join("/a,/b");
	char sid[SID_SIZE];

	client_subscribe(&c, "/a,/b", "label");
	memcpy(sid, c.sid, sizeof(sid));
	client_subscribe(&c, "/last", NULL);
	ck_assert(ensured(&c, "/a,/b", "label", sid));
	ck_assert(ensured(&c, ",/a,,/b,", "label", sid));
	ck_assert_uint_eq(used(), 6);
	ck_assert(!ensured(&c, "/a,/b", NULL, sid));
	ck_assert(!ensured(&c, "/a,/b", "", sid));
	ck_assert(!ensured(&c, "/a,/b", "labels", sid));
	ck_assert(!ensured(&c, "/a", "label", sid));
	ck_assert(!ensured(&c, "/b,/a", "label", sid));
	ck_assert_uint_eq(used(), 6 + 4 * 2 + 1);
	ck_assert(!ensured(&c, "/a,/b,/c", "label", sid));
	ck_assert(!ensured(&other, "/a,/b", "label", sid));
	all_is_well();
}
END_TEST

START_TEST(ensuring_again_and_again_piles_nothing_up)
{
	struct client c = client_join(NULL);
	char sid[SID_SIZE];
	int i;

	client_subscribe(&c, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", NULL);
	memcpy(sid, c.sid, sizeof(sid));
	for (i = 0; i < 100; i++)
		ck_assert(ensured(&c, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
				  NULL, sid));
	ck_assert_uint_eq(used(), 16);
	ck_assert_int_eq(subscription_ensure(broker, c.session.ref, "/", NULL, 0,
					     sid), TOO_MANY_SUBSCRIPTIONS);
	session_leave(broker, c.session.ref);
	ck_assert_int_eq(subscription_ensure(broker, c.session.ref, "/", NULL, 0,
					     sid), GONE);
}
END_TEST

/* Each leads astray where a session with subscriptions 0 (parts 1, 2) and 3
 * would go; 4 is another's, 5 the first free one. */
static struct subscription *sub_of(uint32_t i)
{
	return subscription_at(broker, i);
}

static void free_list_of_one(void) { sub_of(5)->slot.next_free = 5; }
static void free_list_of_two(void) { sub_of(6)->slot.next_free = 5; }
static void list_to_another(void) { sub_of(3)->next_of_session = 4; }
static void list_in_a_circle(void) { sub_of(0)->next_of_session = 3; }
static void part_of_another(void) { sub_of(2)->next_part = 4; }
static void parts_in_a_circle(void) { sub_of(2)->next_part = 0; }

static void (*const damages[])(void) = {
	free_list_of_one, free_list_of_two, list_to_another, list_in_a_circle,
	part_of_another, parts_in_a_circle,
};

START_TEST(a_list_that_leads_astray_ends_and_hurts_no_other_session)
{
	struct client c = client_join("/a,/b,/c"), other, later;
	char sid[SID_SIZE];

	client_subscribe(&c, "/d", NULL);
	other = client_join("/e");
	later = client_join(NULL);
	damages[_i]();
	subscription_add(broker, later.session.ref, "/f,/g", NULL, 0, sid);
	subscription_add(broker, later.session.ref, "/f,/g,/h", NULL, 0, sid);
	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	ck_assert_uint_eq(say("/e", "x"), 1);
	ck_assert_str_eq(client_peek(&other), "x");
	broker_repair(broker);
	all_is_well();
}
END_TEST

START_TEST(an_event_waits_though_its_subscription_ended)
{
	struct client c = client_join(NULL);
	char sid[SID_SIZE];

	client_subscribe(&c, "/a", "label");
	memcpy(sid, c.sid, sizeof(sid));
	say("/a", "before");
	ck_assert_int_eq(removal(&c, sid), DONE);
	client_subscribe(&c, "/b", "another");	/* in the same slot */
	client_listen(&c);
	ck_assert_str_eq(client_receive(&c), "before");
	ck_assert_str_eq(delivered(0)->sid, sid);
	ck_assert_ptr_null(delivered_label(0));
}
END_TEST

START_TEST(listening_again_for_the_same_keeps_the_subscription)
{
	struct client c = client_join(NULL);
	char first[SID_SIZE], again[SID_SIZE];

	ck_assert_int_eq(subscription_ensure(broker, c.session.ref, "/a,/b",
					     "label", 0, first), DONE);
	ck_assert_int_eq(subscription_ensure(broker, c.session.ref, ",/a,,/b",
					     "label", 0, again), DONE);
	ck_assert_str_eq(again, first);
	ck_assert_uint_eq(used(), 2);
	all_is_well();
}
END_TEST

START_TEST(listening_for_anything_else_is_a_subscription_more)
{
	static const struct { const char *subjects, *label; } other[] = {
		{ "/a", "label" }, { "/a,/b", NULL }, { "/a,/b", "" },
		{ "/b,/a", "label" }, { "/a,/b,/c", "label" },
		{ "/a,/b", "labels" },
	};
	struct client c = client_join(NULL);
	char sid[SID_SIZE];
	unsigned i;

	ck_assert_int_eq(subscription_ensure(broker, c.session.ref, "/a,/b",
					     "label", 0, sid), DONE);
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		ck_assert_int_eq(subscription_ensure(broker, c.session.ref,
						     other[i].subjects,
						     other[i].label, 0, sid),
				 DONE);
	ck_assert_uint_eq(used(), 2 + 1 + 2 + 2 + 2 + 3 + 2);
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("subscription");

	fixture_use(tc);
	tcase_add_test(tc, a_sid_is_short_plain_and_different_for_each);
	tcase_add_test(tc, the_largest_sid_fits);
	tcase_add_test(tc, listening_again_for_the_same_keeps_the_subscription);
	tcase_add_test(tc, listening_for_anything_else_is_a_subscription_more);
	tcase_add_test(tc, ending_one_leaves_the_others);
	tcase_add_test(tc, a_comma_list_is_one_subscription);
	tcase_add_test(tc, a_label_is_kept_even_when_it_is_empty);
	tcase_add_test(tc,
		a_label_goes_with_the_events_of_its_subscription_only);
	tcase_add_test(tc, the_sid_of_another_session_is_refused);
	tcase_add_loop_test(tc, what_is_no_sid_ends_nothing, 0,
			    ROWS(no_sids));
	tcase_add_test(tc, a_part_of_a_list_cannot_be_ended_alone);
	tcase_add_loop_test(tc,
		what_cannot_be_stored_is_refused_and_changes_nothing, 0,
		ROWS(rows));
	tcase_add_test(tc, a_session_has_no_more_than_its_share);
	tcase_add_test(tc, when_the_segment_is_full_others_can_make_room);
	tcase_add_test(tc,
		a_session_that_left_can_neither_subscribe_nor_unsubscribe);
	tcase_add_test(tc, clearing_ends_all_of_one_session);
	tcase_add_test(tc,
		ensuring_finds_the_very_same_subscription_and_no_other);
	tcase_add_test(tc, ensuring_again_and_again_piles_nothing_up);
	tcase_add_loop_test(tc,
		a_list_that_leads_astray_ends_and_hurts_no_other_session, 0,
		ROWS(damages));
	tcase_add_test(tc, an_event_waits_though_its_subscription_ended);
	return unit_run();
}
