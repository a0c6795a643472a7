/* SPDX-License-Identifier: MIT */
/*
 * broker.c - opening the segment, laying it out, locking it
 *
 * The geometry follows from the properties of the creator; where each section
 * lies follows from the geometry.  Everybody else reads both from the segment
 * and checks them against its size before believing a single offset.
 */
#include "broker/broker.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/token.h"
#include "broker/view.h"
#include "shm/bell.h"
#include "shm/store.h"

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* The next section: n bytes from *end on, which moves. */
static uint64_t section(uint64_t *end, uint64_t n)
{
	uint64_t start = round_up(*end, CACHE_LINE);

	*end = start + n;
	return start;
}

/* Behind the buckets of the addresses. */
static uint64_t rates_offset(const struct geometry *g)
{
	return round_up(g->sessions * sizeof(uint32_t), CACHE_LINE);
}

/* Where everything lies.  With the geometry checked, nothing overflows. */
static struct sections place(const struct geometry *g)
{
	struct sections at;
	uint64_t end = sizeof(struct layout);

	at.workers = section(&end, g->workers * sizeof(struct worker));
	at.ready = section(&end, (uint64_t)g->workers * g->ready_words * 8);
	at.sessions = section(&end, g->sessions * sizeof(struct session));
	at.queues = section(&end, (uint64_t)g->sessions * queue_ring(g) *
			    sizeof(struct ref));
	at.subscriptions = section(&end, (uint64_t)g->subscriptions *
				   g->subscription_bytes);
	at.topics = section(&end, (uint64_t)g->topics *
			    sizeof(struct bucket));
	at.lengths = section(&end, ((uint64_t)g->subject_bytes + 1) *
			     sizeof(uint32_t));
	at.addresses = section(&end, rates_offset(g) +
			       RATES * sizeof(struct rate));
	at.log = section(&end, g->log_bytes);
	at.history = section(&end, g->history_bytes);
	at.end = round_up(end, 4096);
	return at;
}

static uint32_t buckets_for(uint64_t subscriptions)
{
	uint32_t n = 64;

	while (n < subscriptions && n < 1u << 24)
		n *= 2;
	return n;
}

static struct geometry geometry_of(const struct properties *p)
{
	struct geometry g = {
		.sessions = (uint32_t)p->sessions_max,
		.subscriptions = (uint32_t)p->subscriptions_max,
		.workers = (uint32_t)p->workers_max,
		.queue = (uint32_t)p->queue_size,
		.topics = buckets_for(p->subscriptions_max),
		.subject_bytes = (uint32_t)p->subject_bytes,
		.log_bytes = round_up(p->log_bytes, CACHE_LINE),
		.history_bytes = round_up(p->history_bytes, CACHE_LINE),
	};

	g.subscription_bytes = (uint32_t)round_up(
		sizeof(struct subscription) + p->subject_bytes, CACHE_LINE);
	g.ready_words = (uint32_t)round_up(p->sessions_max, 64) / 64;
	token_bytes(&g.seed, sizeof(g.seed));
	return g;
}

/* Could anyone have made this geometry? */
static bool geometry_sane(const struct geometry *g)
{
	return g->sessions > 0 && g->sessions <= SESSIONS_LIMIT &&
	       g->subscriptions > 0 && g->subscriptions <= 1u << 28 &&
	       g->workers > 0 && g->workers <= WORKERS_LIMIT &&
	       g->queue > 0 && g->queue <= 1u << 20 &&
	       g->topics >= 64 && (g->topics & (g->topics - 1)) == 0 &&
	       g->topics <= 1u << 24 &&
	       g->subject_bytes > 0 && g->subject_bytes < NO_LABEL &&
	       g->subscription_bytes >=
		       sizeof(struct subscription) + g->subject_bytes &&
	       g->subscription_bytes < 1u << 20 &&
	       g->subscription_bytes % 8 == 0 &&
	       g->ready_words == (g->sessions + 63) / 64 &&
	       g->log_bytes >= 1024 && g->log_bytes <= 1ull << 40 &&
	       g->log_bytes % LOG_ALIGN == 0 &&
	       g->history_bytes <= 1ull << 32 &&
	       (g->history_bytes == 0 || g->history_bytes >= 1024) &&
	       g->history_bytes % LOG_ALIGN == 0;
}

