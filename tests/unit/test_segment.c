/* SPDX-License-Identifier: MIT */
/*
 * test_segment.c - shm/segment.h: made once, mapped by many
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "shm/segment.h"

enum { STAMP = 4711, SIZE = 8192, NOBODY = 65534 };

static char *content(struct segment *s)
{
	return (char *)(s->head + 1);
}

static int fill(struct segment *s, void *arg)
{
	memcpy(content(s), arg, strlen(arg) + 1);
	return 0;
}

static struct segment_plan plan_of(const char *text)
{
	return (struct segment_plan){
		.size = SIZE,
		.mode = 0600,
		.group = (gid_t)-1,
		.fill = fill,
		.arg = (void *)(uintptr_t)text,
	};
}

static enum segment_status make(struct segment *s, const char *text)
{
	struct segment_plan plan = plan_of(text);

	return segment_open(s, fixture_name(), STAMP, &plan);
}

static enum segment_status attach(struct segment *s, uint64_t stamp)
{
	return segment_open(s, fixture_name(), stamp, NULL);
}

static struct stat file_status(void)
{
	struct stat st;
	int fd = shm_open(fixture_name(), O_RDONLY, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	close(fd);
	return st;
}

static bool there_is_a_file(void)
{
	int fd = shm_open(fixture_name(), O_RDONLY, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Puts a file of n zero bytes there. */
static void leave_file(off_t n)
{
	int fd = shm_open(fixture_name(), O_RDWR | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, n), 0);
	close(fd);
}

START_TEST(the_first_makes_it_and_the_second_finds_it)
{
	struct segment first, second;

	ck_assert_int_eq(make(&first, "hello"), SEGMENT_OK);
	ck_assert(first.made);
	ck_assert_uint_eq(first.size, SIZE);
	ck_assert_int_eq(make(&second, "ignored"), SEGMENT_OK);
	ck_assert(!second.made);
	ck_assert_str_eq(content(&second), "hello");
	content(&first)[0] = 'j';
	ck_assert_str_eq(content(&second), "jello");
	segment_close(&first);
	segment_close(&second);
}
END_TEST

START_TEST(attaching_makes_nothing)
{
	struct segment s;

	ck_assert_int_eq(attach(&s, STAMP), SEGMENT_MISSING);
	ck_assert(!there_is_a_file());
	ck_assert_int_eq(make(&s, ""), SEGMENT_OK);
	segment_close(&s);
	ck_assert_int_eq(attach(&s, STAMP), SEGMENT_OK);
	ck_assert(!s.made);
	segment_close(&s);
}
END_TEST

/* One of the processes that open it at once, when the word says so. */
struct racer {
	uint32_t *word;			/* 0 wait, 1 go; then made, all */
	const char *text;
};

static void race(void *arg)
{
	struct racer *r = arg;
	struct segment s;

	await_word(&r->word[0], 1);
	ck_assert_int_eq(make(&s, r->text), SEGMENT_OK);
	if (s.made)
		__atomic_fetch_add(&r->word[1], 1, __ATOMIC_SEQ_CST);
	/* Whoever made it, each finds it whole. */
	ck_assert_uint_eq(strlen(content(&s)), 4);
	__atomic_fetch_or(&r->word[2], 1u << (content(&s)[0] - 'a'),
			  __ATOMIC_SEQ_CST);
	segment_close(&s);
}

START_TEST(of_many_who_open_it_at_once_exactly_one_makes_it)
{
	static const char *const texts[] = {
		"aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff", "gggg", "hhhh"
	};
	struct racer racers[ROWS(texts)];
	pid_t pids[ROWS(texts)];
	uint32_t *word = shared_word();
	unsigned i, round;

	for (round = 0; round < 20; round++) {
		memset(word, 0, 3 * sizeof(*word));
		for (i = 0; i < ROWS(texts); i++) {
			racers[i] = (struct racer){ word, texts[i] };
			pids[i] = fork_off(race, &racers[i]);
		}
		__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
		for (i = 0; i < ROWS(texts); i++)
			ended_well(pids[i]);
		ck_assert_uint_eq(word[1], 1);
		ck_assert_int_eq(__builtin_popcount(word[2]), 1);
		shm_unlink(fixture_name());
	}
}
END_TEST

