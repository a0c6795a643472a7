/* SPDX-License-Identifier: MIT */
/*
 * test_closeup.c - broker/closeup.h: one session, or all subjects
 */
#include "unit.h"

#include <string.h>

#include "broker/closeup.h"
#include "broker/view.h"
#include "fixture.h"

START_TEST(a_session_is_shown_with_its_subscriptions)
{
	struct client c = client_join_reliable("/a");
	struct closeup up;

	client_subscribe(&c, "/b,/c", "label");
	client_listen(&c);
	say("/a", "1");
	say("/a", "2");
	client_take(&c, 1);
	ck_assert_int_eq(closeup_read(broker, c.session.handle, &up), DONE);
	ck_assert_str_eq(up.session.handle, c.session.handle);
	ck_assert(up.reliable && !up.yielded && !up.aborted);
	ck_assert_uint_eq(up.session.queued, 2);
	ck_assert_uint_eq(up.sent, 1);
	ck_assert_uint_eq(up.n, 2);
	ck_assert_str_eq(up.subscriptions[0].subjects, "/b,/c");
	ck_assert_str_eq(up.subscriptions[0].label, "label");
	ck_assert_str_eq(up.subscriptions[0].sid, c.sid);
	ck_assert_str_eq(up.subscriptions[1].subjects, "/a");
	ck_assert_ptr_null(up.subscriptions[1].label);
	closeup_release(&up);
}
END_TEST

START_TEST(what_is_no_handle_shows_nobody)
{
	struct client c = client_join(NULL);
	struct closeup up;

	ck_assert_int_eq(closeup_read(broker, c.session.id, &up), GONE);
	ck_assert_int_eq(closeup_read(broker, "", &up), GONE);
	ck_assert_int_eq(closeup_read(broker, "0123456789ab000000", &up),
			 GONE);
	session_leave(broker, c.session.ref);
	ck_assert_int_eq(closeup_read(broker, c.session.handle, &up), GONE);
}
END_TEST

START_TEST(subjects_are_counted_by_session_and_in_order)
{
	struct closeup_subject *list;
	struct client c = client_join("/b,/a,/b");
	unsigned n;

	client_subscribe(&c, "/b", "again");
	client_join("/b");
	list = closeup_subjects(broker, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[0].subject, "/a");
	ck_assert_uint_eq(list[0].sessions, 1);
	ck_assert_str_eq(list[1].subject, "/b");
	ck_assert_uint_eq(list[1].sessions, 2);
	closeup_subjects_free(list, n);
}
END_TEST

START_TEST(without_subscriptions_there_are_no_subjects)
{
	struct client c = client_join("/a");
	unsigned n = 7;

	session_leave(broker, c.session.ref);
	ck_assert_ptr_null(closeup_subjects(broker, &n));
	ck_assert_uint_eq(n, 0);
	closeup_subjects_free(NULL, 0);
}
END_TEST

START_TEST(lists_in_circles_and_wrong_counts_are_survived)
{
	struct client c = client_join("/a,/b");
	struct session *s = session_at(broker, c.session.ref.index);
	struct subscription *sub = subscription_at(broker,
						   s->first_subscription);
	struct closeup_subject *list;
	struct closeup up;
	unsigned n;

	sub->next_of_session = s->first_subscription;
	sub->next_part = s->first_subscription;
	s->subscription_count = UINT32_MAX;
	ck_assert_int_eq(closeup_read(broker, c.session.handle, &up), DONE);
	ck_assert_uint_eq(up.n, broker->geometry.subscriptions);
	closeup_release(&up);
	sub->label_bytes = 0x7fff;
	sub->session = NONE;
	list = closeup_subjects(broker, &n);
	ck_assert_uint_le(n, 2);
	closeup_subjects_free(list, n);
}
END_TEST

START_TEST(a_repair_says_what_it_found_and_what_is_left)
{
	struct client c = client_join("/a");
	struct buf found = BUF_INIT, left = BUF_INIT;

	session_at(broker, c.session.ref.index)->subscription_count = 5;
	ck_assert_int_eq(broker_mend(broker, &found, &left), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&found), "miscounted"));
	ck_assert_str_eq(buf_str(&left), "");
	buf_clear(&found);
	ck_assert_int_eq(broker_mend(broker, &found, &left), 0);
	ck_assert_str_eq(buf_str(&found), "");
	buf_release(&found);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("closeup");

	fixture_use(tc);
	tcase_add_test(tc, a_session_is_shown_with_its_subscriptions);
	tcase_add_test(tc, what_is_no_handle_shows_nobody);
	tcase_add_test(tc, subjects_are_counted_by_session_and_in_order);
	tcase_add_test(tc, without_subscriptions_there_are_no_subjects);
	tcase_add_test(tc, lists_in_circles_and_wrong_counts_are_survived);
	tcase_add_test(tc, a_repair_says_what_it_found_and_what_is_left);
	return unit_run();
}
