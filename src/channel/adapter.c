/* SPDX-License-Identifier: MIT */
/*
 * adapter.c - how events look in one p_format
 */
#include "channel/adapter.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/log.h"
#include "channel/adapter_list.h"

/* In the order of broker/format.h: the place is the number sessions keep. */
#define ROW(id, name) &adapter_##id,
static const struct adapter *const table[] = { FORMAT_ROWS(ROW) };

enum { CALLBACK_MAX = 64 };

#define ROWS (sizeof(table) / sizeof(table[0]))

const struct adapter *adapter_find(const char *name)
{
	unsigned i;

	for (i = 0; i < ROWS; i++) {
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	}
	return NULL;
}

unsigned adapter_number(const struct adapter *a)
{
	unsigned i;

	a = a->like ? a->like : a;
	for (i = 0; i < ROWS && table[i] != a; i++)
		;
	must(i < ROWS);
	return i;
}

const struct adapter *adapter_at(unsigned number)
{
	return number < ROWS ? table[number] : NULL;
}

const struct adapter *adapter_calling(const struct adapter *a)
{
	return a == &adapter_json || a == &adapter_jsonp ? &adapter_jsonp :
							   NULL;
}

bool adapter_callback_valid(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_$";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ_$0123456789";
	const char *end = name + strlen(name);

	if (end - name > CALLBACK_MAX)
		return false;
	for (; strspn(name, first); name++) {
		name += strspn(name, rest);
		if (name == end)
			return true;
		if (*name != '.')
			return false;
	}
	return false;
}

const struct adapter *adapter_default(void)
{
	return &adapter_js;
}

const char *adapter_names(void)
{
#define LISTED(id, name) ", " name
	static const char names[] = FORMAT_ROWS(LISTED);

	return names + strlen(", ");
}

unsigned adapter_shared(const struct adapter *a, struct buf *out,
			const char *packed, size_t n)
{
	const char *end = packed + n;
	unsigned index = 0;
	struct attr attr;

	a->open(out);
	while (attr_next(&packed, end, &attr))
		a->attr(out, &attr, index++);
	return index;
}

void adapter_own(const struct adapter *a, struct buf *out, unsigned *index,
		 const char *name, const char *value)
{
	struct attr attr = { name, strlen(name), value, strlen(value) };

	a->attr(out, &attr, (*index)++);
}

void adapter_own_int(const struct adapter *a, struct buf *out, unsigned *index,
		     const char *name, uint64_t value)
{
	char room[DIGITS_SIZE];

	adapter_own(a, out, index, name, digits_decimal(room, value));
}

/* p_wait is our own, but comes out of the segment: what is no number of
 * milliseconds waits the longest a browser can. */
static unsigned wait_of(const struct event *e)
{
	const char *text = event_get(e, "p_wait");
	unsigned long wait;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	wait = strtoul(text, &end, 10);
	if (errno || *end || wait > INT_MAX)
		return INT_MAX;
	return (unsigned)wait;
}

void adapter_between(const struct adapter *a, struct buf *out)
{
	if (a->between)
		buf_puts(out, a->between);
}

/* Does it send its client away, to come back? */
static bool is_refresh(const struct adapter *a, const struct event *e)
{
	const char *kind = event_get(e, "p_event");

	if (!a->refresh || !kind)
		return false;
	return a->returns ? event_get(e, "p_wait") != NULL :
	       event_get(e, "p_url") && strcmp(kind, "refresh") == 0;
}

void adapter_event(const struct adapter *a, struct buf *out,
		   const struct event *e, bool first)
{
	if (!first)
		adapter_between(a, out);
	if (is_refresh(a, e)) {
		a->refresh(out, e, wait_of(e));
		return;
	}
	adapter_shared(a, out, buf_str(&e->packed), e->packed.len);
	a->close(out, 0);
}
