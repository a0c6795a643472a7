/* SPDX-License-Identifier: MIT */
/*
 * test_eventlog.c - broker/eventlog.c: the byte ring of events
 */
#include "unit.h"

#include <string.h>

#include "broker/view.h"
#include "fixture.h"

enum { RING = 4096, HEAD = sizeof(struct log_record) };

static void set_up(void)
{
	limits.log_bytes = RING;
	fixture_remake();
}

static struct log_head *log_head(void)
{
	return &broker->map->log;
}

/* What byte i of the event at a position is. */
static char byte_of(uint64_t position, size_t i)
{
	return (char)('a' + (position / LOG_ALIGN + i) % 26);
}

/* Appends an event of n packed bytes.  0: it is too large. */
static uint64_t append(size_t n)
{
	struct log_record *r;
	uint64_t position;
	size_t i;

	broker_lock(broker);
	position = eventlog_reserve(&broker->log, n, &r);
	if (r) {
		r->target = NONE;
		r->packed_bytes = (uint32_t)n;
		r->subject_offset = r->subject_bytes = 0;
		r->number = r->origin = r->flags = 0;
		for (i = 0; i < n; i++)
			((char *)(r + 1))[i] = byte_of(position, i);
		eventlog_commit(&broker->log, position);
	}
	broker_unlock(broker);
	return r ? position : 0;
}

/* Is the event of n packed bytes at that position, unharmed? */
static bool stands(uint64_t position, size_t n)
{
	const struct log_record *r;
	size_t i = 0;

	broker_lock(broker);
	r = eventlog_at(&broker->log, position);
	if (r) {
		while (i < n && ((const char *)(r + 1))[i] ==
		       byte_of(position, i))
			i++;
		ck_assert_uint_eq(i, n);
		ck_assert_uint_eq(r->position, position);
		ck_assert_uint_eq(r->packed_bytes, n);
	}
	broker_unlock(broker);
	return r;
}

static uint64_t record_bytes(size_t n)
{
	return (HEAD + n + LOG_ALIGN - 1) / LOG_ALIGN * LOG_ALIGN;
}

/* Appends until so many bytes are left before the end of the ring. */
static void leave_room(uint64_t bytes)
{
	uint64_t left;

	for (;;) {
		left = RING - log_head()->head % RING;
		if (left == bytes)
			return;
		/* Not so near that the rest would be less than a record. */
		if (left < bytes || left - bytes >= 4 * HEAD)
			append(HEAD);
		else
			append(left - bytes >= HEAD ? left - bytes - HEAD :
			       RING / 8);
	}
}

START_TEST(an_event_stands_where_it_was_put)
{
	uint64_t a = append(5), b = append(0), c = append(100);

	ck_assert(stands(a, 5));
	ck_assert(stands(b, 0));
	ck_assert(stands(c, 100));
	ck_assert_uint_eq(b - a, record_bytes(5));
	ck_assert_uint_eq(c - b, record_bytes(0));
	all_is_well();
}
END_TEST

START_TEST(no_event_is_at_position_zero_or_where_none_begins)
{
	uint64_t a = append(100);

	ck_assert_uint_gt(a, 0);
	ck_assert(!stands(0, 0));
	ck_assert(!stands(a + 1, 0));
	ck_assert(!stands(a + LOG_ALIGN, 0));
	ck_assert(!stands(a - LOG_ALIGN, 0));
	ck_assert(!stands(log_head()->head, 0));
	ck_assert(!stands(UINT64_MAX, 0));
	ck_assert(!stands(a + RING, 0));
}
END_TEST

START_TEST(a_quarter_of_the_ring_is_the_most_an_event_takes)
{
	size_t most = RING / 4 - HEAD;
	uint64_t head, a = append(most);

	ck_assert(stands(a, most));
	head = log_head()->head;
	ck_assert_uint_eq(append(most + 1), 0);
	ck_assert_uint_eq(append(RING), 0);
	ck_assert_uint_eq(append(SIZE_MAX / 2), 0);
	ck_assert_uint_eq(log_head()->head, head);
	ck_assert(stands(a, most));
	all_is_well();
}
END_TEST

START_TEST(an_uncommitted_event_is_not_there)
{
	struct log_record *r;
	uint64_t position;

	append(10);
	broker_lock(broker);
	position = eventlog_reserve(&broker->log, 10, &r);
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_null(eventlog_at(&broker->log, position));
	broker_unlock(broker);
	all_is_well();
	ck_assert_uint_eq(append(20), position);
	ck_assert(stands(position, 20));
}
END_TEST

START_TEST(the_end_of_the_ring_is_filled_at_every_alignment)
{
	size_t n = 200;
	uint64_t bytes = (uint64_t)(_i + 1) * LOG_ALIGN, before, position;

	leave_room(bytes);
	all_is_well();
	before = log_head()->head;
	position = append(n);
	if (bytes < record_bytes(n)) {	/* a filler, then the event */
		ck_assert_uint_eq(position, before + bytes);
		ck_assert_uint_eq(position % RING, 0);
		ck_assert(!stands(before, 0));
	} else {
		ck_assert_uint_eq(position, before);
	}
	ck_assert(stands(position, n));
	all_is_well();
	ck_assert(stands(append(n), n));
	all_is_well();
}
END_TEST

