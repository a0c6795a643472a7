/* SPDX-License-Identifier: MIT */
/*
 * test_crash.c - a process may die between any two stores to the segment
 *
 * Needs the library built with -DCRASH_POINTS (shm/store.h); the Makefile
 * links programs called test_crash* with such a build.
 *
 * Each operation is done by a child that kills itself at its n-th store, for
 * n = 1, 2, ... until it completes.  Each time the segment is made anew, with
 * bystanders in it; after the death the parent takes the lock, which repairs,
 * and then all invariants must hold, the operation must have happened wholly
 * or not at all, doing it again must complete it, and nobody else may have
 * lost or doubled anything.
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/bridge.h"
#include "broker/elsewhere.h"
#include "broker/node.h"
#include "broker/owner.h"
#include "broker/rate.h"
#include "broker/sample.h"
#include "broker/status.h"
#include "broker/steer.h"
#include "broker/view.h"
#include "fixture.h"
#include "pushlet.h"
#include "shm/store.h"

enum state { NOT_AT_ALL, WHOLLY, HALF };

struct operation {
	const char *name;
	void (*prepare)(void);
	void (*perform)(void);		/* by the child */
	enum state (*state)(void);
};

/* -- the world ------------------------------------------------------------- */

/* Bystanders: hearer listens and has received the first of two events, waiter
 * has both waiting.  The actor is who the operation is about, the others are
 * further parties. */
static struct client hearer, waiter, actor, other, third;
static uint32_t here;		/* the parent's worker */
static uint64_t head_before;	/* of the log, before the operation */

static const char *const all_of_waiter = "b1 b2";

static void make_bystanders(void)
{
	hearer = client_join("/by");
	waiter = client_join(NULL);
	client_subscribe(&waiter, "/else,/by", "label");
	client_listen_in(&hearer, here);
	say("/by", "b1");
	ck_assert_str_eq(client_receive(&hearer), "b1");
	say("/by", "b2");
}

static void make_world(void)
{
	limits.sessions_max = 6;
	limits.subscriptions_max = 16;
	limits.workers_max = 3;
	limits.queue_size = 3;
	limits.log_bytes = 2048;
	limits.event_bytes = 300;
	limits.subject_bytes = 24;
	limits.overflow = OVERFLOW_DROP_OLDEST;
	limits.session_timeout = 60000;
	limits.pull_timeout = 60000;
	limits.node[0] = '\0';
	fixture_remake();
	ck_assert_int_eq(worker_enter(broker, &here), DONE);
	make_bystanders();
}

/* What waits for a client, whether or not a channel serves it, without any
 * change. */
static const char *waiting(const struct client *c)
{
	static char text[2][200];
	static int turn;
	struct client copy = *c;
	struct session *s = session_of(broker, c->session.ref);
	uint64_t sent = s->queue.sent;
	char *to = text[turn ^= 1];

	s->queue.sent = s->queue.tail;
	copy.channel = s->channel;
	snprintf(to, sizeof(text[0]), "%s", client_take(&copy, 10));
	s->queue.sent = sent;
	return to;
}

static void bystanders_are_unharmed(void)
{
	ck_assert(client_lives(&hearer) && client_lives(&waiter));
	ck_assert_int_eq(client_result(&hearer), TAKEN);
	ck_assert_str_eq(waiting(&waiter), all_of_waiter);
	/* The actor may want it as well. */
	ck_assert_uint_ge(say("/by", "b3"), 2);
	ck_assert_str_eq(client_receive(&hearer), "b2 b3");
	client_listen_in(&waiter, here);
	ck_assert_str_eq(client_take(&waiter, 10), "b1 b2 b3");
	ck_assert_str_eq(delivered(0)->sid, waiter.sid);
	ck_assert_str_eq(delivered_label(2), "label");
	client_commit(&waiter);
	ck_assert_uint_eq(say("/else", "b4"), 1);
	ck_assert_str_eq(client_receive(&waiter), "b4");
}

/* Whether a text is the one of before or the one of after. */
static enum state either(const char *text, const char *before,
			 const char *after)
{
	if (strcmp(text, after) == 0)
		return WHOLLY;
	if (strcmp(text, before) == 0)
		return NOT_AT_ALL;
	printf("'%s' is neither '%s' nor '%s'\n", text, before, after);
	return HALF;
}

static bool there(const struct client *c)
{
	return session_of(broker, c->session.ref);
}

/* -- sessions --------------------------------------------------------------- */

static void nothing(void)
{
}

static void join(void)
{
	client_join(NULL);
}

static enum state joined(void)
{
	switch (broker->sessions.head->used) {
	case 2:
		return NOT_AT_ALL;
	case 3:
		return WHOLLY;
	default:
		return HALF;
	}
}

/* Has two subscriptions, and two events wait for it. */
static void actor_joins(void)
{
	actor = client_join("/p,/q,/r");
	client_subscribe(&actor, "/s", "label");
	say("/s", "1");
	say("/q", "2");
}

static void leave(void)
{
	session_leave(broker, actor.session.ref);
}

static const char *subjects_of(const struct client *c)
{
	static char text[100];
	struct status_session *list;
	unsigned i, n;

	snprintf(text, sizeof(text), "gone");
	list = status_sessions(broker, &n);
	for (i = 0; i < n; i++)
		if (strcmp(list[i].handle, c->session.handle) == 0)
			snprintf(text, sizeof(text), "%s",
				 buf_str(&list[i].subjects));
	status_sessions_free(list, n);
	return text;
}

/* Repair may list its subscriptions in another order. */
static bool has_all_subjects(const struct client *c)
{
	const char *text = subjects_of(c);

	return strcmp(text, "/s,/p,/q,/r") == 0 ||
	       strcmp(text, "/p,/q,/r,/s") == 0;
}

static enum state left(void)
{
	if (!there(&actor))
		return broker->subscriptions.head->used == 3 ? WHOLLY : HALF;
	ck_assert_str_eq(waiting(&actor), "1 2");
	return has_all_subjects(&actor) ? NOT_AT_ALL : HALF;
}

static void lease_ends(struct client *c)
{
	session_at(broker, c->session.ref.index)->lease_end = 0;
}

static void two_leases_end(void)
{
	actor_joins();
	other = client_join("/p");
	lease_ends(&actor);
	lease_ends(&other);
	broker->map->expiry_due = 0;
}

static void sweep(void)
{
	broker->map->expiry_due = 0;
	session_expire(broker);
}

static enum state swept(void)
{
	if (there(&actor) && !has_all_subjects(&actor) &&
	    strcmp(subjects_of(&actor), "gone") != 0)
		return HALF;
	return there(&actor) || there(&other) ? NOT_AT_ALL : WHOLLY;
}

static void actors_lease_ends(void)
{
	actor_joins();
	lease_ends(&actor);
}

