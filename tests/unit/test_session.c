/* SPDX-License-Identifier: MIT */
/*
 * test_session.c - broker/session.h: one client's membership
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "broker/status.h"
#include "broker/view.h"
#include "fixture.h"
#include "shm/store.h"

#define HEX "0123456789abcdef"

static void set_timeout(uint64_t ms)
{
	limits.session_timeout = ms;
	broker_settle(broker, &limits);
}

static void at_node(const char *name)
{
	snprintf(limits.node, sizeof(limits.node), "%s", name);
	broker_settle(broker, &limits);
}

static struct session *slot_of(const struct client *c)
{
	return session_at(broker, c->session.ref.index);
}

/* Lets the next sweep happen at once. */
static unsigned sweep(void)
{
	broker->map->expiry_due = 0;
	return session_expire(broker);
}

static uint32_t used(void)
{
	return broker->sessions.head->used;
}

START_TEST(an_id_is_38_and_a_handle_18_hexadecimal_digits)
{
	struct client c = client_join(NULL);

	ck_assert_uint_eq(strlen(c.session.id), 38);
	ck_assert_uint_eq(strspn(c.session.id, HEX), 38);
	ck_assert_uint_eq(strlen(c.session.handle), 18);
	ck_assert_uint_eq(strspn(c.session.handle, HEX), 18);
	/* Who knows the handle knows nothing of the id's random part. */
	ck_assert(memcmp(c.session.id, c.session.handle, 12) != 0);
}
END_TEST

START_TEST(no_two_sessions_have_the_same_id_or_handle)
{
	static char ids[500][SESSION_ID_SIZE];
	static char handles[500][SESSION_HANDLE_SIZE];
	unsigned i, j;

	for (i = 0; i < 500; i++) {
		struct client c = client_join(NULL);

		memcpy(ids[i], c.session.id, sizeof(ids[i]));
		memcpy(handles[i], c.session.handle, sizeof(handles[i]));
		for (j = 0; j < i; j++) {
			ck_assert_str_ne(ids[i], ids[j]);
			ck_assert_str_ne(handles[i], handles[j]);
		}
		session_leave(broker, c.session.ref);
	}
}
END_TEST

START_TEST(a_session_is_found_by_its_id_and_is_as_it_was_joined)
{
	struct session_view joined, found;

	ck_assert_int_eq(session_join(broker, 3, "192.0.2.1", &joined), DONE);
	ck_assert_int_eq(session_find(broker, joined.id, &found), DONE);
	ck_assert_str_eq(found.id, joined.id);
	ck_assert_str_eq(found.handle, joined.handle);
	ck_assert_uint_eq(found.ref.index, joined.ref.index);
	ck_assert_uint_eq(found.ref.generation, joined.ref.generation);
	ck_assert_uint_eq(found.format, 3);
	ck_assert(!found.listened);
}
END_TEST

START_TEST(any_other_text_finds_nobody)
{
	struct client c = client_join(NULL);
	struct session_view view;
	char id[80];
	unsigned i;

	for (i = 0; i < SESSION_ID_LEN; i++) {
		memcpy(id, c.session.id, sizeof(c.session.id));
		id[i] = id[i] == '0' ? '1' : '0';
		ck_assert_int_eq(session_find(broker, id, &view), GONE);
	}
	ck_assert_int_eq(session_find(broker, "", &view), GONE);
	ck_assert_int_eq(session_find(broker, c.session.handle, &view), GONE);
	snprintf(id, sizeof(id), "%s0", c.session.id);
	ck_assert_int_eq(session_find(broker, id, &view), GONE);
	memset(id, 'f', SESSION_ID_LEN);
	id[SESSION_ID_LEN] = '\0';
	ck_assert_int_eq(session_find(broker, id, &view), GONE);
	memset(id, 'z', SESSION_ID_LEN);
	ck_assert_int_eq(session_find(broker, id, &view), GONE);
	ck_assert(client_lives(&c));
}
END_TEST

