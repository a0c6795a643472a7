/* SPDX-License-Identifier: MIT */
/*
 * test_status.c - broker/status.h: what is in the segment, for operators
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/status.h"
#include "broker/view.h"
#include "fixture.h"

static struct status status(void)
{
	struct status s;

	status_read(broker, &s);
	return s;
}

START_TEST(an_empty_segment_has_its_sizes_and_nothing_else)
{
	struct status s = status();

	ck_assert_uint_ne(s.epoch, 0);
	ck_assert_int_le(clock_unix() - s.created, 60);
	ck_assert_uint_eq(s.bytes, s.at.end);
	ck_assert_uint_eq(s.geometry.sessions, 8);
	ck_assert_uint_eq(s.geometry.queue, 8);
	ck_assert_uint_eq(s.geometry.log_bytes, 8192);
	ck_assert_uint_eq(s.log_head, s.log_tail);
	ck_assert_uint_eq(s.sessions + s.subscriptions + s.workers +
			  s.listening, 0);
	ck_assert_uint_eq(s.queued, 0);
	ck_assert_uint_eq(s.counts.joins + s.counts.published, 0);
}
END_TEST

START_TEST(everything_that_happens_is_counted)
{
	struct client a = client_join("/a"), b = client_join("/a,/b"), c;
	struct session_view view;
	struct status s;
	int i;

	client_set_mode(&a, MODE_STREAM);
	client_listen(&a);
	client_set_mode(&b, MODE_PULL);
	c = client_join(NULL);
	session_leave(broker, c.session.ref);
	for (i = 0; i < 10; i++)
		say("/a", "x");
	client_receive(&a);
	s = status();
	ck_assert_uint_eq(s.sessions, 2);
	ck_assert_uint_eq(s.subscriptions, 3);
	ck_assert_uint_eq(s.workers, 1);
	ck_assert_uint_eq(s.listening, 1);
	ck_assert_uint_eq(s.by_mode[MODE_STREAM], 1);
	ck_assert_uint_eq(s.by_mode[MODE_PULL], 1);
	ck_assert_uint_eq(s.by_mode[MODE_POLL], 0);
	ck_assert_uint_eq(s.queued, 8);
	ck_assert_uint_gt(s.log_head, s.log_tail);
	ck_assert_uint_eq(s.counts.joins, 3);
	ck_assert_uint_eq(s.counts.leaves, 1);
	ck_assert_uint_eq(s.counts.published, 10);
	ck_assert_uint_eq(s.counts.queued, 20);
	ck_assert_uint_eq(s.counts.delivered, 8);
	ck_assert_uint_eq(s.counts.lost, 4);
	ck_assert_uint_eq(s.counts.refused, 0);
	ck_assert_uint_eq(s.counts.repairs, 0);
	for (i = 0; i < 8; i++)
		session_join(broker, 0, "", &view);
	broker_repair(broker);
	s = status();
	ck_assert_uint_eq(s.counts.refused, 2);
	ck_assert_uint_eq(s.counts.repairs, 1);
}
END_TEST

START_TEST(what_was_sent_waits_no_more)
{
	struct client c = client_join_reliable("/a");
	struct status s;
	int i;

	client_listen(&c);
	for (i = 0; i < 3; i++)
		say("/a", "x");
	client_receive(&c);
	client_hang_up(&c);
	say("/a", "y");
	s = status();
	ck_assert_uint_eq(s.queued, 4);
	ck_assert_uint_eq(s.waiting, 1);
	ck_assert_uint_eq(s.waiting_most, 1);
	ck_assert_uint_eq(s.queued_most, 4);
	ck_assert_uint_eq(status_modeless(&s), 1);
}
END_TEST

START_TEST(workers_are_listed_with_their_channels)
{
	struct client a = client_join(NULL), b = client_join(NULL);
	struct status_worker *list;
	uint32_t other;
	unsigned n;

	client_listen(&a);
	client_listen(&b);
	ck_assert_int_eq(worker_enter(broker, &other), DONE);
	list = status_workers(broker, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(list[0].pid, (uint32_t)getpid());
	ck_assert_uint_eq(list[0].channels, 2);
	ck_assert_uint_eq(list[1].channels, 0);
	ck_assert_int_le(clock_unix() - list[0].since, 60);
	free(list);
}
END_TEST

START_TEST(no_workers_make_an_empty_list)
{
	unsigned n = 7;

	free(status_workers(broker, &n));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(sessions_are_listed_with_all_that_is_known)
{
	struct session_view view;
	struct status_session *list;
	struct client a;
	unsigned n;
	int i;

	ck_assert_int_eq(session_join(broker, 2, "192.0.2.7", &view), DONE);
	a = (struct client){ .session = view };
	client_subscribe(&a, "/a,/b", "label");
	client_subscribe(&a, "/c", NULL);
	client_set_mode(&a, MODE_POLL);
	client_listen(&a);
	for (i = 0; i < 11; i++)
		say("/a", "x");
	client_take(&a, 2);
	client_commit(&a);
	client_acknowledge(&a, a.counter);
	client_join(NULL);
	list = status_sessions(broker, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[0].handle, a.session.handle);
	ck_assert_str_eq(list[0].address, "192.0.2.7");
	ck_assert_uint_eq(list[0].format, 2);
	ck_assert_uint_eq(list[0].mode, MODE_POLL);
	ck_assert(list[0].listened && list[0].listening);
	ck_assert_uint_eq(list[0].pid, (uint32_t)getpid());
	ck_assert_int_eq(list[0].lease_ms, -1);
	ck_assert_uint_eq(list[0].queued, 6);
	ck_assert_uint_eq(list[0].delivered, 2);
	ck_assert_uint_eq(list[0].lost, 3);
	ck_assert_uint_eq(list[0].subscriptions, 3);
	ck_assert_str_eq(buf_str(&list[0].subjects), "/c,/a,/b");
	ck_assert(!list[1].listened && !list[1].listening);
	ck_assert_uint_eq(list[1].pid, 0);
	ck_assert_int_gt(list[1].lease_ms, 200000);
	ck_assert_int_le(list[1].lease_ms, 300000);
	ck_assert_str_eq(buf_str(&list[1].subjects), "");
	status_sessions_free(list, n);
}
END_TEST

START_TEST(a_session_whose_lease_is_over_is_not_listed)
{
	struct status_session *list;
	struct client c;
	unsigned n;

	limits.session_timeout = 1;
	broker_settle(broker, &limits);
	c = client_join("/a");
	await_clock(session_at(broker, c.session.ref.index)->lease_end);
	list = status_sessions(broker, &n);
	ck_assert_uint_eq(n, 0);
	status_sessions_free(list, n);
}
END_TEST

START_TEST(no_sessions_make_an_empty_list)
{
	unsigned n = 7;

	ck_assert_ptr_null(status_sessions(broker, &n));
	ck_assert_uint_eq(n, 0);
	status_sessions_free(NULL, 0);
}
END_TEST

START_TEST(texts_without_end_and_wrong_counts_are_survived)
{
	struct client c = client_join("/a");
	struct session *s = session_at(broker, c.session.ref.index);
	struct status_session *list;
	struct session_view view;
	unsigned n;

	memset(s->handle, 'x', sizeof(s->handle));
	memset(&s->address, 'y', sizeof(s->address));
	s->lease_end = INT64_MAX;
	broker->map->sessions.used = UINT32_MAX;
	list = status_sessions(broker, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(strlen(list[0].handle), sizeof(s->handle) - 1);
	ck_assert_str_eq(list[0].address,
			 "7979:7979:7979:7979:7979:7979:7979:7979");
	status_sessions_free(list, n);
	ck_assert_int_eq(session_find(broker, c.session.id, &view), DONE);
	ck_assert_uint_eq(strlen(view.handle), sizeof(s->handle) - 1);
	say_to(c.session.id, "/a", "x");
	client_listen(&c);
	client_receive(&c);
	ck_assert_uint_eq(strlen(event_get(delivered_event(0), "p_to")),
			  sizeof(s->handle) - 1);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("status");

	fixture_use(tc);
	tcase_add_test(tc, an_empty_segment_has_its_sizes_and_nothing_else);
	tcase_add_test(tc, everything_that_happens_is_counted);
	tcase_add_test(tc, what_was_sent_waits_no_more);
	tcase_add_test(tc, workers_are_listed_with_their_channels);
	tcase_add_test(tc, no_workers_make_an_empty_list);
	tcase_add_test(tc, sessions_are_listed_with_all_that_is_known);
	tcase_add_test(tc, a_session_whose_lease_is_over_is_not_listed);
	tcase_add_test(tc, no_sessions_make_an_empty_list);
	tcase_add_test(tc, texts_without_end_and_wrong_counts_are_survived);
	return unit_run();
}
