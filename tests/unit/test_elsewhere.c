/* SPDX-License-Identifier: MIT */
/*
 * test_elsewhere.c - broker/elsewhere.h: how many are at other nodes
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "broker/elsewhere.h"
#include "broker/view.h"
#include "fixture.h"

static struct elsewhere fresh;
static struct census census;

static void counted(const char *subject, uint32_t online)
{
	elsewhere_add(broker, &fresh, subject, strlen(subject), online);
}

static uint32_t online(const char *subject)
{
	uint32_t n;

	broker_lock(broker);
	n = topic_count(broker, subject, strlen(subject)).online;
	broker_unlock(broker);
	return n;
}

START_TEST(a_subject_counts_the_sessions_of_all_nodes)
{
	client_join("/a");
	counted("/a", 2);
	counted("/b", 4);
	counted("/a", 3);
	elsewhere_store(broker, &fresh);
	ck_assert_uint_eq(online("/a"), 6);
	ck_assert_uint_eq(online("/b"), 4);
	ck_assert_uint_eq(online("/c"), 0);
	all_is_well();
}
END_TEST

START_TEST(who_is_not_counted_again_is_gone)
{
	counted("/a", 2);
	elsewhere_store(broker, &fresh);
	memset(&fresh, 0, sizeof(fresh));
	elsewhere_store(broker, &fresh);
	ck_assert_uint_eq(online("/a"), 0);
}
END_TEST

START_TEST(counts_that_nobody_renews_end)
{
	fresh.sessions = 5;
	fresh.watchers = 1;
	counted("/a", 2);
	elsewhere_store(broker, &fresh);
	ck_assert_uint_eq(elsewhere_sessions(broker), 5);
	ck_assert(elsewhere_watched(broker));
	broker->map->elsewhere.until = clock_ms();
	ck_assert_uint_eq(elsewhere_sessions(broker), 0);
	ck_assert(!elsewhere_watched(broker));
	ck_assert_uint_eq(online("/a"), 0);
}
END_TEST

START_TEST(a_table_that_is_full_counts_what_it_has)
{
	char subject[32];
	int i;

	for (i = 0; i < ELSEWHERE_SLOTS; i++) {
		snprintf(subject, sizeof(subject), "/%d", i);
		counted(subject, 1);
	}
	counted("/0", 1);
	elsewhere_store(broker, &fresh);
	ck_assert_uint_eq(online("/0"), 2);
	ck_assert_uint_eq(online("/4095"), 0);
}
END_TEST

/* The attributes of the newest event of a client. */
static const char *newest(struct client *c, const char *name)
{
	unsigned n = 0;

	client_listen(c);
	client_take(c, 100);
	while (c->take.count > n + 1)
		n++;
	return event_get(delivered_event(n), name);
}

START_TEST(a_join_tells_the_number_of_the_whole_cluster)
{
	struct client c = client_join("/meta/joins");

	fresh.sessions = 40;
	elsewhere_store(broker, &fresh);
	client_join(NULL);
	ck_assert_str_eq(newest(&c, "online"), "42");
	ck_assert_str_eq(newest(&c, "peak"), "42");
}
END_TEST

START_TEST(a_join_crosses_when_somebody_elsewhere_watches)
{
	snprintf(limits.node, sizeof(limits.node), "a");
	broker_settle(broker, &limits);
	client_join(NULL);
	ck_assert_uint_eq(broker->map->numbered, 0);
	fresh.watchers = 1;
	elsewhere_store(broker, &fresh);
	client_join("/a");
	/* The join, and the subscription. */
	ck_assert_uint_eq(broker->map->numbered, 2);
	all_is_well();
}
END_TEST

START_TEST(a_census_has_each_subject_once_but_the_servers)
{
	struct client c = client_join("/a,/b");

	client_subscribe(&c, "/a", NULL);
	client_join("/a,/meta/joins");
	census_read(broker, &census);
	ck_assert_uint_eq(census.sessions, 2);
	ck_assert_uint_eq(census.watchers, 1);
	ck_assert_uint_eq(census.count, 2);
	ck_assert_uint_eq(census.subjects.len, 6);
	ck_assert_uint_eq(census.online[0] + census.online[1], 3);
	census_read(broker, &census);
	ck_assert_uint_eq(census.count, 2);
}
END_TEST

START_TEST(who_tells_nothing_has_no_watchers)
{
	limits.meta_events = META_OFF;
	broker_settle(broker, &limits);
	client_join("/meta/joins");
	census_read(broker, &census);
	ck_assert_uint_eq(census.watchers, 0);
}
END_TEST

static void forget(void)
{
	memset(&fresh, 0, sizeof(fresh));
	buf_release(&census.subjects);
}

int main(void)
{
	TCase *tc = unit_case("elsewhere");

	fixture_use(tc);
	tcase_add_checked_fixture(tc, NULL, forget);
	tcase_add_test(tc, a_subject_counts_the_sessions_of_all_nodes);
	tcase_add_test(tc, who_is_not_counted_again_is_gone);
	tcase_add_test(tc, counts_that_nobody_renews_end);
	tcase_add_test(tc, a_table_that_is_full_counts_what_it_has);
	tcase_add_test(tc, a_join_tells_the_number_of_the_whole_cluster);
	tcase_add_test(tc, a_join_crosses_when_somebody_elsewhere_watches);
	tcase_add_test(tc, a_census_has_each_subject_once_but_the_servers);
	tcase_add_test(tc, who_tells_nothing_has_no_watchers);
	return unit_run();
}
