/* SPDX-License-Identifier: MIT */
/*
 * properties.h - the settings of a server, as pushlet.properties(5) has them
 *
 * The table in properties.c is the one place where a property's name, default
 * and bounds stand; the manual page and conf/pushlet.properties are compared
 * with it by a test.
 */
#ifndef BROKER_PROPERTIES_H
#define BROKER_PROPERTIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"

enum queue_overflow { OVERFLOW_DROP_OLDEST, OVERFLOW_ABORT };
enum publish_from { FROM_HANDLE, FROM_ID };
enum meta_events { META_ON, META_OFF };
enum filter_words { FILTER_REFUSE, FILTER_MASK };
enum session_bind { BIND_NONE, BIND_USER, BIND_ADDRESS, BIND_BOTH }; /* bits */

struct properties {
	/* the segment; read by who creates it, fixed from then on */
	char shm_name[64];		/* shm.name, begins with "/" */
	uint64_t shm_mode;		/* shm.mode, octal */
	char shm_group[64];		/* shm.group, "" = the creator's */
	uint64_t sessions_max;		/* sessionmanager.maxsessions */
	uint64_t subscriptions_max;	/* subscriptions.max */
	uint64_t workers_max;		/* workers.max */
	uint64_t queue_size;		/* queue.size, events */
	uint64_t log_bytes;		/* log.max.bytes */
	uint64_t history_bytes;		/* history.max.bytes, 0 = none */
	uint64_t subject_bytes;		/* subject.max.bytes */

	/* rules that may change while the server runs */
	uint64_t session_timeout;	/* session.timeout.mins, in ms here */
	uint64_t session_subscriptions;	/* session.max.subscriptions */
	int overflow;			/* queue.overflow */
	uint64_t address_sessions;	/* address.max.sessions, 0 = no limit */
	char address_header[64];	/* address.header, "" = REMOTE_ADDR */
	uint64_t event_bytes;		/* event.max.bytes */
	uint64_t event_attributes;	/* event.max.attributes */
	uint64_t request_bytes;		/* request.max.bytes */
	uint64_t request_timeout;	/* request.timeout.millis */
	int publish_from;		/* publish.from */
	int metrics_http;		/* metrics.http, 0 = off */
	char relay_user[64];		/* relay.user, "" = our own */
	int meta_events;		/* meta.events */
	uint64_t history_max;		/* history.max, events; 0 = none */
	uint64_t history_seconds;	/* history.seconds, 0 = no limit */
	char history_subjects[256];	/* history.subjects, a comma list */
	char node[12];			/* node, "" = alone */
	char bridge_include[256];	/* bridge.include, a comma list */
	char bridge_exclude[256];	/* bridge.exclude, a comma list */
	char bridge_redis[256];		/* bridge.redis */
	char bridge_user[64];		/* bridge.redis.user, "" = default */
	char bridge_password_file[256];	/* bridge.redis.password.file */
	char bridge_prefix[64];		/* bridge.prefix */
	uint64_t bridge_maxlen;		/* bridge.maxlen, events */
	uint64_t read_timeout;		/* queue.read.timeout.millis */
	uint64_t write_timeout;		/* queue.write.timeout.millis */
	uint64_t stream_max;		/* stream.max.seconds, 0 = no limit */
	uint64_t stream_max_bytes;	/* stream.max.bytes, 0 = no limit */
	uint64_t stream_padding;	/* stream.padding.bytes */
	uint64_t listen_slots;		/* listen.slots, 0 = no limit */
	bool force_pull_all;		/* listen.force.pull.all */
	char force_pull_agents[512];	/* listen.force.pull.agents */
	uint64_t pull_timeout;		/* pull.refresh.timeout.millis */
	uint64_t pull_wait_min, pull_wait_max;
	uint64_t poll_timeout;		/* poll.refresh.timeout.millis */
	uint64_t poll_wait_min, poll_wait_max;
	uint64_t session_publishes;	/* session.max.publishes.second, or 0 */
	uint64_t address_requests;	/* address.max.requests.second, or 0 */
	char ban_file[256];		/* ban.addresses.file, "" = none */
	char words_file[256];		/* filter.words.file, "" = none */
	int filter_words;		/* filter.words */
	int session_bind;		/* session.bind */
	char origin_allow[1024];	/* origin.allow, a comma list */
	bool publish_get;		/* publish.get */
	char permits[8192];		/* rule, a line each: base/rule.h */
	uint64_t log_level;		/* log.level, enum log_level */
	int log_to;			/* log.to, enum log_target */
};

extern const struct conf_key properties_table[];

void properties_defaults(struct properties *p);

/* As conf_read(), then properties_check() with the file's name. */
int properties_read(struct properties *p, const char *file, struct buf *report);

/* As conf_set() with "-o".  What involves two properties is not checked, for
 * the other one may be set next: call properties_check() after the last. */
int properties_set(struct properties *p, const char *pair, struct buf *report);

/*
 * Checks what the bounds of the table cannot say: the form of shm.name,
 * shm.mode, address.header and node, a minimum above its maximum, an event that no
 * log could hold.
 * where begins each complaint.  Returns 0, or -1 with EINVAL.
 */
int properties_check(const struct properties *p, const char *where,
		     struct buf *report);

/* The file to read when none is named: $PUSHLET_CONF, else the installed one if
 * it exists (or may not be looked for: reading it then says so), else NULL
 * (defaults only). */
const char *properties_file(void);

#endif
