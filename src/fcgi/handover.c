/* SPDX-License-Identifier: MIT */
/*
 * handover.c - SCM_RIGHTS, and a byte that says it arrived
 *
 * Withdrawing is shutdown(SHUT_RD): the kernel sets that and queues a peer's
 * byte under the same lock, so the answer either is there to be read afterwards
 * or can no longer be sent.
 */
#include "fcgi/handover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	VERSION = 1,
	TAKEN = '+',
	REFUSED = '-',
	ROOM = 16		/* descriptors; the kernel drops what is over */
};

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(ROOM * sizeof(int))];
};

/* ---- the relay's side ---- */

int handover_offer(int fd, int connection)
{
	char version = VERSION;
	struct iovec piece = { &version, 1 };
	union control control = { .bytes = "" };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = CMSG_SPACE(sizeof(int)) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &connection, sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

enum handover handover_answer(int fd, char *why_out, size_t size)
{
	char text[256];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	*why_out = '\0';
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return HANDOVER_OPEN;
	if (n > 0 && text[0] == TAKEN)
		return HANDOVER_TAKEN;
	if (n <= 0 || text[0] != REFUSED)
		return HANDOVER_LOST;
	text[n] = '\0';
	snprintf(why_out, size, "%s", text + 1);
	return HANDOVER_REFUSED;
}

enum handover handover_withdraw(int fd, char *why_out, size_t size)
{
	enum handover h;

	shutdown(fd, SHUT_RD);
	do {
		h = handover_answer(fd, why_out, size);
	} while (h == HANDOVER_OPEN && errno == EINTR);
	return h == HANDOVER_OPEN ? HANDOVER_LOST : h;
}

/* ---- pushletd's side ---- */

/* What came along: the descriptors, up to ROOM, and how many. */
static unsigned descriptors(struct msghdr *message, int out[ROOM])
{
	struct cmsghdr *head;
	unsigned n = 0, i;

	for (head = CMSG_FIRSTHDR(message); head;
	     head = CMSG_NXTHDR(message, head)) {
		const unsigned char *data = CMSG_DATA(head);

		if (head->cmsg_level != SOL_SOCKET ||
		    head->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; n < ROOM && CMSG_LEN((i + 1) * sizeof(int)) <=
						head->cmsg_len; i++)
			memcpy(&out[n++], data + i * sizeof(int), sizeof(int));
	}
	return n;
}

static int socket_option(int fd, int option)
{
	int value = 0;
	socklen_t n = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &n) < 0 ? -1 : value;
}

static const char *fault_of(int fd)
{
	int type = socket_option(fd, SO_TYPE);

	if (type < 0)
		return "the descriptor is no socket";
	if (type != SOCK_STREAM)
		return "the socket is no stream";
	if (socket_option(fd, SO_ACCEPTCONN) != 0)
		return "the socket is a listening one";
	return NULL;
}

static const char *fault(ssize_t n, int version, const int *fds, unsigned count,
			 bool cut)
{
	if (n <= 0)
		return "the relay sent nothing";
	if (n != 1 || version != VERSION)
		return "the relay is of another version, or none";
	if (count == 0)
		return "no descriptor came along";
	if (count > 1 || cut)
		return "several descriptors came along";
	return fault_of(fds[0]);
}

int handover_take(int fd, const char **why_out)
{
	char bytes[2];
	struct iovec piece = { bytes, sizeof(bytes) };
	union control control;
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	int fds[ROOM];
	unsigned count = 0;
	ssize_t n;

	n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n >= 0)
		count = descriptors(&message, fds);
	*why_out = fault(n, n > 0 ? bytes[0] : 0, fds, count,
			 n >= 0 && message.msg_flags & MSG_CTRUNC);
	if (!*why_out)
		return fds[0];
	while (count > 0)
		close(fds[--count]);
	return -1;
}

int handover_accept(int fd)
{
	char taken = TAKEN;

	return send(fd, &taken, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

void handover_refuse(int fd, const char *why)
{
	char refused = REFUSED;
	struct iovec pieces[] = { { &refused, 1 },
				  { (char *)why, strlen(why) } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };

	/* Who does not listen any more need not know. */
	if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}
