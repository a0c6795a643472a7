/* SPDX-License-Identifier: MIT */
/*
 * acceptor.h - connections of the web server, until they have something to say
 *
 * Accepts on the listening socket and passes each connection on as soon as it
 * is readable, so that a peer that connects and says nothing costs a
 * descriptor for a bounded time, and no thread.
 *
 * With unwrap() it is not the web server that connects but a relay: the first
 * thing to read brings the connection of the web server, which then is waited
 * for and passed on like any other.
 */
#ifndef CHANNEL_ACCEPTOR_H
#define CHANNEL_ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct acceptor;

struct acceptor_calls {
	/* May whoever is at the other end be served?  If not, its connection is
	 * closed.  NULL: everybody. */
	bool (*admit)(void *arg, int fd);
	/* Takes over a descriptor with something to read; returns the connection
	 * that came out of it, or -1.  NULL: it is the connection itself. */
	int (*unwrap)(void *arg, int fd);
	/* Takes over a connected, blocking descriptor. */
	void (*ready)(void *arg, int fd);
	/* Is there so much to do that accepting should pause? */
	bool (*busy)(void *arg);
	void *arg;
};

/* Starts to accept on a listening descriptor, which stays the caller's.  NULL
 * with errno. */
struct acceptor *acceptor_start(uv_loop_t *loop, int listen_fd,
				const struct acceptor_calls *calls);

/* About once a second: closes connections that were silent for timeout
 * milliseconds, and goes on accepting after a pause. */
void acceptor_tick(struct acceptor *a, uint64_t timeout);

/* Stops accepting and closes the silent.  The memory is freed by the loop's
 * next turn. */
void acceptor_stop(struct acceptor *a);

#endif
