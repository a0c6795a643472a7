/* SPDX-License-Identifier: MIT */
/*
 * place.c - bridge.redis in parts; the password's file
 */
#include "bridge/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { PORT = 6379, PORT_MAX = 65535, DB_MAX = 9999 };

#define TCP "redis://"
#define TLS "rediss://"
#define UNIX "unix:"

static int refuse(struct buf *why, const char *url, const char *what)
{
	/* Whatever stands before an @ may be a secret. */
	buf_printf(why, "bridge.redis: %s, not '%s'\n", what,
		   strchr(url, '@') ? "...@..." : url);
	return -1;
}

/* Digits up to one of the ends; -1: none, or too many. */
static long number(const char **p, long max)
{
	const char *start = *p;
	long n = 0;

	for (; **p >= '0' && **p <= '9' && n <= max; (*p)++)
		n = 10 * n + (**p - '0');
	return *p > start && n <= max ? n : -1;
}

/* HOST, or [HOST] for one with colons. */
static int read_host(struct place *place, const char **p)
{
	bool bracket = **p == '[';
	const char *start = *p + bracket;
	size_t n = strcspn(start, bracket ? "]" : ":/");

	if (n == 0 || n >= sizeof(place->host) || (bracket && !start[n]))
		return -1;
	memcpy(place->host, start, n);
	*p = start + n + bracket;
	return 0;
}

static int read_tcp(struct place *place, const char *p)
{
	long n;

	place->port = PORT;
	if (strchr(p, '@') || read_host(place, &p) < 0)
		return -1;
	if (*p == ':') {
		p++;
		n = number(&p, PORT_MAX);
		if (n < 1)
			return -1;
		place->port = (int)n;
	}
	if (*p == '/' && p[1]) {
		p++;
		n = number(&p, DB_MAX);
		if (n < 0)
			return -1;
		place->db = (unsigned)n;
	} else if (*p == '/') {
		p++;
	}
	return *p ? -1 : 0;
}

int place_read(struct place *place, const struct properties *p,
	       struct buf *why)
{
	const char *url = p->bridge_redis;

	memset(place, 0, sizeof(*place));
	snprintf(place->user, sizeof(place->user), "%s", p->bridge_user);
	snprintf(place->password_file, sizeof(place->password_file), "%s",
		 p->bridge_password_file);
	if (strncmp(url, TLS, strlen(TLS)) == 0)
		return refuse(why, url, "this hiredis has no TLS; it must be "
			      "redis:// or unix:, of a tunnel for instance");
	if (strncmp(url, UNIX "/", strlen(UNIX "/")) == 0) {
		url += strlen(UNIX);
		if (strlen(url) >= sizeof(place->path))
			return refuse(why, url, "a path has at most 103 bytes");
		snprintf(place->path, sizeof(place->path), "%s", url);
		return 0;
	}
	if (strncmp(url, TCP, strlen(TCP)) != 0 ||
	    read_tcp(place, url + strlen(TCP)) < 0)
		return refuse(why, url, "it must be redis://HOST[:PORT][/DB] "
			      "or unix:/PATH, without user and password");
	return 0;
}

static int fail(const struct place *place, struct buf *why, const char *what)
{
	buf_printf(why, "bridge.redis.password.file: %s: %s",
		   place->password_file, what);
	return -1;
}

static void warn_of_readers(const struct place *place, int fd)
{
	static int warned;
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_mode & 07 &&
	    !__atomic_exchange_n(&warned, 1, __ATOMIC_RELAXED))
		log_warn("%s: everybody may read the password; chmod o= helps",
			 place->password_file);
}

int place_password(const struct place *place, struct buf *password_out,
		   struct buf *why)
{
	char text[1024] = "";
	ssize_t n;
	int fd = open(place->password_file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(place, why, strerror(errno));
	warn_of_readers(place, fd);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return fail(place, why, strerror(errno));
	buf_add(password_out, text, strcspn(text, "\r\n"));
	explicit_bzero(text, sizeof(text));
	return password_out->len ? 0 : fail(place, why, "it is empty");
}

void place_name(const struct place *place, struct buf *out)
{
	if (place->path[0])
		buf_printf(out, "unix:%s", place->path);
	else
		buf_printf(out, "%s:%d", place->host, place->port);
}
