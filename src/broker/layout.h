/* SPDX-License-Identifier: MIT */
/*
 * layout.h - THE MAP of the segment
 *
 *	+--------------------------------------------------------------+
 *	| struct layout: head, lock, geometry, log head, pools, counts |
 *	+--------------------------------------------------------------+
 *	| workers[]        struct worker          pid, doorbell        |
 *	| ready[][]        uint64_t bits          per worker, a bit a  |
 *	|                                         session              |
 *	| sessions[]       struct session         id, state, queue     |
 *	|                                         counters, listener   |
 *	| queues[][]       struct ref             per session a ring   |
 *	| subscriptions[]  struct subscription    + subject + label    |
 *	| topics[]         struct bucket          hash buckets         |
 *	| lengths[]        uint32_t               topics by length     |
 *	| addresses[]      uint32_t               hash buckets         |
 *	|                  struct rate            requests of a site   |
 *	| log              bytes                  ring of log_record   |
 *	| history          bytes                  the same             |
 *	+--------------------------------------------------------------+
 *
 * Rules, for every field below unless it says otherwise:
 *
 *  - It is written only through shm/store.h and only by who holds the lock.
 *  - "primary": true by itself.  "derived": can be computed from the primary
 *    records, and repair (repair.c) computes it whenever a lock holder died.
 *    "commit": the one store that makes a primary record real; all fields it
 *    vouches for are stored before it.
 *  - Positions, queue counters and times are 64 bits and never wrap.
 *  - Indexes may be NONE.  Nothing read from here is trusted: indexes and
 *    lengths are checked against the geometry before use.
 *
 * Changing anything here: count LAYOUT_VERSION up.
 */
#ifndef BROKER_LAYOUT_H
#define BROKER_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "broker/address.h"
#include "shm/lock.h"
#include "shm/pool.h"
#include "shm/segment.h"

#define LAYOUT_VERSION 7

/* Ids and handles: broker/name.h.  The lengths are without NODE and its '-',
 * the sizes with that and NUL. */
#define INDEX_DIGITS 6
#define SESSION_ID_LEN (32 + INDEX_DIGITS)
#define SESSION_HANDLE_LEN (12 + INDEX_DIGITS)
#define NODE_TAG_LEN 8			/* the longest name of a node */
#define SESSION_ID_SIZE (NODE_TAG_LEN + 1 + SESSION_ID_LEN + 1)
#define SESSION_HANDLE_SIZE (NODE_TAG_LEN + 1 + SESSION_HANDLE_LEN + 1)
#define SESSIONS_LIMIT (1u << 24)	/* what 6 digits can name */
#define WORKERS_LIMIT 4096
#define HISTORY_SUBJECTS_SIZE 256	/* a comma list, NUL */
#define NODE_SIZE 12			/* NODE_TAG_LEN, NUL */
#define NODES_MAX 64			/* that a segment knows beside its own */
#define CROSSING_SIZE 256		/* a comma list, NUL */
#define ELSEWHERE_SLOTS 4096		/* a power of two; half of it is used */
#define REASON_SIZE 80			/* of a kick, NUL */
#define SAMPLES 64			/* seconds that rates look back, and more */
#define CACHE_LINE 64			/* what is used together begins one */

/* Chosen by the creator, read by everybody else, never changed. */
struct geometry {
	uint32_t sessions;
	uint32_t subscriptions;
	uint32_t workers;
	uint32_t queue;			/* references a session can hold */
	uint32_t topics;		/* buckets; a power of two */
	uint32_t subject_bytes;		/* longest subject, without NUL */
	uint32_t subscription_bytes;	/* stride: struct and texts */
	uint32_t ready_words;		/* uint64_t words a worker */
	uint64_t log_bytes;		/* a multiple of LOG_ALIGN */
	uint64_t history_bytes;		/* likewise; may be 0 */
	uint64_t seed;			/* of the topic hash; random */
};

/* Offsets of the sections from the start of the segment. */
struct sections {
	uint64_t workers;
	uint64_t ready;
	uint64_t sessions;
	uint64_t queues;
	uint64_t subscriptions;
	uint64_t topics;
	uint64_t lengths;
	uint64_t addresses;		/* one bucket a session, rates[] */
	uint64_t log;
	uint64_t history;
	uint64_t end;
};