/* Are geometry, sections and pools those that the size speaks of? */
static bool map_sane(const struct segment *s)
{
	const struct layout *map = (const void *)s->head;
	struct sections at;

	if (s->size < sizeof(*map) || !geometry_sane(&map->geometry))
		return false;
	at = place(&map->geometry);
	return at.end == s->size && memcmp(&at, &map->at, sizeof(at)) == 0 &&
	       map->workers.max == map->geometry.workers &&
	       map->workers.stride == sizeof(struct worker) &&
	       map->sessions.max == map->geometry.sessions &&
	       map->sessions.stride == sizeof(struct session) &&
	       map->subscriptions.max == map->geometry.subscriptions &&
	       map->subscriptions.stride == map->geometry.subscription_bytes;
}

/* Points the view at the sections of the mapped segment. */
static void view(struct broker *b)
{
	const struct geometry *g = &b->geometry;
	char *base = (char *)b->segment.head;

	b->map = (struct layout *)b->segment.head;
	b->geometry = b->map->geometry;
	b->at = b->map->at;
	b->workers = (struct pool){ &b->map->workers, base + b->at.workers,
				    g->workers, sizeof(struct worker) };
	b->sessions = (struct pool){ &b->map->sessions, base + b->at.sessions,
				     g->sessions, sizeof(struct session) };
	b->subscriptions = (struct pool){ &b->map->subscriptions,
					  base + b->at.subscriptions,
					  g->subscriptions,
					  g->subscription_bytes };
	b->topics = (struct bucket *)(base + b->at.topics);
	b->lengths = (uint32_t *)(base + b->at.lengths);
	b->addresses = (uint32_t *)(base + b->at.addresses);
	b->rates = (struct rate *)(base + b->at.addresses + rates_offset(g));
	b->log = (struct eventlog){ "log", &b->map->log, base + b->at.log,
				    g->log_bytes };
	b->history = (struct eventlog){ "history", &b->map->history,
					base + b->at.history,
					g->history_bytes };
}

static void set_rules(struct rules *r, const struct properties *p)
{
	STORE(r->session_timeout, p->session_timeout);
	STORE(r->session_subscriptions, p->session_subscriptions);
	STORE(r->event_bytes, p->event_bytes);
	STORE(r->event_attributes, p->event_attributes);
	STORE(r->pull_timeout, p->pull_timeout);
	STORE(r->poll_timeout, p->poll_timeout);
	STORE(r->write_timeout, p->write_timeout);
	STORE(r->overflow, (uint32_t)p->overflow);
	STORE(r->publish_from, (uint32_t)p->publish_from);
	STORE(r->listen_slots, p->listen_slots);
	STORE(r->address_sessions, p->address_sessions);
	STORE(r->meta_events, (uint32_t)p->meta_events);
	STORE(r->history_max, p->history_max);
	STORE(r->history_seconds, p->history_seconds);
	store_bytes(r->history_subjects, p->history_subjects,
		    sizeof(r->history_subjects));
	store_bytes(r->node, p->node, sizeof(r->node));
	store_bytes(r->bridge_include, p->bridge_include,
		    sizeof(r->bridge_include));
	store_bytes(r->bridge_exclude, p->bridge_exclude,
		    sizeof(r->bridge_exclude));
}

struct creation {
	struct broker *broker;
	const struct properties *properties;
	struct geometry geometry;
};

