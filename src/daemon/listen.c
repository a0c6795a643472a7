/* SPDX-License-Identifier: MIT */
/*
 * listen.c - sockets, made here because FCGX_OpenSocket() takes away a living
 * server's path and exits when it fails
 */
#include "daemon/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

enum {
	BACKLOG = 4096,		/* nginx answers 502 at once when it is full */
	FIRST_PASSED = 3	/* SD_LISTEN_FDS_START */
};

static int is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

/* The loop accepts until there is none left, so accept must not wait. */
static int prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Is a server there?  Its file may have outlived it. */
static int someone_answers(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (const void *)sun, sizeof(*sun));

	close(fd);
	return rc == 0;
}

/* Binds with the mode in place from the start: umask is ours alone here. */
static int bind_unix(int fd, const struct sockaddr_un *sun, mode_t mode)
{
	mode_t before = umask(0777 & ~mode);
	int rc = bind(fd, (const void *)sun, sizeof(*sun));

	if (rc < 0 && errno == EADDRINUSE && !someone_answers(sun)) {
		unlink(sun->sun_path);
		rc = bind(fd, (const void *)sun, sizeof(*sun));
	}
	umask(before);
	return rc;
}

static int make_unix(struct listen_socket *s, char option, const char *path,
		     mode_t mode)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct stat st;

	if (*path != '/' || strlen(path) >= sizeof(sun.sun_path)) {
		log_error("-%c unix:%s: must be an absolute path of at most %zu "
			  "bytes", option, path, sizeof(sun.sun_path) - 1);
		return -1;
	}
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind_unix(s->fd, &sun, mode) < 0) {
		log_error("-%c unix:%s: %s", option, path,
			  errno == EADDRINUSE ? "another server listens there" :
						strerror(errno));
		return -1;
	}
	s->path = path;
	if (stat(path, &st) == 0) {
		s->device = st.st_dev;
		s->inode = st.st_ino;
	}
	return 0;
}

static int bind_inet(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	int on = 1, saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Splits "host:port"; brackets around an IPv6 host are taken off. */
static int split(const char *address, char *host, size_t size,
		 const char **port_out)
{
	const char *colon = strrchr(address, ':');
	size_t n;

	if (!colon || !colon[1])
		return -1;
	n = (size_t)(colon - address);
	if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
		address++;
		n -= 2;
	}
	if (n >= size)
		return -1;
	memcpy(host, address, n);
	host[n] = '\0';
	*port_out = colon + 1;
	return 0;
}

/* getaddrinfo() takes a number too large for another one. */
static bool port_valid(const char *port)
{
	size_t digits = strspn(port, "0123456789");

	return digits > 0 && digits <= 5 && !port[digits] &&
	       strtoul(port, NULL, 10) <= 65535;
}

/* Port 0 became one that was free: say which. */
static void name_port(struct listen_socket *s, const char *address)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	char port[8];

	if (getsockname(s->fd, (void *)&sa, &n) == 0 &&
	    getnameinfo((void *)&sa, n, NULL, 0, port, sizeof(port),
			NI_NUMERICSERV) == 0)
		snprintf(s->name, sizeof(s->name), "%.*s:%s",
			 (int)(strrchr(address, ':') - address), address,
			 port);
}

static int make_inet(struct listen_socket *s, const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM }, *found, *ai;
	char host[256];
	const char *port;
	int rc;

	if (split(address, host, sizeof(host), &port) < 0) {
		log_error("-s %s: must be unix:/PATH or HOST:PORT", address);
		return -1;
	}
	if (!port_valid(port)) {
		log_error("-s %s: the port must be a number from 0 (any free "
			  "one) to 65535", address);
		return -1;
	}
	rc = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	if (rc) {
		log_error("-s %s: %s", address, gai_strerror(rc));
		return -1;
	}
	for (ai = found; ai && s->fd < 0; ai = ai->ai_next)
		s->fd = bind_inet(ai);
	if (s->fd < 0)
		log_error("-s %s: %s", address, strerror(errno));
	else
		name_port(s, address);
	freeaddrinfo(found);
	return s->fd < 0 ? -1 : 0;
}

/* No other kind of socket passes descriptors. */
static int only_unix(const char *address)
{
	log_error("-r %s: must be unix:/PATH", address);
	return -1;
}

int listen_make(struct listen_socket *s, char option, const char *address,
		mode_t mode)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	snprintf(s->name, sizeof(s->name), "%s", address);
	if (strncmp(address, "unix:", 5) == 0)
		rc = make_unix(s, option, address + 5, mode);
	else
		rc = option == 'r' ? only_unix(address) : make_inet(s, address);
	if (rc == 0 && (listen(s->fd, BACKLOG) < 0 || prepare(s->fd) < 0)) {
		log_error("-%c %s: %s", option, address, strerror(errno));
		rc = -1;
	}
	if (rc < 0 && s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
	return rc;
}

static unsigned long number_in_environment(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

/* systemd says in the environment whom its sockets are for. */
static int passed_by_systemd(void)
{
	return number_in_environment("LISTEN_PID") ==
		       (unsigned long)getpid() &&
	       number_in_environment("LISTEN_FDS") >= 1;
}

int listen_inherited(struct listen_socket *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = passed_by_systemd() ? FIRST_PASSED : STDIN_FILENO;
	snprintf(s->name, sizeof(s->name), "inherited socket");
	if (is_listening(s->fd) && prepare(s->fd) == 0)
		return 0;
	s->fd = -1;
	return -1;
}

void listen_close(struct listen_socket *s)
{
	struct stat st;

	if (s->fd < 0)
		return;
	close(s->fd);
	if (s->path && stat(s->path, &st) == 0 && st.st_dev == s->device &&
	    st.st_ino == s->inode)
		unlink(s->path);
}