static void find_actor(void)
{
	ck_assert(!client_lives(&actor));
}

static enum state actor_gone(void)
{
	return there(&actor) ? NOT_AT_ALL : WHOLLY;
}

static void leave_listening(void)
{
	actor_joins();
	client_listen_in(&actor, here);
	client_take(&actor, 1);
}

static uint64_t refused_before;

static void house_is_full(void)
{
	while (broker->sessions.head->used < limits.sessions_max)
		client_join(NULL);
	refused_before = broker->map->counts.refused;
}

static void join_in_vain(void)
{
	struct session_view view;

	ck_assert_int_eq(session_join(broker, 0, "", &view), SEGMENT_FULL);
}

/* All that a refusal leaves is its count. */
static enum state refused(void)
{
	return broker->map->counts.refused > refused_before ? WHOLLY :
							      NOT_AT_ALL;
}

/* -- subscriptions ----------------------------------------------------------- */

static void actor_joins_bare(void)
{
	actor = client_join(NULL);
}

static void subscribe_one(void)
{
	client_subscribe(&actor, "/one", "label");
}

static enum state subscribed_one(void)
{
	const struct session *s = session_of(broker, actor.session.ref);
	const struct subscription *sub =
		subscription_at(broker, s->first_subscription);

	if (sub && (sub->label_bytes != 5 ||
		    memcmp(sub->text + sub->subject_bytes, "label", 5) != 0))
		return HALF;
	return either(subjects_of(&actor), "", "/one");
}

static void subscribe_list(void)
{
	client_subscribe(&actor, "/p,/q,/by", NULL);
}

static enum state subscribed_list(void)
{
	return either(subjects_of(&actor), "", "/p,/q,/by");
}

static void unsubscribe(void)
{
	struct buf subjects = BUF_INIT, label = BUF_INIT;
	bool labelled;

	subscription_remove(broker, actor.session.ref, actor.sid, &subjects,
			    &label, &labelled);
	buf_release(&subjects);
	buf_release(&label);
}

static void actor_joins_with_list(void)
{
	actor = client_join("/s");
	client_subscribe(&actor, "/p,/by,/q", "label");
}

static enum state unsubscribed(void)
{
	const char *text = subjects_of(&actor);

	if (strcmp(text, "/s,/p,/by,/q") == 0)
		return NOT_AT_ALL;
	return either(text, "/p,/by,/q,/s", "/s");
}

static void clear(void)
{
	subscription_clear(broker, actor.session.ref);
}

/* Each subscription ends wholly or not at all. */
static enum state cleared(void)
{
	const char *text = subjects_of(&actor);

	ck_assert_str_eq(waiting(&actor), "1 2");
	if (has_all_subjects(&actor) || strcmp(text, "/s") == 0)
		return NOT_AT_ALL;
	return either(text, "/p,/q,/r", "");
}

/* Two of the three that it wants, and have to be given back. */
static void two_slots_are_left(void)
{
	actor = client_join(NULL);
	other = client_join(NULL);
	while (broker->subscriptions.head->used < limits.subscriptions_max - 2)
		client_subscribe(&other, "/some", NULL);
	refused_before = broker->map->counts.refused;
}

static void subscribe_in_vain(void)
{
	char sid[SID_SIZE];

	ck_assert_int_eq(subscription_add(broker, actor.session.ref,
					  "/p,/q,/r", NULL, 0, sid),
			 SEGMENT_FULL);
}

static enum state refused_list(void)
{
	if (broker->subscriptions.head->used != limits.subscriptions_max - 2)
		return HALF;
	ck_assert_str_eq(subjects_of(&actor), "");
	return refused();
}

/* -- publishing -------------------------------------------------------------- */

static void three_want_it(void)
{
	actor = client_join("/all,/a");
	client_subscribe(&actor, "/all", NULL);
	other = client_join("/all");
	third = client_join("/a");
	client_listen_in(&third, here);
	say("/all", "1");
}

static void publish_e(void)
{
	say("/all", "e");
}

/* How many events the log has from a position on. */
static unsigned events_since(uint64_t position)
{
	const struct log_record *r;
	unsigned n = 0;

	for (; position < broker->map->log.head; position += r->bytes) {
		r = (struct log_record *)(broker->log.bytes + position % 2048);
		n += r->kind == LOG_EVENT;
	}
	return n;
}

static enum state published(void)
{
	enum state a = either(waiting(&actor), "1", "1 e");
	enum state b = either(waiting(&other), "1", "1 e");
	enum state c = either(waiting(&third), "1", "1 e");

	/* What is in the log is in the queues. */
	if (a == NOT_AT_ALL && events_since(head_before) > 0)
		return HALF;
	return a == b && b == c ? a : HALF;
}

/* What a newcomer to /h gets: exactly what was said there, and so often. */
static void publish_h(void)
{
	say("/h", "e");
}

static void two_were_said(void)
{
	actor = client_join("/h");
	say("/h", "1");
	say("/h", "2");
}

static const struct session *slot_of_actor(void)
{
	return session_at(broker, actor.session.ref.index);
}

static const char *remembered(void)
{
	static char text[64];
	char sid[SID_SIZE];
	struct client late = client_join(NULL);

	ck_assert_int_eq(subscription_add(broker, late.session.ref, "/h", NULL,
					  9, sid), DONE);
	snprintf(text, sizeof(text), "%s", waiting(&late));
	session_leave(broker, late.session.ref);
	return text;
}

static enum state remembered_and_published(void)
{
	enum state a = either(waiting(&actor), "1 2", "1 2 e");
	enum state b = either(remembered(), "1 2", "1 2 e");

	return a == b ? a : HALF;
}

static void said_to_nobody(void)
{
	say("/h", "1");
	say("/h", "2");
}

static enum state remembered_only(void)
{
	return either(remembered(), "1 2", "1 2 e");
}

static void actor_comes_late(void)
{
	said_to_nobody();
	actor = client_join(NULL);
}

static void subscribe_to_last(void)
{
	char sid[SID_SIZE];

	ck_assert_int_eq(subscription_ensure(broker, actor.session.ref, "/h",
					     NULL, 9, sid), DONE);
}

/* Who dies behind the subscription may leave some of the earlier events out;
 * those that are there are in order, and the new ones come. */
static enum state replayed(void)
{
	const char *text;

	if (slot_of_actor()->subscription_count == 0)
		return NOT_AT_ALL;
	say("/h", "3");
	text = waiting(&actor);
	return strcmp(text, "3") == 0 || strcmp(text, "1 3") == 0 ||
	       strcmp(text, "1 2 3") == 0 ? WHOLLY : HALF;
}

