/* SPDX-License-Identifier: MIT */
/*
 * channel.h - a data channel: what a listen or refresh is still owed
 *
 * A channel is an open response whose connection has left libfcgi.  It writes
 * FCGI_STDOUT records and never waits: what the kernel does not take at once
 * is held (at most one batch of events, or the last words), and nothing more
 * is taken from the queue until that is gone.
 *
 * Life: channel_new() by the request's thread; adopted by the reactor, with
 * its connection; writes; ends (its last words are written, or the peer is
 * gone) and is freed by the reactor.  From the adoption on only the loop's
 * thread touches it.
 */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include <uv.h>

#include "broker/session.h"
#include "channel/adapter.h"
#include "fcgi/record.h"

struct reactor;

struct channel {
	uv_poll_t poll;			/* the connection; data: the channel */
	struct reactor *reactor;
	struct channel *older, *newer;		/* all of a reactor */
	struct channel *quieter, *livelier;	/* all, by quiet_since */
	struct channel *next_ready;		/* ready.h */
	const struct adapter *adapter;
	char *url;			/* that a refresh names, but for the
					 * eid at its end; owned */
	struct buf held;		/* records the kernel has not taken */
	struct session_ref ref;
	uint64_t number;		/* broker/listener.h */
	uint64_t counter;		/* written, to be committed; 0: none */
	uint64_t lost_told;		/* likewise */
	int64_t opened;			/* clock_ms() */
	int64_t quiet_since;		/* clock_ms() of the last write */
	unsigned seq;			/* p_seq of the last event */
	uint64_t eid;			/* of the last event its client has */
	unsigned written;		/* data events of this response */
	uint64_t bytes;			/* of this response, data events only */
	int fd;
	int request;			/* FastCGI request id */
	uint8_t mode;			/* enum session_mode */
	bool wrote;			/* events in the last batch */
	bool ready;			/* is in the reactor's ready list */
	bool ending;			/* last words are written or held */
	bool watching_write;		/* poll waits for room, too */
	bool answered;			/* a pull or poll has had its answer */
	bool reliable;			/* its client acknowledges events */
	bool tired;			/* a drain sends its client away */
	bool overdue;			/* rung for while it held something */
	bool losing;			/* losses are logged, and not told yet */
};

struct channel_plan {
	struct session_ref ref;
	uint64_t number;
	enum session_mode mode;
	const struct adapter *adapter;
	uint64_t eid;			/* of the last event its client has */
	const char *id;			/* of the session, for the url */
	const char *path;		/* of the request, not ended by NUL */
	size_t path_len;
};

enum written {
	WRITTEN,			/* the kernel has it all */
	HELD,				/* a part is held */
	PEER_GONE
};

/* NULL when out of memory. */
struct channel *channel_new(const struct channel_plan *plan);

/* Frees the memory; not the connection. */
void channel_free(struct channel *c);

/* Writes what stands in record behind RECORD_HEAD bytes of room (record_room())
 * as a record, or as several.  Not while something is held. */
enum written channel_write(struct channel *c, struct buf *record);

/* The same, and releases it; what could not be rendered for lack of memory ends
 * the channel. */
enum written channel_say(struct channel *c, struct buf *record);

/* Tries to get rid of what is held. */
enum written channel_flush(struct channel *c);

/* Append an event of the server's own to out, which fails if it is not whole:
 * hb, abort. */
void channel_heartbeat(struct channel *c, struct buf *out);
void channel_abort(struct channel *c, struct buf *out, const char *reason);

/* Appends a refresh: come back after so many milliseconds. */
void channel_refresh(struct channel *c, struct buf *out, uint64_t wait);

/* Writes the content and, behind it, the end of the response, and releases the
 * content.  May be called while something is held. */
enum written channel_finish(struct channel *c, struct buf *content);

/* Reads what came from the web server, which has no more to say than that it
 * hangs up or (by the book; none does) aborts.  Did it? */
bool channel_hung_up(struct channel *c);

/* Appends to url_out the URL that a refresh names, up to the number of the
 * last event that its reader has. */
void channel_url(struct buf *url_out, const char *path, size_t path_len,
		 const char *id);

#endif
