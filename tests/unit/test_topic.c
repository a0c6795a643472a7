/* SPDX-License-Identifier: MIT */
/*
 * test_topic.c - broker/topic.c: from a subject to the subscriptions it matches
 *
 * The last tests compare the broker with a model that does everything the
 * naive way, over many random operations.  UNIT_SEED in the environment
 * repeats a run; a failure names the seed.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/token.h"
#include "broker/elsewhere.h"
#include "broker/view.h"
#include "fixture.h"

static const struct {
	const char *subscribed;
	const char *said;
	unsigned reached;
} matches[] = {
	{ "/a", "/a", 1 },
	{ "/a", "/a/b", 1 },
	{ "/a", "/ab", 1 },
	{ "/a", "/b", 0 },
	{ "/a", "/", 0 },
	{ "/a/b", "/a", 0 },
	{ "/a/b", "/a/bc/d", 1 },
	{ "/", "/anything", 1 },
	{ "a", "abc", 1 },
	{ "a", "/a", 0 },
	{ "/A", "/a", 0 },
	{ "/\xc3\xa4", "/\xc3\xa4/x", 1 },
	{ "/a,/b", "/b", 1 },
	{ "/a,/b", "/a", 1 },
	{ "/a,/b", "/c", 0 },
	{ "/a,/b", "/a,/b", 1 },
	{ ",,/a,,/b,", "/b/c", 1 },
	{ ",,/a,,/b,", "/", 0 },
	{ "/a,/a,/a", "/a", 1 },
	{ "/a, /b", "/b", 0 },
	{ "/a, /b", " /b", 1 },
};

START_TEST(a_subscription_matches_what_begins_like_it)
{
	client_join(matches[_i].subscribed);
	ck_assert_uint_eq(say(matches[_i].said, "x"), matches[_i].reached);
	all_is_well();
}
END_TEST

START_TEST(the_longest_subject_matches_itself)
{
	char subject[66];
	struct client c;

	memset(subject, 'x', sizeof(subject));
	subject[64] = '\0';
	c = client_join(subject);
	ck_assert_uint_eq(say(subject, "x"), 1);
	subject[63] = '\0';
	ck_assert_uint_eq(say(subject, "x"), 0);
	ck_assert_int_eq(session_leave(broker, c.session.ref), DONE);
	all_is_well();
}
END_TEST

START_TEST(a_session_with_several_matches_gets_an_event_once)
{
	struct client c = client_join("/a,/a/b,/"), other = client_join("/a");

	client_subscribe(&c, "/a", NULL);
	client_subscribe(&c, "/a/b", NULL);
	ck_assert_uint_eq(say("/a/b/c", "x"), 2);
	ck_assert_str_eq(client_peek(&c), "x");
	ck_assert_str_eq(client_peek(&other), "x");
}
END_TEST

/* The orders in which four subscriptions to one subject may end. */
START_TEST(subscriptions_to_one_subject_end_in_any_order)
{
	struct client c[4];
	bool there[4] = { true, true, true, true };
	int order[4] = { _i % 4, _i / 4 % 4, _i / 16 % 4, _i / 64 % 4 };
	unsigned i, n, left = 4;

	for (i = 0; i < 4; i++)
		c[i] = client_join("/one");
	for (i = 0; i < 4; i++) {
		if (there[order[i]]) {
			there[order[i]] = false;
			left--;
			ck_assert_int_eq(subscription_clear(broker,
				c[order[i]].session.ref), DONE);
		}
		all_is_well();
		ck_assert_uint_eq(say("/one", "x"), left);
	}
	for (n = 0; n < 4; n++)
		client_subscribe(&c[n], "/one", NULL);
	ck_assert_uint_eq(say("/one", "x"), 4);
	all_is_well();
}
END_TEST

/* -- the model ------------------------------------------------------------ */

enum { SESSIONS = 8, SUBS = 10, TEXTS = 4096 };

struct model_sub {
	char sid[SID_SIZE];
	char subjects[64];
};

