/* SPDX-License-Identifier: MIT */
/*
 * address.c - text and back; chains of the sessions of a site
 *
 * A bucket heads a doubly linked chain through the sessions whose sites hash to
 * it.  All of it is derived from the addresses of live sessions.
 */
#include "broker/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "broker/view.h"
#include "shm/store.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const struct address unknown;

static bool is_ipv4(const struct address *a)
{
	return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

static const char *const blanks = " \t";

/* Takes what stands around an address off the text. */
static void strip(char *text)
{
	char *start = text + strspn(text, blanks), *end;
	size_t n;

	end = start + strcspn(start, *start == '[' ? "]" : blanks);
	if (*start == '[')
		start++;
	*end = '\0';
	n = strspn(start, "0123456789.");
	if (n > 0 && start[n] == ':' && memchr(start, '.', n))
		start[n] = '\0';
	memmove(text, start, strlen(start) + 1);
}

bool address_read(struct address *out, const char *text, size_t n)
{
	char copy[ADDRESS_TEXT + 16];

	memset(out, 0, sizeof(*out));
	if (n >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)n, text);
	strip(copy);
	if (inet_pton(AF_INET6, copy, out->bytes) == 1)
		return memcmp(out, &unknown, sizeof(unknown)) != 0;
	memcpy(out->bytes, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, copy, out->bytes + sizeof(mapped)) == 1)
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}

const char *address_write(char out[ADDRESS_TEXT], const struct address *a)
{
	if (memcmp(a, &unknown, sizeof(unknown)) == 0)
		out[0] = '\0';
	else if (is_ipv4(a))
		inet_ntop(AF_INET, a->bytes + sizeof(mapped), out,
			  ADDRESS_TEXT);
	else
		inet_ntop(AF_INET6, a->bytes, out, ADDRESS_TEXT);
	return out;
}

/* ---- chains ---- */

/* What addresses of one site have in common. */
static uint64_t site_of(const struct address *a)
{
	uint64_t site;

	memcpy(&site, a->bytes + (is_ipv4(a) ? 8 : 0), sizeof(site));
	return site;
}

bool address_same_site(const struct address *a, const struct address *other)
{
	return site_of(a) == site_of(other);
}

uint64_t address_hash(const struct broker *b, const struct address *a)
{
	uint64_t h = site_of(a) ^ b->geometry.seed;

	h *= 0x9e3779b97f4a7c15ULL;
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15ULL;
}

static uint32_t *bucket_of(struct broker *b, const struct address *a)
{
	return &b->addresses[(address_hash(b, a) >> 32) %
			     b->geometry.sessions];
}

void address_link(struct broker *b, struct session *s)
{
	uint32_t *bucket = bucket_of(b, &s->address);
	struct session *next = session_at(b, *bucket);

	STORE(s->address_next, *bucket);
	STORE(s->address_previous, NONE);
	if (next)
		STORE(next->address_previous, session_index(b, s));
	STORE(*bucket, session_index(b, s));
}

void address_unlink(struct broker *b, struct session *s)
{
	uint32_t *bucket = bucket_of(b, &s->address);
	struct session *next = session_at(b, s->address_next);
	struct session *previous = session_at(b, s->address_previous);

	if (previous)
		STORE(previous->address_next, s->address_next);
	else if (*bucket == session_index(b, s))
		STORE(*bucket, s->address_next);
	if (next)
		STORE(next->address_previous, s->address_previous);
}

void address_clear(struct broker *b)
{
	uint32_t i;

	for (i = 0; i < b->geometry.sessions; i++)
		STORE(b->addresses[i], NONE);
}

bool address_has(struct broker *b, const struct address *a, uint64_t n)
{
	uint32_t steps = b->geometry.sessions;
	struct session *s = session_at(b, *bucket_of(b, a));

	for (; s && n && steps; s = session_at(b, s->address_next), steps--)
		n -= s->slot.state == SLOT_LIVE &&
		     site_of(&s->address) == site_of(a);
	return n == 0;
}

/* Sessions in the chain of bucket i that belong there; *astray_out if there is
 * anything else. */
static uint32_t chained(struct broker *b, uint32_t i, bool *astray_out)
{
	uint32_t n = 0, previous = NONE, index = b->addresses[i];
	struct session *s;

	for (; (s = session_at(b, index)); index = s->address_next) {
		if (s->slot.state != SLOT_LIVE || n > b->geometry.sessions ||
		    s->address_previous != previous ||
		    bucket_of(b, &s->address) != &b->addresses[i])
			break;
		previous = index;
		n++;
	}
	if (index != NONE)
		*astray_out = true;
	return n;
}

int address_check(struct broker *b, struct buf *report)
{
	uint32_t i, live = 0, n = 0;
	bool astray = false;

	for (i = 0; i < b->geometry.sessions; i++) {
		live += session_at(b, i)->slot.state == SLOT_LIVE;
		n += chained(b, i, &astray);
	}
	if (n == live && !astray)
		return 0;
	buf_printf(report, "addresses: %u of %u sessions are in their "
		   "chains%s\n", n, live,
		   astray ? ", and one leads astray" : "");
	return 1;
}
