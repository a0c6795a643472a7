/* SPDX-License-Identifier: MIT */
/*
 * relays.c - SO_PEERCRED decides, fcgi/handover.h transports
 */
#include "daemon/relays.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "fcgi/handover.h"

int relays_settle(struct relays *r, const struct properties *p)
{
	const struct passwd *user;

	if (!*p->relay_user) {
		r->user = geteuid();
		return 0;
	}
	user = getpwnam(p->relay_user);
	if (!user) {
		log_error("relay.user: there is no user '%s'", p->relay_user);
		return -1;
	}
	r->user = user->pw_uid;
	return 0;
}

static void complain(const char *text)
{
	static struct log_pace pace;
	char others[LOG_OTHERS];

	if (log_may(&pace, others))
		log_warn("refused a connection that a relay brought: %s%s",
			 text, others);
}

bool relays_admit(struct relays *r, int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t n = sizeof(peer);
	char text[128];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	    (peer.uid == 0 || peer.uid == r->user))
		return true;
	snprintf(text, sizeof(text), "user %lu may not, only user %lu and root "
		 "may (relay.user)", (unsigned long)peer.uid,
		 (unsigned long)r->user);
	handover_refuse(fd, text);
	complain(text);
	return false;
}

int relays_take(int fd)
{
	const char *why;
	int connection = handover_take(fd, &why);

	if (connection < 0) {
		handover_refuse(fd, why);
		complain(why);
	} else if (handover_accept(fd) < 0) {
		log_debug("a relay took its connection back");
		close(connection);
		connection = -1;
	}
	close(fd);
	return connection;
}
