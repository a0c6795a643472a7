/* SPDX-License-Identifier: MIT */
/*
 * event.c - an event: a list of named values
 *
 * Looking for a name walks the list: events are short, and what is packed can
 * be copied into the log as it is.
 */
#include "broker/event.h"

#include <errno.h>
#include <string.h>

#include "base/digits.h"
#include "base/utf8.h"

#define NAME_MAX_BYTES UINT16_MAX
#define VALUE_MAX_BYTES ((size_t)1 << 31)

#define HEAD_BYTES (ATTR_EXTRA - 2)	/* the lengths, before the texts */

bool event_name_valid(const char *name, size_t n)
{
	return utf8_valid(name, n) && utf8_is_name(name, n) &&
	       !(n == 5 && memcmp(name, "xmlns", 5) == 0);
}

void event_release(struct event *e)
{
	buf_release(&e->packed);
	e->count = 0;
}

void event_clear(struct event *e)
{
	buf_clear(&e->packed);
	e->count = 0;
}

static bool find(const struct event *e, const char *name, size_t name_len,
		 struct attr *attr_out)
{
	const char *pos = buf_str(&e->packed);
	const char *end = pos + e->packed.len;

	while (attr_next(&pos, end, attr_out)) {
		if (attr_out->name_len == name_len &&
		    memcmp(attr_out->name, name, name_len) == 0)
			return true;
	}
	return false;
}

/* Where there is room: bytes, and a text with its NUL. */
static char *put(char *at, const void *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

static char *put_text(char *at, const char *text, size_t n)
{
	at = put(at, text, n);
	*at = '\0';
	return at + 1;
}

int event_add_n(struct event *e, const char *name, size_t name_len,
		const char *value, size_t value_len)
{
	uint16_t packed_name = (uint16_t)name_len;
	uint32_t packed_value = (uint32_t)value_len;
	size_t bytes = ATTR_EXTRA + name_len + value_len;
	struct attr same;
	char *at;

	if (name_len > NAME_MAX_BYTES || value_len > VALUE_MAX_BYTES) {
		errno = E2BIG;
		return -1;
	}
	if (find(e, name, name_len, &same)) {
		errno = EEXIST;
		return -1;
	}
	at = buf_extend(&e->packed, bytes);
	if (!at)
		return -1;
	at = put(at, &packed_name, sizeof(packed_name));
	at = put(at, &packed_value, sizeof(packed_value));
	at = put_text(at, name, name_len);
	put_text(at, value, value_len);
	e->count++;
	return 0;
}

int event_add(struct event *e, const char *name, const char *value)
{
	return event_add_n(e, name, strlen(name), value, strlen(value));
}

int event_add_int(struct event *e, const char *name, int64_t value)
{
	char room[1 + DIGITS_SIZE];
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char *text = digits_decimal(&room[1], size);

	if (value < 0)
		*--text = '-';
	return event_add(e, name, text);
}

const char *event_get(const struct event *e, const char *name)
{
	struct attr found;

	return find(e, name, strlen(name), &found) ? found.value : NULL;
}

bool attr_next(const char **pos, const char *end, struct attr *attr_out)
{
	size_t room = (size_t)(end - *pos);
	uint32_t value_len;
	uint16_t name_len;
	const char *p = *pos;

	if (room < ATTR_EXTRA)
		return false;
	memcpy(&name_len, p, sizeof(name_len));
	memcpy(&value_len, p + sizeof(name_len), sizeof(value_len));
	room -= ATTR_EXTRA;
	if (name_len > room || value_len > room - name_len)
		return false;
	attr_out->name = p + HEAD_BYTES;
	attr_out->name_len = name_len;
	attr_out->value = attr_out->name + name_len + 1;
	attr_out->value_len = value_len;
	if (attr_out->name[name_len] || attr_out->value[value_len])
		return false;
	*pos = attr_out->value + value_len + 1;
	return true;
}

bool attr_valid(const char *packed, size_t n)
{
	const char *end = packed + n;
	struct attr a;

	while (attr_next(&packed, end, &a))
		;
	return packed == end;
}
