/* SPDX-License-Identifier: MIT */
/*
 * servlet.h - threads that read a request, serve it and answer
 *
 * A connection is offered when it has something to read.  A thread lets
 * libfcgi parse the request from it, calls serve(), and writes the answer.
 * Then the request ends; or, if serve() parked it, the connection leaves
 * libfcgi with its response open and goes to park().
 *
 * A connection belongs to the servlet from servlet_offer() until park() is
 * called, or to its end.  A peer that stalls holds one thread for at most the
 * request timeout.  After an answer the connection is always closed: a kept
 * one would hold its thread.
 */
#ifndef FCGI_SERVLET_H
#define FCGI_SERVLET_H

#include <stdint.h>

#include "base/buf.h"
#include "fcgi/request.h"

struct servlet;

struct response {
	struct buf bytes;	/* head and body in CGI syntax (RFC 3875) */
	void *parked;		/* not NULL: keep the response open */
};

struct servlet_calls {
	/* Serves a request; both structs live until it returns. */
	void (*serve)(void *arg, const struct request *q, struct response *r);
	/* Takes over a connection whose head and first bytes are written, with
	 * its FastCGI request id, and what serve() parked; fd is -1 when the
	 * peer had gone: then there is only parked to release. */
	void (*park)(void *arg, void *parked, int fd, int request);
	/* The bounds in force: bytes of a body, milliseconds of a request. */
	void (*limits)(void *arg, uint64_t *body_out, uint64_t *timeout_out);
	void *arg;
};

/* Starts so many threads (at least 1).  NULL with errno when it cannot.
 * All signals stay blocked in them. */
struct servlet *servlet_start(unsigned threads,
			      const struct servlet_calls *calls);

/* Gives a connected, blocking descriptor to the next free thread.  Returns -1
 * with ENOMEM, and the descriptor closed. */
int servlet_offer(struct servlet *s, int fd);

/* Connections that wait for a thread. */
unsigned servlet_waiting(struct servlet *s);

/* To be called about once a second: shuts down connections whose request has
 * taken longer than its timeout, so that their threads come back. */
void servlet_tick(struct servlet *s);

/* Answers what was offered, ends the threads and frees everything.  Requests
 * that still stall are cut. */
void servlet_stop(struct servlet **s);

#endif
