/* SPDX-License-Identifier: MIT */
/*
 * test_broker.c - broker/broker.h: a process's view of one segment
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/status.h"
#include "broker/view.h"
#include "fixture.h"

static struct buf report;

static enum segment_status open_as(struct broker **b_out, bool create)
{
	buf_clear(&report);
	return broker_open(b_out, &limits, create, &report);
}

static void make(void)
{
	ck_assert_int_eq(open_as(&broker, true), SEGMENT_OK);
	ck_assert(broker_made(broker));
}

static void tear_down(void)
{
	broker_close(&broker);
	buf_release(&report);
}

static uint64_t epoch_of(struct broker *b)
{
	struct status status;

	status_read(b, &status);
	return status.epoch;
}

START_TEST(two_views_show_the_same_segment)
{
	struct broker *second;
	struct client c;

	make();
	ck_assert_str_eq(broker_name(broker), fixture_name());
	ck_assert_int_eq(open_as(&second, true), SEGMENT_OK);
	ck_assert(!broker_made(second));
	ck_assert_str_eq(buf_str(&report), "");
	ck_assert_uint_eq(epoch_of(second), epoch_of(broker));
	c = client_join("/a");
	broker_close(&broker);
	ck_assert_ptr_null(broker);
	broker_close(&broker);	/* once more does no harm */
	broker = second;
	ck_assert(client_lives(&c));
	ck_assert_uint_eq(say("/a", "x"), 1);
	all_is_well();
}
END_TEST

/* What each of many processes that open it at once found. */
struct found {
	uint32_t go;
	uint32_t made;
	uint32_t joined;
	uint64_t epochs[8];
};

static struct found *found;

static void open_and_join(void *arg)
{
	struct broker *b;
	struct session_view view;

	await_word(&found->go, 1);
	ck_assert_int_eq(broker_open(&b, &limits, true, &report), SEGMENT_OK);
	if (broker_made(b))
		__atomic_fetch_add(&found->made, 1, __ATOMIC_SEQ_CST);
	*(uint64_t *)arg = epoch_of(b);
	ck_assert_int_eq(session_join(b, 0, "", &view), DONE);
	ck_assert_int_eq(session_find(b, view.id, &view), DONE);
	ck_assert_uint_gt(broker_event_limits(b).bytes, 0);
	__atomic_fetch_add(&found->joined, 1, __ATOMIC_SEQ_CST);
	broker_close(&b);
}

START_TEST(of_many_at_once_one_makes_it_and_all_see_the_same_epoch)
{
	pid_t pids[8];
	int round, i;

	found = (struct found *)shared_word();
	for (round = 0; round < 10; round++) {
		memset(found, 0, sizeof(*found));
		for (i = 0; i < 8; i++)
			pids[i] = fork_off(open_and_join, &found->epochs[i]);
		__atomic_store_n(&found->go, 1, __ATOMIC_SEQ_CST);
		for (i = 0; i < 8; i++)
			ended_well(pids[i]);
		ck_assert_uint_eq(found->made, 1);
		ck_assert_uint_eq(found->joined, 8);
		for (i = 0; i < 8; i++)
			ck_assert_uint_eq(found->epochs[i], found->epochs[0]);
		shm_unlink(fixture_name());
	}
}
END_TEST

START_TEST(who_only_attaches_makes_nothing_and_settles_nothing)
{
	struct broker *second;

	ck_assert_int_eq(open_as(&second, false), SEGMENT_MISSING);
	ck_assert_ptr_null(second);
	limits.event_bytes = 999;
	make();
	limits.event_bytes = 111;
	ck_assert_int_eq(open_as(&second, false), SEGMENT_OK);
	ck_assert_uint_eq(broker_event_limits(second).bytes, 999);
	broker_close(&second);
	ck_assert_int_eq(open_as(&second, true), SEGMENT_OK);
	ck_assert_uint_eq(broker_event_limits(broker).bytes, 111);
	broker_close(&second);
}
END_TEST

START_TEST(a_segment_keeps_its_sizes_and_the_difference_is_told)
{
	struct broker *second;

	make();
	limits.sessions_max = 9;
	limits.queue_size = 17;
	ck_assert_int_eq(open_as(&second, true), SEGMENT_OK);
	ck_assert_str_eq(buf_str(&report),
		"the segment was made with sessionmanager.maxsessions=8; 9 "
		"takes effect after pushletctl destroy\n"
		"the segment was made with queue.size=8; 17 "
		"takes effect after pushletctl destroy\n");
	ck_assert_uint_eq(second->map->geometry.sessions, 8);
	broker_close(&second);
}
END_TEST

