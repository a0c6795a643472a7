/* SPDX-License-Identifier: MIT */
/*
 * task.h - one request on its way through the controller
 *
 * Only files of src/command include this.  A function that carries out a
 * command answers by writing events to the task's answer and returns 0, or
 * returns -1 with the task's refusal filled: a nack (status 200) or an HTTP
 * error.  Nothing of the answer is written before all that can be refused has
 * been done.
 */
#ifndef COMMAND_TASK_H
#define COMMAND_TASK_H

#include "broker/session.h"
#include "command/answer.h"
#include "command/command.h"
#include "command/controller.h"
#include "command/origin.h"
#include "command/permit.h"

struct task {
	struct controller *controller;
	struct broker *broker;
	const struct request *request;
	struct response *response;
	const struct properties *rules;	/* of the permit */
	struct permit *permit;		/* held */
	struct command command;
	struct session_view session;
	uint64_t settled;		/* of its events, known to be there */
	uint64_t last;			/* p_last, or 0 */
	char head[ORIGIN_HEAD];		/* more lines of the answer's head */
	const struct adapter *adapter;	/* of the answer */
	const char *callback;		/* p_callback, or NULL */
	struct answer answer;
	int status;			/* HTTP status of that; 0: 200 */
	struct refusal refusal;
	unsigned wait;			/* ms until asking again may help */
	bool denied;			/* the refusal is one by a rule */
};

/* A field of the request, or NULL. */
const char *task_field(const struct task *t, const char *name);

/* Where the client is, as text: what the last proxy says in a header, if that
 * is to be trusted (address.header), else the peer of the web server. */
const char *task_address(const struct task *t);

/* Begins the answer with one event: its name, then names and values in pairs,
 * up to NULL; a value that is NULL leaves its pair out.  Returns 0. */
int task_acknowledge(struct task *t, const char *name, ...)
	__attribute__((sentinel));

/* The answer is whole as it stands.  Returns 0. */
int task_complete(struct task *t);

/* What the broker would not do (outcome.h).  Returns -1. */
int task_refuse(struct task *t, enum outcome outcome, const char *what);

/* Joins a session of the chosen format, reliable if the request wants it or
 * the format needs it. */
int task_join(struct task *t);

/* "1" if the request asked for a reliable session, else NULL: what the
 * acknowledgement says of it. */
const char *task_reliable(const struct task *t);

/* Reads how many earlier events a subscription is to begin with.  Returns 0, or
 * -1 when p_last is no number. */
int task_last(struct task *t);

/* Reads a whole number of at most 18 digits.  Returns 0, or -1. */
int task_number(const char *text, uint64_t *n_out);

/* listening.c: the commands that open a data channel. */
int listening_join(struct task *t);
int listening_listen(struct task *t);
int listening_refresh(struct task *t);

/* What p_ack (or Last-Event-ID) says has arrived, if it says anything.  back:
 * the client has come for more, and what responses carried counts as arrived
 * unless it says otherwise. */
int listening_acknowledge(struct task *t, bool back);

#endif