/* segment_plan.fill: nobody else sees the segment yet. */
static int fill(struct segment *s, void *arg)
{
	struct creation *c = arg;
	struct layout *map = (struct layout *)s->head;
	struct broker *b = c->broker;
	struct sections at = place(&c->geometry);
	uint64_t epoch;

	if (lock_init(&map->lock) < 0)
		return -1;
	token_bytes(&epoch, sizeof(epoch));
	store_bytes(&map->geometry, &c->geometry, sizeof(c->geometry));
	store_bytes(&map->at, &at, sizeof(at));
	STORE(map->epoch, epoch);
	STORE(map->created, clock_unix());
	STORE(map->born, clock_unix_ms());
	set_rules(&map->rules, c->properties);
	/* Position 0 stays unused: it means "no record". */
	STORE(map->log.head, c->geometry.log_bytes);
	STORE(map->log.tail, c->geometry.log_bytes);
	STORE(map->history.head, c->geometry.history_bytes);
	STORE(map->history.tail, c->geometry.history_bytes);
	b->segment = *s;
	view(b);
	pool_init(&b->workers, c->geometry.workers, sizeof(struct worker));
	pool_init(&b->sessions, c->geometry.sessions, sizeof(struct session));
	pool_init(&b->subscriptions, c->geometry.subscriptions,
		  c->geometry.subscription_bytes);
	topic_clear(b);
	address_clear(b);
	return 0;
}

/* The group of shm.group; (gid_t)-1 for none.  -1 when it is unknown. */
static int find_group(const char *name, gid_t *gid_out, struct buf *report)
{
	struct group *g;

	*gid_out = (gid_t)-1;
	if (!*name)
		return 0;
	g = getgrnam(name);
	if (!g) {
		buf_printf(report, "shm.group: there is no group '%s'\n",
			   name);
		errno = EINVAL;
		return -1;
	}
	*gid_out = g->gr_gid;
	return 0;
}

static enum segment_status open_or_make(struct broker *b,
					const struct properties *p,
					struct buf *report)
{
	struct creation c = {
		.broker = b,
		.properties = p,
		.geometry = geometry_of(p),
	};
	struct segment_plan plan = {
		.size = place(&c.geometry).end,
		.mode = (mode_t)p->shm_mode,
		.fill = fill,
		.arg = &c,
	};

	if (find_group(p->shm_group, &plan.group, report) < 0)
		return SEGMENT_SYSTEM;
	return segment_open(&b->segment, p->shm_name, layout_stamp(), &plan);
}

static void tell_one(struct buf *report, const char *name, uint64_t has,
		     uint64_t wants)
{
	if (has != wants)
		buf_printf(report, "the segment was made with %s=%llu; %llu "
			   "takes effect after pushletctl destroy\n", name,
			   (unsigned long long)has, (unsigned long long)wants);
}

/* A segment that was there keeps its geometry; say where p differs. */
static void tell_geometry(const struct broker *b, const struct properties *p,
			  struct buf *report)
{
	const struct geometry *g = &b->geometry;

	tell_one(report, "sessionmanager.maxsessions", g->sessions,
		 p->sessions_max);
	tell_one(report, "subscriptions.max", g->subscriptions,
		 p->subscriptions_max);
	tell_one(report, "workers.max", g->workers, p->workers_max);
	tell_one(report, "queue.size", g->queue, p->queue_size);
	tell_one(report, "subject.max.bytes", g->subject_bytes,
		 p->subject_bytes);
	tell_one(report, "log.max.bytes", g->log_bytes,
		 round_up(p->log_bytes, CACHE_LINE));
	tell_one(report, "history.max.bytes", g->history_bytes,
		 round_up(p->history_bytes, CACHE_LINE));
}

enum segment_status broker_open(struct broker **b_out,
				const struct properties *p, bool create,
				struct buf *report)
{
	struct broker *b = calloc(1, sizeof(*b));
	enum segment_status status;

	*b_out = NULL;
	if (!b)
		return SEGMENT_SYSTEM;
	if (create)
		status = open_or_make(b, p, report);
	else
		status = segment_open(&b->segment, p->shm_name,
				      layout_stamp(), NULL);
	if (status == SEGMENT_OK && !map_sane(&b->segment)) {
		segment_close(&b->segment);
		status = SEGMENT_DAMAGED;
	}
	if (status != SEGMENT_OK) {
		free(b);
		return status;
	}
	view(b);
	if (create) {
		if (!b->segment.made)
			tell_geometry(b, p, report);
		broker_settle(b, p);
	}
	*b_out = b;
	return SEGMENT_OK;
}

void broker_close(struct broker **b)
{
	if (!*b)
		return;
	segment_close(&(*b)->segment);
	free(*b);
	*b = NULL;
}