static void three_want_it_and_the_log_wraps(void)
{
	const struct log_head *log = &broker->map->log;
	struct client somebody;
	uint64_t left;

	/* Move on, that the log wraps over none of the bystanders' events. */
	session_leave(broker, hearer.session.ref);
	session_leave(broker, waiter.session.ref);
	somebody = client_join("/nobody");
	while (log->head % 2048 < 900)
		say("/nobody", "x");
	session_leave(broker, somebody.session.ref);
	make_bystanders();
	three_want_it();
	/* Some room is left at the end, too little for the event. */
	somebody = client_join("/nobody");
	while ((left = 2048 - log->head % 2048) >= 144)
		say("/nobody", left % 144 ? "x" : "twenty letters or so");
	session_leave(broker, somebody.session.ref);
	ck_assert_uint_eq(left, 32);
}

static enum state published_wrapped(void)
{
	enum state s = published();

	if (s == WHOLLY)
		ck_assert_uint_lt(broker->map->log.head % 2048, 400);
	return s;
}

/* The next event goes over one that waits for two of them. */
static void the_oldest_is_still_wanted(void)
{
	const struct log_head *log = &broker->map->log;
	uint64_t wanted = log->head;
	struct client somebody;

	session_leave(broker, hearer.session.ref);
	session_leave(broker, waiter.session.ref);
	actor = client_join("/old,/all");
	other = client_join("/all,/old");
	say("/old", "o");
	somebody = client_join("/nobody");
	while (log->head < wanted + 900)
		say("/nobody", "x");
	make_bystanders();
	say("/all", "1");
	while (log->tail < wanted || log->head + 144 <= wanted + 2048)
		say("/nobody", "x");
	session_leave(broker, somebody.session.ref);
	ck_assert_uint_eq(log->tail, wanted);
	ck_assert_uint_gt(log->head + 144, wanted + 2048);
}

static enum state published_over(void)
{
	const char *all[2] = { waiting(&actor), waiting(&other) };
	unsigned i, n = 0;

	for (i = 0; i < 2; i++) {
		/* Room was made, and then nothing came. */
		if (strcmp(all[i], "lost=1 1") == 0)
			continue;
		n += either(all[i], "o 1", "lost=1 1 e");
	}
	return n == 2 * WHOLLY ? WHOLLY : n == 0 ? NOT_AT_ALL : HALF;
}

static void queues_are_full(void)
{
	three_want_it();
	say("/all", "2");
	say("/all", "3");
}

/* Each loss is counted. */
static enum state overflowed(void)
{
	const struct client *const all[] = { &actor, &other, &third };
	unsigned i, n[3] = { 0 };

	for (i = 0; i < 3; i++)
		n[either(waiting(all[i]), "1 2 3", "lost=1 2 3 e")]++;
	return n[WHOLLY] == 3 ? WHOLLY : n[NOT_AT_ALL] == 3 ? NOT_AT_ALL : HALF;
}

static void queues_are_full_and_abort(void)
{
	limits.overflow = OVERFLOW_ABORT;
	broker_settle(broker, &limits);
	queues_are_full();
}

static bool aborted(const struct client *c)
{
	struct session *s = session_of(broker, c->session.ref);

	return !s || s->flags & SESSION_ABORTED;
}

static enum state all_aborted(void)
{
	int n = aborted(&actor) + aborted(&other) + aborted(&third);

	/* Such an event is for nobody: one that died may have reached some;
	 * they are told when the next comes. */
	return n == 3 ? WHOLLY : n == 0 ? NOT_AT_ALL : HALF;
}

static void two_to_one(void)
{
	actor = client_join("/all");
	other = client_join("/all");
}

static void unicast(void)
{
	say_to(actor.session.handle, "/all", "e");
}

static enum state unicasted(void)
{
	ck_assert_str_eq(waiting(&other), "");
	return either(waiting(&actor), "", "e");
}

static void pull_session_is_stale(void)
{
	three_want_it();
	client_set_mode(&actor, MODE_PULL);
	session_at(broker, actor.session.ref.index)->served -= 100000;
}

static enum state published_to_stale(void)
{
	enum state b = either(waiting(&other), "1", "1 e");
	enum state c = either(waiting(&third), "1", "1 e");

	if (b != c || (b == WHOLLY && client_lives(&actor)))
		return HALF;
	return b;
}

/* -- presence ---------------------------------------------------------------- */

/* The third hears of all.  A death costs a notice, and nothing else. */
static void watched(void)
{
	third = client_join("/meta");
}

static void watched_join(void)
{
	client_join(NULL);
}

static enum state joined_watched(void)
{
	return broker->sessions.head->used == 4 ? WHOLLY :
	       broker->sessions.head->used == 3 ? NOT_AT_ALL : HALF;
}

static void actor_joins_watched(void)
{
	actor = client_join("/p,/p");
	watched();
}

static enum state left_watched(void)
{
	if (there(&actor))
		return NOT_AT_ALL;
	return broker->subscriptions.head->used == 4 ? WHOLLY : HALF;
}

static void actor_joins_bare_watched(void)
{
	watched();
	actor = client_join(NULL);
}

static void subscribe_and_watch(void)
{
	char sid[SID_SIZE];

	ck_assert_int_eq(subscription_ensure(broker, actor.session.ref,
			 "/p,/meta/subs/p,/p", "l", 0, sid), DONE);
}

static enum state subscribed_watched(void)
{
	switch (broker->subscriptions.head->used) {
	case 4:
		return NOT_AT_ALL;
	case 7:
		return WHOLLY;
	default:
		return HALF;
	}
}

/* -- delivery ---------------------------------------------------------------- */

static void three_wait(void)
{
	actor = client_join("/q");
	say("/q", "1");
	say("/q", "2");
	say("/q", "3");
}

static void actor_listens(void)
{
	three_wait();
	client_listen_in(&actor, here);
}

static void take_two(void)
{
	client_take(&actor, 2);
}

/* The parent takes up the channel of the dead: nothing was committed. */
static enum state taken(void)
{
	ck_assert_int_eq(client_result(&actor), TAKEN);
	return either(waiting(&actor), "", "1 2 3");
}

/* As if the log had gone over two of the actor's events, but no others. */
static void two_are_overrun(void)
{
	struct log_record *r;
	int i;

	actor_listens();
	for (i = 0; i < 2; i++) {
		r = (struct log_record *)(broker->log.bytes + queue_of(broker,
			session_at(broker, actor.session.ref.index))[i]
			.position % broker->map->geometry.log_bytes);
		r->kind = LOG_FILLER;
	}
	broker_repair(broker);
}

/* However much of it was counted before: it is looked for again. */
static enum state taken_overrun(void)
{
	ck_assert_str_eq(waiting(&actor), "lost=2 3");
	return WHOLLY;
}

static void two_are_taken(void)
{
	actor_listens();
	ck_assert_str_eq(client_take(&actor, 2), "1 2 ...");
}

