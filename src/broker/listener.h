/* SPDX-License-Identifier: MIT */
/*
 * listener.h - the one channel that serves a session
 *
 * A channel attaches when its request comes, and detaches when its response
 * ends.  A session has at most one: attaching replaces the one before, whose
 * worker is rung and finds out when it next takes (delivery.h).
 *
 * Where each open channel holds a process, listen.slots says how many may: at
 * most half of them are streams, and streams and pulls that wait are no more
 * than all of them.  Who asks for more gets the next mode that there is room
 * for; a poll ends at once and needs no slot.  Room is looked for and taken
 * under one lock, so that no rush of listens takes more than there is.
 */
#ifndef BROKER_LISTENER_H
#define BROKER_LISTENER_H

#include "broker/broker.h"
#include "broker/session.h"

struct place {
	enum session_mode mode;		/* that there was room for */
	uint64_t channel;		/* its number; 0: none */
};

/* What a listen does: sets the mode of the session to the wish or what there
 * is room for, and replaces a channel that still serves it: by a stream, which
 * lives in the given worker, or by none.  DONE or GONE. */
enum outcome listener_listen(struct broker *b, struct session_ref ref,
			     uint32_t worker, enum session_mode wish,
			     struct place *place_out);

/* Attaches a new channel, of the mode wished or what there is room for; that of
 * the session stays.  What was handed to an earlier one but not committed will
 * be handed out again.  DONE or GONE. */
enum outcome listener_attach(struct broker *b, struct session_ref ref,
			     uint32_t worker, enum session_mode wish,
			     struct place *place_out);

/* Detaches, if the channel is still the session's; its lease starts to run. */
void listener_detach(struct broker *b, struct session_ref ref,
		     uint64_t channel);

#endif