START_TEST(an_event_that_just_fits_needs_no_filler)
{
	uint64_t position;
	size_t n = 5 * LOG_ALIGN - HEAD % LOG_ALIGN;

	leave_room(record_bytes(n));
	position = append(n);
	ck_assert_uint_eq(log_head()->head % RING, 0);
	ck_assert_uint_eq(log_head()->head, position + record_bytes(n));
	ck_assert(stands(position, n));
	all_is_well();
	position = append(n);
	ck_assert_uint_eq(position % RING, 0);
	ck_assert(stands(position, n));
	all_is_well();
}
END_TEST

START_TEST(the_oldest_give_way_one_by_one)
{
	uint64_t a, b, c;
	size_t n = RING / 4 - HEAD;

	a = append(n);
	b = append(n);
	c = append(n);
	append(n);		/* the ring is exactly full */
	ck_assert(stands(a, n));
	ck_assert_uint_eq(log_head()->head - log_head()->tail, RING);
	append(0);
	ck_assert(!stands(a, n));
	ck_assert(stands(b, n));
	append(n);
	ck_assert(!stands(b, n));
	ck_assert(stands(c, n));
	all_is_well();
}
END_TEST

START_TEST(an_overrun_event_is_never_taken_for_another)
{
	uint64_t a = append(40), b;
	int i;

	for (i = 0; i < 1000; i++) {
		b = append(40);
		if (b - a >= RING)
			ck_assert(!stands(a, 40));
		ck_assert(stands(b, 40));
	}
	all_is_well();
}
END_TEST

START_TEST(events_of_all_sizes_stand_until_they_are_overrun)
{
	struct {
		uint64_t position;
		size_t n;
	} recent[64] = { { 0, 0 } };
	uint64_t tail;
	size_t n;
	unsigned i, j;

	for (i = 0; i < 3000; i++) {
		n = i * 7919 % (RING / 4 - HEAD + 1);
		recent[i % 64].position = append(n);
		recent[i % 64].n = n;
		ck_assert_uint_gt(recent[i % 64].position, 0);
		tail = log_head()->tail;
		for (j = 0; j < 64 && recent[j].position; j++)
			ck_assert_int_eq(stands(recent[j].position,
						recent[j].n),
					 recent[j].position >= tail);
		if (i % 50 == 0)
			all_is_well();
	}
}
END_TEST

static int broken(void)
{
	struct buf report = BUF_INIT;
	int n;

	broker_lock(broker);
	n = eventlog_check(&broker->log, &report);
	broker_unlock(broker);
	ck_assert_int_eq(n > 0, report.len > 0);
	buf_release(&report);
	return n;
}

/* Each breaks a log that holds some events. */
static void head_before_tail(void) { log_head()->head = log_head()->tail - 16; }
static void more_than_the_ring(void) { log_head()->tail -= 2 * RING; }
static void tail_astray(void) { log_head()->tail += LOG_ALIGN; }
static void head_astray(void) { log_head()->head += 10 * RING; }
static void tail_between(void) { log_head()->tail += 8; }
static void tail_at_the_last_byte(void)
{
	log_head()->head = 3 * RING;
	log_head()->tail = 2 * RING - 1;
}
static void head_between(void) { log_head()->head += 8; }
static void all_between(void)
{
	log_head()->head = log_head()->tail = 2 * RING - 1;
}
static void fanout_left(void) { log_head()->fanout = log_head()->tail; }

static struct log_record *oldest(void)
{
	return (struct log_record *)(broker->log.bytes + log_head()->tail % RING);
}

static void no_bytes(void) { oldest()->bytes = 0; }
static void odd_bytes(void) { oldest()->bytes++; }
static void many_bytes(void) { oldest()->bytes = UINT32_MAX & ~15u; }
static void other_position(void) { oldest()->position += RING; }
static void unknown_kind(void) { oldest()->kind = 4; }
static void long_packed(void) { oldest()->packed_bytes = UINT32_MAX; }
static void subject_outside(void) { oldest()->subject_offset = 1000; }
static void long_subject(void) { oldest()->subject_bytes = UINT32_MAX; }

static void (*const damages[])(void) = {
	head_before_tail, more_than_the_ring, tail_astray, head_astray,
	tail_between, tail_at_the_last_byte, head_between, all_between,
	fanout_left, no_bytes, odd_bytes, many_bytes, other_position,
	unknown_kind, long_packed, subject_outside, long_subject,
};

START_TEST(damage_is_noticed_survived_and_mended)
{
	uint64_t a = append(30);
	int i;

	append(50);
	append(70);
	ck_assert_int_eq(broken(), 0);
	damages[_i]();
	ck_assert_int_gt(broken(), 0);
	/* Reading and writing stay inside the ring. */
	stands(a, 30);
	for (i = 0; i < 100; i++)
		append(200);
	broker_repair(broker);
	all_is_well();
	a = append(30);
	ck_assert(stands(a, 30));
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("eventlog");

	fixture_use(tc);
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, an_event_stands_where_it_was_put);
	tcase_add_test(tc, no_event_is_at_position_zero_or_where_none_begins);
	tcase_add_test(tc, a_quarter_of_the_ring_is_the_most_an_event_takes);
	tcase_add_test(tc, an_uncommitted_event_is_not_there);
	tcase_add_loop_test(tc,
		the_end_of_the_ring_is_filled_at_every_alignment, 0, 24);
	tcase_add_test(tc, an_event_that_just_fits_needs_no_filler);
	tcase_add_test(tc, the_oldest_give_way_one_by_one);
	tcase_add_test(tc, an_overrun_event_is_never_taken_for_another);
	tcase_add_test(tc, events_of_all_sizes_stand_until_they_are_overrun);
	tcase_add_loop_test(tc, damage_is_noticed_survived_and_mended, 0,
			    ROWS(damages));
	return unit_run();
}