static int die_in_fill(struct segment *s, void *arg)
{
	fill(s, arg);
	drop_dead();
}

static void make_and_die(void *arg)
{
	struct segment_plan plan = plan_of(arg);
	struct segment s;

	plan.fill = die_in_fill;
	segment_open(&s, fixture_name(), STAMP, &plan);
}

START_TEST(what_a_dead_creator_left_is_made_anew)
{
	char text[] = "a longer text";
	struct segment s;

	was_killed(fork_off(make_and_die, text), SIGKILL);
	ck_assert_int_eq(attach(&s, STAMP), SEGMENT_DAMAGED);
	ck_assert_int_eq(make(&s, "new"), SEGMENT_OK);
	ck_assert(s.made);
	ck_assert_mem_eq(content(&s), "new\0\0\0\0", 7);
	segment_close(&s);
}
END_TEST

START_TEST(a_file_without_a_magic_is_made_a_segment)
{
	static const off_t sizes[] = { 0, 1, 7, 8, 100, SIZE, 3 * SIZE };
	struct segment s;
	unsigned i;

	for (i = 0; i < ROWS(sizes); i++) {
		leave_file(sizes[i]);
		ck_assert_int_eq(attach(&s, STAMP), sizes[i] ?
				 SEGMENT_DAMAGED : SEGMENT_MISSING);
		ck_assert_int_eq(make(&s, "x"), SEGMENT_OK);
		ck_assert(s.made);
		ck_assert_int_eq(file_status().st_size, SIZE);
		segment_close(&s);
		shm_unlink(fixture_name());
	}
}
END_TEST

START_TEST(another_layout_is_refused_and_left_alone)
{
	struct segment_plan plan = plan_of("theirs");
	struct segment s;

	ck_assert_int_eq(make(&s, "ours"), SEGMENT_OK);
	segment_close(&s);
	ck_assert_int_eq(attach(&s, STAMP + 1), SEGMENT_OTHER_LAYOUT);
	ck_assert_ptr_null(s.head);
	ck_assert_int_eq(segment_open(&s, fixture_name(), STAMP + 1, &plan),
			 SEGMENT_OTHER_LAYOUT);
	ck_assert_int_eq(attach(&s, STAMP), SEGMENT_OK);
	ck_assert_str_eq(content(&s), "ours");
	segment_close(&s);
}
END_TEST

START_TEST(a_file_of_another_size_than_its_head_says_is_refused)
{
	static const off_t sizes[] = { SIZE - 4096, SIZE - 1, SIZE + 4096, 16 };
	struct segment s;
	unsigned i;
	int fd;

	for (i = 0; i < ROWS(sizes); i++) {
		ck_assert_int_eq(make(&s, ""), SEGMENT_OK);
		segment_close(&s);
		fd = shm_open(fixture_name(), O_RDWR, 0);
		ck_assert_int_eq(ftruncate(fd, sizes[i]), 0);
		close(fd);
		ck_assert_int_eq(attach(&s, STAMP), SEGMENT_DAMAGED);
		ck_assert_int_eq(make(&s, ""), SEGMENT_DAMAGED);
		shm_unlink(fixture_name());
	}
}
END_TEST

START_TEST(mode_and_group_are_set_whatever_the_umask)
{
	struct segment_plan plan = plan_of("");
	struct segment s;
	struct stat st;

	umask(0777);
	plan.mode = 0660;
	plan.group = geteuid() == 0 ? NOBODY : getegid();
	ck_assert_int_eq(segment_open(&s, fixture_name(), STAMP, &plan),
			 SEGMENT_OK);
	segment_close(&s);
	st = file_status();
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_uint_eq(st.st_gid, plan.group);
	ck_assert_uint_eq(st.st_uid, geteuid());
}
END_TEST

