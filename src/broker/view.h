/* SPDX-License-Identifier: MIT */
/*
 * view.h - inside the broker: the mapped segment, and what needs its lock held
 *
 * Only files of src/broker include this.  Functions declared here expect the
 * lock to be held, unless they say otherwise.
 */
#ifndef BROKER_VIEW_H
#define BROKER_VIEW_H

#include "broker/broker.h"
#include "broker/layout.h"
#include "broker/node.h"

/* A ring of records, of this size, and its head. */
struct eventlog {
	const char *name;
	struct log_head *head;
	char *bytes;
	uint64_t size;			/* 0: there is none */
};

struct broker {
	struct segment segment;
	struct layout *map;		/* the segment's first bytes */
	/* Copies, found sane at opening: damage that comes later must not
	 * lead us out of the mapping. */
	struct geometry geometry;
	struct sections at;
	struct pool workers;
	struct pool sessions;
	struct pool subscriptions;
	struct bucket *topics;
	uint32_t *lengths;
	uint32_t *addresses;
	struct rate *rates;
	struct eventlog log;
	struct eventlog history;

	/* Of this process; the lock protects them against its threads. */
	uint64_t bells[WORKERS_LIMIT / 64]; /* owed when the lock is given */
	bool bells_owed;
	bool bridge_owed;		/* the bridge's bell, too */
	struct notices *notices;	/* owed when the lock is given */
	bool repaired;			/* to be said when the lock is given */
};

/* Needs no lock.  Gives the lock back and rings what is owed. */
void broker_lock(struct broker *b);
void broker_unlock(struct broker *b);

static inline struct session *session_at(struct broker *b, uint32_t index)
{
	return pool_at(&b->sessions, index);
}

static inline struct subscription *subscription_at(struct broker *b,
						   uint32_t index)
{
	return pool_at(&b->subscriptions, index);
}

static inline struct worker *worker_at(struct broker *b, uint32_t index)
{
	return pool_at(&b->workers, index);
}

static inline uint32_t session_index(const struct broker *b,
				     const struct session *s)
{
	return (uint32_t)(((const char *)s - b->sessions.slots) /
			  b->sessions.stride);
}

static inline uint32_t subscription_index(const struct broker *b,
					  const struct subscription *s)
{
	return (uint32_t)(((const char *)s - b->subscriptions.slots) /
			  b->subscriptions.stride);
}

/* Is the next sweep still to come?  One further away than a period is damage,
 * which must not keep it away for ever. */
static inline bool sweep_waits(int64_t due, int64_t now, int64_t period)
{
	return now < due && due <= now + period;
}

/* The live session of a reference, or NULL. */
struct session *session_of(struct broker *b, struct session_ref ref);

/* Frees a session, its subscriptions and its queue; its channel, if any, is
 * told by its worker's doorbell and finds it gone.  why is what those below
 * /meta are told, unless it was aborted. */
void session_end(struct broker *b, struct session *s, const char *why);

/* It is over: its channel is to say so, or else its lease ends. */
void session_abort(struct broker *b, struct session *s);

/* May it still be used at this time (clock_ms)?  A session with a listener
 * may, without end. */
bool session_current(const struct session *s, int64_t now);

/* Has it stayed away longer than its mode allows? (pull.refresh.timeout) */
bool session_stale(struct broker *b, const struct session *s, int64_t now);

/* Marks a session as ready in its listener's worker and owes that a ring. */
void worker_notify(struct broker *b, uint32_t worker, uint32_t session);

/* The ready bits of a worker: geometry.ready_words words; atomic access. */
uint64_t *worker_ready(struct broker *b, uint32_t worker);

/* The live session that an id, or a handle, names; or NULL. */
struct session *session_named(struct broker *b, const char *name);

/* Do its id and its handle lead to it? */
bool session_reachable(struct broker *b, const struct session *s);

/* One more listener, or one less (-1), of the kind that served_as says. */
void session_count(struct broker *b, const struct session *s, int change);

/* address.h: a session comes to the others of its site, and goes; all go. */
void address_link(struct broker *b, struct session *s);
void address_unlink(struct broker *b, struct session *s);
void address_clear(struct broker *b);

/* Has the site of this address at least n (not 0) sessions? */
bool address_has(struct broker *b, const struct address *a, uint64_t n);

/* Need no lock.  What addresses of one site have in common, hashed; are these
 * two of one? */
uint64_t address_hash(const struct broker *b, const struct address *a);
bool address_same_site(const struct address *a, const struct address *other);