/* The properties that every process must follow alike, publishers too, who
 * read no properties file.  Whoever serves sets them (broker_settle()). */
struct rules {
	uint64_t session_timeout;	/* ms */
	uint64_t session_subscriptions;
	uint64_t event_bytes;
	uint64_t event_attributes;
	uint64_t pull_timeout;		/* ms */
	uint64_t poll_timeout;		/* ms */
	uint64_t write_timeout;		/* ms; of paced publishers */
	uint32_t overflow;		/* enum queue_overflow */
	uint32_t publish_from;		/* enum publish_from */
	uint64_t listen_slots;		/* 0: no limit */
	uint64_t address_sessions;	/* 0: no limit */
	uint32_t meta_events;		/* enum meta_events */
	uint32_t reserved;
	uint64_t history_max;		/* events of one subscription */
	uint64_t history_seconds;	/* 0: no limit */
	char history_subjects[HISTORY_SUBJECTS_SIZE];
	char node[NODE_SIZE];		/* its name in a cluster; "": alone */
	uint32_t reserved_too;
	char bridge_include[CROSSING_SIZE];
	char bridge_exclude[CROSSING_SIZE];
};

/* Statistics since the segment was made; a crash may leave one uncounted. */
struct counts {
	uint64_t joins;
	uint64_t leaves;
	uint64_t expiries;
	uint64_t aborts;
	uint64_t published;
	uint64_t queued;		/* references put into queues */
	uint64_t delivered;		/* references committed as delivered */
	uint64_t lost;			/* dropped from queues, or overrun */
	uint64_t refused;		/* by a rule, or for want of room */
	uint64_t repairs;
	uint64_t workers_reaped;
	uint64_t sent;			/* to other nodes */
	uint64_t received;		/* from other nodes */
	uint64_t missed;		/* published there, and never came */
};

/* The counts as they were at a time.  One that is being written has time 0. */
struct sample {
	int64_t time;			/* clock_ms(); its store commits */
	struct counts counts;
};

/* Channels up to a number are to end until a time, a few at a time. */
struct drain {
	uint64_t channels;		/* the last one's number */
	int64_t until;			/* clock_ms(); its store commits */
};

/* A bucket of requests: broker/rate.h.  Neither primary nor derived: it may say
 * anything, and is right again after two seconds. */
struct rate {
	uint64_t site;			/* hash; whose it is */
	int64_t full_at;		/* microseconds of the clock of leases */
};

#define RATES 4096
#define RATE_WAYS 4			/* places that a site may have */

/*
 * The event log: records lie one after another in a ring of log_bytes; the
 * record at position p starts at byte p % log_bytes.  Whole records lie in
 * [tail, head).  A record that would cross the end of the ring is preceded by
 * a filler up to the end.
 *
 * Appending: tail is moved over what will be overwritten, the record is
 * written, fanout is set, head commits it.
 *
 * An event that reached no queue is taken back, so that the next one is written
 * over it: a flood for nobody pushes out nothing.
 *
 * The history is such a ring, too, without a fanout: copies of events that
 * those who come later may want.  No queue refers to it.
 */
struct log_head {
	uint64_t head;			/* primary; its store commits */
	uint64_t tail;			/* primary */
	/* The record whose references are being put into queues, or 0.  A
	 * repair that finds it below head does that again; above, it was
	 * never committed. */
	uint64_t fanout;
	uint64_t newest;		/* derived: the last event, or 0 */
};

#define LOG_ALIGN 16			/* a filler's first 16 bytes fit */

/* A target that is a session of another machine, whose name p_to has: the event
 * reaches nobody here, and stays for who carries it there. */
#define FAR (NONE - 1)

/* LOG_REPLAY: a copy out of the history, for one subscription. */
enum { LOG_FILLER = 1, LOG_EVENT = 2, LOG_REPLAY = 3 };