START_TEST(all_memory_is_there_from_the_start)
{
	struct segment s;

	ck_assert_int_eq(make(&s, ""), SEGMENT_OK);
	ck_assert_int_ge(file_status().st_blocks * 512, SIZE);
	segment_close(&s);
}
END_TEST

START_TEST(more_than_dev_shm_holds_is_refused_and_nothing_stays)
{
	struct segment_plan plan = plan_of("");
	struct segment s;

	plan.size = (size_t)1 << 46;
	ck_assert_int_eq(segment_open(&s, fixture_name(), STAMP, &plan),
			 SEGMENT_NO_SPACE);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_ptr_null(s.head);
	ck_assert(!there_is_a_file());
}
END_TEST

static int fail_to_fill(struct segment *s, void *arg)
{
	fill(s, arg);
	errno = EDOM;
	return -1;
}

START_TEST(nothing_stays_of_what_could_not_be_filled)
{
	struct segment_plan plan = plan_of("half");
	struct segment s;

	plan.fill = fail_to_fill;
	ck_assert_int_eq(segment_open(&s, fixture_name(), STAMP, &plan),
			 SEGMENT_SYSTEM);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_str_eq(segment_explain(SEGMENT_SYSTEM), strerror(EDOM));
	ck_assert(!there_is_a_file());
}
END_TEST

START_TEST(a_name_that_is_too_long_or_no_name_is_refused)
{
	struct segment_plan plan = plan_of("");
	char name[SEGMENT_NAME_MAX + 1];
	struct segment s;

	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[SEGMENT_NAME_MAX] = '\0';
	ck_assert_int_eq(segment_open(&s, name, STAMP, &plan),
			 SEGMENT_SYSTEM);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(segment_open(&s, "/no/file", STAMP, &plan),
			 SEGMENT_SYSTEM);
}
END_TEST

static void give_file_to(uid_t user)
{
	int fd = shm_open(fixture_name(), O_RDWR, 0);

	ck_assert_int_eq(fchown(fd, user, user), 0);
	close(fd);
}

START_TEST(a_server_does_not_trust_the_segment_of_another_user)
{
	struct segment s;

	ck_assert_int_eq(make(&s, "bait"), SEGMENT_OK);
	segment_close(&s);
	give_file_to(NOBODY);
	ck_assert_int_eq(make(&s, ""), SEGMENT_FOREIGN);
	ck_assert_ptr_null(s.head);
	/* Nor one that is not finished. */
	shm_unlink(fixture_name());
	leave_file(0);
	give_file_to(NOBODY);
	ck_assert_int_eq(make(&s, ""), SEGMENT_FOREIGN);
	ck_assert_uint_eq(file_status().st_uid, NOBODY);
}
END_TEST

START_TEST(who_only_attaches_takes_the_segment_of_any_user)
{
	struct segment s;

	ck_assert_int_eq(make(&s, "theirs"), SEGMENT_OK);
	segment_close(&s);
	give_file_to(NOBODY);
	ck_assert_int_eq(attach(&s, STAMP), SEGMENT_OK);
	ck_assert_str_eq(content(&s), "theirs");
	segment_close(&s);
}
END_TEST