/* No channel serves it any more; its lease starts to run. */
void session_unserved(struct broker *b, struct session *s);

/* Puts a committed subscription, all its parts, into its session's list and
 * the topic index. */
void subscription_link(struct broker *b, uint32_t first);

/* Ends all subscriptions of a session. */
void subscriptions_end(struct broker *b, struct session *s);

/* Do its texts stay inside its slot? */
bool subscription_fits(const struct broker *b, const struct subscription *sub);

/* Derives lists and index anew; frees what belongs to nobody. */
void subscriptions_rebuild(struct broker *b);

void topic_insert(struct broker *b, uint32_t index);
void topic_remove(struct broker *b, uint32_t index);
void topic_clear(struct broker *b);

/* Sessions subscribed to just one subject, those of other nodes too. */
struct subject_count {
	uint32_t online;
	uint32_t peak;
};

struct subject_count topic_count(struct broker *b, const char *subject,
				 size_t n);

/* key.c: did the session publish something with this key, of late? */
bool key_known(const struct broker *b, const struct session *s,
	       const char *key);

/* The next event that is appended has it; its fan-out settles it; and what was
 * not appended ends without it. */
void key_begin(struct broker *b, const struct session *s, const char *key);
void key_settle(struct broker *b);
void key_end(struct broker *b);

/* A hash of a subject, of this segment alone. */
uint64_t topic_hash(const struct broker *b, const char *subject, size_t n);

/* Calls each(arg, its first subscription) for every subject that somebody
 * subscribed to, until that gives false. */
void topic_each(struct broker *b,
		bool (*each)(struct broker *b, const struct subscription *head,
			     void *arg),
		void *arg);

/* At all other nodes, if that is known: sessions subscribed to just a subject;
 * all sessions; does anybody hear of others there? */
uint32_t elsewhere_online(const struct broker *b, const char *subject,
			  size_t n);
uint64_t elsewhere_sessions(const struct broker *b);
bool elsewhere_watched(const struct broker *b);

/* Is it, or is it below, the subject of the server's own? */
bool topic_reserved(const char *subject, size_t n);

/* Needs no lock.  Soon topic_match() will look at where that subject is: all
 * of a large index cannot be in the processor's caches. */
void topic_expect(const struct broker *b, const char *subject, size_t n);

/* Calls each(arg, subscription index) for every subscription, parts included,
 * whose subject is a prefix of the given one. */
void topic_match(struct broker *b, const char *subject, size_t n,
		 void (*each)(struct broker *b, uint32_t index, void *arg),
		 void *arg);

/* Does a session that is current at this time want events of that subject, or,
 * with below, of one that begins like it? */
bool topic_wanted(struct broker *b, const char *subject, size_t n, bool below,
		  int64_t now);

/* The ring of a session: queue_ring() entries. */
struct ref *queue_of(struct broker *b, const struct session *s);

/* A queue whose counters are not in order lets all go: they bound its walks.
 * Called by who is about to walk it. */
void queue_mend(struct broker *b, struct session *s);

/* Adds a reference, by the overflow policy if there is no room, and notifies
 * the listener.  A position that is the queue's last already is not added
 * again.  Returns whether it was added. */
bool queue_push(struct broker *b, struct session *s, struct ref ref);

/* The oldest not yet handed to the listener, or NULL. */
const struct ref *queue_next(struct broker *b, const struct session *s);

/* Responses took everything before the counter. */
void queue_carry(struct session *s, uint64_t counter);

/* The log has overrun the event of queue_next(): passes over it, and counts it
 * as lost the first time. */
void queue_overrun(struct broker *b, struct session *s);

/* A move that a crash left under way; for a repair, before it looks at queues. */
void queue_finish_move(struct broker *b);

/* Everything before the counter arrived: forget it.  What an overflow dropped
 * behind that, although a listener had it, is lost. */
void queue_commit(struct broker *b, struct session *s, uint64_t counter);

/* The record of an event at a position, or NULL: overrun, or never there. */
struct log_record *eventlog_at(const struct eventlog *log, uint64_t position);

/* The position of the event before a record's; 0: none.  It may be overrun. */
uint64_t eventlog_before(const struct log_record *r);

/* Room for a record of so many packed bytes, tail moved out of its way.
 * Returns the position, and the place in *record_out; NULL there when the log
 * could never hold it. */
uint64_t eventlog_reserve(struct eventlog *log, size_t packed_bytes,
			  struct log_record **record_out);