struct model_session {
	bool there;
	struct client client;
	struct model_sub subs[SUBS];
	unsigned subs_count;
	int queue[64];			/* numbers of the events waiting */
	unsigned queued, lost;
};

static struct model_session model[SESSIONS];
static uint64_t random_state;

/* xorshift64*: the same everywhere for a seed. */
static unsigned random_below(unsigned n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned)((random_state * 0x2545f4914f6cdd1dULL >> 33) % n);
}

static void random_subject(char out[20])
{
	static const char letters[] = "/ab";
	unsigned i, n = 1 + random_below(5);

	for (i = 0; i < n; i++)
		out[i] = letters[random_below(3)];
	out[n] = '\0';
}

static void random_list(char out[64])
{
	char subject[20];
	unsigned n = random_below(4) ? 1 : 1 + random_below(4);

	out[0] = '\0';
	while (n-- > 0) {
		random_subject(subject);
		snprintf(out + strlen(out), 64 - strlen(out), "%s%s",
			 out[0] ? "," : "", subject);
	}
}

static bool list_matches(const char *list, const char *subject)
{
	char copy[64], *rest = copy, *one;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((one = strsep(&rest, ",")))
		if (strncmp(subject, one, strlen(one)) == 0)
			return true;
	return false;
}

static void model_join(struct model_session *m)
{
	if (m->there)
		return;
	memset(m, 0, sizeof(*m));
	m->client = client_join(NULL);
	m->there = true;
}

static void model_leave(struct model_session *m)
{
	if (!m->there)
		return;
	ck_assert_int_eq(session_leave(broker, m->client.session.ref), DONE);
	m->there = false;
}

static void model_subscribe(struct model_session *m)
{
	struct model_sub *sub = &m->subs[m->subs_count];

	if (!m->there || m->subs_count == SUBS)
		return;
	random_list(sub->subjects);
	client_subscribe(&m->client, sub->subjects, NULL);
	memcpy(sub->sid, m->client.sid, sizeof(sub->sid));
	m->subs_count++;
}

static void model_unsubscribe(struct model_session *m)
{
	struct buf subjects = BUF_INIT, label = BUF_INIT;
	struct model_sub *sub;
	bool labelled;

	if (!m->there || !m->subs_count)
		return;
	sub = &m->subs[random_below(m->subs_count)];
	ck_assert_int_eq(subscription_remove(broker, m->client.session.ref,
					     sub->sid, &subjects, &label,
					     &labelled), DONE);
	ck_assert_str_eq(buf_str(&subjects), sub->subjects);
	*sub = m->subs[--m->subs_count];
	buf_release(&subjects);
	buf_release(&label);
}

static void model_say(int number)
{
	unsigned i, n, reached = 0;
	char subject[20], text[16];

	random_subject(subject);
	snprintf(text, sizeof(text), "%d", number);
	for (i = 0; i < SESSIONS; i++) {
		struct model_session *m = &model[i];
		bool match = false;

		for (n = 0; m->there && n < m->subs_count; n++)
			match |= list_matches(m->subs[n].subjects, subject);
		if (!match)
			continue;
		reached++;
		if (m->queued == limits.queue_size) {
			m->lost++;
			memmove(m->queue, m->queue + 1,
				--m->queued * sizeof(*m->queue));
		}
		m->queue[m->queued++] = number;
	}
	ck_assert_uint_eq(say(subject, text), reached);
}

static void model_receive(struct model_session *m)
{
	struct buf expected = BUF_INIT;
	unsigned i, n;

	if (!m->there)
		return;
	n = random_below(m->queued + 2);
	if (m->lost)
		buf_printf(&expected, "lost=%u", m->lost);
	for (i = 0; i < n && i < m->queued; i++)
		buf_printf(&expected, "%s%d", expected.len ? " " : "",
			   m->queue[i]);
	if (i < m->queued)
		buf_puts(&expected, expected.len ? " ..." : "...");
	client_listen(&m->client);
	ck_assert_str_eq(client_take(&m->client, n), buf_str(&expected));
	client_commit(&m->client);
	client_hang_up(&m->client);
	m->queued -= i;
	memmove(m->queue, m->queue + i, m->queued * sizeof(*m->queue));
	m->lost = 0;
	buf_release(&expected);
}

