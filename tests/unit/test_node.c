/* SPDX-License-Identifier: MIT */
/*
 * test_node.c - broker/node.h: numbers given, and numbers known
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "broker/node.h"
#include "broker/view.h"
#include "fixture.h"

static uint32_t origin;

/* This segment is node "a" of a cluster, and knows node "b". */
static void in_a_cluster(void)
{
	snprintf(limits.node, sizeof(limits.node), "a");
	broker_settle(broker, &limits);
	origin = node_enter(broker, "b", (struct mark){ 0 });
	ck_assert_uint_eq(origin, 1);
}

/* An event of b arrives.  Returns how many it reached. */
static unsigned arrive_as(uint64_t epoch, uint64_t number, const char *subject,
			  const char *to, const char *text)
{
	struct event e = EVENT_INIT;
	struct passage passage = { origin, epoch, number, 1000000000 };
	struct publication p = { .subject = subject, .attributes = &e,
				 .to = to, .passage = &passage };
	unsigned reached;

	ck_assert_int_eq(event_add(&e, "text", text), 0);
	ck_assert_int_eq(publish(broker, &p, &reached, NULL), DONE);
	event_release(&e);
	return reached;
}

static unsigned arrive(uint64_t epoch, uint64_t number, const char *text)
{
	return arrive_as(epoch, number, "/x", NULL, text);
}

static void knows(uint64_t epoch, uint64_t number, uint64_t missed)
{
	struct mark m = node_mark(broker, origin);

	ck_assert_uint_eq(m.epoch, epoch);
	ck_assert_uint_eq(m.number, number);
	ck_assert_uint_eq(m.missed, missed);
}

static uint64_t given(void)
{
	return broker->map->numbered;
}

START_TEST(who_is_alone_gives_no_numbers)
{
	say("/x", "1");
	ck_assert_uint_eq(given(), 0);
	ck_assert_uint_eq(broker->map->log.newest, 0);
}
END_TEST

START_TEST(what_crosses_is_numbered_and_kept_though_nobody_wants_it)
{
	in_a_cluster();
	say("/x", "1");
	say("/y", "2");
	ck_assert_uint_eq(given(), 2);
	ck_assert_uint_ne(broker->map->log.newest, 0);
	all_is_well();
}
END_TEST

static const struct {
	const char *include, *exclude, *subject;
	bool crosses;
} rows[] = {
	{ "/", "", "/a", true },
	{ "/", "/private", "/private/x", false },
	{ "/", "/private", "/privat", true },
	{ "", "", "/a", false },
	{ "/a,/b", "", "/b/c", true },
	{ "/a,/b", "", "/c", false },
	{ "/a,/b", "/b", "/bc", false },
	{ ",/a", ",", "/a", true },
};

START_TEST(which_subjects_cross_is_said_by_two_lists)
{
	in_a_cluster();
	snprintf(limits.bridge_include, sizeof(limits.bridge_include), "%s",
		 rows[_i].include);
	snprintf(limits.bridge_exclude, sizeof(limits.bridge_exclude), "%s",
		 rows[_i].exclude);
	broker_settle(broker, &limits);
	say(rows[_i].subject, "1");
	ck_assert_uint_eq(given(), rows[_i].crosses ? 1 : 0);
}
END_TEST

START_TEST(what_is_for_one_session_here_does_not_cross)
{
	struct client c;

	in_a_cluster();
	c = client_join("/x");
	ck_assert_uint_eq(say_to(c.session.handle, "/x", "1"), 1);
	ck_assert_uint_eq(given(), 0);
}
END_TEST

START_TEST(an_event_of_another_node_is_published_once)
{
	struct client c = client_join("/x");

	in_a_cluster();
	ck_assert_uint_eq(arrive(5, 1, "one"), 1);
	ck_assert_uint_eq(arrive(5, 1, "one"), 0);
	ck_assert_uint_eq(arrive(5, 2, "two"), 1);
	ck_assert_uint_eq(arrive(4, 9, "of an older segment"), 0);
	ck_assert_str_eq(client_peek(&c), "one two");
	knows(5, 2, 0);
	ck_assert_uint_eq(broker->map->counts.received, 2);
	ck_assert_uint_eq(broker->map->counts.published, 0);
	all_is_well();
}
END_TEST

START_TEST(an_event_of_another_node_does_not_cross_again)
{
	struct client c = client_join("/x");

	in_a_cluster();
	arrive(5, 1, "one");
	ck_assert_uint_eq(given(), 0);
	ck_assert_str_eq(client_peek(&c), "one");
}
END_TEST

START_TEST(its_time_is_that_of_its_node)
{
	struct client c = client_join("/x");

	in_a_cluster();
	arrive(5, 1, "one");
	client_listen(&c);
	client_receive(&c);
	ck_assert_str_eq(event_get(delivered_event(0), "p_time"), "1000000000");
}
END_TEST

