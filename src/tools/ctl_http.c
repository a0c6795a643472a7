/* SPDX-License-Identifier: MIT */
/*
 * ctl_http.c - connect, ask, and take the answer apart as it comes
 */
#include "tools/ctl_http.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"

/* Nobody sends so much to a doctor but by mistake. */
enum { CONNECT_SECONDS = 10, MOST = 1 << 20 };

/* -- addresses ---------------------------------------------------------- */

static const char *read_port(struct http_url *u, const char *s, size_t n)
{
	size_t digits = strspn(s, "0123456789");

	if (n == 0 || n >= sizeof(u->port) || digits != n)
		return "its port must be a number";
	memcpy(u->port, s, n);
	return NULL;
}

/* host, host:port, [::1] or [::1]:port, of n bytes. */
static const char *read_authority(struct http_url *u, const char *s, size_t n)
{
	static const char needs_host[] = "it needs a host of at most 255 bytes";
	const char *end = s + n, *host = s, *stop;

	if (memchr(s, '@', n))
		return "a user and a password in it are not supported";
	if (n >= sizeof(u->host))
		return needs_host;
	snprintf(u->authority, sizeof(u->authority), "%.*s", (int)n, s);
	if (*s == '[') {
		host = s + 1;
		stop = memchr(s, ']', n);
		if (!stop)
			return "a ']' is missing";
		s = stop + 1;
	} else {
		stop = memchr(s, ':', n);
		s = stop = stop ? stop : end;
	}
	snprintf(u->host, sizeof(u->host), "%.*s", (int)(stop - host), host);
	if (!*u->host)
		return needs_host;
	if (s == end)
		return NULL;
	return *s == ':' ? read_port(u, s + 1, (size_t)(end - s - 1)) :
			   "only a port may follow the ']'";
}

const char *http_url_read(struct http_url *u, const char *text)
{
	static const char scheme[] = "http://";

	*u = (struct http_url){ .port = "80" };
	if (strncasecmp(text, "https://", 8) == 0)
		return "doctor speaks no TLS: give it the http:// address of "
		       "the front, on its own machine or through 'socat "
		       "TCP-LISTEN:8080,bind=127.0.0.1,fork OPENSSL:HOST:443'";
	if (strncasecmp(text, scheme, strlen(scheme)) != 0)
		return "it must begin with http://";
	text += strlen(scheme);
	u->path = text + strcspn(text, "/?#");
	if (strpbrk(text, "?# \t\r\n"))
		return "it must end with the path: no query, no blank";
	return read_authority(u, text, (size_t)(u->path - text));
}

/* -- asking ------------------------------------------------------------- */

static int try_address(const struct addrinfo *a)
{
	const struct timeval limit = { .tv_sec = CONNECT_SECONDS };
	int error, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* It limits connect(2) as well. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	error = errno == EINPROGRESS ? ETIMEDOUT : errno;
	close(fd);
	errno = error;
	return -1;
}

static int reach(struct http *h, const struct http_url *u)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *a;
	int rc = getaddrinfo(u->host, u->port, &hints, &list);

	if (rc != 0) {
		snprintf(h->error, sizeof(h->error), "%s", gai_strerror(rc));
		return -1;
	}
	for (a = list; a && h->fd < 0; a = a->ai_next)
		h->fd = try_address(a);
	if (h->fd < 0)
		snprintf(h->error, sizeof(h->error), "%s", strerror(errno));
	freeaddrinfo(list);
	return h->fd < 0 ? -1 : 0;
}

static int send_all(struct http *h, const struct buf *out)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < out->len) {
		n = send(h->fd, out->data + sent, out->len - sent,
			 MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			snprintf(h->error, sizeof(h->error), "%s",
				 strerror(errno));
			return -1;
		}
		sent += (size_t)n;
	}
	return 0;
}

int http_open(struct http *h, const struct http_url *u, const char *query,
	      const char *body, const char *encoding)
{
	struct buf out = BUF_INIT;
	int rc;

	buf_printf(&out, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\n"
		   "User-Agent: pushletctl/" PUSHLET_VERSION "\r\n"
		   "Connection: close\r\n", body ? "POST" : "GET",
		   *u->path ? u->path : "/", body ? "" : "?",
		   body ? "" : query, u->authority);
	if (encoding)
		buf_printf(&out, "Accept-Encoding: %s\r\n", encoding);
	if (body)
		buf_printf(&out, "Content-Type: "
			   "application/x-www-form-urlencoded\r\n"
			   "Content-Length: %zu\r\n", strlen(body));
	buf_printf(&out, "\r\n%s", body ? body : "");
	if (buf_failed(&out))
		snprintf(h->error, sizeof(h->error), "out of memory");
	rc = buf_failed(&out) || reach(h, u) != 0 ? -1 : send_all(h, &out);
	buf_release(&out);
	return rc;
}