START_TEST(at_a_node_ids_and_handles_begin_with_its_name)
{
	struct client before = client_join(NULL), c;
	struct session_view view;

	at_node("alpha");
	c = client_join(NULL);
	ck_assert_uint_eq(strlen(c.session.id), 6 + 38);
	ck_assert_int_eq(memcmp(c.session.id, "alpha-", 6), 0);
	ck_assert_uint_eq(strspn(c.session.id + 6, HEX), 38);
	ck_assert_uint_eq(strlen(c.session.handle), 6 + 18);
	ck_assert_int_eq(memcmp(c.session.handle, "alpha-", 6), 0);
	ck_assert_int_eq(session_find(broker, c.session.id, &view), DONE);
	/* The name is a part of the id. */
	ck_assert_int_eq(session_find(broker, c.session.id + 6, &view), GONE);
	c.session.id[4] = 'b';
	ck_assert_int_eq(session_find(broker, c.session.id, &view), GONE);
	c.session.id[4] = 'a';
	ck_assert(client_lives(&before));
	all_is_well();
	/* Called something else, it still knows whom it had. */
	at_node("b");
	ck_assert(client_lives(&before));
	ck_assert_int_eq(session_find(broker, c.session.id, &view), DONE);
	all_is_well();
}
END_TEST

START_TEST(a_name_of_a_node_that_is_none_is_left_out)
{
	struct client c;

	store_bytes(broker->map->rules.node, "A/../....B.C", NODE_SIZE);
	c = client_join(NULL);
	ck_assert_uint_eq(strlen(c.session.id), 38);
	all_is_well();
}
END_TEST

START_TEST(who_left_is_gone_and_stays_gone)
{
	struct client c = client_join("/a");

	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	ck_assert(!client_lives(&c));
	ck_assert_int_eq(session_leave(broker, c.session.ref), GONE);
	ck_assert_uint_eq(say("/a", "x"), 0);
	/* Also when somebody else has the slot. */
	client_join("/a");
	ck_assert(!client_lives(&c));
	ck_assert_int_eq(session_leave(broker, c.session.ref), GONE);
	ck_assert_uint_eq(used(), 1);
	all_is_well();
}
END_TEST

START_TEST(when_all_are_used_one_must_leave_first)
{
	struct client c[8];
	struct session_view view;
	unsigned i;

	for (i = 0; i < 8; i++)
		c[i] = client_join(NULL);
	ck_assert_int_eq(session_join(broker, 0, "", &view), SEGMENT_FULL);
	ck_assert_int_eq(session_join(broker, 0, "", &view), SEGMENT_FULL);
	all_is_well();
	ck_assert_int_eq(session_leave(broker, c[5].session.ref), DONE);
	ck_assert_int_eq(session_join(broker, 0, "", &view), DONE);
	ck_assert_int_eq(session_join(broker, 0, "", &view), SEGMENT_FULL);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(client_lives(&c[i]), i != 5);
}
END_TEST

/* -- addresses ------------------------------------------------------------ */

static const char *read_back(const char *text)
{
	static char out[ADDRESS_TEXT];
	struct address a;

	ck_assert_int_eq(address_read(&a, text, strlen(text)),
			 *address_write(out, &a) != '\0');
	return out;
}

START_TEST(an_address_is_kept_as_it_is_meant)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ " 192.0.2.1\t", "192.0.2.1" },
		{ "::", "" },
		{ "192.0.2.1:8080", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "2001:DB8:0::1", "2001:db8::1" },
		{ "[2001:db8::1]:443", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "", "" },
		{ " ", "" },
		{ "[", "" },
		{ "unix:", "" },
		{ "192.0.2", "" },
		{ "192.0.2.1.5", "" },
		{ "192.0.2.1 x:1::2", "192.0.2.1" },
		{ "nonsense", "" },
	};
	char longest[200];
	size_t i;

	for (i = 0; i < ROWS(rows); i++)
		ck_assert_str_eq(read_back(rows[i][0]), rows[i][1]);
	memset(longest, '1', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_str_eq(read_back(longest), "");
}
END_TEST

static enum outcome join_from(const char *address, struct session_view *view)
{
	return session_join(broker, 0, address, view);
}

static void set_most(uint64_t most)
{
	limits.address_sessions = most;
	broker_settle(broker, &limits);
}