struct log_record {
	uint64_t position;		/* its own; anything else: damage */
	uint32_t bytes;			/* whole record, multiple of LOG_ALIGN */
	uint32_t kind;
	/* a filler ends here */
	int64_t time;			/* seconds since 1970 */
	uint32_t target;		/* session of a unicast, FAR, or NONE;
					 * of a replay the subscription */
	union {
		uint32_t target_generation;
		uint32_t copy;		/* without a target: the place of its
					 * copy in the history, or 0, in units
					 * of LOG_ALIGN */
	};
	uint32_t packed_bytes;		/* attributes, broker/event.h */
	uint32_t subject_offset;	/* in the attributes: text of subject */
	uint32_t subject_bytes;
	uint32_t back;			/* derived: to the event before, in
					 * units of LOG_ALIGN; 0: none */
	uint64_t number;		/* among those of its node that cross;
					 * 0: it does not */
	uint32_t origin;		/* 0: published here; else the node at
					 * nodes[origin - 1] */
	uint32_t flags;			/* enum record_flags */
	/* packed attributes follow */
};

enum record_flags {
	RECORD_PAST = 1			/* for the history alone */
};

/* What a queue holds: which event, because of which subscription. */
struct ref {
	uint64_t position;		/* of the log record */
	uint32_t subscription;		/* index, or NONE for a unicast */
	uint32_t generation;		/* of the subscription */
};

/* A queue's ring has one place more than it may hold: writing a reference
 * leaves the last one alone, which tells repair what was pushed already. */
static inline uint64_t queue_ring(const struct geometry *g)
{
	return (uint64_t)g->queue + 1;
}

enum session_flags {
	SESSION_LISTENED = 1,		/* has a mode; may refresh */
	SESSION_ABORTED = 2,		/* over; its channel owes it an abort,
					 * for that reason */
	SESSION_RELIABLE = 4,		/* its client names what arrived */
	SESSION_YIELDED = 8		/* asked for more than its mode */
};

enum { KEYS = 8 };			/* of publishes that a session knows */

/*
 * The queue of a session: ring[tail % n] .. ring[(head - 1) % n], n being
 * queue_ring():
 *	tail <= sent <= head, head - tail <= geometry.queue
 *	carried <= head, settled <= tail, known <= tail - settled
 * [tail, sent) was handed to the listener and is not yet known to have
 * arrived; [sent, head) waits.  A reference is written before head commits it.
 * Responses took all before carried: it leaves the queue when the client says
 * that it arrived, or comes back without a word (delivery_acknowledge()).
 * All before settled is counted as delivered or lost; [settled, tail) was
 * dropped, but known of them, while a listener had it.
 * One whose event the log has overrun gets position 0 when it is counted as
 * lost.
 *
 * head, sent and carried may change alone, all others by a move.
 */
struct queue {
	uint64_t head;			/* primary; its store commits */
	uint64_t tail;			/* primary */
	uint64_t sent;			/* primary, reset to tail at will */
	uint64_t carried;		/* primary */
	uint64_t settled;		/* primary */
	uint64_t known;			/* primary: counted as lost when they
					 * were dropped */
	uint64_t delivered;		/* primary; since joined */
	uint64_t lost;			/* primary; since joined */
};

/* The change of a queue that is under way: what happens to an event and what is
 * counted for it happen together.  A repair finishes it. */
struct queue_move {
	struct queue to;		/* head and carried stay as they are */
	uint64_t gone;			/* 0, or 1 more than the counter of a
					 * reference that gets position 0 */
	uint32_t session;		/* 1 more than its index; its store
					 * commits; 0: no move */
	uint32_t reserved;
};

/* A session.  State SLOT_LIVE commits it. */
struct session {
	/* What publishing looks at, two cache lines. */
	_Alignas(CACHE_LINE) struct slot slot;
	uint64_t channel;		/* that serves it now: its number, or 0:
					 * no listener */
	uint32_t worker;		/* where it lives; index */
	uint8_t format;			/* number of the adapter */
	uint8_t mode;			/* enum session_mode */
	uint16_t flags;			/* enum session_flags */
	int64_t lease_end;		/* clock_ms(); not while listening */
	int64_t served;			/* clock_ms() of the last data answer */
	uint64_t lost_told;		/* of queue.lost, to the client */
	uint32_t served_as;		/* enum session_mode of the channel */
	uint32_t first_subscription;	/* derived */
	_Alignas(CACHE_LINE) struct queue queue;