void broker_settle(struct broker *b, const struct properties *p)
{
	broker_lock(b);
	set_rules(&b->map->rules, p);
	broker_unlock(b);
}

void broker_node(const struct broker *b, char out[NODE_SIZE])
{
	memcpy(out, b->map->rules.node, NODE_SIZE);
	out[NODE_SIZE - 1] = '\0';
}

const char *broker_name(const struct broker *b)
{
	return b->segment.name;
}

bool broker_made(const struct broker *b)
{
	return b->segment.made;
}

bool broker_retired(const struct broker *b)
{
	return LOAD(b->segment.head->retired) != 0;
}

struct event_limits broker_event_limits(const struct broker *b)
{
	return (struct event_limits){
		.bytes = LOAD(b->map->rules.event_bytes),
		.attributes = (unsigned)LOAD(b->map->rules.event_attributes),
		.subject = b->geometry.subject_bytes,
	};
}

uint32_t broker_sessions_max(const struct broker *b)
{
	return b->geometry.sessions;
}

void broker_count_refusal(struct broker *b)
{
	broker_lock(b);
	COUNT(b, refused, 1);
	broker_unlock(b);
}

int broker_publish_from(const struct broker *b)
{
	return (int)LOAD(b->map->rules.publish_from);
}

static void owner_died(void *arg)
{
	struct broker *b = arg;

	repair_all(b);
	b->repaired = true;
}

void broker_lock(struct broker *b)
{
	lock_take(&b->map->lock, owner_died, b);
}

/* The bells owed are noted under the lock and rung after it, so that a woken
 * worker does not run into a lock still held; standard error, which may block,
 * is for after it too. */
void broker_unlock(struct broker *b)
{
	uint64_t bells[WORKERS_LIMIT / 64];
	unsigned i, words = (b->geometry.workers + 63) / 64;
	bool owed = b->bells_owed, repaired = b->repaired;
	bool bridge = b->bridge_owed;
	struct notices *notices = b->notices;

	b->repaired = b->bridge_owed = false;
	b->notices = NULL;
	if (owed) {
		memcpy(bells, b->bells, words * sizeof(*bells));
		memset(b->bells, 0, words * sizeof(*bells));
		b->bells_owed = false;
	}
	lock_give(&b->map->lock);
	for (i = 0; owed && i < words; i++)
		for (; bells[i]; bells[i] &= bells[i] - 1)
			bell_ring(&worker_at(b, i * 64 + (unsigned)
				__builtin_ctzll(bells[i]))->bell);
	if (bridge)
		bell_ring(&b->map->bridge.bell);
	if (repaired)
		log_warn("segment %s: the last holder of its lock died; "
			 "repaired", b->segment.name);
	if (notices)
		presence_publish(b, notices);
}

static int check_all(struct broker *b, struct buf *report)
{
	int broken = 0;

	broken += pool_check(&b->workers, "workers", report);
	broken += pool_check(&b->sessions, "sessions", report);
	broken += pool_check(&b->subscriptions, "subscriptions", report);
	broken += worker_check(b, report);
	broken += session_check(b, report);
	broken += address_check(b, report);
	broken += queue_check(b, report);
	broken += subscription_check(b, report);
	broken += topic_check(b, report);
	broken += eventlog_check(&b->log, report);
	broken += eventlog_check(&b->history, report);
	broken += node_check(b, report);
	return broken;
}

int broker_check(struct broker *b, struct buf *report)
{
	int broken;

	broker_lock(b);
	broken = check_all(b, report);
	broker_unlock(b);
	return broken;
}

void broker_repair(struct broker *b)
{
	broker_lock(b);
	repair_all(b);
	broker_unlock(b);
}

int broker_mend(struct broker *b, struct buf *found, struct buf *left)
{
	int broken;

	broker_lock(b);
	check_all(b, found);
	repair_all(b);
	broken = check_all(b, left);
	broker_unlock(b);
	return broken;
}

int broker_destroy(struct broker *b)
{
	uint32_t i;

	if (segment_retire(&b->segment) < 0)
		return -1;
	for (i = 0; i < b->geometry.workers; i++)
		bell_ring(&worker_at(b, i)->bell);
	bell_ring(&b->map->bridge.bell);
	return 0;
}
