/* SPDX-License-Identifier: MIT */
/*
 * permit.c - what the properties allow, made ready to be asked
 */
#include "command/permit.h"

#include <stdlib.h>
#include <string.h>

#include "command/lines.h"

/* lines_read() */
static const char *add_banned(void *arg, const char *line)
{
	struct permit *permit = arg;
	struct network *more;

	if (permit->banned_count == permit->banned_room) {
		permit->banned_room = permit->banned_room * 2 + 64;
		more = reallocarray(permit->banned, permit->banned_room,
				    sizeof(*more));
		if (!more)
			return "no memory";
		permit->banned = more;
	}
	if (network_read(&permit->banned[permit->banned_count], line,
			 strlen(line)) < 0)
		return "neither an address nor a network like 192.0.2.0/24";
	permit->banned_count++;
	return NULL;
}

/* Both files, so that all mistakes are told. */
static int read_lists(struct permit *permit, const struct properties *p,
		      struct buf *report)
{
	int rc = 0;

	if (*p->ban_file)
		rc |= lines_read("ban.addresses.file", p->ban_file, add_banned,
				 permit, report);
	if (*p->words_file)
		rc |= lines_read("filter.words.file", p->words_file, words_add,
				 &permit->words, report);
	return rc;
}

bool permit_banned(const struct permit *permit, const uint8_t *address)
{
	size_t i;

	for (i = 0; i < permit->banned_count; i++)
		if (network_has(&permit->banned[i], address))
			return true;
	return false;
}

struct permit *permit_new(const struct properties *p, struct buf *report)
{
	struct permit *permit = calloc(1, sizeof(*permit));

	if (permit) {
		permit->held = 1;
		if (rulebook_read(&permit->rules, p->permits) == 0 &&
		    read_lists(permit, p, report) == 0)
			return permit;
	}
	if (report->len == 0)
		buf_puts(report, "no memory for the rules\n");
	permit_drop(permit);
	return NULL;
}

struct permit *permit_hold(struct permit *permit)
{
	__atomic_fetch_add(&permit->held, 1, __ATOMIC_RELAXED);
	return permit;
}

void permit_drop(struct permit *permit)
{
	if (!permit ||
	    __atomic_sub_fetch(&permit->held, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	rulebook_release(&permit->rules);
	words_release(&permit->words);
	free(permit->banned);
	free(permit);
}
