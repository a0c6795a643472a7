/* SPDX-License-Identifier: MIT */
/*
 * test_presence.c - broker/presence.c: who is there, below /meta
 */
#include "unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "broker/view.h"
#include "fixture.h"

static struct client watcher;

/* What the watcher heard since it was asked last: action, then online/peak, for
 * a subscription its subject and label. */
static const char *heard(void)
{
	static char text[1000];
	size_t len = 0;
	unsigned i;

	client_receive(&watcher);
	text[0] = '\0';
	for (i = 0; i < watcher.take.count; i++) {
		const struct event *e = delivered_event(i);
		const char *subject = event_get(e, "subject");
		const char *label = event_get(e, "label");

		ck_assert_str_eq(event_get(e, "p_event"), "data");
		ck_assert_ptr_nonnull(event_get(e, "p_time"));
		ck_assert(!subject == !strncmp(event_get(e, "p_subject"),
					       "/meta/joins", 11) ||
			  strcmp(event_get(e, "action"), "status") == 0);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"%s%s %s/%s%s%s%s%s", i ? ", " : "",
			event_get(e, "action"), event_get(e, "online"),
			event_get(e, "peak"), subject ? " " : "",
			subject ? subject : "", label ? " " : "",
			label ? label : "");
	}
	return text;
}

static void watch(const char *subjects)
{
	watcher = client_join(NULL);
	client_listen(&watcher);
	client_subscribe(&watcher, subjects, NULL);
}

START_TEST(who_watches_joins_is_told_how_things_are)
{
	client_join(NULL);
	session_leave(broker, client_join(NULL).session.ref);
	watch("/meta/joins");
	ck_assert_str_eq(heard(), "status 2/2");
	ck_assert_str_eq(delivered(0)->sid, watcher.sid);
	ck_assert_str_eq(event_get(delivered_event(0), "p_subject"),
			 "/meta/joins");
	all_is_well();
}
END_TEST

START_TEST(joins_and_leaves_are_told_with_the_count_and_its_peak)
{
	struct client a, b;

	watch("/meta/joins");
	heard();
	a = client_join(NULL);
	ck_assert_str_eq(heard(), "join 2/2");
	ck_assert_str_eq(event_get(delivered_event(0), "from"),
			 a.session.handle);
	b = client_join(NULL);
	session_leave(broker, a.session.ref);
	session_leave(broker, b.session.ref);
	client_join(NULL);
	ck_assert_str_eq(heard(), "join 3/3, leave 2/3, leave 1/3, join 2/3");
	all_is_well();
}
END_TEST

START_TEST(expiries_are_told_by_whoever_finds_them)
{
	struct client a, b;
	struct session_view view;

	watch("/meta/joins");
	a = client_join(NULL);
	b = client_join(NULL);
	heard();
	session_at(broker, a.session.ref.index)->lease_end = 0;
	session_at(broker, b.session.ref.index)->lease_end = 0;
	ck_assert_int_eq(session_find(broker, a.session.id, &view), GONE);
	ck_assert_str_eq(heard(), "expire 2/3");
	broker->map->expiry_due = 0;
	ck_assert_uint_eq(session_expire(broker), 1);
	ck_assert_str_eq(heard(), "expire 1/3");
}
END_TEST

START_TEST(an_abort_is_told_as_one)
{
	struct client a;
	int i;

	limits.overflow = OVERFLOW_ABORT;
	broker_settle(broker, &limits);
	watch("/meta/joins");
	a = client_join("/a");
	heard();
	for (i = 0; i < 9; i++)
		say("/a", "x");
	ck_assert(!client_lives(&a));
	ck_assert_str_eq(heard(), "abort 1/2");
}
END_TEST

START_TEST(subscriptions_are_told_by_subject)
{
	struct client a, b;

	watch("/meta/subs/x");
	ck_assert_str_eq(heard(), "status 0/0");
	a = client_join(NULL);
	client_subscribe(&a, "/x", "lab");
	ck_assert_str_eq(heard(), "subscribe 1/1 /x lab");
	ck_assert_str_eq(event_get(delivered_event(0), "p_subject"),
			 "/meta/subs/x");
	ck_assert_str_eq(event_get(delivered_event(0), "from"),
			 a.session.handle);
	b = client_join("/y,/x/z,/x");
	ck_assert_str_eq(heard(), "subscribe 1/1 /x/z, subscribe 2/2 /x");
	subscription_clear(broker, a.session.ref);
	ck_assert_str_eq(heard(), "unsubscribe 1/2 /x lab");
	session_leave(broker, b.session.ref);
	ck_assert_str_eq(heard(), "unsubscribe 0/1 /x/z, unsubscribe 0/2 /x");
	/* Nobody was there any more: it begins anew. */
	client_subscribe(&a, "/x", NULL);
	ck_assert_str_eq(heard(), "subscribe 1/1 /x");
	all_is_well();
}
END_TEST