static void commit(void)
{
	client_commit(&actor);
}

static enum state committed(void)
{
	return either(waiting(&actor), "1 2 3", "3");
}

/* As at the end of a pull. */
static void commit_and_detach(void)
{
	struct commit c = { actor.session.ref, actor.channel, actor.counter, 0,
			    true };

	delivery_commit(broker, &c, 1);
}

static void two_are_taken_by_pull(void)
{
	three_wait();
	client_set_mode(&actor, MODE_PULL);
	client_listen_in(&actor, here);
	ck_assert_str_eq(client_take(&actor, 2), "1 2 ...");
}

static enum state committed_and_detached(void)
{
	const struct session *s = session_at(broker, actor.session.ref.index);

	ck_assert_str_eq(waiting(&actor), "1 2 3");
	return s->channel ? NOT_AT_ALL : s->queue.carried == 2 ? WHOLLY : HALF;
}

static void a_loss_is_taken(void)
{
	two_are_overrun();
	ck_assert_str_eq(client_take(&actor, 9), "lost=2 3");
}

/* A loss that goes untold is told again. */
static enum state loss_committed(void)
{
	const struct session *s = session_at(broker, actor.session.ref.index);
	uint64_t left = s->queue.head - s->queue.tail;

	ck_assert_uint_eq(s->queue.lost, 2);
	if (s->lost_told == 2)
		return left == 0 ? WHOLLY : HALF;
	return NOT_AT_ALL;
}

/* It stays in the queue in any case. */
static enum state carried(void)
{
	ck_assert_str_eq(waiting(&actor), "1 2 3");
	switch (slot_of_actor()->queue.carried) {
	case 0:
		return NOT_AT_ALL;
	case 2:
		return WHOLLY;
	default:
		return HALF;
	}
}

static void two_are_carried(void)
{
	two_are_taken_by_pull();
	client_commit(&actor);
}

static void acknowledge_two(void)
{
	client_acknowledge(&actor, 2);
}

static void come_back(void)
{
	client_return(&actor);
}

static void all_are_carried(void)
{
	actor_listens();
	session_rely(broker, actor.session.ref);
	ck_assert_str_eq(client_receive(&actor), "1 2 3");
}

/* Two of them gave way; of these the client has but one. */
static void two_carried_are_dropped(void)
{
	all_are_carried();
	say("/q", "4");
	say("/q", "5");
	ck_assert_str_eq(waiting(&actor), "3 4 5");
}

static void say_one_more(void)
{
	say("/q", "e");
}

static enum state carried_one_dropped(void)
{
	return either(waiting(&actor), "1 2 3", "2 3 e");
}

static void acknowledge_one(void)
{
	client_acknowledge(&actor, 1);
}

static enum state loss_settled(void)
{
	return either(waiting(&actor), "3 4 5", "lost=1 3 4 5");
}

static void rely(void)
{
	session_rely(broker, actor.session.ref);
}

static enum state relied(void)
{
	return slot_of_actor()->flags & SESSION_RELIABLE ? WHOLLY : NOT_AT_ALL;
}

static void own(void)
{
	owner_set(broker, actor.session.ref, "bob");
}

static enum state owned(void)
{
	return either(slot_of_actor()->user, "", "bob");
}

static void actor_hears_itself(void)
{
	actor = client_join("/self");
}

static void say_with_key(void)
{
	client_say(&actor, "/self", "k");
}

/* A client that does not know whether it was heard says it again. */
static enum state said_with_key(void)
{
	bool known = key_known(broker, slot_of_actor(), "k");

	if (known != (*waiting(&actor) != '\0'))
		return HALF;
	return known ? WHOLLY : NOT_AT_ALL;
}

/* A bucket may be right or one off: a death leaves nothing to repair. */
static void spend(void)
{
	struct address a = slot_of_actor()->address;

	rate_publish(broker, actor.session.ref, 1);
	rate_request(broker, &a, 1);
}

static enum state spent(void)
{
	uint64_t site = address_hash(broker, &slot_of_actor()->address);
	const struct rate *set = &broker->rates[site % (RATES / RATE_WAYS) *
						RATE_WAYS];
	bool publish = slot_of_actor()->publish_full > 0;
	bool request = set->site == site && set->full_at > 0;

	if (request && !publish)
		return HALF;
	return request ? WHOLLY : NOT_AT_ALL;
}

/* -- listeners --------------------------------------------------------------- */

static struct session *slot(void)
{
	return session_at(broker, actor.session.ref.index);
}

/* Nothing may be lost, and without a channel there must be a lease. */
static void actor_is_unharmed(void)
{
	ck_assert_str_eq(waiting(&actor), "1 2 3");
	ck_assert(slot()->channel || slot()->lease_end > clock_ms());
}

static void attach(void)
{
	client_listen_in(&actor, here);
}

static enum state attached(void)
{
	actor_is_unharmed();
	return slot()->channel ? WHOLLY : NOT_AT_ALL;
}

static void actor_listens_elsewhere(void)
{
	uint32_t elsewhere;

	three_wait();
	ck_assert_int_eq(worker_enter(broker, &elsewhere), DONE);
	client_listen_in(&actor, elsewhere);
	client_take(&actor, 1);
	slot()->lease_end = 0;		/* it does not run meanwhile */
}

static void replace(void)
{
	struct client newer = actor;

	client_listen_in(&newer, here);
}

static enum state replaced(void)
{
	actor_is_unharmed();
	return slot()->channel > actor.channel ? WHOLLY : NOT_AT_ALL;
}

static void detach(void)
{
	listener_detach(broker, actor.session.ref, actor.channel);
}

static enum state detached(void)
{
	actor_is_unharmed();
	return slot()->channel ? NOT_AT_ALL : WHOLLY;
}

static void listener_is_aborted(void)
{
	actor_listens();
	slot()->flags |= SESSION_ABORTED;
}

static enum state aborted_and_detached(void)
{
	/* Over at once, or when its lease is. */
	return !there(&actor) || !slot()->channel ? WHOLLY : NOT_AT_ALL;
}

static void set_mode(void)
{
	client_set_mode(&actor, MODE_POLL);
}

static enum state mode_set(void)
{
	actor_is_unharmed();
	if (!slot()->channel && slot()->mode == MODE_POLL &&
	    slot()->flags & SESSION_LISTENED)
		return WHOLLY;
	return NOT_AT_ALL;	/* and the client will ask again */
}

static void listen_to_stream(void)
{
	struct place place;

	ck_assert_int_eq(listener_listen(broker, actor.session.ref, here,
					 MODE_STREAM, &place), DONE);
}

static enum state stream_open(void)
{
	actor_is_unharmed();
	if (slot()->channel && slot()->mode == MODE_STREAM &&
	    slot()->flags & SESSION_LISTENED)
		return WHOLLY;
	return NOT_AT_ALL;
}

