/* SPDX-License-Identifier: MIT */
/*
 * test_rate.c - broker/rate.h, broker/owner.h: so many a second; whose it is
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "broker/owner.h"
#include "broker/rate.h"
#include "broker/view.h"
#include "fixture.h"

static struct address address_of(const char *text)
{
	struct address a;

	ck_assert(address_read(&a, text, strlen(text)));
	return a;
}

/* How many are let in at once, until one is told to wait. */
static unsigned burst_of(const char *text, uint64_t rate, unsigned *wait_out)
{
	struct address a = address_of(text);
	unsigned n = 0;

	while ((*wait_out = rate_request(broker, &a, rate)) == 0)
		ck_assert_uint_lt(n++, 100000);
	return n;
}

START_TEST(a_second_s_worth_may_come_at_once)
{
	unsigned n, wait;

	n = burst_of("192.0.2.1", 10, &wait);
	ck_assert_uint_ge(n, 10);
	ck_assert_uint_le(n, 12);
	ck_assert_uint_ge(wait, 1);
	ck_assert_uint_le(wait, 100);
	ck_assert_uint_ge(burst_of("192.0.2.2", 1, &wait), 1);
	ck_assert_uint_le(wait, 1000);
	all_is_well();
}
END_TEST

START_TEST(after_the_wait_one_more_may_come)
{
	struct address a = address_of("192.0.2.1");
	unsigned wait;

	burst_of("192.0.2.1", 50, &wait);
	await_clock(clock_ms() + wait);
	ck_assert_uint_eq(rate_request(broker, &a, 50), 0);
}
END_TEST

START_TEST(addresses_of_a_site_share_a_bucket)
{
	struct address a = address_of("2001:db8::2");
	struct address far = address_of("2001:db8:0:1::2");
	unsigned wait;

	burst_of("2001:db8::1", 2, &wait);
	ck_assert_uint_ge(rate_request(broker, &a, 2), 1);
	ck_assert_uint_eq(rate_request(broker, &far, 2), 0);
}
END_TEST

START_TEST(more_sites_than_places_lock_nobody_out)
{
	char text[32];
	unsigned i;

	for (i = 0; i < 4 * RATES; i++) {
		struct address a;

		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16 & 255,
			 i >> 8 & 255, i & 255);
		a = address_of(text);
		ck_assert_uint_eq(rate_request(broker, &a, 1), 0);
	}
}
END_TEST

START_TEST(a_damaged_bucket_is_a_full_one)
{
	struct client c = client_join(NULL);
	struct session *s = session_at(broker, c.session.ref.index);
	static const int64_t wrong[] = { INT64_MAX, INT64_MIN, -1, 0 };
	unsigned i;

	for (i = 0; i < ROWS(wrong); i++) {
		s->publish_full = wrong[i];
		ck_assert_uint_eq(rate_publish(broker, c.session.ref, 1), 0);
	}
	ck_assert_uint_ge(rate_publish(broker, c.session.ref, 1), 1);
	session_leave(broker, c.session.ref);
	ck_assert_uint_eq(rate_publish(broker, c.session.ref, 1), 0);
}
END_TEST

/* ---- owners ---- */

START_TEST(an_id_is_nobody_else_s)
{
	struct client c = client_join(NULL);
	const char *id = c.session.id;

	ck_assert_int_eq(owner_set(broker, c.session.ref, "bob"), DONE);
	ck_assert(owner_is(broker, id, BIND_BOTH, "bob", "127.0.0.1"));
	ck_assert(owner_is(broker, id, BIND_NONE, "eve", "192.0.2.1"));
	ck_assert(!owner_is(broker, id, BIND_USER, "eve", "127.0.0.1"));
	ck_assert(!owner_is(broker, id, BIND_USER, "", "127.0.0.1"));
	ck_assert(!owner_is(broker, id, BIND_USER, "bobb", "127.0.0.1"));
	ck_assert(!owner_is(broker, id, BIND_ADDRESS, "bob", "127.0.0.2"));
	ck_assert(!owner_is(broker, id, BIND_ADDRESS, "bob", ""));
	ck_assert(!owner_is(broker, c.session.handle, BIND_USER, "bob", ""));
	ck_assert(!owner_is(broker, "", BIND_USER, "bob", ""));
}
END_TEST

START_TEST(a_name_too_long_is_none)
{
	struct client c = client_join(NULL);
	char name[OWNER_USER + 2];

	memset(name, 'x', sizeof(name));
	name[OWNER_USER + 1] = '\0';
	ck_assert_int_eq(owner_set(broker, c.session.ref, name), DONE);
	ck_assert(!owner_is(broker, c.session.id, BIND_USER, name, ""));
	name[OWNER_USER] = '\0';
	ck_assert(!owner_is(broker, c.session.id, BIND_USER, name, ""));
	ck_assert_int_eq(owner_set(broker, c.session.ref, name), DONE);
	ck_assert(owner_is(broker, c.session.id, BIND_USER, name, ""));
	session_leave(broker, c.session.ref);
	ck_assert_int_eq(owner_set(broker, c.session.ref, name), GONE);
	ck_assert(!owner_is(broker, c.session.id, BIND_USER, name, ""));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("rate");

	fixture_use(tc);
	tcase_add_test(tc, a_second_s_worth_may_come_at_once);
	tcase_add_test(tc, after_the_wait_one_more_may_come);
	tcase_add_test(tc, addresses_of_a_site_share_a_bucket);
	tcase_add_test(tc, more_sites_than_places_lock_nobody_out);
	tcase_add_test(tc, a_damaged_bucket_is_a_full_one);
	tcase_add_test(tc, an_id_is_nobody_else_s);
	tcase_add_test(tc, a_name_too_long_is_none);
	return unit_run();
}