START_TEST(a_session_counts_once_however_often_it_subscribed)
{
	struct client a = client_join("/x,/x"), b = client_join("/x");
	struct buf text = BUF_INIT;
	char first[SID_SIZE];
	bool labelled;

	snprintf(first, sizeof(first), "%s", a.sid);
	client_subscribe(&a, "/y,/x", NULL);
	watch("/meta/subs/x");
	ck_assert_str_eq(heard(), "status 2/2");
	all_is_well();
	ck_assert_int_eq(subscription_remove(broker, a.session.ref, first,
					     &text, &text, &labelled), DONE);
	ck_assert_str_eq(heard(), "unsubscribe 2/2 /x, unsubscribe 2/2 /x");
	all_is_well();
	subscription_clear(broker, a.session.ref);
	ck_assert_str_eq(heard(), "unsubscribe 1/2 /x");
	session_leave(broker, b.session.ref);
	ck_assert_str_eq(heard(), "unsubscribe 0/2 /x");
	buf_release(&text);
	all_is_well();
}
END_TEST

START_TEST(the_newcomer_is_told_the_count_and_not_of_itself)
{
	client_join("/x");
	watch("/x");
	client_subscribe(&watcher, "/meta/subs/x", "mine");
	ck_assert_str_eq(heard(), "status 2/2");
	ck_assert_str_eq(delivered_label(0), "mine");
	client_subscribe(&watcher, "/x", NULL);
	ck_assert_str_eq(heard(), "subscribe 2/2 /x");
}
END_TEST

START_TEST(who_subscribed_to_all_hears_nothing_of_it)
{
	struct client legacy = client_join("/,/m,/met");

	watch("/meta");
	client_join("/x");
	ck_assert_str_eq(heard(), "join 3/3, subscribe 1/1 /x");
	ck_assert_str_eq(client_peek(&legacy), "");
	say("/metal", "x");
	ck_assert_str_eq(client_peek(&legacy), "x");
}
END_TEST

START_TEST(nobody_is_told_of_the_watchers)
{
	struct client a;

	watch("/meta/subs");
	a = client_join(NULL);
	client_subscribe(&a, "/meta/subs/x,/meta,/meta/joins", NULL);
	ck_assert_str_eq(heard(), "");
}
END_TEST

START_TEST(meta_events_off_is_silence)
{
	limits.meta_events = META_OFF;
	broker_settle(broker, &limits);
	watch("/meta/joins,/meta/subs");
	client_join("/x");
	ck_assert_str_eq(heard(), "");
	limits.meta_events = META_ON;
	broker_settle(broker, &limits);
	client_join("/x");
	ck_assert_str_eq(heard(), "join 3/3, subscribe 2/2 /x");
}
END_TEST

START_TEST(without_a_watcher_nothing_is_published)
{
	struct client a = client_join("/");
	uint64_t head = broker->map->log.head;

	session_leave(broker, client_join("/x").session.ref);
	ck_assert_uint_eq(broker->map->log.head, head);
	ck_assert_uint_eq(broker->map->watchers, 0);
	client_subscribe(&a, "/meta,/meta/joins", NULL);
	ck_assert_uint_eq(broker->map->watchers, 2);
	session_leave(broker, a.session.ref);
	ck_assert_uint_eq(broker->map->watchers, 0);
}
END_TEST

START_TEST(none_of_it_is_in_the_history)
{
	struct client late;

	watch("/meta/joins");
	client_join(NULL);
	late = client_join(NULL);
	heard();
	ck_assert_int_eq(subscription_add(broker, late.session.ref,
					  "/meta,/meta/joins", NULL, 9,
					  late.sid), DONE);
	ck_assert_str_ne(client_peek(&late), "");
	ck_assert_str_eq(event_get(delivered_event(0), "action"), "status");
	ck_assert_ptr_null(event_get(delivered_event(0), "p_history"));
}
END_TEST

START_TEST(a_repair_counts_anew_and_keeps_the_peaks)
{
	struct client a = client_join("/x"), b = client_join("/x,/x");

	session_leave(broker, client_join("/x").session.ref);
	broker->map->watchers = 77;
	subscription_at(broker, 0)->online = 55;
	broker_repair(broker);
	all_is_well();
	ck_assert_uint_eq(broker->map->watchers, 0);
	watch("/meta/joins,/meta/subs/x");
	ck_assert_str_eq(heard(), "status 3/3, status 2/3");
	session_leave(broker, a.session.ref);
	session_leave(broker, b.session.ref);
	all_is_well();
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("presence");

	fixture_use(tc);
	tcase_add_test(tc, who_watches_joins_is_told_how_things_are);
	tcase_add_test(tc,
		joins_and_leaves_are_told_with_the_count_and_its_peak);
	tcase_add_test(tc, expiries_are_told_by_whoever_finds_them);
	tcase_add_test(tc, an_abort_is_told_as_one);
	tcase_add_test(tc, subscriptions_are_told_by_subject);
	tcase_add_test(tc, a_session_counts_once_however_often_it_subscribed);
	tcase_add_test(tc, the_newcomer_is_told_the_count_and_not_of_itself);
	tcase_add_test(tc, who_subscribed_to_all_hears_nothing_of_it);
	tcase_add_test(tc, nobody_is_told_of_the_watchers);
	tcase_add_test(tc, meta_events_off_is_silence);
	tcase_add_test(tc, without_a_watcher_nothing_is_published);
	tcase_add_test(tc, none_of_it_is_in_the_history);
	tcase_add_test(tc, a_repair_counts_anew_and_keeps_the_peaks);
	return unit_run();
}
