/* SPDX-License-Identifier: MIT */
/*
 * node.h - other machines of the cluster, and how far their events are known
 *
 * A node numbers its events that cross: 1, 2, 3 ... for as long as its segment
 * lives; a new segment of that node has a higher epoch and begins anew.  What
 * is known of each node is in the segment, and changes with the very stores
 * that publish its events here: whoever carries them may die at any time, and
 * none is lost or doubled.
 *
 * Invariants (node_check()):
 *	a live node has a name, which no other one has
 *	no event of the log has a number that was not given yet
 */
#ifndef BROKER_NODE_H
#define BROKER_NODE_H

#include "broker/broker.h"
#include "broker/layout.h"

/* Where an event comes from. */
struct passage {
	uint32_t origin;		/* of node_enter() */
	uint64_t epoch;
	uint64_t number;		/* from 1 */
	int64_t time;			/* when it was published there */
};

/*
 * The origin that stands for a node, which is entered when it is new: last is
 * then the newest event it has for us now.  Of these, what an epoch older than
 * this segment published goes into the history alone: who listens here now was
 * not there then.  Returns 0 when NODES_MAX others were seen within a day.
 */
uint32_t node_enter(struct broker *b, const char *name, struct mark last);

/* How far its events are known: epoch 0 when none ever came. */
struct mark node_mark(struct broker *b, uint32_t origin);

/* An event that is not to be published here is known from now on; so is, with
 * the number 0, an epoch. */
void node_skip(struct broker *b, const struct passage *p);

/* Of the bridge alone.  The node lives: seen now; an entry was no event. */
void node_seen(struct broker *b, uint32_t origin);
void node_blame(struct broker *b, uint32_t origin);

#endif