static void play(unsigned steps)
{
	unsigned i;

	for (i = 0; i < steps; i++) {
		struct model_session *m = &model[random_below(SESSIONS)];

		switch (random_below(12)) {
		case 0:
			model_join(m);
			break;
		case 1:
			if (!random_below(3))
				model_leave(m);
			break;
		case 2: case 3: case 4:
			model_subscribe(m);
			break;
		case 5: case 6:
			model_unsubscribe(m);
			break;
		case 7:
			model_receive(m);
			break;
		case 8:
			if (!random_below(10))
				broker_repair(broker);
			break;
		default:
			model_say((int)i);
		}
		if (i % 16 == 0)
			all_is_well();
	}
}

static uint64_t seed(int round)
{
	const char *given = getenv("UNIT_SEED");
	uint64_t s;

	token_bytes(&s, sizeof(s));
	if (given)
		s = strtoull(given, NULL, 0) + (uint64_t)round;
	return s ? s : 1;
}

START_TEST(thousands_of_random_operations_go_as_in_the_model)
{
	random_state = seed(_i);
	printf("round %d: UNIT_SEED=%#llx\n", _i,
	       (unsigned long long)random_state);
	fflush(stdout);
	limits.subscriptions_max = SESSIONS * SUBS * 4;
	limits.session_subscriptions = SUBS * 4;
	limits.queue_size = 2 + random_below(20);
	limits.log_bytes = 1 << 20;	/* nothing is overrun here */
	fixture_remake();
	memset(model, 0, sizeof(model));
	play(4000);
	all_is_well();
}
END_TEST

/* -- damage --------------------------------------------------------------- */

static struct subscription *sub_of(uint32_t index)
{
	return subscription_at(broker, index);
}

static struct bucket *busy_bucket(void)
{
	struct bucket *bucket = broker->topics;

	while (bucket->first == NONE)
		bucket++;
	return bucket;
}

/* Each breaks an index of subscriptions 0, 1, 2 to /x and 3 to /y. */
static void bucket_empty(void) { busy_bucket()->first = NONE; }
static void bucket_outside(void) { busy_bucket()->first = 1000; }
static void bucket_of_no_kind(void) { busy_bucket()->kinds = 0; }
static void bucket_wrong(void)
{
	struct bucket *bucket = busy_bucket();

	broker->topics[(bucket - broker->topics + 1) %
		       broker->map->geometry.topics] = *bucket;
	bucket->first = NONE;
}
static void bucket_circle(void) { sub_of(0)->bucket_next = 0; }
static void chain_circle(void) { sub_of(1)->topic_next = 1; }
static void chain_cut(void) { sub_of(0)->topic_next = NONE; }
static void chain_to_stranger(void) { sub_of(1)->topic_next = 3; }
static void chain_to_free(void) { sub_of(1)->topic_next = 9; }
static void wrong_way_back(void) { sub_of(1)->topic_previous = 3; }
static void length_missing(void) { broker->lengths[2]--; }
static void length_too_many(void) { broker->lengths[5] = 1; }

/* One subject in 64 belongs into the same bucket: there it would be right. */
static void text_changed(void)
{
	struct buf report = BUF_INIT;
	char c;

	for (c = 'a'; c < 'x' && broker_check(broker, &report) == 0; c++)
		sub_of(3)->text[1] = c;
	buf_release(&report);
}

static void text_too_long(void) { sub_of(3)->subject_bytes = 65000; }

static void (*const damages[])(void) = {
	bucket_empty, bucket_outside, bucket_of_no_kind, bucket_wrong,
	bucket_circle, chain_circle, chain_cut, chain_to_stranger,
	chain_to_free, wrong_way_back, length_missing, length_too_many,
	text_changed, text_too_long,
};