START_TEST(an_address_has_so_many_sessions_and_no_more)
{
	struct session_view a, b, c, d;

	set_most(2);
	ck_assert_int_eq(join_from("192.0.2.1", &a), DONE);
	ck_assert_int_eq(join_from("192.0.2.1", &b), DONE);
	ck_assert_int_eq(join_from("192.0.2.1", &c), TOO_MANY_SESSIONS);
	ck_assert_int_eq(join_from("192.0.2.2", &c), DONE);
	all_is_well();
	/* Who is there goes on, and who leaves makes room. */
	ck_assert_int_eq(session_find(broker, a.id, &d), DONE);
	ck_assert_int_eq(session_leave(broker, a.ref), DONE);
	ck_assert_int_eq(join_from("::ffff:192.0.2.1", &a), DONE);
	ck_assert_int_eq(join_from("192.0.2.1", &d), TOO_MANY_SESSIONS);
	ck_assert_uint_eq(broker->map->counts.refused, 2);
	set_most(3);
	ck_assert_int_eq(join_from("192.0.2.1", &d), DONE);
	set_most(0);
	ck_assert_int_eq(join_from("192.0.2.1", &d), DONE);
	all_is_well();
}
END_TEST

START_TEST(a_network_of_ipv6_is_one_address)
{
	struct session_view v;

	set_most(2);
	ck_assert_int_eq(join_from("2001:db8::1", &v), DONE);
	ck_assert_int_eq(join_from("2001:db8::ffff:1", &v), DONE);
	ck_assert_int_eq(join_from("2001:db8::2", &v), TOO_MANY_SESSIONS);
	ck_assert_int_eq(join_from("2001:db8:0:1::1", &v), DONE);
	/* Those of whom nothing is known are one, too. */
	ck_assert_int_eq(join_from("", &v), DONE);
	ck_assert_int_eq(join_from("unix:", &v), DONE);
	ck_assert_int_eq(join_from("", &v), TOO_MANY_SESSIONS);
	all_is_well();
}
END_TEST

START_TEST(chains_of_addresses_are_checked_and_made_anew)
{
	struct session_view v[6];
	struct buf report = BUF_INIT;
	unsigned i;

	for (i = 0; i < 6; i++)
		join_from(i % 2 ? "192.0.2.1" : "192.0.2.2", &v[i]);
	session_leave(broker, v[3].ref);
	all_is_well();
	memset(broker->addresses, 0x11, 8 * sizeof(uint32_t));
	ck_assert_int_eq(broker_check(broker, &report), 1);
	ck_assert_ptr_nonnull(strstr(buf_str(&report), "addresses: "));
	buf_release(&report);
	set_most(2);
	session_leave(broker, v[1].ref);	/* from a broken chain */
	broker_repair(broker);
	all_is_well();
	ck_assert_int_eq(join_from("192.0.2.1", &v[1]), DONE);
	ck_assert_int_eq(join_from("192.0.2.1", &v[1]), TOO_MANY_SESSIONS);
	ck_assert_int_eq(join_from("192.0.2.2", &v[1]), TOO_MANY_SESSIONS);
}
END_TEST

/* -- leases --------------------------------------------------------------- */

START_TEST(a_lease_runs_exactly_as_long_as_it_should)
{
	struct client c;
	struct session *s;
	int64_t before = clock_ms(), after;

	set_timeout(5000);
	c = client_join(NULL);
	s = slot_of(&c);
	after = clock_ms();
	ck_assert_int_ge(s->lease_end, before + 5000);
	ck_assert_int_le(s->lease_end, after + 5000);
	ck_assert(session_current(s, s->lease_end - 1));
	ck_assert(!session_current(s, s->lease_end));
}
END_TEST

START_TEST(a_session_nobody_asks_for_is_gone_after_its_lease)
{
	struct client c;

	set_timeout(30);
	c = client_join("/a");
	await_clock(slot_of(&c)->lease_end);
	ck_assert_uint_eq(say("/a", "x"), 0);
	ck_assert(!client_lives(&c));
	ck_assert_uint_eq(used(), 0);
	ck_assert_uint_eq(broker->subscriptions.head->used, 0);
	all_is_well();
}
END_TEST

