/* SPDX-License-Identifier: MIT */
/*
 * test_pool.c - shm/pool.h: slots, named by index and generation
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "shm/pool.h"
#include "shm/store.h"

enum { SLOTS = 5, STRIDE = 24 };

static struct pool_head head;
static _Alignas(8) char slots[SLOTS * STRIDE];
static struct pool pool = { .head = &head, .slots = slots };

static void set_up(void)
{
	memset(&head, 0, sizeof(head));
	memset(slots, 0, sizeof(slots));
	pool_init(&pool, SLOTS, STRIDE);
}

static struct slot *slot(uint32_t index)
{
	return pool_at(&pool, index);
}

static uint32_t take(void)
{
	uint32_t index = pool_take(&pool);

	if (index != NONE)
		STORE(slot(index)->state, SLOT_LIVE);
	return index;
}

static int broken(const char *expected)
{
	struct buf report = BUF_INIT;
	int n = pool_check(&pool, "pool", &report);

	if (expected)
		ck_assert_str_eq(buf_str(&report), expected);
	buf_release(&report);
	return n;
}

START_TEST(low_indexes_are_handed_out_first)
{
	uint32_t i;

	for (i = 0; i < SLOTS; i++)
		ck_assert_uint_eq(take(), i);
	ck_assert_int_eq(broken(""), 0);
}
END_TEST

START_TEST(when_all_are_used_there_is_none)
{
	uint32_t i;

	for (i = 0; i < SLOTS; i++)
		take();
	ck_assert_uint_eq(take(), NONE);
	ck_assert_uint_eq(head.used, SLOTS);
	ck_assert_int_eq(broken(""), 0);
	pool_give(&pool, 3);
	ck_assert_uint_eq(take(), 3);
	ck_assert_uint_eq(take(), NONE);
	ck_assert_int_eq(broken(""), 0);
}
END_TEST

START_TEST(a_slot_that_is_used_again_has_another_generation)
{
	uint32_t index = take();

	ck_assert_uint_eq(slot(index)->generation, 1);
	pool_give(&pool, index);
	ck_assert_uint_eq(take(), index);
	ck_assert_uint_eq(slot(index)->generation, 2);
	/* Given back before it was committed. */
	pool_give(&pool, index);
	ck_assert_uint_eq(pool_take(&pool), index);
	pool_give(&pool, index);
	ck_assert_uint_eq(take(), index);
	ck_assert_uint_eq(slot(index)->generation, 4);
}
END_TEST

START_TEST(the_generation_after_the_last_is_not_that_of_an_unused_slot)
{
	slot(0)->generation = UINT32_MAX;
	ck_assert_uint_eq(take(), 0);
	ck_assert_uint_eq(slot(0)->generation, 1);
}
END_TEST

START_TEST(there_is_no_slot_outside_the_pool)
{
	ck_assert_ptr_eq(pool_at(&pool, 0), slots);
	ck_assert_ptr_eq(pool_at(&pool, SLOTS - 1),
			 slots + (SLOTS - 1) * STRIDE);
	ck_assert_ptr_null(pool_at(&pool, SLOTS));
	ck_assert_ptr_null(pool_at(&pool, NONE));
	pool_give(&pool, NONE);
	ck_assert_int_eq(broken(""), 0);
}
END_TEST

START_TEST(what_is_derived_can_be_made_anew_at_any_time)
{
	take();
	take();
	take();
	pool_give(&pool, 1);
	memset(&head.first_free, 0x5a, sizeof(head.first_free));
	head.used = 99;
	slot(1)->next_free = 0;
	slot(3)->next_free = 3;
	ck_assert_int_gt(broken(NULL), 0);
	pool_rebuild(&pool);
	ck_assert_int_eq(broken(""), 0);
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(take(), 3);
	ck_assert_uint_eq(take(), 4);
	ck_assert_uint_eq(take(), NONE);
}
END_TEST

START_TEST(what_was_taken_and_never_committed_is_free_again)
{
	pool_take(&pool);
	ck_assert_int_eq(broken(NULL), 2);
	pool_rebuild(&pool);
	ck_assert_int_eq(broken(""), 0);
	ck_assert_uint_eq(head.used, 0);
}
END_TEST

/* Each breaks a sound pool, of which slots 0 and 1 are used. */
static void miscount(void) { head.used++; }
static void point_outside(void) { head.first_free = SLOTS; }
static void point_at_used(void) { head.first_free = 1; }
static void lose_the_rest(void) { slot(2)->next_free = NONE; }
static void lose_all(void) { head.first_free = NONE; }
static void go_round(void) { slot(4)->next_free = 2; }
static void stay(void) { slot(3)->next_free = 3; }
static void chain_outside(void) { slot(3)->next_free = SLOTS + 7; }
static void free_behind_its_back(void) { slot(0)->state = SLOT_FREE; }
static void use_behind_its_back(void) { slot(4)->state = 7; }

static const struct {
	void (*damage)(void);
	int broken;
	const char *report;
} damages[] = {
	{ miscount, 1, "pool: 2 in use, counted as 3\n" },
	{ point_outside, 1,
	  "pool: free list holds 0 of 3 free, then goes astray\n" },
	{ point_at_used, 1,
	  "pool: free list holds 0 of 3 free, then goes astray\n" },
	{ lose_the_rest, 1, "pool: free list holds 1 of 3 free\n" },
	{ lose_all, 1, "pool: free list holds 0 of 3 free\n" },
	{ go_round, 1, NULL },
	{ stay, 1, NULL },
	{ chain_outside, 1,
	  "pool: free list holds 2 of 3 free, then goes astray\n" },
	{ free_behind_its_back, 2, "pool: 1 in use, counted as 2\n"
	  "pool: free list holds 3 of 4 free\n" },
	{ use_behind_its_back, 2, "pool: 3 in use, counted as 2\n"
	  "pool: free list holds 2 of 2 free, then goes astray\n" },
};

START_TEST(the_check_notices_each_damage_and_rebuilding_mends_it)
{
	take();
	take();
	ck_assert_int_eq(broken(""), 0);
	damages[_i].damage();
	ck_assert_int_eq(broken(damages[_i].report), damages[_i].broken);
	pool_rebuild(&pool);
	ck_assert_int_eq(broken(""), 0);
}
END_TEST

START_TEST(a_damaged_free_list_hands_out_nothing_that_is_used)
{
	take();
	head.first_free = 0;
	ck_assert_uint_eq(take(), NONE);
	head.first_free = SLOTS + 1;
	ck_assert_uint_eq(take(), NONE);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("pool");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, low_indexes_are_handed_out_first);
	tcase_add_test(tc, when_all_are_used_there_is_none);
	tcase_add_test(tc, a_slot_that_is_used_again_has_another_generation);
	tcase_add_test(tc,
		the_generation_after_the_last_is_not_that_of_an_unused_slot);
	tcase_add_test(tc, there_is_no_slot_outside_the_pool);
	tcase_add_test(tc, what_is_derived_can_be_made_anew_at_any_time);
	tcase_add_test(tc, what_was_taken_and_never_committed_is_free_again);
	tcase_add_loop_test(tc,
		the_check_notices_each_damage_and_rebuilding_mends_it,
		0, ROWS(damages));
	tcase_add_test(tc, a_damaged_free_list_hands_out_nothing_that_is_used);
	return unit_run();
}