START_TEST(an_unknown_group_is_refused_by_its_name)
{
	snprintf(limits.shm_group, sizeof(limits.shm_group), "no-such-group");
	ck_assert_int_eq(open_as(&broker, true), SEGMENT_SYSTEM);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(buf_str(&report),
			 "shm.group: there is no group 'no-such-group'\n");
	ck_assert_int_eq(open_as(&broker, false), SEGMENT_MISSING);
}
END_TEST

START_TEST(mode_and_group_are_those_of_the_properties)
{
	struct stat st;
	int fd;

	umask(0777);
	limits.shm_mode = 0640;
	snprintf(limits.shm_group, sizeof(limits.shm_group), "root");
	if (geteuid() != 0)
		limits.shm_group[0] = '\0';
	make();
	fd = shm_open(fixture_name(), O_RDONLY, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	close(fd);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_uint_eq(st.st_gid, getegid());
}
END_TEST

START_TEST(limits_larger_than_memory_are_refused)
{
	limits.log_bytes = 1ull << 40;
	ck_assert_int_eq(open_as(&broker, true), SEGMENT_NO_SPACE);
	ck_assert_ptr_null(broker);
	limits.log_bytes = 8192;
	make();
}
END_TEST

/* Each makes geometry and sections disagree with the size. */
static struct geometry *geometry(void) { return &broker->map->geometry; }
static void more_sessions(void) { geometry()->sessions++; }
static void no_workers(void) { geometry()->workers = 0; }
static void many_workers(void) { geometry()->workers = UINT32_MAX; }
static void odd_buckets(void) { geometry()->topics--; }
static void no_buckets(void) { geometry()->topics = 0; }
static void long_subjects(void) { geometry()->subject_bytes += 8; }
static void few_ready_words(void) { geometry()->ready_words = 0; }
static void odd_log(void) { geometry()->log_bytes++; }
static void huge_log(void) { geometry()->log_bytes = UINT64_MAX & ~63ull; }
static void odd_stride(void) { geometry()->subscription_bytes++; }
static void other_section(void) { broker->map->at.log += 64; }
static void other_end(void) { broker->map->at.end += 4096; }
static void larger_pool(void) { broker->map->sessions.max++; }
static void wider_pool(void) { broker->map->workers.stride = 4096; }

static void (*const damages[])(void) = {
	more_sessions, no_workers, many_workers, odd_buckets, no_buckets,
	long_subjects, few_ready_words, odd_log, huge_log, odd_stride,
	other_section, other_end, larger_pool, wider_pool,
};

START_TEST(a_segment_whose_head_disagrees_with_itself_is_refused)
{
	struct broker *second;

	make();
	damages[_i]();
	ck_assert_int_eq(open_as(&second, false), SEGMENT_DAMAGED);
	ck_assert_ptr_null(second);
	ck_assert_int_eq(open_as(&second, true), SEGMENT_DAMAGED);
}
END_TEST

START_TEST(a_head_damaged_later_leads_nobody_out_of_the_segment)
{
	struct client c;

	make();
	c = client_join("/a");
	memset(geometry(), 0xff, sizeof(*geometry()));
	memset(&broker->map->at, 0xff, sizeof(broker->map->at));
	memset(&broker->map->sessions, 0, sizeof(broker->map->sessions));
	damages[_i]();
	ck_assert_uint_eq(say("/a", "x"), 1);
	ck_assert_str_eq(client_peek(&c), "x");
	broker_repair(broker);
	all_is_well();
}
END_TEST

START_TEST(another_layout_is_refused)
{
	struct broker *second;

	make();
	broker->segment.head->stamp++;
	ck_assert_int_eq(open_as(&second, true), SEGMENT_OTHER_LAYOUT);
	ck_assert_int_eq(open_as(&second, false), SEGMENT_OTHER_LAYOUT);
}
END_TEST

START_TEST(a_destroyed_segment_is_retired_and_the_next_is_empty)
{
	struct broker *second;
	struct client c;
	uint32_t worker;

	make();
	c = client_join("/a");
	ck_assert_int_eq(worker_enter(broker, &worker), DONE);
	ck_assert_int_eq(open_as(&second, false), SEGMENT_OK);
	ck_assert(!broker_retired(broker));
	ck_assert_int_eq(broker_destroy(second), 0);
	broker_close(&second);
	ck_assert(broker_retired(broker));
	ck_assert_uint_eq(worker_at(broker, worker)->bell, 1);
	/* What still has it may use it until it notices. */
	ck_assert(client_lives(&c));
	ck_assert_int_eq(open_as(&second, false), SEGMENT_MISSING);
	broker_close(&broker);
	make();
	ck_assert(!client_lives(&c));
	ck_assert(!broker_retired(broker));
}
END_TEST

START_TEST(limits_are_there_before_anybody_can_attach)
{
	struct event_limits found_limits;

	make();
	found_limits = broker_event_limits(broker);
	ck_assert_uint_eq(found_limits.bytes, 1024);
	ck_assert_uint_eq(found_limits.attributes, 8);
	ck_assert_uint_eq(found_limits.subject, 64);
	ck_assert_int_eq(broker_publish_from(broker), FROM_HANDLE);
}
END_TEST

START_TEST(the_check_says_what_is_broken_and_repair_mends_it)
{
	make();
	client_join("/a");
	ck_assert_int_eq(broker_check(broker, &report), 0);
	ck_assert_uint_eq(report.len, 0);
	broker->map->sessions.used = 3;
	ck_assert_int_eq(broker_check(broker, &report), 1);
	ck_assert_str_eq(buf_str(&report),
			 "sessions: 1 in use, counted as 3\n");
	broker_repair(broker);
	all_is_well();
}
END_TEST

/* -- threads ---------------------------------------------------------------- */

enum { THREADS = 3, ROUNDS = 200 };

static void *use_broker(void *arg)
{
	struct session_view view;
	struct event attributes = EVENT_INIT;
	struct publication p = { .subject = "/a", .attributes = &attributes };
	char sid[SID_SIZE];
	unsigned reached;
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		ck_assert_int_eq(session_join(broker, 0, "", &view), DONE);
		ck_assert_int_eq(subscription_add(broker, view.ref, "/a,/b",
						  NULL, 0, sid), DONE);
		ck_assert_int_eq(publish(broker, &p, &reached, NULL), DONE);
		ck_assert_uint_ge(reached, 1);
		session_expire(broker);
		broker_event_limits(broker);
		broker_settle(broker, &limits);
		broker_retired(broker);
		ck_assert_int_eq(session_leave(broker, view.ref), DONE);
	}
	return NULL;
}

