/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http.c - any bytes as the answer that pushletctl doctor gets
 *
 * What it makes of them must be the same however they happen to arrive.  The
 * first line of an input is read as the address of a web server as well.
 */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tools/ctl_http.h"

static void check_url(const char *text)
{
	struct http_url u;
	const char *wrong = http_url_read(&u, text);

	must(memchr(u.host, '\0', sizeof(u.host)));
	must(memchr(u.port, '\0', sizeof(u.port)));
	if (wrong) {
		must(*wrong);
		return;
	}
	must(*u.host && *u.port && *u.authority);
	must(u.path >= text && u.path <= text + strlen(text));
	must(!strpbrk(u.host, "@/?# \t\r\n"));
}

static void check_answer(const struct http *h)
{
	char value[32] = "";

	must(h->status == -1 || h->status == 0 || h->status >= 100);
	must((h->status == 0) == (h->head.len == 0));
	must(h->status || h->error[0]);
	must(!h->chunked || !h->sized);
	http_header(h, "Content-Type", value, sizeof(value));
	must(strlen(value) < sizeof(value));
}

/* Gives it the bytes, `chunk' at a time. */
static void receive(struct http *h, const uint8_t *data, size_t n, size_t chunk)
{
	int pair[2];
	size_t now;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	*h = (struct http)HTTP_INIT;
	h->fd = pair[0];
	for (; n > 0 && !h->ended; data += now, n -= now) {
		now = n < chunk ? n : chunk;
		must(send(pair[1], data, now, MSG_NOSIGNAL) == (ssize_t)now);
		must(http_wait(h, clock_ms() + 1000) == 1);
	}
	close(pair[1]);
	while (!h->ended)
		must(http_wait(h, clock_ms() + 1000) == 1);
	must(http_wait(h, 0) == 0);
	check_answer(h);
}

static void same(const struct buf *a, const struct buf *b)
{
	must(a->len == b->len && memcmp(buf_str(a), buf_str(b), a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t chunk = n ? data[0] % 16 + 1 : 1, line;
	struct http whole, pieces;
	char url[512];

	line = strnlen((const char *)data, n < 511 ? n : 511);
	snprintf(url, sizeof(url), "%.*s", (int)line, (const char *)data);
	url[strcspn(url, "\r\n")] = '\0';
	check_url(url);
	receive(&whole, data, n, 16384);
	receive(&pieces, data, n, chunk);
	must(whole.status == pieces.status);
	same(&whole.head, &pieces.head);
	same(&whole.body, &pieces.body);
	http_close(&whole);
	http_close(&pieces);
	return 0;
}