static void become_nobody(void)
{
	ck_assert_int_eq(setegid(NOBODY), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
}

static void be_denied(void *arg)
{
	struct segment s;

	(void)arg;
	become_nobody();
	ck_assert_int_eq(attach(&s, STAMP), SEGMENT_DENIED);
	ck_assert_int_eq(make(&s, ""), SEGMENT_DENIED);
}

static void use_roots(void *arg)
{
	struct segment s;

	(void)arg;
	become_nobody();
	ck_assert_int_eq(make(&s, ""), SEGMENT_OK);
	ck_assert(!s.made);
}

START_TEST(the_permissions_of_the_file_decide_who_may_attach)
{
	struct segment_plan plan = plan_of("");
	struct segment s;

	ck_assert_int_eq(make(&s, ""), SEGMENT_OK);
	segment_close(&s);
	ended_well(fork_off(be_denied, NULL));
	shm_unlink(fixture_name());

	plan.mode = 0660;
	plan.group = NOBODY;
	ck_assert_int_eq(segment_open(&s, fixture_name(), STAMP, &plan),
			 SEGMENT_OK);
	segment_close(&s);
	ended_well(fork_off(use_roots, NULL));
}
END_TEST

START_TEST(a_retired_segment_is_marked_and_the_next_is_a_new_one)
{
	struct segment old, mapped, fresh;

	ck_assert_int_eq(make(&old, "old"), SEGMENT_OK);
	ck_assert_int_eq(attach(&mapped, STAMP), SEGMENT_OK);
	ck_assert_int_eq(segment_retire(&old), 0);
	ck_assert_uint_eq(mapped.head->retired, 1);
	ck_assert_int_eq(attach(&fresh, STAMP), SEGMENT_MISSING);
	ck_assert_int_eq(make(&fresh, "fresh"), SEGMENT_OK);
	ck_assert(fresh.made);
	ck_assert_uint_eq(fresh.head->retired, 0);

	/* Whoever retires the old one again leaves the new one alone. */
	ck_assert_int_eq(segment_retire(&mapped), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(there_is_a_file());
	segment_close(&old);
	segment_close(&mapped);
	segment_close(&fresh);
}
END_TEST

START_TEST(what_could_not_be_unlinked_is_not_marked)
{
	struct segment s;

	ck_assert_int_eq(make(&s, ""), SEGMENT_OK);
	shm_unlink(fixture_name());
	ck_assert_int_eq(segment_retire(&s), -1);
	ck_assert_uint_eq(s.head->retired, 0);
	segment_close(&s);
}
END_TEST

START_TEST(each_status_has_its_own_explanation)
{
	int a, b;

	errno = EMLINK;
	for (a = SEGMENT_OK; a <= SEGMENT_SYSTEM; a++)
		for (b = SEGMENT_OK; b < a; b++)
			ck_assert_str_ne(segment_explain(a),
					 segment_explain(b));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("segment");

	fixture_use_name(tc);
	tcase_add_test(tc, the_first_makes_it_and_the_second_finds_it);
	tcase_add_test(tc, attaching_makes_nothing);
	tcase_add_test(tc, of_many_who_open_it_at_once_exactly_one_makes_it);
	tcase_add_test(tc, what_a_dead_creator_left_is_made_anew);
	tcase_add_test(tc, a_file_without_a_magic_is_made_a_segment);
	tcase_add_test(tc, another_layout_is_refused_and_left_alone);
	tcase_add_test(tc,
		a_file_of_another_size_than_its_head_says_is_refused);
	tcase_add_test(tc, mode_and_group_are_set_whatever_the_umask);
	tcase_add_test(tc, all_memory_is_there_from_the_start);
	tcase_add_test(tc,
		more_than_dev_shm_holds_is_refused_and_nothing_stays);
	tcase_add_test(tc, nothing_stays_of_what_could_not_be_filled);
	tcase_add_test(tc, a_name_that_is_too_long_or_no_name_is_refused);
	tcase_add_test(tc,
		a_retired_segment_is_marked_and_the_next_is_a_new_one);
	tcase_add_test(tc, what_could_not_be_unlinked_is_not_marked);
	tcase_add_test(tc, each_status_has_its_own_explanation);

	if (geteuid() == 0) {	/* only root can be several users */
		tc = unit_case("users");
		fixture_use_name(tc);
		tcase_add_test(tc,
			a_server_does_not_trust_the_segment_of_another_user);
		tcase_add_test(tc,
			who_only_attaches_takes_the_segment_of_any_user);
		tcase_add_test(tc,
			the_permissions_of_the_file_decide_who_may_attach);
	}
	return unit_run();
}