	char id[SESSION_ID_SIZE];
	char handle[SESSION_HANDLE_SIZE];
	struct address address;		/* of the client that joined */
	uint32_t address_next;		/* derived: sessions of a bucket */
	uint32_t address_previous;	/* derived; NONE: heads its bucket */
	uint32_t subscription_count;	/* derived: slots, parts too */
	int64_t joined;			/* seconds since 1970 */
	char reason[REASON_SIZE];	/* of an abort; "": its queue was full */
	int64_t publish_full;		/* as rate.full_at, of its publishes */
	char user[64];			/* who joined, or ""; broker/owner.h */
	uint64_t keys[KEYS];		/* primary: of its last publishes that
					 * had one (p_key), hashed; 0: none */
	uint32_t keys_next;		/* where the next one goes, modulo KEYS */
};

enum { SUBSCRIPTION_PART = 2 };		/* slot state, beside SLOT_LIVE */

/*
 * A subscription to one subject.  A comma list of n subjects is one
 * subscription of n slots: the first is SLOT_LIVE and has the sid and the
 * label, the others are SUBSCRIPTION_PART and exist only as long as the first
 * leads to them.  The store of SLOT_LIVE to the first commits all.
 */
struct subscription {
	struct slot slot;
	uint32_t session;
	uint32_t session_generation;	/* else the subscription is void */
	uint32_t first;			/* index of the first part */
	uint32_t next_part;		/* index or NONE */
	uint32_t next_of_session;	/* derived; only in first parts */
	uint32_t topic_next;		/* derived: same subject */
	uint32_t topic_previous;	/* derived; NONE: heads its topic */
	uint32_t bucket_next;		/* derived; next topic, if it heads one */
	uint32_t counted;		/* derived: 1 if it counts its session
					 * among those of the topic */
	uint32_t online;		/* derived: sessions, if it heads one */
	uint32_t peak;			/* primary: the most there were */
	uint16_t subject_bytes;
	uint16_t label_bytes;		/* 0xffff: no label */
	char text[];			/* subject, label; no NULs */
};

#define NO_LABEL 0xffff

/* Topics whose subjects have like hashes.  Most subjects that nobody subscribed
 * to are found out without a look at a subscription. */
struct bucket {
	uint32_t first;			/* derived: a head of a topic, or NONE */
	uint32_t kinds;			/* derived: of each topic here a bit
					 * that its hash names; maybe more */
};

/* A process that holds open channels.  State SLOT_LIVE commits it. */
struct worker {
	struct slot slot;
	uint32_t pid;
	uint32_t bell;			/* shm/bell.h; no lock needed */
	uint64_t started;		/* shm/proc.h */
	int64_t since;			/* seconds since 1970 */
	uint64_t reserved[3];
};

/*
 * Several machines: each is a node with a segment.  What is published in one
 * and crosses has a number there: 1, 2, 3 ... without holes (layout.numbered).
 * A bridge carries it to all others: broker/bridge.h, src/bridge.
 */

/* How far a node's events are known here. */
struct mark {
	uint64_t epoch;			/* which segment of that node; 0: none */
	uint64_t number;		/* its last event that we know */
	uint64_t missed;		/* so many before it never came */
};

/* Another node.  State SLOT_LIVE commits its name, which stays.  Of the marks
 * the one at (current & 1) counts: a new one is written beside it, and the
 * store of current commits it.  One event after the other only needs a store
 * of number. */
struct node {
	char name[NODE_SIZE];
	uint32_t state;
	uint32_t current;		/* primary */
	uint32_t reserved;
	struct mark mark[2];		/* primary */
	struct mark past;		/* primary: what was published up to
					 * there is older than this segment */
	/* Of the bridge alone, without the lock: */
	uint64_t bad;			/* entries that were no events */
	int64_t seen;			/* seconds since 1970; 0: never */
};

/* The process that carries events to and from other nodes.  It writes its
 * fields itself, without the lock, but for pid and started. */
