/* SPDX-License-Identifier: MIT */
/*
 * test_steer.c - broker/steer.h, broker/sample.h: kick, drain, rates
 */
#include "unit.h"

#include <string.h>

#include "base/clock.h"
#include "broker/sample.h"
#include "broker/steer.h"
#include "broker/view.h"
#include "fixture.h"

START_TEST(a_kicked_listener_is_told_why_and_its_session_is_no_use)
{
	struct client c = client_join("/a");
	struct session_view view;

	client_listen(&c);
	ck_assert_int_eq(steer_kick(broker, c.session.handle, "enough"), DONE);
	ck_assert_int_eq(client_result(&c), TAKEN_ABORTED);
	ck_assert_str_eq(c.take.reason, "enough");
	ck_assert_int_eq(session_find(broker, c.session.id, &view), GONE);
	ck_assert_int_eq(steer_kick(broker, c.session.handle, "again"), GONE);
	ck_assert_uint_eq(broker->map->counts.aborts, 1);
}
END_TEST

START_TEST(a_kicked_session_without_a_channel_is_gone_at_once)
{
	struct client c = client_join("/a");

	ck_assert_int_eq(steer_kick(broker, c.session.handle, "x"), DONE);
	ck_assert(!client_lives(&c));
	ck_assert_uint_eq(broker->map->sessions.used, 0);
	ck_assert_uint_eq(broker->map->subscriptions.used, 0);
}
END_TEST

START_TEST(an_id_is_no_handle)
{
	struct client c = client_join(NULL);

	ck_assert_int_eq(steer_kick(broker, c.session.id, "x"), GONE);
	ck_assert_int_eq(steer_kick(broker, "", "x"), GONE);
	ck_assert(client_lives(&c));
}
END_TEST

START_TEST(a_long_reason_is_cut_between_characters)
{
	struct client c = client_join(NULL);
	char text[3 * REASON_SIZE] = "";
	size_t i;

	for (i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	client_listen(&c);
	ck_assert_int_eq(steer_kick(broker, c.session.handle, text), DONE);
	ck_assert_int_eq(client_result(&c), TAKEN_ABORTED);
	ck_assert_uint_eq(strlen(c.take.reason), REASON_SIZE - 2);
}
END_TEST

START_TEST(a_reason_of_a_former_session_is_not_the_next_ones)
{
	struct client c = client_join(NULL);

	client_listen(&c);
	steer_kick(broker, c.session.handle, "old");
	session_leave(broker, c.session.ref);
	c = client_join(NULL);
	client_listen(&c);
	steer_kick(broker, c.session.handle, "");
	ck_assert_int_eq(client_result(&c), TAKEN_ABORTED);
	ck_assert_str_eq(c.take.reason, "");
}
END_TEST

START_TEST(a_drain_means_those_who_are_there)
{
	struct client a = client_join(NULL), b = client_join(NULL);
	struct drain order;

	ck_assert(!steer_draining(broker, &order));
	client_listen(&a);
	ck_assert_uint_eq(steer_drain(broker, 10), 1);
	client_listen(&b);
	ck_assert(steer_draining(broker, &order));
	ck_assert_uint_ge(order.channels, a.channel);
	ck_assert_uint_lt(order.channels, b.channel);
}
END_TEST

START_TEST(a_drain_takes_its_time_and_not_more)
{
	struct drain order = { 100, clock_ms() + 9500 };

	ck_assert_uint_eq(steer_share(&order, 100, 1000), 10);
	ck_assert_uint_eq(steer_share(&order, 3, 1000), 1);
	ck_assert_uint_eq(steer_share(&order, 0, 1000), 0);
	order.until = clock_ms() - 1;
	ck_assert_uint_eq(steer_share(&order, 100, 1000), 100);
}
END_TEST

/* Samples once more, as if the last time were a second ago. */
static void sample(void)
{
	broker->map->sample_due = 0;
	sample_due(broker);
}

static struct pace pace(unsigned seconds)
{
	struct pace p;

	broker_lock(broker);
	p = sample_pace(broker, seconds);
	broker_unlock(broker);
	return p;
}

START_TEST(without_samples_there_is_no_pace)
{
	client_join(NULL);
	ck_assert_int_eq(pace(1).ms, 0);
	ck_assert_int_eq(pace(60).ms, 0);
}
END_TEST

START_TEST(a_pace_is_what_was_counted_since_a_sample)
{
	int i;

	sample();
	broker->map->samples[0].time -= 30000;
	for (i = 0; i < 5; i++)
		say("/a", "x");
	sample();
	for (i = 0; i < SAMPLES; i++)
		if (broker->map->samples[i].counts.published)
			broker->map->samples[i].time -= 1500;
	say("/a", "x");
	say("/a", "x");
	ck_assert_int_ge(pace(1).ms, 1500);
	ck_assert_uint_eq(pace(1).counts.published, 2);
	ck_assert_int_ge(pace(60).ms, 30000);
	ck_assert_uint_eq(pace(60).counts.published, 7);
}
END_TEST

START_TEST(a_sample_a_second_is_enough)
{
	unsigned i, n = 0;

	sample();
	sample_due(broker);
	for (i = 0; i < SAMPLES; i++)
		n += broker->map->samples[i].time != 0;
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(old_samples_give_way_and_say_nothing)
{
	unsigned i;

	for (i = 0; i < 2 * SAMPLES; i++)
		sample();
	for (i = 0; i < SAMPLES; i++)
		broker->map->samples[i].time -= 100000;
	ck_assert_int_eq(pace(1).ms, 0);
	ck_assert_int_eq(pace(60).ms, 0);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("steer");

	fixture_use(tc);
	tcase_add_test(tc,
		a_kicked_listener_is_told_why_and_its_session_is_no_use);
	tcase_add_test(tc,
		a_kicked_session_without_a_channel_is_gone_at_once);
	tcase_add_test(tc, an_id_is_no_handle);
	tcase_add_test(tc, a_long_reason_is_cut_between_characters);
	tcase_add_test(tc, a_reason_of_a_former_session_is_not_the_next_ones);
	tcase_add_test(tc, a_drain_means_those_who_are_there);
	tcase_add_test(tc, a_drain_takes_its_time_and_not_more);
	tcase_add_test(tc, without_samples_there_is_no_pace);
	tcase_add_test(tc, a_pace_is_what_was_counted_since_a_sample);
	tcase_add_test(tc, a_sample_a_second_is_enough);
	tcase_add_test(tc, old_samples_give_way_and_say_nothing);
	return unit_run();
}