START_TEST(asking_for_it_renews_the_lease)
{
	struct client c;
	int64_t joined;
	int i;

	set_timeout(200);
	c = client_join(NULL);
	joined = clock_ms();
	for (i = 1; i <= 10; i++) {
		await_clock(joined + i * 50);
		if (client_lives(&c))
			continue;
		/* A machine so busy that we came too late ourselves. */
		ck_assert_msg(clock_ms() > joined + i * 50 + 150,
			      "gone too early");
		return;
	}
	ck_assert_int_ge(slot_of(&c)->lease_end, joined + 500);
}
END_TEST

START_TEST(a_listener_keeps_its_session)
{
	struct client c;

	set_timeout(20);
	c = client_join("/a");
	client_listen(&c);
	await_clock(slot_of(&c)->lease_end + 20);
	ck_assert_uint_eq(sweep(), 0);
	ck_assert_uint_eq(say("/a", "x"), 1);
	/* From when it hangs up, the lease runs anew. */
	set_timeout(60000);
	client_hang_up(&c);
	ck_assert_uint_eq(sweep(), 0);
	ck_assert_int_gt(slot_of(&c)->lease_end, clock_ms() + 50000);
	ck_assert(client_lives(&c));
}
END_TEST

START_TEST(a_sweep_ends_those_whose_lease_is_over_and_no_others)
{
	struct client over[2], fresh, listening;
	struct status status;

	set_timeout(20);
	over[0] = client_join("/a");
	listening = client_join("/a");
	client_listen(&listening);
	over[1] = client_join("/a");
	await_clock(slot_of(&over[1])->lease_end);
	set_timeout(60000);
	fresh = client_join("/a");
	ck_assert_uint_eq(sweep(), 2);
	ck_assert_uint_eq(sweep(), 0);
	ck_assert_uint_eq(used(), 2);
	ck_assert(client_lives(&fresh) && client_lives(&listening));
	ck_assert_uint_eq(say("/a", "x"), 2);
	status_read(broker, &status);
	ck_assert_uint_eq(status.counts.expiries, 2);
	all_is_well();
}
END_TEST

START_TEST(a_sweep_happens_once_a_second_whoever_asks)
{
	struct client c;

	ck_assert_uint_eq(sweep(), 0);
	set_timeout(1);
	c = client_join(NULL);
	await_clock(slot_of(&c)->lease_end);
	ck_assert_uint_eq(session_expire(broker), 0);
	ck_assert_int_gt(broker->map->expiry_due, clock_ms() - 30000);
	await_clock(broker->map->expiry_due);
	ck_assert_uint_eq(session_expire(broker), 1);
}
END_TEST

START_TEST(a_sweep_that_is_due_in_a_far_future_is_damage)
{
	struct client c;

	set_timeout(1);
	c = client_join(NULL);
	await_clock(slot_of(&c)->lease_end);
	broker->map->expiry_due = INT64_MAX;
	ck_assert_uint_eq(session_expire(broker), 1);
	ck_assert_int_le(broker->map->expiry_due, clock_ms() + 1000);
}
END_TEST

START_TEST(joining_sweeps_so_that_the_dead_do_not_fill_the_segment)
{
	struct session_view view;
	unsigned i;

	set_timeout(1);
	for (i = 0; i < 8; i++)
		client_join(NULL);
	await_clock(slot_of(&(struct client){ .session.ref.index = 7 })
		    ->lease_end);
	broker->map->expiry_due = 0;
	ck_assert_int_eq(session_join(broker, 0, "", &view), DONE);
	ck_assert_uint_eq(used(), 1);
}
END_TEST

START_TEST(modes_have_names)
{
	unsigned i;

	for (i = MODE_STREAM; i <= MODE_POLL; i++)
		ck_assert_int_eq(session_mode_of(session_mode_name(i)),
				 (int)i);
	ck_assert_str_eq(session_mode_name(MODE_PULL), "pull");
	ck_assert_str_eq(session_mode_name(77), "?");
	ck_assert_int_eq(session_mode_of("Stream"), -1);
	ck_assert_int_eq(session_mode_of(""), -1);
}
END_TEST

