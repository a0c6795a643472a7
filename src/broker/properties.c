/* SPDX-License-Identifier: MIT */
/*
 * properties.c - the settings of a server, as pushlet.properties(5) has them
 */
#include "broker/properties.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/layout.h"

#define FIELD(field) offsetof(struct properties, field)
#define TEXT_SIZE(field) sizeof(((struct properties *)NULL)->field)

#define SECOND 1000ULL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define FIXED false
#define RELOAD true

/* A log must hold some of the largest events, each with its record's head. */
#define EVENTS_IN_LOG 4
#define EVENT_OVERHEAD 1536

#define UINT_KEY(name, field, value, min, max, reload) \
	{ name, CONF_UINT, FIELD(field), min, max, value, NULL, reload }
#define TEXT_KEY(name, field, value, min, reload) \
	{ name, CONF_TEXT, FIELD(field), min, TEXT_SIZE(field), value, NULL, \
	  reload }
#define IGNORED_KEY(name) \
	{ name, CONF_IGNORED, 0, 0, 0, NULL, NULL, RELOAD }

const struct conf_key properties_table[] = {
	/* those of the original server */
	{ "session.timeout.mins", CONF_MINUTES, FIELD(session_timeout), SECOND,
	  3650 * DAY, "5", NULL, RELOAD },
	UINT_KEY("sessionmanager.maxsessions", sessions_max, "10000", 1,
		 1000000, FIXED),
	UINT_KEY("queue.size", queue_size, "256", 1, 65536, FIXED),
	UINT_KEY("queue.read.timeout.millis", read_timeout, "20000", 100, HOUR,
		 RELOAD),
	UINT_KEY("queue.write.timeout.millis", write_timeout, "20", 0, HOUR,
		 RELOAD),
	{ "listen.force.pull.all", CONF_BOOL, FIELD(force_pull_all), 0, 1,
	  "false", NULL, RELOAD },
	TEXT_KEY("listen.force.pull.agents", force_pull_agents, "", 0, RELOAD),
	UINT_KEY("pull.refresh.timeout.millis", pull_timeout, "45000", 100,
		 DAY, RELOAD),
	UINT_KEY("pull.refresh.wait.min.millis", pull_wait_min, "2000", 0,
		 HOUR, RELOAD),
	UINT_KEY("pull.refresh.wait.max.millis", pull_wait_max, "6000", 0,
		 HOUR, RELOAD),
	UINT_KEY("poll.refresh.timeout.millis", poll_timeout, "60000", 100,
		 DAY, RELOAD),
	UINT_KEY("poll.refresh.wait.min.millis", poll_wait_min, "6000", 0,
		 HOUR, RELOAD),
	UINT_KEY("poll.refresh.wait.max.millis", poll_wait_max, "10000", 0,
		 HOUR, RELOAD),
	UINT_KEY("log.level", log_level, "4", LOG_LEVEL_FATAL, LOG_LEVEL_TRACE,
		 RELOAD),
	{ "log.to", CONF_CHOICE, FIELD(log_to), 0, 0, "stderr",
	  "stderr|syslog|journal", RELOAD },
	IGNORED_KEY("config.version"),
	IGNORED_KEY("*.class"),
	IGNORED_KEY("session.id.size"),
	IGNORED_KEY("session.id.generation"),
	IGNORED_KEY("sources.activate"),

	/* ours */
	TEXT_KEY("shm.name", shm_name, "/pushlet", 2, FIXED),
	{ "shm.mode", CONF_OCTAL, FIELD(shm_mode), 0600, 0666, "0600", NULL,
	  FIXED },
	TEXT_KEY("shm.group", shm_group, "", 0, FIXED),
	UINT_KEY("subscriptions.max", subscriptions_max, "20000", 1, 4000000,
		 FIXED),
	UINT_KEY("session.max.subscriptions", session_subscriptions, "64", 1,
		 65536, RELOAD),
	UINT_KEY("workers.max", workers_max, "512", 1, 4096, FIXED),
	UINT_KEY("log.max.bytes", log_bytes, "8388608", 64 * KIB, 4 * GIB,
		 FIXED),
	{ "queue.overflow", CONF_CHOICE, FIELD(overflow), 0, 0, "drop-oldest",
	  "drop-oldest|abort", RELOAD },
	UINT_KEY("event.max.bytes", event_bytes, "65536", 256, MIB, RELOAD),
	UINT_KEY("event.max.attributes", event_attributes, "64", 1, 4096,
		 RELOAD),
	UINT_KEY("subject.max.bytes", subject_bytes, "256", 16, 1024, FIXED),
	UINT_KEY("request.max.bytes", request_bytes, "131072", KIB, 16 * MIB,
		 RELOAD),
	UINT_KEY("request.timeout.millis", request_timeout, "10000", 100, HOUR,
		 RELOAD),
	UINT_KEY("history.max", history_max, "100", 0, 65536, RELOAD),
	UINT_KEY("history.max.bytes", history_bytes, "1048576", 0, GIB, FIXED),
	UINT_KEY("history.seconds", history_seconds, "0", 0,
		 3650 * DAY / SECOND, RELOAD),
	TEXT_KEY("history.subjects", history_subjects, "/", 0, RELOAD),
	TEXT_KEY("node", node, "", 0, RELOAD),
	TEXT_KEY("bridge.include", bridge_include, "/", 0, RELOAD),
	TEXT_KEY("bridge.exclude", bridge_exclude, "", 0, RELOAD),
	TEXT_KEY("bridge.redis", bridge_redis, "redis://127.0.0.1:6379", 1,
		 RELOAD),
	TEXT_KEY("bridge.redis.user", bridge_user, "", 0, RELOAD),
	TEXT_KEY("bridge.redis.password.file", bridge_password_file, "", 0,
		 RELOAD),
	TEXT_KEY("bridge.prefix", bridge_prefix, "pushlet", 1, RELOAD),
	UINT_KEY("bridge.maxlen", bridge_maxlen, "100000", 100, 100000000,
		 RELOAD),
	{ "meta.events", CONF_CHOICE, FIELD(meta_events), 0, 0, "on", "on|off",
	  RELOAD },
	{ "publish.from", CONF_CHOICE, FIELD(publish_from), 0, 0, "handle",
	  "handle|id", RELOAD },
	UINT_KEY("address.max.sessions", address_sessions, "0", 0, 1000000,
		 RELOAD),
	TEXT_KEY("address.header", address_header, "", 0, RELOAD),
	UINT_KEY("listen.slots", listen_slots, "0", 0, 1000000, RELOAD),
	{ "metrics.http", CONF_CHOICE, FIELD(metrics_http), 0, 0, "off",
	  "off|on", RELOAD },
	TEXT_KEY("relay.user", relay_user, "", 0, RELOAD),
	UINT_KEY("stream.max.bytes", stream_max_bytes, "0", 0, 1ULL << 40,
		 RELOAD),
	UINT_KEY("stream.padding.bytes", stream_padding, "0", 0, MIB, RELOAD),
	UINT_KEY("stream.max.seconds", stream_max, "0", 0, 365 * DAY / SECOND,
		 RELOAD),
	UINT_KEY("session.max.publishes.second", session_publishes, "0", 0,
		 100000, RELOAD),
	UINT_KEY("address.max.requests.second", address_requests, "0", 0,
		 100000, RELOAD),
	{ "session.bind", CONF_CHOICE, FIELD(session_bind), 0, 0, "none",
	  "none|user|address|both", RELOAD },
	TEXT_KEY("ban.addresses.file", ban_file, "", 0, RELOAD),
	TEXT_KEY("filter.words.file", words_file, "", 0, RELOAD),
	{ "filter.words", CONF_CHOICE, FIELD(filter_words), 0, 0, "refuse",
	  "refuse|mask", RELOAD },
	TEXT_KEY("origin.allow", origin_allow, "", 0, RELOAD),
	{ "publish.get", CONF_BOOL, FIELD(publish_get), 0, 1, "on", NULL,
	  RELOAD },
	{ "rule", CONF_RULES, FIELD(permits), 0, TEXT_SIZE(permits), "", NULL,
	  RELOAD },
	{ NULL, CONF_IGNORED, 0, 0, 0, NULL, NULL, FIXED }
};

