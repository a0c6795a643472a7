/* SPDX-License-Identifier: MIT */
/*
 * pushlet.c - libpushlet: publish events from a program of your own
 *
 * A thin coat over broker/: it turns outcomes into texts and follows the
 * segment when that is destroyed and made anew.  Publishing threads hold the
 * read side of a lock, so that the broker they use stays mapped until the last
 * of them is done; who attaches anew holds the write side.
 */
#include "pushlet.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "broker/broker.h"
#include "broker/publish.h"
#include "broker/subscription.h"

struct pushlet {
	pthread_rwlock_t lock;		/* of broker, not of the segment */
	struct broker *broker;		/* NULL: there was no segment */
	struct properties properties;	/* only shm_name counts */
	atomic_bool paced;
};

/* Fills error, if there is one, and returns the status. */
__attribute__((format(printf, 3, 4)))
static enum pushlet_status fail(struct pushlet_error *error,
				enum pushlet_status status,
				const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	char *c;

	if (!error)
		return status;
	error->status = status;
	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	for (c = error->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F)
			*c = '?';
	errno = saved;
	return status;
}

/* -- attaching ---------------------------------------------------------- */

static enum pushlet_status of_segment(enum segment_status status)
{
	switch (status) {
	case SEGMENT_OK:
		return PUSHLET_OK;
	case SEGMENT_MISSING:
		return PUSHLET_MISSING;
	case SEGMENT_DENIED:
	case SEGMENT_FOREIGN:
		return PUSHLET_DENIED;
	case SEGMENT_OTHER_LAYOUT:
		return PUSHLET_OTHER_LAYOUT;
	case SEGMENT_DAMAGED:
		return PUSHLET_DAMAGED;
	case SEGMENT_NO_SPACE:
	case SEGMENT_SYSTEM:
		break;
	}
	return PUSHLET_SYSTEM;
}

static enum pushlet_status attach(struct pushlet *p,
				  struct pushlet_error *error)
{
	enum segment_status status;
	struct buf report = BUF_INIT;

	status = broker_open(&p->broker, &p->properties, false, &report);
	buf_release(&report);
	if (status == SEGMENT_OK)
		return PUSHLET_OK;
	return fail(error, of_segment(status), "%s: %s",
		    p->properties.shm_name, segment_explain(status));
}

/* Lets go of a segment that was destroyed and looks for its successor, unless
 * another thread just did. */
static enum pushlet_status follow(struct pushlet *p,
				  struct pushlet_error *error)
{
	enum pushlet_status status = PUSHLET_OK;

	pthread_rwlock_wrlock(&p->lock);
	if (p->broker && broker_retired(p->broker))
		broker_close(&p->broker);
	if (!p->broker)
		status = attach(p, error);
	pthread_rwlock_unlock(&p->lock);
	return status;
}

static enum pushlet_status check_name(const char *name,
				      struct pushlet_error *error)
{
	size_t len = name ? strlen(name) : 0;

	if (len >= 2 && len < SEGMENT_NAME_MAX && name[0] == '/' &&
	    !strchr(name + 1, '/'))
		return PUSHLET_OK;
	return fail(error, PUSHLET_BAD_SEGMENT, "'%.64s' is no name of a "
		    "segment: it must be '/' and 1 to %d bytes without "
		    "another '/'", name ? name : "", SEGMENT_NAME_MAX - 2);
}

enum pushlet_status pushlet_open(struct pushlet **p_out, const char *segment,
				 struct pushlet_error *error_out)
{
	enum pushlet_status status = check_name(segment, error_out);
	struct pushlet *p;

	*p_out = NULL;
	if (status != PUSHLET_OK)
		return status;
	p = calloc(1, sizeof(*p));
	if (!p)
		return fail(error_out, PUSHLET_NO_MEMORY, "out of memory");
	pthread_rwlock_init(&p->lock, NULL);
	properties_defaults(&p->properties);
	snprintf(p->properties.shm_name, sizeof(p->properties.shm_name), "%s",
		 segment);
	status = attach(p, error_out);
	if (status == PUSHLET_OK)
		*p_out = p;
	else
		pushlet_close(&p);
	return status;
}

void pushlet_close(struct pushlet **p)
{
	int saved = errno;

	if (!*p)
		return;
	broker_close(&(*p)->broker);
	pthread_rwlock_destroy(&(*p)->lock);
	free(*p);
	*p = NULL;
	errno = saved;
}

/* -- publishing --------------------------------------------------------- */

/* A name as a message may quote it: not endless, and UTF-8. */
static const char *quotable(const char *name)
{
	return utf8_valid(name, strlen(name)) ? name : "(not UTF-8)";
}

static enum pushlet_status collect(struct event *e,
				   const struct pushlet_attribute *attributes,
				   size_t n, struct pushlet_error *error)
{
	const struct pushlet_attribute *a;

	for (a = attributes; a < attributes + n; a++) {
		if (event_add(e, a->name, a->value) == 0)
			continue;
		if (errno == EEXIST)
			return fail(error, PUSHLET_BAD_NAME, "the attribute "
				    "'%.64s' is there twice",
				    quotable(a->name));
		if (errno == E2BIG)
			return fail(error, PUSHLET_TOO_LARGE, "a name or a "
				    "value is far too long");
		return fail(error, PUSHLET_NO_MEMORY, "out of memory");
	}
	return PUSHLET_OK;
}

/* What the broker says of an event it did not take.  name is that of the
 * attribute it had come to, or NULL. */
static enum pushlet_status refused(const struct broker *b,
				   enum outcome outcome, const char *subject,
				   const char *name,
				   struct pushlet_error *error)
{
	struct event_limits limits = broker_event_limits(b);

