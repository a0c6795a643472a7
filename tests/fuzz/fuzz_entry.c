/* SPDX-License-Identifier: MIT */
/*
 * fuzz_entry.c - any bytes as bridge.redis, and as what Redis answers
 *
 * An input is an address in one line, then answers.  Each is read as an entry;
 * what is accepted, written as an entry and read again.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "bridge/entry.h"
#include "bridge/place.h"

static void check_place(const char *text, size_t n)
{
	struct buf why = BUF_INIT, name = BUF_INIT;
	struct properties p;
	struct place place;

	properties_defaults(&p);
	snprintf(p.bridge_redis, sizeof(p.bridge_redis), "%.*s",
		 n < sizeof(p.bridge_redis) ? (int)n : 0, text);
	if (place_read(&place, &p, &why) == 0) {
		must(!place.path[0] == !!place.host[0]);
		must(place.path[0] || (place.port > 0 && place.port < 65536));
		place_name(&place, &name);
		must(name.len > 0);
	} else {
		must(why.len > 0);
		/* A password is not shown. */
		must(!strchr(p.bridge_redis, '@') ||
		     strstr(why.data, "'...@...'"));
	}
	buf_release(&why);
	buf_release(&name);
}

/* The next answer, or NULL. */
static redisReply *next(redisReader *reader)
{
	void *reply = NULL;

	return redisReaderGetReply(reader, &reply) == REDIS_OK ? reply : NULL;
}

static void read_again(const struct entry *e)
{
	static struct args args;
	struct entry again = { .attributes = EVENT_INIT };
	redisReader *reader = redisReaderCreate();
	redisReply *reply;
	char *command, seconds[24];
	long long n;

	must(reader);
	snprintf(seconds, sizeof(seconds), "%lld", (long long)e->time);
	args.n = 0;
	args_add(&args, "p_subject");
	args_add(&args, e->subject);
	args_add(&args, "p_time");
	args_add(&args, seconds);
	entry_write(&args, buf_str(&e->attributes.packed),
		    e->attributes.packed.len);
	n = redisFormatCommandArgv(&command, (int)args.n, args.text,
				   args.len);
	must(n > 0);
	must(redisReaderFeed(reader, command, (size_t)n) == REDIS_OK);
	reply = next(reader);
	must(reply && !entry_read(&again, reply));
	must(again.time == e->time && strcmp(again.subject, e->subject) == 0);
	must(fuzz_same(&again.attributes, &e->attributes));
	event_release(&again.attributes);
	freeReplyObject(reply);
	redisReaderFree(reader);
	redisFreeCommand(command);
}

static void check_id(const redisReply *r)
{
	char again[ENTRY_ID_SIZE];
	struct mark m, same;

	if (r->type != REDIS_REPLY_STRING || !entry_read_id(&m, r->str))
		return;
	entry_id(again, m.epoch, m.number);
	must(entry_read_id(&same, again));
	must(same.epoch == m.epoch && same.number == m.number);
}

static void check_entry(struct entry *e, const redisReply *r)
{
	const char *wrong = entry_read(e, r);

	check_id(r);
	if (wrong) {
		must(*wrong);
		return;
	}
	must(attr_valid(buf_str(&e->attributes.packed),
			e->attributes.packed.len));
	must(utf8_valid(e->subject, strlen(e->subject)));
	must(!e->from || (*e->from && strlen(e->from) <= 64));
	must(!e->to || (*e->to && strlen(e->to) <= 64));
	read_again(e);
}

/* hiredis makes room for as many elements as it is promised: Redis is trusted
 * with that. */
static bool promises_much(const uint8_t *s, const uint8_t *end)
{
	int digits = -1;	/* since a sign of elements, or -1 */

	for (; s < end; s++) {
		if (*s && strchr("*%~>", *s))
			digits = 0;
		else if (digits >= 0)
			digits = *s >= '0' && *s <= '9' ? digits + 1 : -1;
		if (digits > 3)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *end = data + n, *line = memchr(data, '\n', n);
	struct entry e = { .attributes = EVENT_INIT };
	redisReader *reader = redisReaderCreate();
	redisReply *r;

	must(reader);
	check_place((const char *)data, line ? (size_t)(line - data) : n);
	if (line && !promises_much(line, end))
		redisReaderFeed(reader, (const char *)line + 1,
				(size_t)(end - line - 1));
	while ((r = next(reader)) != NULL) {
		check_entry(&e, r);
		freeReplyObject(r);
	}
	event_release(&e.attributes);
	redisReaderFree(reader);
	return 0;
}