/* Writes a record: kind, time, target and what is said of the packed bytes as
 * in like; these come from two places, more the last ones.  Returns its
 * position, to be committed, or 0 when the log could never hold it. */
uint64_t eventlog_append(struct eventlog *log, const struct log_record *like,
			 const void *packed, const struct buf *more);

/* Makes the record real. */
void eventlog_commit(struct eventlog *log, uint64_t position);

/* Takes the newest record back, which nobody refers to: its place is free. */
void eventlog_retract(struct eventlog *log, uint64_t position);

/* Lets all records go if they do not lead from tail to head, and the head to
 * a place where a record may be; derives the way back anew. */
void eventlog_mend(struct eventlog *log);

/* The record at or behind a position, over fillers; NULL: there is none yet.
 * What is overrun or damaged is passed over. */
const struct log_record *eventlog_next(const struct eventlog *log,
				       uint64_t position);

/* Copies an event of the log into the history, if it is to be there and is not
 * yet. */
void history_add(struct broker *b, struct log_record *r);

/* What a replay needs; made before the lock is taken. */
struct replay {
	uint64_t *found;		/* positions, newest first */
	unsigned max;
	struct buf mark;		/* a packed attribute */
};

/* For at most last events.  Returns 0, or -1: no memory. */
int replay_prepare(struct broker *b, uint64_t last, struct replay *out);
void replay_release(struct replay *r);

/* Publishes the newest events of the history that match a committed
 * subscription, the oldest of them first, to its session alone; no more than
 * its queue holds without a loss. */
void replay_to(struct broker *b, uint32_t first, struct replay *r);

/* Does anybody want to hear of others?  If not, the functions below do
 * nothing.  What they note is published when the lock is given back. */
bool presence_watched(const struct broker *b);

/* A session joined, or went. */
void presence_session(struct broker *b, const struct session *s,
		      const char *action);

/* A part of the subscription that begins with first came, or went. */
void presence_subscription(struct broker *b, const struct session *s,
			   const char *action, uint32_t part,
			   const struct subscription *first, uint32_t peak);

/* To a new part whose subject tells of others: how things are now. */
void presence_status(struct broker *b, uint32_t part);

/* Publishes what was noted and frees it.  Without the lock. */
void presence_publish(struct broker *b, struct notices *notices);

/* Makes a record of the log real, and does its fan-out.  Returns the sessions
 * reached. */
unsigned publish_record(struct broker *b, uint64_t position);

/* Puts the event at log.fanout into the queues it belongs to (again, after a
 * crash) and declares that done.  Returns the sessions reached. */
unsigned publish_fanout(struct broker *b);

/* Does a subject begin with one of a comma list, which needs no NUL? */
bool topic_listed(const char *list, size_t size, const char *subject,
		  size_t n);

/* The number of an event to be published here, if it is to cross to other
 * nodes; else 0. */
uint64_t node_number(struct broker *b, const char *subject, size_t n);

/* An event of the log is published: its number is given, or known of its
 * node.  Again, after a crash, it does nothing. */
void node_settle(struct broker *b, const struct log_record *r);

/* The node of a record's origin, or NULL. */
struct node *node_at(struct broker *b, uint32_t origin);

/* Is that event of another node still to be published here, and if so, in the
 * history alone?  What is missing before it is counted. */
bool node_expect(struct broker *b, const struct passage *p, bool *past_out);

/* The highest number given is that of the log; a state nobody stores is void. */
void node_mend(struct broker *b);

/* Waits until every listening session that an event is for has room for it,
 * for queue.write.timeout.millis at most.  Meanwhile the lock is given back:
 * nothing found before holds after. */
void pace_wait(struct broker *b, const char *subject, size_t n,
	       struct session_ref target);

/* Makes every derived part anew and finishes what was interrupted. */
void repair_all(struct broker *b);

/* The _check() of each part: appends a line per broken invariant, returns how
 * many. */
int session_check(struct broker *b, struct buf *report);
int queue_check(struct broker *b, struct buf *report);
int subscription_check(struct broker *b, struct buf *report);
int topic_check(struct broker *b, struct buf *report);
int eventlog_check(const struct eventlog *log, struct buf *report);
int worker_check(struct broker *b, struct buf *report);
int address_check(struct broker *b, struct buf *report);
int node_check(struct broker *b, struct buf *report);

#define COUNT(b, what, n) \
	STORE((b)->map->counts.what, (b)->map->counts.what + (n))

#endif