START_TEST(one_that_nobody_wants_leaves_nothing_but_its_number)
{
	in_a_cluster();
	ck_assert_uint_eq(arrive(5, 1, "one"), 0);
	ck_assert_uint_eq(broker->map->log.newest, 0);
	knows(5, 1, 0);
}
END_TEST

START_TEST(what_is_missing_is_counted)
{
	struct client c = client_join("/x");

	in_a_cluster();
	arrive(5, 3, "three");
	knows(5, 3, 2);
	arrive(5, 4, "four");
	arrive(5, 10, "ten");
	knows(5, 10, 7);
	arrive(6, 1, "of the next segment");
	knows(6, 1, 7);
	arrive(7, 2, "of the one after");
	knows(7, 2, 8);
	ck_assert_uint_eq(broker->map->counts.missed, 8);
	ck_assert_str_eq(client_peek(&c), "three four ten "
			 "of the next segment of the one after");
	all_is_well();
}
END_TEST

START_TEST(one_to_a_session_is_given_to_it_alone)
{
	struct client c = client_join("/x"), d;

	in_a_cluster();
	d = client_join("/x");
	ck_assert_uint_eq(arrive_as(5, 1, "/x", d.session.handle, "hello"), 1);
	ck_assert_str_eq(client_peek(&c), "");
	ck_assert_str_eq(client_peek(&d), "hello");
	ck_assert_uint_eq(arrive_as(5, 2, "/x", "nobody", "hello"), 0);
	knows(5, 2, 0);
}
END_TEST

START_TEST(a_subject_of_the_server_may_come_from_another_node)
{
	struct client c = client_join("/meta/joins");

	client_receive(&c);
	in_a_cluster();
	ck_assert_uint_eq(arrive_as(5, 1, "/meta/joins", NULL, "there"), 1);
}
END_TEST

START_TEST(one_that_is_skipped_is_known)
{
	in_a_cluster();
	node_skip(broker, &(struct passage){ origin, 5, 2, 0 });
	knows(5, 2, 1);
	node_skip(broker, &(struct passage){ origin, 5, 1, 0 });
	knows(5, 2, 1);
}
END_TEST

START_TEST(an_epoch_may_begin_with_what_no_node_numbers)
{
	in_a_cluster();
	arrive(5, 1, "one");
	node_skip(broker, &(struct passage){ origin, 6, 0, 0 });
	knows(6, 0, 0);
	node_skip(broker, &(struct passage){ origin, 5, 0, 0 });
	knows(6, 0, 0);
	arrive(6, 1, "one");
	knows(6, 1, 0);
	origin = 2;
	node_skip(broker, &(struct passage){ origin, 6, 0, 0 });
	knows(0, 0, 0);
}
END_TEST

/* What a newcomer gets of what was said. */
static const char *remembered(void)
{
	static char text[100];
	struct client late = client_join(NULL);
	char sid[SID_SIZE];

	ck_assert_int_eq(subscription_add(broker, late.session.ref, "/x", NULL,
					  9, sid), DONE);
	snprintf(text, sizeof(text), "%s", client_peek(&late));
	session_leave(broker, late.session.ref);
	return text;
}

START_TEST(what_is_older_than_this_segment_is_history)
{
	struct client c = client_join("/x");

	in_a_cluster();
	origin = node_enter(broker, "old", (struct mark){ 100, 7, 0 });
	ck_assert_uint_eq(arrive(100, 6, "six"), 0);
	ck_assert_uint_eq(arrive(100, 7, "seven"), 0);
	knows(100, 7, 0);
	ck_assert_uint_eq(arrive(100, 8, "eight"), 1);
	ck_assert_str_eq(client_peek(&c), "eight");
	ck_assert_str_eq(remembered(), "six seven eight");
	all_is_well();
}
END_TEST

START_TEST(what_a_younger_node_said_before_we_met_is_news)
{
	struct client c = client_join("/x");
	uint64_t later = broker->map->born + 1;

	in_a_cluster();
	origin = node_enter(broker, "new", (struct mark){ later, 2, 0 });
	arrive(later, 1, "one");
	arrive(later, 2, "two");
	ck_assert_str_eq(client_peek(&c), "one two");
	knows(later, 2, 0);
}
END_TEST

START_TEST(a_replay_does_not_cross_again)
{
	in_a_cluster();
	say("/x", "one");
	ck_assert_str_eq(remembered(), "one");
	ck_assert_uint_eq(given(), 1);
	all_is_well();
}
END_TEST

