/* SPDX-License-Identifier: MIT */
/*
 * test_bridge.c - broker/bridge.h: the seat, and reading the log for it
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/bridge.h"
#include "broker/view.h"
#include "fixture.h"
#include "shm/bell.h"
#include "shm/store.h"

static struct bridge_place place;
static struct bridge_batch batch;

static void in_a_cluster(void)
{
	snprintf(limits.node, sizeof(limits.node), "a");
	broker_settle(broker, &limits);
}

static void say_numbers(int from, int to)
{
	char text[16];

	for (; from <= to; from++) {
		snprintf(text, sizeof(text), "%d", from);
		say("/x", text);
	}
}

/* All there is from the place on, as "1=text 2=text". */
static const char *read_all(void)
{
	static struct buf text;
	bool more;

	buf_clear(&text);
	do {
		unsigned i;

		more = bridge_read(broker, &place, &batch);
		for (i = 0; i < batch.count; i++) {
			const char *p = buf_str(&batch.bytes) +
					batch.events[i].offset;
			const char *end = p + batch.events[i].n;
			struct attr a;

			while (attr_next(&p, end, &a))
				;
			buf_printf(&text, "%s%llu=%s", text.len ? " " : "",
				   (unsigned long long)batch.events[i].number,
				   a.value);
		}
	} while (more);
	return buf_str(&text);
}

START_TEST(it_reads_what_crosses_in_order_and_once)
{
	in_a_cluster();
	say_numbers(1, 3);
	ck_assert_str_eq(read_all(), "1=1 2=2 3=3");
	ck_assert_str_eq(read_all(), "");
	say_numbers(4, 4);
	ck_assert_str_eq(read_all(), "4=4");
}
END_TEST

START_TEST(it_passes_over_what_is_elsewhere_already)
{
	in_a_cluster();
	say_numbers(1, 3);
	place = (struct bridge_place){ .number = 3 };
	ck_assert_str_eq(read_all(), "3=3");
}
END_TEST

START_TEST(it_passes_over_what_does_not_cross)
{
	struct client c;

	say("/x", "before");
	in_a_cluster();
	c = client_join("/x");
	say_to(c.session.handle, "/x", "to one");
	say_numbers(1, 1);
	ck_assert_str_eq(read_all(), "1=1");
}
END_TEST

START_TEST(it_goes_on_behind_what_the_log_has_let_go)
{
	in_a_cluster();
	say_numbers(1, 2);
	ck_assert_str_eq(read_all(), "1=1 2=2");
	say_numbers(3, 500);
	ck_assert_ptr_nonnull(strstr(read_all(), " 500=500"));
	ck_assert_ptr_null(strstr(read_all(), "3=3"));
}
END_TEST

START_TEST(a_batch_has_an_end)
{
	limits.log_bytes = 1 << 20;
	fixture_remake();
	in_a_cluster();
	say_numbers(1, BRIDGE_EVENTS + 1);
	ck_assert(bridge_read(broker, &place, &batch));
	ck_assert_uint_eq(batch.count, BRIDGE_EVENTS);
	ck_assert(!bridge_read(broker, &place, &batch));
	ck_assert_uint_eq(batch.count, 1);
	ck_assert_uint_eq(batch.events[0].number, BRIDGE_EVENTS + 1);
}
END_TEST

START_TEST(an_event_larger_than_a_batch_is_one_of_its_own)
{
	static char text[400000];

	limits.log_bytes = 4 << 20;
	limits.event_bytes = sizeof(text) + 1000;
	fixture_remake();
	in_a_cluster();
	memset(text, 'x', sizeof(text) - 1);
	say_numbers(1, 1);
	say("/x", text);
	ck_assert(bridge_read(broker, &place, &batch));
	ck_assert_uint_eq(batch.count, 1);
	ck_assert(!bridge_read(broker, &place, &batch));
	ck_assert_uint_eq(batch.count, 1);
	ck_assert_uint_eq(batch.events[0].number, 2);
	ck_assert_uint_gt(batch.events[0].n, sizeof(text));
}
END_TEST

