/* SPDX-License-Identifier: MIT */
/*
 * client.h - one of the many clients of a load
 *
 * A client has a connection and works through a script of requests, the next
 * one as soon as the answer before is whole; behind the last it goes on with a
 * given one.  A stream is a client whose last answer does not end.
 *
 * In the targets, '@' stands for the session id that an answer brought.
 *
 * Events with an attribute b="NUMBER NANOSECONDS ..." are checked and timed:
 * each client must get every number once and in order.  The nanoseconds are
 * CLOCK_MONOTONIC when the event was made.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "reader.h"

enum { SCRIPT_MAX = 8, CLIENT_ID = 64 };

struct script {
	struct sockaddr_in address;
	unsigned loop;			/* the request behind the last */
	unsigned n;
	char *targets[SCRIPT_MAX];
};

/* What all clients of a load add up to; cleared by each new measurement. */
struct tally {
	struct histogram latencies;
	uint64_t deliveries;
	uint64_t answers;		/* whole ones, of the script's loop */
	uint64_t lost;			/* events, as p_lost tells */
	uint64_t wrong;			/* events missing, twice or astray */
	uint64_t bytes;
	uint64_t reconnects;
	uint64_t first, last;		/* ns of the deliveries */
	char complaint[200];		/* the first */
};

struct client {
	int fd;				/* -1: not connected */
	unsigned step;			/* of the script */
	bool ready;			/* the head of a loop's answer came */
	bool done;			/* this answer is whole */
	bool failed;
	uint64_t next;			/* number of the next event */
	char id[CLIENT_ID];
	struct reader reader;
	struct buf text;		/* the beginning of an event */
	const struct script *script;
	struct tally *tally;
};

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t client_now(void);

/* Connects and sends the request of the current step.  0, or -1 with errno. */
int client_connect(struct client *c);

/* Reads once what there is.  0, or -1: failed, and tally->complaint says why.
 * Connects anew by itself where the server ends connections; fd changes then,
 * which is said in *moved_out. */
int client_read(struct client *c, bool *moved_out);

/* Resets the connection, and frees. */
void client_close(struct client *c);

#endif