START_TEST(a_node_keeps_its_place)
{
	in_a_cluster();
	ck_assert_uint_eq(node_enter(broker, "c", (struct mark){ 0 }), 2);
	ck_assert_uint_eq(node_enter(broker, "b", (struct mark){ 9, 9, 9 }), 1);
	knows(0, 0, 0);
}
END_TEST

START_TEST(the_place_of_one_unseen_for_a_day_is_free_when_all_are_taken)
{
	char name[NODE_SIZE];
	uint32_t i;

	for (i = 1; i <= NODES_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		ck_assert_uint_eq(node_enter(broker, name,
					     (struct mark){ 0 }), i);
		node_seen(broker, i);
	}
	ck_assert_uint_eq(node_enter(broker, "more", (struct mark){ 0 }), 0);
	broker->map->nodes[6].seen -= 24 * 60 * 60 + 10;
	ck_assert_uint_eq(node_enter(broker, "more", (struct mark){ 0 }), 7);
	ck_assert_uint_eq(node_enter(broker, "again", (struct mark){ 0 }), 7);
	all_is_well();
}
END_TEST

START_TEST(a_check_finds_a_number_that_was_not_given_and_repair_gives_it)
{
	struct buf report = BUF_INIT;

	in_a_cluster();
	say("/x", "1");
	broker->map->numbered = 0;
	ck_assert_int_eq(broker_check(broker, &report), 1);
	broker_repair(broker);
	ck_assert_uint_eq(given(), 1);
	all_is_well();
	buf_release(&report);
}
END_TEST

START_TEST(damage_in_the_table_is_found_and_leads_nowhere)
{
	struct buf report = BUF_INIT;

	in_a_cluster();
	node_enter(broker, "c", (struct mark){ 0 });
	broker->map->nodes[1].state = 77;
	ck_assert_int_eq(broker_check(broker, &report), 1);
	broker_repair(broker);
	all_is_well();
	origin = 2;
	ck_assert_uint_eq(arrive(5, 1, "of nobody"), 0);
	origin = NODES_MAX + 1;
	ck_assert_uint_eq(arrive(5, 1, "of nobody"), 0);
	buf_release(&report);
}
END_TEST

/* Names that the second place may not have. */
static const char names[][NODE_SIZE] = { "", "b", "abcdefghijkl" };

START_TEST(a_node_whose_name_is_none_is_void_after_a_repair)
{
	struct buf report = BUF_INIT;

	in_a_cluster();
	node_enter(broker, "c", (struct mark){ 0 });
	memcpy(broker->map->nodes[1].name, names[_i], NODE_SIZE);
	ck_assert_int_eq(broker_check(broker, &report), 1);
	broker_repair(broker);
	all_is_well();
	ck_assert_uint_eq(node_enter(broker, "c", (struct mark){ 0 }), 2);
	ck_assert_uint_eq(node_enter(broker, "b", (struct mark){ 0 }), 1);
	buf_release(&report);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("node");

	fixture_use(tc);
	tcase_add_test(tc, who_is_alone_gives_no_numbers);
	tcase_add_test(tc,
		what_crosses_is_numbered_and_kept_though_nobody_wants_it);
	tcase_add_loop_test(tc, which_subjects_cross_is_said_by_two_lists, 0,
			    ROWS(rows));
	tcase_add_test(tc, what_is_for_one_session_here_does_not_cross);
	tcase_add_test(tc, an_event_of_another_node_is_published_once);
	tcase_add_test(tc, an_event_of_another_node_does_not_cross_again);
	tcase_add_test(tc, its_time_is_that_of_its_node);
	tcase_add_test(tc,
		one_that_nobody_wants_leaves_nothing_but_its_number);
	tcase_add_test(tc, what_is_missing_is_counted);
	tcase_add_test(tc, one_to_a_session_is_given_to_it_alone);
	tcase_add_test(tc, a_subject_of_the_server_may_come_from_another_node);
	tcase_add_test(tc, one_that_is_skipped_is_known);
	tcase_add_test(tc, an_epoch_may_begin_with_what_no_node_numbers);
	tcase_add_test(tc, what_is_older_than_this_segment_is_history);
	tcase_add_test(tc, what_a_younger_node_said_before_we_met_is_news);
	tcase_add_test(tc, a_replay_does_not_cross_again);
	tcase_add_test(tc, a_node_keeps_its_place);
	tcase_add_test(tc,
		the_place_of_one_unseen_for_a_day_is_free_when_all_are_taken);
	tcase_add_test(tc,
		a_check_finds_a_number_that_was_not_given_and_repair_gives_it);
	tcase_add_loop_test(tc, a_node_whose_name_is_none_is_void_after_a_repair,
			    0, ROWS(names));
	tcase_add_test(tc, damage_in_the_table_is_found_and_leads_nowhere);
	return unit_run();
}