void properties_defaults(struct properties *p)
{
	memset(p, 0, sizeof(*p));
	conf_defaults(properties_table, p);
}

/* Each check adds its complaint to report and returns how many it made. */

static int check_name(const struct properties *p, const char *where,
		      struct buf *report)
{
	if (p->shm_name[0] == '/' && !strchr(p->shm_name + 1, '/'))
		return 0;
	buf_printf(report, "%s: shm.name must begin with '/' and have no "
		   "other '/', not '%s'\n", where, p->shm_name);
	return 1;
}

/* Only the bits for reading and writing mean something, and who may write must
 * be able to read. */
static int check_mode(const struct properties *p, const char *where,
		      struct buf *report)
{
	uint64_t r = p->shm_mode & 0444, w = p->shm_mode & 0222;

	if ((p->shm_mode & 0111) == 0 && ((w << 1) & ~r) == 0)
		return 0;
	buf_printf(report, "%s: shm.mode must be made of 6 (read and write), "
		   "4 (read) and 0 like 0660 or 0640, not %#llo\n", where,
		   (unsigned long long)p->shm_mode);
	return 1;
}

/* Session ids begin with it, and a web server's configuration quotes it. */
static int check_node(const struct properties *p, const char *where,
		      struct buf *report)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(p->node);

	if (n <= NODE_TAG_LEN && strspn(p->node, allowed) == n)
		return 0;
	buf_printf(report, "%s: node must be at most %d of a to z and 0 to 9, "
		   "or empty, not '%s'\n", where, NODE_TAG_LEN, p->node);
	return 1;
}