/* -- the answer --------------------------------------------------------- */

void http_header(const struct http *h, const char *name, char *out, size_t n)
{
	const char *line = buf_str(&h->head);
	size_t len = strlen(name), value;

	*out = '\0';
	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		value = strcspn(line, "\r\n");
		snprintf(out, n, "%.*s", (int)(value < n ? value : n), line);
		return;
	}
}

/* What strtoull() makes of no number, or of blanks before one, would depend on
 * what else has come. */
static uint64_t number(const char *text, int base)
{
	return isxdigit((unsigned char)*text) ? strtoull(text, NULL, base) : 0;
}

/* The head, once it is there.  false: not yet. */
static bool take_head(struct http *h)
{
	char *end = h->raw.data ? strstr(h->raw.data, "\r\n\r\n") : NULL;
	const char *first;
	char text[32], *stop;

	if (h->status || !end)
		return h->status != 0;
	buf_add(&h->head, h->raw.data, (size_t)(end + 2 - h->raw.data));
	buf_drop(&h->raw, (size_t)(end + 4 - h->raw.data));
	first = buf_str(&h->head);
	stop = strchr(first, ' ');
	h->status = stop ? (int)strtol(stop, NULL, 10) : -1;
	if (h->status < 100 || strncmp(first, "HTTP/1.", 7) != 0)
		h->status = -1;
	http_header(h, "Transfer-Encoding", text, sizeof(text));
	h->chunked = strcasecmp(text, "chunked") == 0;
	http_header(h, "Content-Length", text, sizeof(text));
	h->sized = !h->chunked && *text;
	h->left = h->sized ? number(text, 10) : 0;
	return true;
}

/* The line before a chunk.  false: it is not there yet, or was the last. */
static bool take_size(struct http *h)
{
	const char *line = buf_str(&h->raw) + strspn(buf_str(&h->raw), "\r\n");
	const char *end = strstr(line, "\r\n");

	if (!end)
		return false;
	h->left = number(line, 16);
	buf_drop(&h->raw, (size_t)(end + 2 - h->raw.data));
	h->ended = h->left == 0;
	return !h->ended;
}

static void take_body(struct http *h)
{
	bool counted = h->chunked || h->sized;
	size_t n;

	while (h->raw.len > 0 && !h->ended) {
		if (h->chunked && h->left == 0 && !take_size(h))
			return;
		n = h->raw.len;
		if (counted && n > h->left)
			n = (size_t)h->left;
		buf_add(&h->body, h->raw.data, n);
		buf_drop(&h->raw, n);
		h->left -= counted ? n : 0;
		if (h->sized && h->left == 0)
			break;
	}
	if (h->sized && h->left == 0)
		h->ended = true;
}

static void take_end(struct http *h, ssize_t n)
{
	h->ended = true;
	if (!h->status)
		snprintf(h->error, sizeof(h->error), "%s", n < 0 ?
			 strerror(errno) : "the connection was closed");
}

int http_wait(struct http *h, int64_t deadline)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	int64_t rest = deadline - clock_ms();
	char bytes[16384];
	ssize_t n;

	if (h->ended || poll(&p, 1, rest > 0 ? (int)rest : 0) <= 0)
		return 0;
	n = recv(h->fd, bytes, sizeof(bytes), 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n > 0)
		buf_add(&h->raw, bytes, (size_t)n);
	if (take_head(h))
		take_body(h);
	if (n <= 0 && !h->ended)
		take_end(h, n);
	if (buf_failed(&h->raw) || buf_failed(&h->body) ||
	    h->body.len + h->raw.len > MOST)
		h->ended = true;
	return 1;
}

void http_close(struct http *h)
{
	if (h->fd >= 0)
		close(h->fd);
	buf_release(&h->raw);
	buf_release(&h->head);
	buf_release(&h->body);
	*h = (struct http)HTTP_INIT;
}