/* -- workers ----------------------------------------------------------------- */

static void enter(void)
{
	uint32_t worker;

	ck_assert_int_eq(worker_enter(broker, &worker), DONE);
}

static enum state entered(void)
{
	return broker->workers.head->used == 2 ? WHOLLY : NOT_AT_ALL;
}

static void worker_leaves(void)
{
	worker_exit(broker, actor.worker);
}

static enum state worker_left(void)
{
	actor_is_unharmed();
	if (broker->workers.head->used == 2)
		return NOT_AT_ALL;
	return slot()->channel ? HALF : WHOLLY;
}

static void listen_and_die(void *arg)
{
	(void)arg;
	actor_listens_elsewhere();
	drop_dead();
}

static void worker_dies(void)
{
	was_killed(fork_off(listen_and_die, NULL), SIGKILL);
	/* The child knew its session; we find it. */
	actor.session.ref = (struct session_ref){ 2,
		session_at(broker, 2)->slot.generation };
	actor.worker = 1;
}

static void reap(void)
{
	worker_reap(broker);
}

static void reap_when_due(void)
{
	broker->map->reap_due = 0;
	worker_reap_due(broker);
}

static void actor_is_ready(void)
{
	actor_listens_elsewhere();
	say("/q", "4");
	actor.worker = session_at(broker, actor.session.ref.index)->worker;
}

static void look_up(void *arg, uint32_t session)
{
	(void)arg;
	ck_assert_uint_eq(session, actor.session.ref.index);
}

static void answer(void)
{
	worker_answer(broker, actor.worker, look_up, NULL);
}

static enum state answered(void)
{
	ck_assert_str_eq(waiting(&actor), "2 3 4");
	return worker_ready(broker, actor.worker)[0] ? NOT_AT_ALL : WHOLLY;
}

/* -- rules and repair -------------------------------------------------------- */

static void settle(void)
{
	struct properties p = limits;

	p.session_timeout = 99000;
	p.session_subscriptions = 3;
	p.event_bytes = 299;
	p.event_attributes = 2;
	p.pull_timeout = 99001;
	p.poll_timeout = 99002;
	p.overflow = OVERFLOW_ABORT;
	p.publish_from = FROM_ID;
	p.meta_events = META_OFF;
	p.history_max = 9;
	p.history_seconds = 99003;
	snprintf(p.history_subjects, sizeof(p.history_subjects), "/h");
	broker_settle(broker, &p);
}

/* Each rule stands for itself. */
static enum state settled(void)
{
	const struct rules *r = &broker->map->rules;
	int n = (r->session_timeout == 99000) +
		(r->session_subscriptions == 3) + (r->event_bytes == 299) +
		(r->event_attributes == 2) + (r->pull_timeout == 99001) +
		(r->poll_timeout == 99002) + (r->overflow == OVERFLOW_ABORT) +
		(r->publish_from == FROM_ID) +
		(r->meta_events == META_OFF) + (r->history_max == 9) +
		(r->history_seconds == 99003) +
		(strcmp(r->history_subjects, "/h") == 0);

	return n == 12 ? WHOLLY : NOT_AT_ALL;
}

static int stores_left;		/* before the child dies */

static void count_down(void)
{
	if (--stores_left == 0)
		drop_dead();
}

static void publish_until(void *arg)
{
	(void)arg;
	crash_point = count_down;
	publish_e();
}

static uint64_t in_queue(const struct client *c)
{
	return session_at(broker, c->session.ref.index)->queue.head;
}

/* A publisher died after its event was committed and reached the first. */
static void fan_out_is_cut_short(void)
{
	uint64_t reached = 0;
	int n;

	for (n = 1; reached == 0; n++) {
		make_world();
		three_want_it();
		stores_left = n;
		was_killed(fork_off(publish_until, NULL), SIGKILL);
		reached = in_queue(&actor) + in_queue(&other) +
			  in_queue(&third) - 3;
	}
	ck_assert_uint_eq(reached, 1);
	ck_assert_uint_ne(broker->map->log.fanout, 0);
}

/* Only takes the lock: what repairs is the death before. */
static void look(void)
{
	struct status status;

	status_read(broker, &status);
}

static enum state fan_out_finished(void)
{
	return published() == WHOLLY ? WHOLLY : HALF;
}

static void die_with_lock(void *arg)
{
	(void)arg;
	broker_lock(broker);
	worker_at(broker, actor.worker)->slot.state = SLOT_FREE;
	drop_dead();
}

static void listener_is_orphaned(void)
{
	actor_listens_elsewhere();
	was_killed(fork_off(die_with_lock, NULL), SIGKILL);
}

static enum state orphan_has_a_lease(void)
{
	actor_is_unharmed();
	return slot()->channel ? HALF : WHOLLY;
}

/* -- all of them ------------------------------------------------------------- */

/* -- operators -------------------------------------------------------------- */

static void kick(void)
{
	steer_kick(broker, actor.session.handle, "enough");
}

/* Its process is to say so: the reason comes before that. */
static enum state kicked(void)
{
	const struct session *s = slot_of_actor();

	if (!aborted(&actor))
		return NOT_AT_ALL;
	return !there(&actor) || strcmp(s->reason, "enough") == 0 ? WHOLLY :
								    HALF;
}

static void drain(void)
{
	steer_drain(broker, 60);
}

static enum state drained(void)
{
	struct drain order;

	if (!steer_draining(broker, &order))
		return NOT_AT_ALL;
	return order.channels == broker->map->channels ? WHOLLY : HALF;
}

static void sample(void)
{
	sample_due(broker);
}

/* Doing it again is not before a second is over. */
static enum state sampled(void)
{
	const struct sample *s = broker->map->samples;

	if (s->time == 0 && broker->map->sample_due) {
		broker->map->sample_due = 0;
		return NOT_AT_ALL;
	}
	if (s->time == 0)
		return NOT_AT_ALL;
	return s->counts.joins == broker->map->counts.joins ? WHOLLY : HALF;
}

/* -- several machines -------------------------------------------------------- */

static void we_are_a_node(void)
{
	snprintf(limits.node, sizeof(limits.node), "a");
	broker_settle(broker, &limits);
	three_want_it();
}

/* The last number that a bridge would find, or 0 when one is missing or is
 * there twice. */
static uint64_t last_to_cross(void)
{
	struct bridge_place place = { 0 };
	struct bridge_batch batch = { 0 };
	uint64_t last = 0;
	unsigned i;
	bool more;

	do {
		more = bridge_read(broker, &place, &batch);
		for (i = 0; i < batch.count; i++)
			last = batch.events[i].number == last + 1 ? last + 1 : 0;
	} while (more);
	buf_release(&batch.bytes);
	return last;
}