static int check_waits(const char *mode, uint64_t min, uint64_t max,
		       const char *where, struct buf *report)
{
	if (min <= max)
		return 0;
	buf_printf(report, "%s: %s.refresh.wait.min.millis (%llu) is more "
		   "than %s.refresh.wait.max.millis (%llu)\n", where, mode,
		   (unsigned long long)min, mode, (unsigned long long)max);
	return 1;
}

/* The name of a header, as RFC 9110 has it but for what no header has. */
static int check_header(const struct properties *p, const char *where,
			struct buf *report)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

	if (!p->address_header[strspn(p->address_header, allowed)])
		return 0;
	buf_printf(report, "%s: address.header must be made of letters, "
		   "digits and '-', like X-Forwarded-For, not '%s'\n", where,
		   p->address_header);
	return 1;
}

/* SCHEME://HOST[:PORT], as a browser says it, or "*" or "null". */
static bool is_origin(const char *text, size_t n)
{
	const char *colon = memchr(text, ':', n), *end = text + n;

	if (!colon)
		return n == 1 ? *text == '*' : n == 4 && !memcmp(text, "null", 4);
	return colon > text && end - colon > 3 &&
	       memcmp(colon, "://", 3) == 0 &&
	       !memchr(colon + 3, '/', (size_t)(end - colon - 3));
}

static int check_origins(const struct properties *p, const char *where,
			 struct buf *report)
{
	const char *item = p->origin_allow;
	int faults = 0;
	size_t n;

	for (; *item; item += n + strspn(item + n, ", ")) {
		n = strcspn(item, ", ");
		if (n == 0 || is_origin(item, n))
			continue;
		buf_printf(report, "%s: origin.allow must be *, or origins like "
			   "https://www.example.org (no path, no slash at the "
			   "end), not '%.*s'\n", where, (int)n, item);
		faults++;
	}
	return faults;
}

/* pushletd leaves the directory it was started in. */
static int check_path(const char *name, const char *path, const char *where,
		      struct buf *report)
{
	if (!*path || *path == '/')
		return 0;
	buf_printf(report, "%s: %s must be a path that begins with '/', not "
		   "'%s'\n", where, name, path);
	return 1;
}

static int check_log(const struct properties *p, const char *where,
		     struct buf *report)
{
	uint64_t need = (p->event_bytes + EVENT_OVERHEAD) * EVENTS_IN_LOG;

	if (need <= p->log_bytes)
		return 0;
	buf_printf(report, "%s: log.max.bytes must be at least %llu for "
		   "event.max.bytes=%llu (it must hold %d such events), "
		   "not %llu\n", where, (unsigned long long)need,
		   (unsigned long long)p->event_bytes, EVENTS_IN_LOG,
		   (unsigned long long)p->log_bytes);
	return 1;
}

/* A ring must have room for some events. */
static int check_history(const struct properties *p, const char *where,
			 struct buf *report)
{
	if (p->history_bytes == 0 || p->history_bytes >= 64 * KIB)
		return 0;
	buf_printf(report, "%s: history.max.bytes must be 0, for none, or at "
		   "least 65536, not %llu\n", where,
		   (unsigned long long)p->history_bytes);
	return 1;
}

int properties_check(const struct properties *p, const char *where,
		     struct buf *report)
{
	int faults = check_name(p, where, report) +
		     check_mode(p, where, report) +
		     check_header(p, where, report) +
		     check_node(p, where, report) +
		     check_waits("pull", p->pull_wait_min, p->pull_wait_max,
				 where, report) +
		     check_waits("poll", p->poll_wait_min, p->poll_wait_max,
				 where, report) +
		     check_path("ban.addresses.file", p->ban_file, where,
				report) +
		     check_path("filter.words.file", p->words_file, where,
				report) +
		     check_path("bridge.redis.password.file",
				p->bridge_password_file, where, report) +
		     check_origins(p, where, report) +
		     check_log(p, where, report) +
		     check_history(p, where, report);

	errno = EINVAL;
	return faults ? -1 : 0;
}

int properties_read(struct properties *p, const char *file, struct buf *report)
{
	if (conf_read(properties_table, p, file, report) != 0)
		return -1;
	return properties_check(p, file, report);
}

int properties_set(struct properties *p, const char *pair, struct buf *report)
{
	if (conf_set(properties_table, p, pair, "-o", report) != 0)
		return -1;
	return 0;
}

const char *properties_file(void)
{
	static const char installed[] =
		SYSCONFDIR "/pushlet/pushlet.properties";
	const char *named = getenv("PUSHLET_CONF");

	if (named && *named)
		return named;
	/* One that may not be read is an error, not a missing one. */
	return access(installed, F_OK) == 0 || errno == EACCES ? installed
							       : NULL;
}