	switch (outcome) {
	case DONE:
		return PUSHLET_OK;
	case NO_SUBJECT:
		return fail(error, PUSHLET_NO_SUBJECT, "there is no subject");
	case SUBJECT_TOO_LONG:
		return fail(error, PUSHLET_BAD_SUBJECT, "the subject has %zu "
			    "bytes, more than %zu (subject.max.bytes)",
			    strlen(subject), limits.subject);
	case RESERVED_SUBJECT:
		return fail(error, PUSHLET_BAD_SUBJECT, "'%.64s' is a subject "
			    "of the server's own: /meta and all below it",
			    subject);
	case BAD_TEXT:
		if (!name)
			return fail(error, PUSHLET_BAD_SUBJECT,
				    "the subject is not UTF-8");
		return fail(error, PUSHLET_BAD_VALUE, "the value of '%.64s' "
			    "is not UTF-8", name);
	case BAD_NAME:
		return fail(error, PUSHLET_BAD_NAME, "'%.64s' is no name of "
			    "an attribute: it must be an XML name without ':'",
			    quotable(name));
	case TOO_MANY_ATTRIBUTES:
		return fail(error, PUSHLET_TOO_LARGE, "more than %u "
			    "attributes (event.max.attributes)",
			    limits.attributes);
	case EVENT_TOO_LARGE:
		return fail(error, PUSHLET_TOO_LARGE, "the names and values "
			    "have more than %zu bytes in all "
			    "(event.max.bytes)", limits.bytes);
	case NO_MEMORY:
		return fail(error, PUSHLET_NO_MEMORY, "out of memory");
	default:
		errno = EINVAL;
		return fail(error, PUSHLET_SYSTEM, "unexpected outcome %d",
			    outcome);
	}
}

/* Tries once.  *again_out: the segment was being destroyed meanwhile, so
 * nobody may have got the event, and it must go to the next segment. */
static enum pushlet_status try_publish(struct pushlet *p,
				       const struct publication *event,
				       unsigned *sessions_out, bool *again_out,
				       struct pushlet_error *error)
{
	enum pushlet_status status = PUSHLET_OK;
	enum outcome outcome;
	const char *name;

	pthread_rwlock_rdlock(&p->lock);
	*again_out = true;
	if (p->broker && !broker_retired(p->broker)) {
		outcome = publish(p->broker, event, sessions_out, &name);
		*again_out = broker_retired(p->broker);
		status = refused(p->broker, outcome, event->subject, name,
				 error);
	}
	pthread_rwlock_unlock(&p->lock);
	return status;
}

void pushlet_pace(struct pushlet *p, int on)
{
	p->paced = on != 0;
}

enum pushlet_status pushlet_publish(struct pushlet *p, const char *subject,
	const struct pushlet_attribute *attributes, size_t n, const char *to,
	unsigned *sessions_out, struct pushlet_error *error_out)
{
	struct event e = EVENT_INIT;
	struct publication event = {
		.subject = subject, .attributes = &e, .to = to,
		.paced = p->paced,
	};
	enum pushlet_status status = collect(&e, attributes, n, error_out);
	unsigned sessions = 0;
	bool again = true;

	while (status == PUSHLET_OK && again) {
		status = try_publish(p, &event, &sessions, &again, error_out);
		if (status == PUSHLET_OK && again) {
			sessions = 0;
			status = follow(p, error_out);
		}
	}
	if (sessions_out)
		*sessions_out = status == PUSHLET_OK ? sessions : 0;
	event_release(&e);
	return status;
}

enum pushlet_status pushlet_wanted(struct pushlet *p, const char *subject,
	int below, int *wanted_out, struct pushlet_error *error_out)
{
	enum pushlet_status status = PUSHLET_OK;
	bool again = true;

	*wanted_out = 0;
	if (!subject || !*subject)
		return fail(error_out, PUSHLET_NO_SUBJECT,
			    "there is no subject");
	while (status == PUSHLET_OK && again) {
		pthread_rwlock_rdlock(&p->lock);
		again = !p->broker || broker_retired(p->broker);
		if (!again)
			*wanted_out = subscription_wanted(p->broker, subject,
							  below != 0);
		pthread_rwlock_unlock(&p->lock);
		if (again)
			status = follow(p, error_out);
	}
	return status;
}

const char *pushlet_explain(enum pushlet_status status)
{
	switch (status) {
	case PUSHLET_OK:
		return "done";
	case PUSHLET_MISSING:
		return segment_explain(SEGMENT_MISSING);
	case PUSHLET_DENIED:
		return segment_explain(SEGMENT_DENIED);
	case PUSHLET_OTHER_LAYOUT:
		return segment_explain(SEGMENT_OTHER_LAYOUT);
	case PUSHLET_DAMAGED:
		return segment_explain(SEGMENT_DAMAGED);
	case PUSHLET_BAD_SEGMENT:
		return "the name of a segment is '/' and more without '/'";
	case PUSHLET_NO_SUBJECT:
		return "there is no subject";
	case PUSHLET_BAD_SUBJECT:
		return "the subject is too long, not UTF-8, or reserved";
	case PUSHLET_BAD_NAME:
		return "the name of an attribute is no XML name without ':', "
		       "or is there twice";
	case PUSHLET_BAD_VALUE:
		return "the value of an attribute is not UTF-8";
	case PUSHLET_TOO_LARGE:
		return "the event has too many attributes or bytes";
	case PUSHLET_NO_MEMORY:
		return "out of memory";
	case PUSHLET_SYSTEM:
		break;
	}
	return "a system error; errno tells which";
}