struct bridge {
	uint32_t pid;			/* its store commits; 0: none */
	uint32_t bell;			/* shm/bell.h; no lock needed */
	uint64_t started;		/* shm/proc.h */
	int64_t since;			/* seconds since 1970 */
	uint32_t connected;		/* 1: both its links stand */
	uint32_t reserved;
	int64_t changed;		/* when that changed; as since */
	uint64_t sent;			/* the last number that is elsewhere */
	uint64_t unsent;		/* so many never got there: the log
					 * has overrun them */
	uint64_t reserved_too;
};

/* How many sessions of other nodes subscribed to a subject. */
struct elsewhere_count {
	uint64_t subject;		/* its hash; 0: a free place */
	uint32_t online;
	uint32_t reserved;
};

/* Who is at all other nodes together.  The bridge writes it anew every other
 * second; without that it ends.  A hash table with open addressing. */
struct elsewhere {
	int64_t until;			/* clock_ms(); its store commits */
	uint64_t sessions;
	uint64_t peak;			/* of all sessions, ours too */
	uint32_t watchers;		/* subscriptions below /meta */
	uint32_t reserved;
	struct elsewhere_count counts[ELSEWHERE_SLOTS];
};

/* The key of the event that is being published, by whom; for who finishes the
 * fan-out if its publisher dies. */
struct keyed {
	uint64_t hash;			/* 0: it has none; its store commits */
	uint32_t session;
	uint32_t generation;
};

struct layout {
	struct segment_head head;
	struct shared_lock lock;
	struct geometry geometry;	/* primary, constant */
	struct sections at;		/* primary, constant */
	uint64_t epoch;			/* random; tells segments apart */
	int64_t created;		/* seconds since 1970 */
	int64_t expiry_due;		/* clock_ms() of the next sweep */
	int64_t reap_due;		/* clock_ms(); the same for workers */
	uint64_t channels;		/* number of the last listener */
	uint32_t open[4];		/* derived: listeners, by served_as */
	uint64_t sessions_peak;		/* primary: the most there were */
	uint64_t watchers;		/* derived: subscriptions below /meta */
	struct rules rules;		/* primary */
	struct log_head log;
	struct log_head history;
	struct keyed keyed;		/* primary */
	struct queue_move move;		/* primary */
	struct pool_head workers;
	struct pool_head sessions;
	struct pool_head subscriptions;
	struct counts counts;
	struct drain drain;		/* primary */
	int64_t sample_due;		/* clock_ms(); as expiry_due */
	struct sample samples[SAMPLES];	/* statistics; a ring, by time */
	uint64_t born;			/* primary: this segment's epoch among
					 * those of its node; ms since 1970 */
	uint64_t numbered;		/* primary: the last number given */
	struct bridge bridge;
	struct node nodes[NODES_MAX];
	struct elsewhere elsewhere;
};

_Static_assert(sizeof(struct ref) == 16, "a queue entry is 16 bytes");
_Static_assert(sizeof(struct log_record) % LOG_ALIGN == 0,
	       "attributes follow the record head");
_Static_assert(offsetof(struct log_record, time) == LOG_ALIGN,
	       "a filler fits wherever a record may end");
_Static_assert(offsetof(struct session, id) == 2 * CACHE_LINE,
	       "publishing looks at two cache lines");
_Static_assert(sizeof(struct subscription) == CACHE_LINE,
	       "matching looks at one, and the subject");
_Static_assert(sizeof(struct worker) == 64, "a doorbell a cache line");
_Static_assert(sizeof(struct log_record) == 64, "no hidden bytes");
_Static_assert(offsetof(struct layout, lock) % 8 == 0, "aligned lock");

/* Folds version and sizes into the stamp of the segment, so that programs
 * compiled differently refuse each other. */
static inline uint64_t layout_stamp(void)
{
	return (uint64_t)LAYOUT_VERSION << 48 ^
	       (uint64_t)sizeof(struct layout) << 32 ^
	       (uint64_t)sizeof(struct session) << 16 ^
	       (uint64_t)sizeof(struct subscription) << 8 ^
	       sizeof(struct log_record);
}

#endif
