/* SPDX-License-Identifier: MIT */
/*
 * status.h - what is in the segment, copied out for operators
 */
#ifndef BROKER_STATUS_H
#define BROKER_STATUS_H

#include "broker/broker.h"
#include "broker/layout.h"
#include "broker/sample.h"

/* The counts, by name, as they are shown.  X(field, what it counts) */
#define STATUS_COUNTS(X) \
	X(joins, "Sessions that joined.") \
	X(leaves, "Sessions that left.") \
	X(expiries, "Sessions whose lease ended.") \
	X(aborts, "Sessions that were aborted: full queues, kicks.") \
	X(published, "Events published.") \
	X(queued, "Events put into queues of sessions.") \
	X(delivered, "Events delivered to sessions.") \
	X(lost, "Events lost to sessions that did not keep up.") \
	X(refused, "Requests refused, by a rule or for want of room.") \
	X(repairs, "Repairs of the segment, after a crash or by order.") \
	X(workers_reaped, "Processes found dead.") \
	X(sent, "Events sent to other nodes.") \
	X(received, "Events received from other nodes.") \
	X(missed, "Events of other nodes that never came.")

/* Another node of the cluster, as it is known here. */
struct status_node {
	char name[NODE_SIZE];
	uint64_t number;		/* its last event that came */
	uint64_t missed, bad;
	int64_t seen;			/* seconds since 1970; 0: never */
};

struct status {
	uint64_t epoch;
	int64_t created;
	uint64_t bytes;			/* of the segment */
	struct geometry geometry;
	struct sections at;
	struct counts counts;
	uint64_t log_head, log_tail;
	uint64_t history_head, history_tail;
	uint32_t sessions, subscriptions, workers;
	uint32_t by_mode[3];		/* sessions that listened, by mode */
	uint32_t listening;		/* with an open channel */
	uint32_t open[3];		/* those, by mode of the channel */
	uint64_t listen_slots;		/* for streams and waiting pulls */
	struct pace second, minute;	/* up to now; sample.h */
	uint64_t queued;		/* references in all queues */
	uint64_t queued_most;		/* in the fullest one */
	uint64_t waiting;		/* of these, those that no response */
	uint64_t waiting_most;		/* carried yet; in one queue */
	char node[NODE_SIZE];		/* "": alone */
	uint64_t numbered;		/* the last event that crosses */
	struct bridge bridge;
	uint64_t sessions_elsewhere;	/* at the other nodes */
	unsigned nodes_n;
	struct status_node nodes[NODES_MAX];
};

struct status_worker {
	uint32_t pid;
	int64_t since;
	uint32_t channels;
};

struct status_session {
	char handle[SESSION_HANDLE_SIZE];
	char address[ADDRESS_TEXT];
	unsigned format;
	unsigned mode;
	bool listened, listening;
	uint32_t pid;			/* of the worker that serves it */
	int64_t joined;			/* seconds since 1970 */
	int64_t lease_ms;		/* left; -1 while listening */
	uint64_t queued, waiting, delivered, lost;
	uint32_t subscriptions;
	struct buf subjects;		/* comma list; owned */
};

void status_read(struct broker *b, struct status *out);

/* Sessions that never listened. */
uint32_t status_modeless(const struct status *s);

/* Arrays on the heap, *n_out long; NULL when empty or out of memory.  The
 * caller frees them (status_sessions_free). */
struct status_worker *status_workers(struct broker *b, unsigned *n_out);
struct status_session *status_sessions(struct broker *b, unsigned *n_out);
void status_sessions_free(struct status_session *s, unsigned n);

/* Of one session, with the lock held; out is all zero. */
void status_session_copy(struct broker *b, const struct session *s,
			 int64_t now, struct status_session *out);

#endif
