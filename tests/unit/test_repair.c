/* SPDX-License-Identifier: MIT */
/*
 * test_repair.c - broker/repair.c: after a lock holder died
 *
 * What a death between any two stores leaves is tested by test_crash.c; here
 * are the deaths and the damages one can name.
 */
#include "unit.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "broker/view.h"
#include "fixture.h"

static void lock_and_die(void *arg)
{
	void (*damage)(void) = *(void (**)(void))arg;

	broker_lock(broker);
	if (damage)
		damage();
	drop_dead();
}

/* A process dies with the lock, after it did that. */
static void die_after(void (*damage)(void))
{
	was_killed(fork_off(lock_and_die, &damage), SIGKILL);
}

START_TEST(who_comes_next_repairs_and_goes_on)
{
	struct client c = client_join("/a");

	say("/a", "1");
	die_after(NULL);
	ck_assert_uint_eq(say("/a", "2"), 1);
	ck_assert_uint_eq(broker->map->counts.repairs, 1);
	all_is_well();
	ck_assert_str_eq(client_peek(&c), "1 2");
	ck_assert_uint_eq(broker->map->counts.repairs, 1);
}
END_TEST

static void garble_all_that_is_derived(void)
{
	uint32_t i;

	memset(broker->topics, 0x11, 64 * sizeof(struct bucket));
	memset(broker->lengths, 0x22, 65 * sizeof(uint32_t));
	for (i = 0; i < 8; i++) {
		session_at(broker, i)->first_subscription = 0x33;
		session_at(broker, i)->subscription_count = 0x44;
		session_at(broker, i)->slot.next_free = 0x55;
	}
	for (i = 0; i < 32; i++) {
		struct subscription *sub = subscription_at(broker, i);

		sub->slot.next_free = sub->next_of_session = 0x66;
		sub->topic_next = sub->topic_previous = 0x77;
		sub->bucket_next = 0x88;
	}
	broker->map->sessions.first_free = 5000;
	broker->map->subscriptions.first_free = 0;
	broker->map->workers.used = 77;
}

START_TEST(everything_derived_is_made_anew)
{
	struct client a = client_join("/a,/b"), b = client_join("/a"), c;

	client_subscribe(&a, "/c", "label");
	c = client_join(NULL);
	session_leave(broker, c.session.ref);
	client_listen(&b);
	say("/a", "1");
	die_after(garble_all_that_is_derived);
	all_is_well();
	ck_assert(client_lives(&a) && client_lives(&b) && !client_lives(&c));
	ck_assert_uint_eq(say("/b", "2"), 1);
	ck_assert_uint_eq(say("/c", "3"), 1);
	ck_assert_str_eq(client_peek(&a), "1 2 3");
	ck_assert_str_eq(client_receive(&b), "1");
	ck_assert_int_eq(subscription_clear(broker, a.session.ref), DONE);
	all_is_well();
}
END_TEST

static void begin_fanout(void)
{
	broker->map->log.fanout = broker->map->log.tail;
}

START_TEST(an_interrupted_fan_out_is_finished_and_doubles_nothing)
{
	struct client before = client_join("/a"), later;

	say("/a", "1");
	/* As if it had reached one of the two. */
	later = client_join("/a");
	die_after(begin_fanout);
	all_is_well();
	ck_assert_str_eq(client_peek(&before), "1");
	ck_assert_str_eq(client_peek(&later), "1");
}
END_TEST

static void damage_log(void)
{
	broker->map->log.tail += 8;
}

START_TEST(a_log_that_leads_nowhere_is_let_go_and_counted_as_lost)
{
	struct client c = client_join("/a");

	say("/a", "1");
	die_after(damage_log);
	all_is_well();
	say("/a", "2");
	ck_assert_str_eq(client_peek(&c), "lost=1 2");
}
END_TEST

static void orphan_listener(void)
{
	broker->workers.head->used = 0;
	worker_at(broker, 0)->slot.state = SLOT_FREE;
}

START_TEST(a_session_whose_worker_vanished_has_a_new_lease)
{
	struct client c = client_join("/a");
	struct session *s = session_at(broker, c.session.ref.index);

	client_listen(&c);
	say("/a", "1");
	client_take(&c, 1);
	s->lease_end = 0;	/* it did not run */
	die_after(orphan_listener);
	all_is_well();
	ck_assert_uint_eq(s->channel, 0);
	ck_assert_uint_eq(s->queue.sent, s->queue.tail);
	ck_assert_int_gt(s->lease_end, clock_ms());
	ck_assert(client_lives(&c));
}
END_TEST

static void unknown_states(void)
{
	worker_at(broker, 3)->slot.state = 99;
	session_at(broker, 7)->slot.state = 99;
	subscription_at(broker, 31)->slot.state = 99;
}

START_TEST(slots_in_a_state_nobody_knows_are_freed)
{
	die_after(unknown_states);
	all_is_well();
	ck_assert_uint_eq(broker->workers.head->used, 0);
	ck_assert_uint_eq(broker->sessions.head->used, 0);
	ck_assert_uint_eq(broker->subscriptions.head->used, 0);
}
END_TEST

