/* SPDX-License-Identifier: MIT */
/*
 * pushlet.h - libpushlet: publish events from a program of your own
 *
 *	struct pushlet_attribute weather[] = {
 *		{ "city", "Oslo" }, { "celsius", "-3" }
 *	};
 *	struct pushlet_error error;
 *	struct pushlet *p;
 *
 *	if (pushlet_open(&p, "/pushlet", &error) != PUSHLET_OK ||
 *	    pushlet_publish(p, "/weather/oslo", weather, 2, NULL, NULL,
 *			    &error) != PUSHLET_OK)
 *		fprintf(stderr, "weather: %s\n", error.text);
 *	pushlet_close(&p);
 *
 * Calling sequence: pushlet_open() attaches to the shared memory of a running
 * pushletd, pushlet_publish() any number of times, pushlet_close().  An event
 * goes straight into the shared memory: when pushlet_publish() has returned
 * PUSHLET_OK it is in the queues of its receivers, whatever happens to this
 * process or to pushletd then.  It never waits for a client, unless it is told
 * to (pushlet_pace()).
 *
 * When the segment was destroyed (pushletctl destroy) and a server has made
 * it anew, the next pushlet_publish() attaches to the new one by itself.  In
 * between it returns PUSHLET_MISSING, and may be called again later.
 *
 * Threads: all functions may be called from any thread.  One struct pushlet
 * may be used by many threads at once, except that pushlet_close() must come
 * after every other call has returned.  After fork(2) the child opens its
 * own.
 *
 * Texts are UTF-8 that ends with NUL.  They are copied; nothing that is passed
 * in need live on.  Link with -lpushlet.
 */
#ifndef PUSHLET_H
#define PUSHLET_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PUSHLET_API __attribute__((visibility("default")))

/* An attachment to one segment. */
struct pushlet;

struct pushlet_attribute {
	const char *name;	/* an XML name without ':', not "xmlns" */
	const char *value;	/* neither is NULL */
};

enum pushlet_status {
	PUSHLET_OK = 0,

	/* The segment. */
	PUSHLET_MISSING,	/* there is none of that name */
	PUSHLET_DENIED,		/* its permissions exclude this user */
	PUSHLET_OTHER_LAYOUT,	/* made by another version of pushletd */
	PUSHLET_DAMAGED,	/* damaged, or no pushlet segment at all */

	/* What was passed in. */
	PUSHLET_BAD_SEGMENT,	/* the segment's name is none */
	PUSHLET_NO_SUBJECT,	/* NULL or "" */
	PUSHLET_BAD_SUBJECT,	/* too long, not UTF-8, or a reserved one */
	PUSHLET_BAD_NAME,	/* of an attribute: no XML name, or twice */
	PUSHLET_BAD_VALUE,	/* of an attribute: not UTF-8 */
	PUSHLET_TOO_LARGE,	/* too many attributes or bytes in all */

	/* The machine. */
	PUSHLET_NO_MEMORY,	/* of this process */
	PUSHLET_SYSTEM		/* anything else; errno is set */
};

/* What went wrong, for people: one line without newline that says which thing,
 * why, and what is allowed.  Control characters in it are shown as '?'. */
struct pushlet_error {
	enum pushlet_status status;
	char text[256];
};

/*
 * Attaches to the segment of that name: "/" and up to 62 bytes without another
 * "/".  Never makes one.  Returns PUSHLET_OK with *p_out, which the caller
 * gives to pushlet_close(); else PUSHLET_MISSING, _DENIED, _OTHER_LAYOUT,
 * _DAMAGED, _BAD_SEGMENT, _NO_MEMORY or _SYSTEM, with *p_out NULL and, if
 * error_out is not NULL, *error_out filled.
 */
PUSHLET_API enum pushlet_status pushlet_open(struct pushlet **p_out,
	const char *segment, struct pushlet_error *error_out);

/*
 * Publishes one event with n attributes.  subject is "/a/b": sessions that
 * subscribed to it, or to a beginning of it, receive the event.  to is NULL,
 * or the handle (or id) of the one session that shall receive it instead.
 * Attributes whose names begin with "p_" belong to the protocol and are left
 * out.
 *
 * Returns PUSHLET_OK with the number of sessions that will receive it in
 * *sessions_out, if that is not NULL; none is no error, and those of other
 * machines (pushlet-cluster(7)) are not counted.  Else the event reached
 * nobody, *sessions_out is 0, and *error_out is filled if error_out is not
 * NULL.  The limits are those of the server's properties event.max.bytes,
 * event.max.attributes and subject.max.bytes.
 */
PUSHLET_API enum pushlet_status pushlet_publish(struct pushlet *p,
	const char *subject, const struct pushlet_attribute *attributes,
	size_t n, const char *to, unsigned *sessions_out,
	struct pushlet_error *error_out);

/*
 * Does anybody want events of that subject?  *wanted_out is 1 if a session
 * subscribed to it or to a beginning of it, or, with below not 0, to a subject
 * that begins like it; else 0.  For sources whose events are dear to make: ask
 * now and then.  Returns PUSHLET_OK, or PUSHLET_NO_SUBJECT, _MISSING, _DENIED,
 * _OTHER_LAYOUT, _DAMAGED or _SYSTEM with *wanted_out 0 and, if error_out is
 * not NULL, *error_out filled.
 */
PUSHLET_API enum pushlet_status pushlet_wanted(struct pushlet *p,
	const char *subject, int below, int *wanted_out,
	struct pushlet_error *error_out);

/*
 * Whether pushlet_publish() is to wait, from now on, until the queues of those
 * receivers that have an open channel take the event without a loss, and less
 * than 32 others wait in them; for at most queue.write.timeout.millis of the
 * server (then they fill up, as they do without waiting).  At first it is not.
 * While one thread waits another may publish.
 */
PUSHLET_API void pushlet_pace(struct pushlet *p, int on);

/* Detaches, frees and sets *p to NULL.  NULL in *p is fine. */
PUSHLET_API void pushlet_close(struct pushlet **p);

/* What a status means in general, as one line; static text. */
PUSHLET_API const char *pushlet_explain(enum pushlet_status status);

#ifdef __cplusplus
}
#endif

#endif
