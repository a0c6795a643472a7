/* SPDX-License-Identifier: MIT */
/*
 * record.c - written with the structs of libfcgi's fastcgi.h
 */
#include "fcgi/record.h"

#include <fastcgi.h>
#include <string.h>

_Static_assert(sizeof(FCGI_Header) == RECORD_HEAD, "a header is 8 bytes");
_Static_assert(sizeof(FCGI_EndRequestRecord) == RECORD_HEAD + 8,
	       "an end record is 16 bytes");

static FCGI_Header head_of(int type, int request, size_t n)
{
	FCGI_Header h = {
		.version = FCGI_VERSION_1,
		.type = (unsigned char)type,
		.requestIdB1 = (unsigned char)(request >> 8),
		.requestIdB0 = (unsigned char)request,
		.contentLengthB1 = (unsigned char)(n >> 8),
		.contentLengthB0 = (unsigned char)n,
	};

	return h;
}

void record_stdout(unsigned char head_out[RECORD_HEAD], int request, size_t n)
{
	FCGI_Header h = head_of(FCGI_STDOUT, request, n);

	memcpy(head_out, &h, sizeof(h));
}

void record_room(struct buf *record)
{
	static const char room[RECORD_HEAD];

	buf_clear(record);
	buf_add(record, room, sizeof(room));
}

void record_add(struct buf *out, int request, const char *bytes, size_t n)
{
	unsigned char head[RECORD_HEAD];
	size_t part;

	for (; n > 0; bytes += part, n -= part) {
		part = n < RECORD_MAX ? n : RECORD_MAX;
		record_stdout(head, request, part);
		buf_add(out, head, sizeof(head));
		buf_add(out, bytes, part);
	}
}

void record_end(unsigned char out[RECORD_END], int request)
{
	FCGI_EndRequestRecord end;

	memset(&end, 0, sizeof(end));
	end.header = head_of(FCGI_END_REQUEST, request, sizeof(end.body));
	end.body.protocolStatus = FCGI_REQUEST_COMPLETE;
	record_stdout(out, request, 0);
	memcpy(out + RECORD_HEAD, &end, sizeof(end));
}

bool record_is_abort(const unsigned char *bytes, size_t n)
{
	const FCGI_Header *h = (const void *)bytes;

	return n >= sizeof(*h) && h->version == FCGI_VERSION_1 &&
	       h->type == FCGI_ABORT_REQUEST;
}