/* Each leaves subscriptions 0 (first), 1, 2 (its parts) and 3 (of another
 * session) as no crash would. */
static struct subscription *sub_of(uint32_t i)
{
	return subscription_at(broker, i);
}

static void parts_in_a_circle(void) { sub_of(2)->next_part = 1; }
static void part_of_itself(void) { sub_of(0)->next_part = 0; }
static void part_of_another(void) { sub_of(3)->next_part = 1; }
static void part_outside(void) { sub_of(2)->next_part = 777; }
static void part_freed(void) { sub_of(1)->slot.state = SLOT_FREE; }
static void first_freed(void) { sub_of(0)->slot.state = SLOT_FREE; }
static void first_a_part(void) { sub_of(0)->slot.state = SUBSCRIPTION_PART; }
static void text_too_long(void) { sub_of(1)->subject_bytes = 9999; }
static void text_empty(void) { sub_of(1)->subject_bytes = 0; }
static void label_too_long(void) { sub_of(0)->label_bytes = 9999; }
static void session_unknown(void) { sub_of(0)->session = 12345; }
static void session_of_old(void) { sub_of(0)->session_generation--; }

static void (*const damages[])(void) = {
	parts_in_a_circle, part_of_itself, part_of_another, part_outside,
	part_freed, first_freed, first_a_part, text_too_long, text_empty,
	label_too_long, session_unknown, session_of_old,
};

START_TEST(subscriptions_are_sound_after_any_damage)
{
	struct client c = client_join("/a,/b,/c"), other = client_join("/d");

	die_after(damages[_i]);
	all_is_well();
	ck_assert_uint_eq(say("/d", "x"), 1);
	ck_assert(client_lives(&c));
	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	ck_assert_int_eq(session_leave(broker, other.session.ref), DONE);
	ck_assert_uint_eq(broker->subscriptions.head->used, 0);
	all_is_well();
}
END_TEST

static void id_of_another(void) { session_at(broker, 0)->id[37] ^= 1; }
static void handle_of_another(void) { session_at(broker, 0)->handle[17] ^= 1; }
static void id_without_end(void) { session_at(broker, 0)->id[38] = 'x'; }
static void handle_without_end(void)
{
	memset(session_at(broker, 0)->handle, 'x', 19);
}

static void (*const renamings[])(void) = {
	id_of_another, handle_of_another, id_without_end, handle_without_end,
};

START_TEST(a_session_that_nobody_can_name_ends)
{
	struct client c = client_join("/a"), other = client_join("/a");

	client_listen(&c);
	die_after(renamings[_i]);
	all_is_well();
	ck_assert(!client_lives(&c) && client_lives(&other));
	ck_assert_int_eq(client_result(&c), TAKEN_GONE);
	ck_assert_uint_eq(say("/a", "x"), 1);
}
END_TEST

static void no_process(void) { worker_at(broker, 0)->pid = 0; }

START_TEST(a_worker_without_a_process_ends_and_its_sessions_wait)
{
	struct client c = client_join("/a");

	client_listen(&c);
	die_after(no_process);
	all_is_well();
	ck_assert_uint_eq(broker->workers.head->used, 0);
	say("/a", "x");
	ck_assert_str_eq(client_peek(&c), "x");
}
END_TEST

START_TEST(repairing_what_is_sound_changes_nothing_that_counts)
{
	struct client a = client_join("/a,/b"), b = client_join("/a");
	char sid[SID_SIZE];

	memcpy(sid, a.sid, sizeof(sid));
	client_listen(&b);
	say("/a", "1");
	client_take(&b, 1);
	broker_repair(broker);
	broker_repair(broker);
	client_commit(&b);	/* its channel is still the one */
	ck_assert_str_eq(client_receive(&b), "");
	ck_assert_str_eq(client_peek(&a), "1");
	client_listen(&a);
	client_receive(&a);
	ck_assert_str_eq(delivered(0)->sid, sid);
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("repair");

	fixture_use(tc);
	tcase_add_test(tc, who_comes_next_repairs_and_goes_on);
	tcase_add_test(tc, everything_derived_is_made_anew);
	tcase_add_test(tc,
		an_interrupted_fan_out_is_finished_and_doubles_nothing);
	tcase_add_test(tc,
		a_log_that_leads_nowhere_is_let_go_and_counted_as_lost);
	tcase_add_test(tc, a_session_whose_worker_vanished_has_a_new_lease);
	tcase_add_test(tc, slots_in_a_state_nobody_knows_are_freed);
	tcase_add_loop_test(tc, subscriptions_are_sound_after_any_damage, 0,
			    ROWS(damages));
	tcase_add_loop_test(tc, a_session_that_nobody_can_name_ends, 0,
			    ROWS(renamings));
	tcase_add_test(tc,
		a_worker_without_a_process_ends_and_its_sessions_wait);
	tcase_add_test(tc,
		repairing_what_is_sound_changes_nothing_that_counts);
	return unit_run();
}