/* What was said before has the first number. */
static enum state crossed(enum state s)
{
	uint64_t number = s == WHOLLY ? 2 : 1;

	return broker->map->numbered == number && last_to_cross() == number ?
		s : HALF;
}

static enum state published_to_cross(void)
{
	return crossed(published());
}

static void say_to_nobody(void)
{
	say("/nobody", "e");
}

static void say_to_another_nodes(void)
{
	say_to("b-0123456789ab00000a", "/a", "e");
}

static enum state kept_to_cross(void)
{
	return crossed(broker->map->log.head > head_before ? WHOLLY :
							     NOT_AT_ALL);
}

static uint32_t origin;

static void a_node_is_met(void)
{
	three_want_it();
	origin = node_enter(broker, "b", (struct mark){ 0 });
}

static void receive(uint64_t epoch, uint64_t number)
{
	struct event e = EVENT_INIT;
	struct passage passage = { origin, epoch, number, 1000000000 };
	struct publication p = { .subject = "/all", .attributes = &e,
				 .passage = &passage };
	unsigned reached;

	event_add(&e, "text", "e");
	ck_assert_int_eq(publish(broker, &p, &reached, NULL), DONE);
	event_release(&e);
}

/* Does the segment know the node's events up to there? */
static bool known(uint64_t epoch, uint64_t number, uint64_t missed)
{
	struct mark m = node_mark(broker, origin);

	return m.epoch == epoch && m.number == number && m.missed == missed;
}

static void receive_first(void)
{
	receive(7, 1);
}

static enum state received_first(void)
{
	enum state s = published();

	if (s == WHOLLY)
		return known(7, 1, 0) ? s : HALF;
	return known(0, 0, 0) || known(7, 0, 0) ? s : HALF;
}

static void the_last_was_of_another_epoch(void)
{
	a_node_is_met();
	node_skip(broker, &(struct passage){ origin, 7, 1, 0 });
}

static void receive_behind_a_hole(void)
{
	receive(8, 5);
}

static enum state received_behind_a_hole(void)
{
	enum state s = published();

	if (s == WHOLLY)
		return known(8, 5, 4) ? s : HALF;
	return known(7, 1, 0) || known(8, 4, 4) ? s : HALF;
}

static void skip(void)
{
	node_skip(broker, &(struct passage){ origin, 7, 3, 0 });
}

static enum state skipped(void)
{
	if (known(7, 3, 2))
		return WHOLLY;
	return known(0, 0, 0) || known(7, 2, 2) ? NOT_AT_ALL : HALF;
}

static void meet(void)
{
	origin = node_enter(broker, "c", (struct mark){ .epoch = 3 });
}

static enum state met(void)
{
	const struct node *n = broker->map->nodes;

	if (n->state == SLOT_FREE)
		return NOT_AT_ALL;
	return strcmp(n->name, "c") == 0 && n->past.epoch == 3 ? WHOLLY : HALF;
}

static void cross(void)
{
	ck_assert_uint_eq(bridge_enter(broker), 0);
}

/* The place of a dead one is free at once. */
static enum state crossing(void)
{
	if (broker->map->bridge.pid == 0)
		return NOT_AT_ALL;
	if (broker->map->bridge.pid != (uint32_t)getpid())
		ck_assert_uint_eq(bridge_enter(broker), 0);
	return WHOLLY;
}

static void note_sent(void)
{
	bridge_sent(broker, 9, 1, 1);
}

static enum state noted_sent(void)
{
	return broker->map->bridge.sent == 9 ? WHOLLY : NOT_AT_ALL;
}

static void outlive(void)
{
	bridge_outlive(broker, UINT64_MAX - 1);
}

static enum state outlived(void)
{
	return broker->map->born == UINT64_MAX ? WHOLLY : NOT_AT_ALL;
}

static void count_elsewhere(void)
{
	static struct elsewhere counts;

	memset(&counts, 0, sizeof(counts));
	counts.sessions = 7;
	elsewhere_add(broker, &counts, "/p", 2, 3);
	elsewhere_store(broker, &counts);
}

/* All of it, or nothing is known. */
static enum state counted_elsewhere(void)
{
	uint64_t sessions;
	uint32_t online;

	broker_lock(broker);
	sessions = elsewhere_sessions(broker);
	online = elsewhere_online(broker, "/p", 2);
	broker_unlock(broker);
	if (sessions == 7 && online == 3)
		return WHOLLY;
	return sessions == 0 && online == 0 ? NOT_AT_ALL : HALF;
}