START_TEST(a_damaged_log_ends_it)
{
	in_a_cluster();
	say_numbers(1, 3);
	eventlog_at(&broker->log, broker->map->log.newest)->bytes = 3;
	ck_assert_str_eq(read_all(), "1=1 2=2");
	ck_assert_str_eq(read_all(), "");
}
END_TEST

static uint32_t bell(void)
{
	return LOAD(broker->map->bridge.bell);
}

START_TEST(what_crosses_rings)
{
	say("/x", "alone");
	ck_assert_uint_eq(bell(), 0);
	in_a_cluster();
	say("/x", "1");
	ck_assert_uint_eq(bell(), 1);
	bridge_wait(broker);
	bridge_answer(broker);
	ck_assert_uint_eq(bell(), 0);
	bridge_ring(broker);
	ck_assert_uint_eq(bell(), 1);
}
END_TEST

static void find_it_taken(void *arg)
{
	(void)arg;
	ck_assert_uint_eq(bridge_enter(broker), (uint32_t)getppid());
	bridge_exit(broker);		/* is not ours */
}

START_TEST(a_second_one_is_refused)
{
	ck_assert_uint_eq(bridge_enter(broker), 0);
	ended_well(fork_off(find_it_taken, NULL));
	ck_assert_uint_eq(broker->map->bridge.pid, (uint32_t)getpid());
	bridge_exit(broker);
	ck_assert_uint_eq(broker->map->bridge.pid, 0);
}
END_TEST

static void enter_and_die(void *arg)
{
	(void)arg;
	ck_assert_uint_eq(bridge_enter(broker), 0);
	drop_dead();
}

START_TEST(the_place_of_a_dead_one_is_free_at_once)
{
	was_killed(fork_off(enter_and_die, NULL), SIGKILL);
	ck_assert_uint_ne(broker->map->bridge.pid, 0);
	ck_assert_uint_eq(bridge_enter(broker), 0);
	ck_assert_uint_eq(broker->map->bridge.pid, (uint32_t)getpid());
}
END_TEST

START_TEST(what_was_sent_is_noted_and_never_less)
{
	bridge_sent(broker, 7, 3, 4);
	bridge_sent(broker, 5, 2, 0);
	ck_assert_uint_eq(bridge_sent_number(broker), 7);
	ck_assert_uint_eq(broker->map->counts.sent, 5);
	ck_assert_uint_eq(broker->map->bridge.unsent, 4);
}
END_TEST

START_TEST(an_epoch_of_the_future_is_outlived)
{
	uint64_t epoch = bridge_epoch(broker);

	bridge_outlive(broker, epoch - 1);
	ck_assert_uint_eq(bridge_epoch(broker), epoch);
	bridge_outlive(broker, epoch);
	ck_assert_uint_eq(bridge_epoch(broker), epoch + 1);
	bridge_outlive(broker, epoch + 1000);
	ck_assert_uint_eq(bridge_epoch(broker), epoch + 1001);
}
END_TEST

static void forget(void)
{
	place = (struct bridge_place){ 0 };
	buf_release(&batch.bytes);
}

int main(void)
{
	TCase *tc = unit_case("bridge");

	fixture_use(tc);
	tcase_add_checked_fixture(tc, NULL, forget);
	tcase_add_test(tc, it_reads_what_crosses_in_order_and_once);
	tcase_add_test(tc, it_passes_over_what_is_elsewhere_already);
	tcase_add_test(tc, it_passes_over_what_does_not_cross);
	tcase_add_test(tc, it_goes_on_behind_what_the_log_has_let_go);
	tcase_add_test(tc, a_batch_has_an_end);
	tcase_add_test(tc, an_event_larger_than_a_batch_is_one_of_its_own);
	tcase_add_test(tc, a_damaged_log_ends_it);
	tcase_add_test(tc, what_crosses_rings);
	tcase_add_test(tc, a_second_one_is_refused);
	tcase_add_test(tc, the_place_of_a_dead_one_is_free_at_once);
	tcase_add_test(tc, what_was_sent_is_noted_and_never_less);
	tcase_add_test(tc, an_epoch_of_the_future_is_outlived);
	return unit_run();
}
