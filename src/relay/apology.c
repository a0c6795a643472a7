/* SPDX-License-Identifier: MIT */
/*
 * apology.c - skips a request, record by record
 */
#include "relay/apology.h"

#include <errno.h>
#include <fastcgi.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "fcgi/record.h"
#include "relay/halt.h"

enum { GRACE = 500 };		/* ms from SIGTERM on */

_Static_assert(sizeof(((struct apology *)NULL)->head) == sizeof(FCGI_Header),
	       "a header is 8 bytes");

static void read_head(struct apology *a)
{
	FCGI_Header h;
	size_t length;
	int request;

	memcpy(&h, a->head, sizeof(h));
	length = (size_t)h.contentLengthB1 << 8 | h.contentLengthB0;
	request = h.requestIdB1 << 8 | h.requestIdB0;
	a->have = 0;
	a->skip = length + h.paddingLength;
	if (h.version != FCGI_VERSION_1 || request == 0 ||
	    (!a->request && h.type != FCGI_BEGIN_REQUEST))
		a->broken = true;
	else if (!a->request)
		a->request = request;
	else if (h.type == FCGI_STDIN && length == 0 && request == a->request)
		a->whole = true;
}

void apology_feed(struct apology *a, const unsigned char *bytes, size_t n)
{
	size_t part;

	for (; n > 0 && !a->whole && !a->broken; bytes += part, n -= part) {
		if (a->skip) {
			part = n < a->skip ? n : a->skip;
			a->skip -= part;
			continue;
		}
		part = sizeof(a->head) - a->have;
		part = n < part ? n : part;
		memcpy(a->head + a->have, bytes, part);
		a->have += part;
		if (a->have == sizeof(a->head))
			read_head(a);
	}
}

static void read_request(struct apology *a, int fd, int64_t deadline)
{
	unsigned char bytes[4096];
	ssize_t n;

	while (!a->whole && !a->broken) {
		int64_t until = halt_deadline(deadline, GRACE);

		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			apology_feed(a, bytes, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR) ||
			 clock_ms() >= until)
			return;
		else
			halt_wait(fd, until);
	}
}

void apology_make(int fd, const char *text, int64_t deadline)
{
	static const char head[] = "Status: 503 Service Unavailable\r\n"
				   "Content-Type: text/plain; charset=utf-8\r\n"
				   "Cache-Control: no-cache\r\n"
				   "Retry-After: 1\r\n\r\n";
	unsigned char end[RECORD_END];
	struct apology a = { .request = 0 };
	struct buf out = BUF_INIT, answer = BUF_INIT;

	read_request(&a, fd, deadline);
	if (!a.request || a.broken)
		return;
	buf_printf(&answer, "%s%s\n", head, text);
	record_add(&out, a.request, buf_str(&answer), answer.len);
	record_end(end, a.request);
	buf_add(&out, end, sizeof(end));
	/* The first thing on this connection: there is room for it. */
	if (!buf_failed(&out) && !buf_failed(&answer))
		send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_release(&answer);
	buf_release(&out);
}