static const struct operation operations[] = {
	{ "join", nothing, join, joined },
	{ "join a full house", house_is_full, join_in_vain, refused },
	{ "leave", actor_joins, leave, left },
	{ "leave while listening", leave_listening, leave, left },
	{ "sweep", two_leases_end, sweep, swept },
	{ "find after the lease", actors_lease_ends, find_actor, actor_gone },
	{ "subscribe", actor_joins_bare, subscribe_one, subscribed_one },
	{ "subscribe to a list", actor_joins_bare, subscribe_list,
	  subscribed_list },
	{ "subscribe without room", two_slots_are_left,
	  subscribe_in_vain, refused_list },
	{ "unsubscribe", actor_joins_with_list, unsubscribe, unsubscribed },
	{ "unsubscribe all", actor_joins, clear, cleared },
	{ "publish", three_want_it, publish_e, published },
	{ "publish where the log wraps", three_want_it_and_the_log_wraps,
	  publish_e, published_wrapped },
	{ "publish over a wanted event", the_oldest_is_still_wanted,
	  publish_e, published_over },
	{ "publish with history", two_were_said, publish_h,
	  remembered_and_published },
	{ "publish to nobody", said_to_nobody, publish_h, remembered_only },
	{ "subscribe to the last", actor_comes_late, subscribe_to_last,
	  replayed },
	{ "publish to full queues", queues_are_full, publish_e, overflowed },
	{ "publish to full queues, abort", queues_are_full_and_abort,
	  publish_e, all_aborted },
	{ "publish over a carried event", all_are_carried, say_one_more,
	  carried_one_dropped },
	{ "publish to one", two_to_one, unicast, unicasted },
	{ "publish to a stale session", pull_session_is_stale, publish_e,
	  published_to_stale },
	{ "publish what crosses", we_are_a_node, publish_e,
	  published_to_cross },
	{ "publish what crosses, to nobody", we_are_a_node, say_to_nobody,
	  kept_to_cross },
	{ "publish to one of another node", we_are_a_node,
	  say_to_another_nodes, kept_to_cross },
	{ "receive of a node", a_node_is_met, receive_first, received_first },
	{ "receive behind a hole", the_last_was_of_another_epoch,
	  receive_behind_a_hole, received_behind_a_hole },
	{ "skip an event of a node", a_node_is_met, skip, skipped },
	{ "meet a node", nothing, meet, met },
	{ "enter the bridge", nothing, cross, crossing },
	{ "note what was sent", nothing, note_sent, noted_sent },
	{ "outlive an epoch", nothing, outlive, outlived },
	{ "count elsewhere", nothing, count_elsewhere, counted_elsewhere },
	{ "join, watched", watched, watched_join, joined_watched },
	{ "leave, watched", actor_joins_watched, leave, left_watched },
	{ "subscribe, watched", actor_joins_bare_watched, subscribe_and_watch,
	  subscribed_watched },
	{ "take", actor_listens, take_two, taken },
	{ "take what was overrun", two_are_overrun, take_two, taken_overrun },
	{ "commit", two_are_taken, commit, committed },
	{ "commit a loss", a_loss_is_taken, commit, loss_committed },
	{ "commit and detach", two_are_taken_by_pull, commit_and_detach,
	  committed_and_detached },
	{ "commit what a pull carried", two_are_taken_by_pull, commit,
	  carried },
	{ "acknowledge", two_are_carried, acknowledge_two, committed },
	{ "come back", two_are_carried, come_back, committed },
	{ "acknowledge, reliably", all_are_carried, acknowledge_two,
	  committed },
	{ "acknowledge less than was dropped", two_carried_are_dropped,
	  acknowledge_one, loss_settled },
	{ "rely", actor_joins_bare, rely, relied },
	{ "note the owner", actor_joins_bare, own, owned },
	{ "spend of two buckets", actor_joins_bare, spend, spent },
	{ "publish with a key", actor_hears_itself, say_with_key,
	  said_with_key },
	{ "attach", three_wait, attach, attached },
	{ "replace", actor_listens_elsewhere, replace, replaced },
	{ "detach", actor_listens_elsewhere, detach, detached },
	{ "detach the aborted", listener_is_aborted, detach,
	  aborted_and_detached },
	{ "set the mode", actor_listens_elsewhere, set_mode, mode_set },
	{ "listen to a stream", actor_listens_elsewhere, listen_to_stream,
	  stream_open },
	{ "kick", actor_joins, kick, left },
	{ "kick a listener", actor_listens_elsewhere, kick, kicked },
	{ "drain", actor_listens_elsewhere, drain, drained },
	{ "sample", nothing, sample, sampled },
	{ "enter a worker", nothing, enter, entered },
	{ "exit a worker", actor_listens_elsewhere, worker_leaves,
	  worker_left },
	{ "reap a worker", worker_dies, reap, worker_left },
	{ "reap when it is time", worker_dies, reap_when_due, worker_left },
	{ "answer the bell", actor_is_ready, answer, answered },
	{ "settle", nothing, settle, settled },
	{ "repair a fan-out", fan_out_is_cut_short, look, fan_out_finished },
	{ "repair a listener", listener_is_orphaned, look,
	  orphan_has_a_lease },
};

/* What is not in the table, because it is done in another way. */
enum {
	QUEUE_OF_ONE = ROWS(operations), REPAIR_AGAIN, MAKE, DESTROY, LIBRARY,
	ALL
};

static const char *const others[] = {
	[QUEUE_OF_ONE - QUEUE_OF_ONE] = "publish to queues of one",
	[REPAIR_AGAIN - QUEUE_OF_ONE] = "repair after any of these",
	[MAKE - QUEUE_OF_ONE] = "make the segment",
	[DESTROY - QUEUE_OF_ONE] = "destroy the segment",
	[LIBRARY - QUEUE_OF_ONE] = "publish by libpushlet",
};

/* What all tests add up to, shared with the process that runs them. */
static struct tally {
	int points;
	int wholly;			/* deaths that left it done */
	int complete;			/* tests that came to their end */
} *tallies;

static void perform_and_die(void *arg)
{
	const struct operation *op = arg;

	crash_point = count_down;
	op->perform();
}

/* Returns whether the child died at its n-th store. */
static bool dies_at(const struct operation *op, int n)
{
	int status;
	pid_t pid;

	stores_left = n;
	pid = fork_off(perform_and_die, (void *)(uintptr_t)op);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	ck_assert(!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL);
	return WIFSIGNALED(status);
}

START_TEST(a_death_at_any_store_leaves_it_done_or_undone)
{
	const struct operation *op = &operations[_i];
	struct tally *tally = &tallies[_i];
	enum state state;
	bool died = true;

	while (died) {
		tally->points++;
		make_world();
		op->prepare();
		head_before = broker->map->log.head;
		died = dies_at(op, tally->points);
		all_is_well();
		state = op->state();
		ck_assert_int_ne(state, HALF);
		tally->wholly += died && state == WHOLLY;
		if (state == NOT_AT_ALL) {
			ck_assert(died);
			op->perform();
			all_is_well();
			ck_assert_int_eq(op->state(), WHOLLY);
		}
		bystanders_are_unharmed();
		all_is_well();
	}
	tally->points--;
	tally->complete = 1;
	ck_assert_int_gt(tally->points, 0);
}
END_TEST

/* Who repairs may die as well, and the next one too: each comes a store
 * further than the one before, until one is through. */
