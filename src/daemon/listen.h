/* SPDX-License-Identifier: MIT */
/*
 * listen.h - the socket that the web server connects to
 */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include <sys/types.h>

struct listen_socket {
	int fd;			/* -1: none */
	const char *path;	/* of a unix socket we made, or NULL */
	dev_t device;		/* of the file at path */
	ino_t inode;
	char name[128];		/* for people */
};

/*
 * Makes a socket: "unix:/path" with the given permission bits, or "host:port"
 * ("[::1]:9000", ":9000" for all addresses).  A unix socket that nobody
 * listens on any more is replaced; one that somebody does is an error.
 * Returns 0, or -1 after logging why, as the fault of -option: 's', or 'r',
 * which must be a unix socket.
 */
int listen_make(struct listen_socket *s, char option, const char *address,
		mode_t mode);

/* Takes the socket that whoever started us passed: standard input (FastCGI
 * specification, 2.2), or the first of sd_listen_fds(3).  Returns 0, or -1
 * when there is none; nothing is logged. */
int listen_inherited(struct listen_socket *s);

/* Closes it, if there is one; removes the file of a unix socket that is still
 * ours. */
void listen_close(struct listen_socket *s);

#endif