START_TEST(threads_share_a_broker)
{
	pthread_t threads[THREADS];
	int i;

	make();
	for (i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use_broker,
						NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	all_is_well();
	ck_assert_uint_eq(broker->sessions.head->used, 0);
	ck_assert_uint_eq(broker->map->counts.joins, THREADS * ROUNDS);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("broker");

	fixture_use_name(tc);
	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_test(tc, two_views_show_the_same_segment);
	tcase_add_test(tc,
		of_many_at_once_one_makes_it_and_all_see_the_same_epoch);
	tcase_add_test(tc,
		who_only_attaches_makes_nothing_and_settles_nothing);
	tcase_add_test(tc,
		a_segment_keeps_its_sizes_and_the_difference_is_told);
	tcase_add_test(tc, an_unknown_group_is_refused_by_its_name);
	tcase_add_test(tc, mode_and_group_are_those_of_the_properties);
	tcase_add_test(tc, limits_larger_than_memory_are_refused);
	tcase_add_loop_test(tc,
		a_segment_whose_head_disagrees_with_itself_is_refused, 0,
		ROWS(damages));
	tcase_add_loop_test(tc,
		a_head_damaged_later_leads_nobody_out_of_the_segment, 0,
		ROWS(damages));
	tcase_add_test(tc, another_layout_is_refused);
	tcase_add_test(tc,
		a_destroyed_segment_is_retired_and_the_next_is_empty);
	tcase_add_test(tc, limits_are_there_before_anybody_can_attach);
	tcase_add_test(tc, the_check_says_what_is_broken_and_repair_mends_it);
	tcase_add_test(tc, threads_share_a_broker);
	return unit_run();
}
