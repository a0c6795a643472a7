/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - a broker for each test, and clients that talk to it
 *
 *	START_TEST(a_subscriber_receives_what_is_said)
 *	{
 *		struct client c = client_join("/news");
 *
 *		client_listen(&c);
 *		ck_assert_uint_eq(say("/news", "hello"), 1);
 *		ck_assert_str_eq(client_receive(&c), "hello");
 *	}
 *	END_TEST
 *
 * The segment has small limits.  Its name is taken away as soon as it is made,
 * so that nothing stays in /dev/shm whatever a test does; processes that a
 * test forks share it, since they inherit the mapping.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <check.h>
#include <sys/types.h>

#include "broker/broker.h"
#include "broker/delivery.h"
#include "broker/listener.h"
#include "broker/properties.h"
#include "broker/publish.h"
#include "broker/session.h"
#include "broker/subscription.h"
#include "broker/worker.h"

/* Of the running test. */
extern struct broker *broker;

/* What its segment was made by. */
extern struct properties limits;

/* Each test of the case gets a new segment. */
void fixture_use(TCase *tc);

/* Makes the segment anew, by the limits as they are now. */
void fixture_remake(void);

/* A name for segments that a test makes by itself.  The case removes it after
 * each of its tests, also of those that fail. */
void fixture_use_name(TCase *tc);
const char *fixture_name(void);

/* A session and the channel that serves it. */
struct client {
	struct session_view session;
	char sid[SID_SIZE];		/* of the last subscription */
	enum session_mode mode;		/* of its channels */
	uint32_t worker;
	uint64_t channel;		/* 0: listens not */
	struct take take;		/* the last */
	uint64_t counter;		/* to commit by; 0: nothing taken */
	uint64_t settled;		/* after an acknowledgement */
};

/* Joins and, if subjects is not NULL, subscribes to them. */
struct client client_join(const char *subjects);
void client_subscribe(struct client *c, const char *subjects,
		      const char *label);

/* The same, of a reliable session; and in a mode that is not stream. */
struct client client_join_reliable(const char *subjects);
struct client client_join_in_mode(const char *subjects, enum session_mode mode);

/* Listens in that mode, and has no channel then. */
void client_set_mode(struct client *c, enum session_mode mode);

/* A publish of a session with a key; how many it reached. */
unsigned client_say(const struct client *c, const char *subject,
		    const char *key);

/* Attaches a new channel, in a worker of this process or in the given one. */
void client_listen(struct client *c);
void client_listen_in(struct client *c, uint32_t worker);
void client_hang_up(struct client *c);

/*
 * Takes at most max events.  Returns their texts with blanks between, as
 * "one two", after "lost=N " when some were lost, before " ..." when there are
 * more; valid until the next call.  The test fails if it is not TAKEN.
 */
const char *client_take(struct client *c, unsigned max);
void client_commit(struct client *c);

/* Takes all that is there and commits it. */
const char *client_receive(struct client *c);

/* What a new channel of the client would receive, without receiving it. */
const char *client_peek(struct client *c);

/* Comes back and says that it has so many events of its session; and without a
 * word about that. */
void client_acknowledge(struct client *c, uint64_t ack);
void client_return(struct client *c);

/* What a take says of the client's channel. */
enum taken client_result(struct client *c);

/* Is the session still there? */
bool client_lives(const struct client *c);

/* Of the last client_take(), the delivery i, its label (NULL: none), the
 * packed event. */
const struct delivery *delivered(unsigned i);
const char *delivered_label(unsigned i);
const struct event *delivered_event(unsigned i);

/* The intake that client_take() uses, which keeps each event once, and how many
 * it may keep. */
struct intake client_intake(void);
void client_intake_limit(unsigned max);

/* Publishes an event with that text.  Returns how many it reached. */
unsigned say(const char *subject, const char *text);
unsigned say_to(const char *to, const char *subject, const char *text);

/* Fails the test unless every invariant holds. */
void all_is_well(void);

/* Runs body in a process of its own, which then ends with status 0. */
pid_t fork_off(void (*body)(void *arg), void *arg);

/* Waits for it and fails the test unless it ended with status 0. */
void ended_well(pid_t pid);

/* Waits for it and fails the test unless that signal ended it. */
void was_killed(pid_t pid, int signal);

/* Kills a process in that very instant. */
void drop_dead(void) __attribute__((noreturn));

/* A word that forked processes share; 0 at first. */
uint32_t *shared_word(void);

/* Waits, looking again and again, until the word has that value; the timeout
 * of the test is the limit. */
void await_word(const uint32_t *word, uint32_t value);

/* Waits until the clock of leases shows more than that. */
void await_clock(int64_t ms);

#endif