/* Each breaks a session with two subscriptions, of three parts, in index 0;
 * subscription 3 belongs to session 1. */
static struct session *first(void) { return session_at(broker, 0); }
static void id_changed(void) { first()->id[37] ^= 1; }
static void handle_changed(void) { first()->handle[17] ^= 1; }
static void no_worker(void) { first()->channel = 7; first()->worker = NONE; }
static void dead_worker(void) { first()->channel = 7; first()->worker = 3; }
static void miscounted(void) { first()->subscription_count++; }
static void list_cut(void) { first()->first_subscription = NONE; }
static void list_outside(void) { first()->first_subscription = 999; }
static void list_of_another(void) { first()->first_subscription = 3; }
static void state_unknown(void) { first()->slot.state = 9; }
static void sub_hidden(void)
{
	first()->first_subscription = subscription_at(broker,
		first()->first_subscription)->next_of_session;
	first()->subscription_count--;
}
static void list_circle(void)
{
	subscription_at(broker, 0)->next_of_session = 0;
}
static void parts_circle(void)
{
	subscription_at(broker, 1)->next_part = 1;
}

static void (*const damages[])(void) = {
	id_changed, handle_changed, no_worker, dead_worker, miscounted,
	list_cut, list_outside, list_of_another, state_unknown, sub_hidden,
	list_circle, parts_circle,
};

START_TEST(damage_to_a_session_is_noticed_and_survived)
{
	struct client c = client_join("/a,/b"), other;
	struct buf report = BUF_INIT;

	client_subscribe(&c, "/c", NULL);
	other = client_join("/a");
	all_is_well();
	damages[_i]();
	broker_lock(broker);
	ck_assert_int_gt(session_check(broker, &report), 0);
	broker_unlock(broker);
	ck_assert_uint_gt(report.len, 0);
	buf_release(&report);
	say("/a", "x");
	subscription_clear(broker, c.session.ref);
	session_leave(broker, c.session.ref);
	broker_repair(broker);
	ck_assert(client_lives(&other));
	ck_assert_str_eq(client_peek(&other), "x");
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("session");

	fixture_use(tc);
	tcase_add_test(tc, an_id_is_38_and_a_handle_18_hexadecimal_digits);
	tcase_add_test(tc, no_two_sessions_have_the_same_id_or_handle);
	tcase_add_test(tc,
		a_session_is_found_by_its_id_and_is_as_it_was_joined);
	tcase_add_test(tc, any_other_text_finds_nobody);
	tcase_add_test(tc, at_a_node_ids_and_handles_begin_with_its_name);
	tcase_add_test(tc, a_name_of_a_node_that_is_none_is_left_out);
	tcase_add_test(tc, who_left_is_gone_and_stays_gone);
	tcase_add_test(tc, when_all_are_used_one_must_leave_first);
	tcase_add_test(tc, an_address_is_kept_as_it_is_meant);
	tcase_add_test(tc, an_address_has_so_many_sessions_and_no_more);
	tcase_add_test(tc, a_network_of_ipv6_is_one_address);
	tcase_add_test(tc, chains_of_addresses_are_checked_and_made_anew);
	tcase_add_test(tc, a_lease_runs_exactly_as_long_as_it_should);
	tcase_add_test(tc, a_session_nobody_asks_for_is_gone_after_its_lease);
	tcase_add_test(tc, asking_for_it_renews_the_lease);
	tcase_add_test(tc, a_listener_keeps_its_session);
	tcase_add_test(tc,
		a_sweep_ends_those_whose_lease_is_over_and_no_others);
	tcase_add_test(tc, a_sweep_happens_once_a_second_whoever_asks);
	tcase_add_test(tc, a_sweep_that_is_due_in_a_far_future_is_damage);
	tcase_add_test(tc,
		joining_sweeps_so_that_the_dead_do_not_fill_the_segment);
	tcase_add_test(tc, modes_have_names);
	tcase_add_loop_test(tc, damage_to_a_session_is_noticed_and_survived, 0,
			    ROWS(damages));
	return unit_run();
}
