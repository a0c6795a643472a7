/* SPDX-License-Identifier: MIT */
/*
 * listener.h - the one channel that serves a session
 *
 * A channel attaches when its request comes, and detaches when its response
 * ends.  A session has at most one: attaching replaces the one before, whose
 * worker is rung and finds out when it next takes (delivery.h).
 */
#ifndef BROKER_LISTENER_H
#define BROKER_LISTENER_H

#include "broker/broker.h"
#include "broker/session.h"

/* Sets the mode of the session: what a listen asks for.  A channel that still
 * serves it is replaced by none.  DONE or GONE. */
enum outcome listener_mode(struct broker *b, struct session_ref ref,
			   enum session_mode mode);

/* Attaches a new channel, which lives in the given worker.  What was handed to
 * an earlier one but not committed will be handed out again.  DONE with the
 * channel's number, or GONE. */
enum outcome listener_attach(struct broker *b, struct session_ref ref,
			     uint32_t worker, uint64_t *channel_out);

/* Detaches, if the channel is still the session's; its lease starts to run. */
void listener_detach(struct broker *b, struct session_ref ref,
		     uint64_t channel);

#endif