static void repairs_die(void (*repair)(void *), struct tally *tally)
{
	int n = 0, status;
	pid_t pid;

	do {
		stores_left = ++n;
		pid = fork_off(repair, NULL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	} while (WIFSIGNALED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	tally->points += n - 1;
}

static void look_and_die(void *arg)
{
	(void)arg;
	crash_point = count_down;
	look();
}

START_TEST(a_repair_that_dies_is_done_by_the_next)
{
	const struct operation *op = &operations[_i];
	struct tally *tally = &tallies[REPAIR_AGAIN];
	enum state state;

	make_world();
	op->prepare();
	head_before = broker->map->log.head;
	/* In its middle, as the test before has counted. */
	dies_at(op, (tallies[_i].points + 1) / 2);
	repairs_die(look_and_die, tally);
	all_is_well();
	state = op->state();
	ck_assert_int_ne(state, HALF);
	if (state == NOT_AT_ALL) {
		op->perform();
		state = op->state();
	}
	ck_assert_int_eq(state, WHOLLY);
	bystanders_are_unharmed();
	all_is_well();
	tally->complete++;
}
END_TEST

static void publish_two(void *arg)
{
	(void)arg;
	crash_point = count_down;
	say("/one", "2");
}

/* There the slot to be written is the only one there is. */
START_TEST(a_queue_of_one_loses_nothing_to_a_death)
{
	struct tally *tally = &tallies[QUEUE_OF_ONE];
	struct client c;
	const char *text;
	int status;
	pid_t pid;

	limits.queue_size = 1;
	do {
		fixture_remake();
		c = client_join("/one,/");
		say("/one", "1");
		stores_left = ++tally->points;
		pid = fork_off(publish_two, NULL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		all_is_well();
		text = client_peek(&c);
		ck_assert_msg(strcmp(text, "lost=1 2") == 0 ||
			      (WIFSIGNALED(status) && strcmp(text, "1") == 0),
			      "crash point %d: '%s'", tally->points, text);
		tally->wholly += WIFSIGNALED(status) && strcmp(text, "1") != 0;
	} while (WIFSIGNALED(status));
	tally->points--;
	tally->complete = 1;
	ck_assert_int_gt(tally->points, 9);
}
END_TEST

/* -- the creator ------------------------------------------------------------- */

static void open_broker(void)
{
	struct buf report = BUF_INIT;

	ck_assert_int_eq(broker_open(&broker, &limits, true, &report),
			 SEGMENT_OK);
	buf_release(&report);
}

static void create_and_die(void *arg)
{
	(void)arg;
	crash_point = count_down;
	open_broker();
}

/* What can be attached to is whole, its rules too. */
static void attach_if_it_is_there(void)
{
	struct buf report = BUF_INIT;

	if (broker_open(&broker, &limits, false, &report) != SEGMENT_OK)
		return;
	all_is_well();
	ck_assert_uint_eq(broker_event_limits(broker).bytes,
			  limits.event_bytes);
	broker_close(&broker);
}

START_TEST(a_creator_that_dies_at_any_store_is_followed_by_another)
{
	struct tally *tally = &tallies[MAKE];
	struct client c;
	int status;
	pid_t pid;

	do {
		stores_left = ++tally->points;
		pid = fork_off(create_and_die, NULL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		attach_if_it_is_there();
		open_broker();
		all_is_well();
		c = client_join("/a");
		ck_assert_uint_eq(say("/a", "x"), 1);
		ck_assert_str_eq(client_peek(&c), "x");
		ck_assert_int_eq(broker_destroy(broker), 0);
		broker_close(&broker);
	} while (WIFSIGNALED(status));
	tally->points--;
	tally->complete = 1;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* -- its end, and those who publish from outside -------------------------------- */

static bool there_is_a_segment(void)
{
	char path[80];

	snprintf(path, sizeof(path), "/dev/shm%s", fixture_name());
	return access(path, F_OK) == 0;
}

static void destroy_and_die(void *arg)
{
	(void)arg;
	crash_point = count_down;
	ck_assert_int_eq(broker_destroy(broker), 0);
}

/* One process has it still, others find a new one. */
static void old_and_new_both_serve(struct client *c)
{
	struct broker *old = broker;

	ck_assert_uint_eq(say("/a", "x"), 1);
	ck_assert_str_eq(client_peek(c), "x");
	open_broker();
	ck_assert_uint_eq(say("/a", "y"), 0);
	ck_assert_int_eq(broker_destroy(broker), 0);
	broker_close(&broker);
	broker = old;
	all_is_well();
}

START_TEST(a_destroyer_that_dies_at_any_store_leaves_no_trap)
{
	struct tally *tally = &tallies[DESTROY];
	uint32_t worker;
	struct client c;
	int status;
	pid_t pid;

	do {
		open_broker();
		ck_assert_int_eq(worker_enter(broker, &worker), DONE);
		c = client_join("/a");
		stores_left = ++tally->points;
		pid = fork_off(destroy_and_die, NULL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(!there_is_a_segment());
		old_and_new_both_serve(&c);
		tally->wholly += WIFSIGNALED(status) && broker_retired(broker);
		broker_close(&broker);
	} while (WIFSIGNALED(status));
	tally->points--;
	tally->complete = 1;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static void publish_from_outside(void *arg)
{
	const struct pushlet_attribute text = { "text", "x" };
	struct pushlet *p;
	unsigned n;

	(void)arg;
	ck_assert_int_eq(pushlet_open(&p, fixture_name(), NULL), PUSHLET_OK);
	crash_point = count_down;
	ck_assert_int_eq(pushlet_publish(p, "/a", &text, 1, NULL, &n, NULL),
			 PUSHLET_OK);
	crash_point = NULL;
	pushlet_close(&p);
}

START_TEST(a_publisher_from_outside_that_dies_at_any_store_does_no_harm)
{
	struct tally *tally = &tallies[LIBRARY];
	struct client c, d;
	const char *text;
	int status;
	pid_t pid;

	open_broker();
	do {
		c = client_join("/a");
		d = client_join("/");
		stores_left = ++tally->points;
		pid = fork_off(publish_from_outside, NULL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		all_is_well();
		text = client_peek(&c);
		ck_assert(strcmp(text, "x") == 0 ||
			  (WIFSIGNALED(status) && !*text));
		tally->wholly += WIFSIGNALED(status) && *text;
		ck_assert_int_eq(strcmp(text, "x") == 0,
				 strcmp(client_peek(&d), "x") == 0);
		session_leave(broker, c.session.ref);
		session_leave(broker, d.session.ref);
	} while (WIFSIGNALED(status));
	broker_destroy(broker);
	broker_close(&broker);
	tally->points--;
	tally->complete = 1;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* -- the report ------------------------------------------------------------------ */

/* Returns the number of failures: tests that did not come to their end. */
static unsigned tell_row(unsigned i)
{
	const char *name = i < ROWS(operations) ? operations[i].name :
						  others[i - ROWS(operations)];
	unsigned tests = i == REPAIR_AGAIN ? ROWS(operations) : 1;
	unsigned failures = tests - (unsigned)tallies[i].complete;

	printf("%-34s %5d crash points, %4d left it done, %u failures\n", name,
	       tallies[i].points, tallies[i].wholly, failures);
	return failures;
}

static void add_cases(void)
{
	TCase *tc = unit_case("crash");

	fixture_use(tc);
	tcase_add_loop_test(tc, a_death_at_any_store_leaves_it_done_or_undone,
			    0, ROWS(operations));
	tcase_add_loop_test(tc, a_repair_that_dies_is_done_by_the_next, 0,
			    ROWS(operations));
	tcase_add_test(tc, a_queue_of_one_loses_nothing_to_a_death);
	tc = unit_case("named");
	fixture_use_name(tc);
	tcase_add_test(tc,
		a_creator_that_dies_at_any_store_is_followed_by_another);
	tcase_add_test(tc, a_destroyer_that_dies_at_any_store_leaves_no_trap);
	tcase_add_test(tc,
		a_publisher_from_outside_that_dies_at_any_store_does_no_harm);
}

int main(void)
{
	unsigned i, points = 0, failures = 0;
	int rc;

	tallies = mmap(NULL, sizeof(*tallies) * ALL, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	add_cases();
	rc = unit_run();
	for (i = 0; i < ALL; i++) {
		failures += tell_row(i);
		points += (unsigned)tallies[i].points;
	}
	printf("%u operations, %u crash points, %u failures\n", (unsigned)ALL,
	       points, failures);
	return rc;
}