START_TEST(a_damaged_index_is_noticed_survived_and_mended)
{
	struct buf report = BUF_INIT;
	struct client c[4];
	unsigned i;

	for (i = 0; i < 3; i++)
		c[i] = client_join("/x");
	c[3] = client_join("/y");
	all_is_well();
	damages[_i]();
	ck_assert_int_gt(broker_check(broker, &report), 0);
	ck_assert_uint_gt(report.len, 0);
	buf_release(&report);
	/* None of this goes astray or round and round. */
	say("/x", "1");
	say("/y", "2");
	subscription_clear(broker, c[1].session.ref);
	subscription_clear(broker, c[3].session.ref);
	client_subscribe(&c[3], "/x,/y", NULL);
	broker_repair(broker);
	all_is_well();
	ck_assert_uint_eq(say("/x", "3"), 3);
	ck_assert_uint_eq(say("/y", "3"), 1);
	all_is_well();
}
END_TEST

static const struct {
	const char *subscribed;
	const char *subject;
	bool exact, below;
} wishes[] = {
	{ "/a", "/a", true, true },
	{ "/a", "/a/b", true, true },
	{ "/", "/a", true, true },
	{ "/a/b", "/a", false, true },
	{ "/x,/a/b/c", "/a/b", false, true },
	{ "/b", "/a", false, false },
	{ "/b,/c", "/c", true, true },
	{ "/ab", "/a/", false, false },
};

START_TEST(it_is_known_whether_a_subject_is_wanted)
{
	const char *subject = wishes[_i].subject;
	struct client c;

	ck_assert(!subscription_wanted(broker, subject, true));
	c = client_join(wishes[_i].subscribed);
	ck_assert(subscription_wanted(broker, subject, false) ==
		  wishes[_i].exact);
	ck_assert(subscription_wanted(broker, subject, true) ==
		  wishes[_i].below);
	subscription_clear(broker, c.session.ref);
	ck_assert(!subscription_wanted(broker, subject, true));
}
END_TEST

START_TEST(a_subject_is_also_wanted_by_those_at_other_nodes)
{
	static struct elsewhere fresh;

	elsewhere_add(broker, &fresh, "/a", 2, 1);
	elsewhere_store(broker, &fresh);
	ck_assert(subscription_wanted(broker, "/a", false));
	ck_assert(subscription_wanted(broker, "/a/b", false));
	ck_assert(!subscription_wanted(broker, "/b", true));
}
END_TEST

START_TEST(a_session_whose_lease_ended_wants_nothing)
{
	client_join("/a");
	broker_lock(broker);
	ck_assert(topic_wanted(broker, "/a", 2, false, clock_ms()));
	ck_assert(!topic_wanted(broker, "/a", 2, false,
				clock_ms() + 86400000));
	broker_unlock(broker);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("topic");

	fixture_use(tc);
	tcase_add_loop_test(tc, a_subscription_matches_what_begins_like_it, 0,
			    ROWS(matches));
	tcase_add_test(tc, the_longest_subject_matches_itself);
	tcase_add_test(tc, a_session_with_several_matches_gets_an_event_once);
	tcase_add_loop_test(tc, subscriptions_to_one_subject_end_in_any_order,
			    0, 256);
	tcase_add_loop_test(tc,
		thousands_of_random_operations_go_as_in_the_model, 0, 6);
	tcase_add_loop_test(tc, a_damaged_index_is_noticed_survived_and_mended,
			    0, ROWS(damages));
	tcase_add_loop_test(tc, it_is_known_whether_a_subject_is_wanted, 0,
			    ROWS(wishes));
	tcase_add_test(tc, a_subject_is_also_wanted_by_those_at_other_nodes);
	tcase_add_test(tc, a_session_whose_lease_ended_wants_nothing);
	return unit_run();
}
