/* SPDX-License-Identifier: MIT */
/*
 * controller.h - what each command does
 *
 * controller_serve() runs in any number of threads at once.  A command that
 * opens a data channel leaves it in response->parked, for whoever wrote the
 * response to hand to the reactor along with the connection.
 */
#ifndef COMMAND_CONTROLLER_H
#define COMMAND_CONTROLLER_H

#include <pthread.h>

#include "broker/broker.h"
#include "broker/properties.h"
#include "command/permit.h"
#include "fcgi/servlet.h"

struct controller {
	struct broker *broker;
	uint32_t worker;		/* where channels will live */
	pthread_rwlock_t lock;		/* of what follows */
	struct permit *permit;
};

/* Takes over the permit, to drop it in the end. */
void controller_init(struct controller *c, struct broker *b, uint32_t worker,
		     const struct properties *p, struct permit *permit);
void controller_release(struct controller *c);

/* Takes over the properties that may change, and what was made of them. */
void controller_settle(struct controller *c, const struct properties *p,
		       struct permit *permit);

/* As fcgi/servlet.h: of a request, by the rules in force now. */
void controller_limits(struct controller *c, uint64_t *body_out,
		       uint64_t *timeout_out);

void controller_serve(struct controller *c, const struct request *q,
		      struct response *r);

#endif
