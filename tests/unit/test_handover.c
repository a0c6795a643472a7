/* SPDX-License-Identifier: MIT */
/*
 * test_handover.c - fcgi/handover.h: a connection changes hands, or does not
 */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgi/handover.h"

static int relay, server;	/* the two ends of one hand-over */
static int ours, theirs;	/* the connection: the relay's end, the peer's */
static char why[64];

static void connect_pair(int type, int *a, int *b)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, fds), 0);
	*a = fds[0];
	*b = fds[1];
}

static void set_up(void)
{
	connect_pair(SOCK_STREAM, &relay, &server);
	connect_pair(SOCK_STREAM, &ours, &theirs);
}

static unsigned open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Whatever bytes with whatever descriptors. */
static void send_raw(const char *bytes, size_t size, const int *fds, unsigned n)
{
	struct iovec piece = { (char *)bytes, size };
	char control[CMSG_SPACE(64 * sizeof(int))] = "";
	struct msghdr m = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (n) {
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, n * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(relay, &m, 0), (ssize_t)size);
}

/* What is wrong with the offer that came; nothing of it stays. */
static const char *fault(void)
{
	unsigned before = open_descriptors();
	const char *text = NULL;

	ck_assert_int_eq(handover_take(server, &text), -1);
	ck_assert_uint_eq(open_descriptors(), before);
	return text;
}

START_TEST(a_connection_changes_hands)
{
	const char *text;
	char byte;
	int taken;

	ck_assert_int_eq(handover_offer(relay, ours), 0);
	close(ours);
	ck_assert_int_eq(handover_answer(relay, why, sizeof(why)),
			 HANDOVER_OPEN);
	taken = handover_take(server, &text);
	ck_assert_int_ge(taken, 0);
	ck_assert_int_eq(fcntl(taken, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(handover_accept(server), 0);
	ck_assert_int_eq(handover_answer(relay, why, sizeof(why)),
			 HANDOVER_TAKEN);
	ck_assert_int_eq(write(theirs, "x", 1), 1);
	ck_assert_int_eq(read(taken, &byte, 1), 1);
}
END_TEST

START_TEST(what_was_taken_back_is_not_accepted)
{
	const char *text;

	handover_offer(relay, ours);
	ck_assert_int_eq(handover_withdraw(relay, why, sizeof(why)),
			 HANDOVER_LOST);
	ck_assert_int_ge(handover_take(server, &text), 0);
	ck_assert_int_eq(handover_accept(server), -1);
}
END_TEST

START_TEST(what_was_accepted_cannot_be_taken_back)
{
	const char *text;

	handover_offer(relay, ours);
	handover_take(server, &text);
	ck_assert_int_eq(handover_accept(server), 0);
	close(server);
	ck_assert_int_eq(handover_withdraw(relay, why, sizeof(why)),
			 HANDOVER_TAKEN);
}
END_TEST

START_TEST(a_refusal_says_why)
{
	handover_refuse(server, "because of a long story");
	close(server);
	handover_offer(relay, ours);	/* too late */
	ck_assert_int_eq(handover_answer(relay, why, sizeof(why)),
			 HANDOVER_REFUSED);
	ck_assert_str_eq(why, "because of a long story");
}
END_TEST

START_TEST(the_reason_is_cut_to_its_room)
{
	char small[8];

	handover_refuse(server, "because of a long story");
	ck_assert_int_eq(handover_answer(relay, small, sizeof(small)),
			 HANDOVER_REFUSED);
	ck_assert_str_eq(small, "because");
}
END_TEST

START_TEST(who_ends_without_an_answer_has_not_taken_it)
{
	handover_offer(relay, ours);
	close(server);
	ck_assert_int_eq(handover_answer(relay, why, sizeof(why)),
			 HANDOVER_LOST);
}
END_TEST

START_TEST(an_answer_that_is_none_is_a_loss)
{
	ck_assert_int_eq(write(server, "?", 1), 1);
	ck_assert_int_eq(handover_answer(relay, why, sizeof(why)),
			 HANDOVER_LOST);
}
END_TEST

START_TEST(an_offer_of_nothing_is_refused)
{
	send_raw("\1", 1, NULL, 0);
	ck_assert_str_eq(fault(), "no descriptor came along");
	close(relay);
	ck_assert_str_eq(fault(), "the relay sent nothing");
}
END_TEST

START_TEST(an_offer_of_another_version_is_refused)
{
	send_raw("\2", 1, &ours, 1);
	ck_assert_ptr_nonnull(strstr(fault(), "another version"));
	send_raw("\1\1", 2, &ours, 1);
	ck_assert_ptr_nonnull(strstr(fault(), "another version"));
	send_raw("GET / HTTP/1.0\r\n\r\n", 18, NULL, 0);
	ck_assert_ptr_nonnull(strstr(fault(), "another version"));
}
END_TEST

START_TEST(several_descriptors_are_all_closed)
{
	int fds[64];
	unsigned i;

	for (i = 0; i < ROWS(fds); i++)
		fds[i] = ours;
	send_raw("\1", 1, fds, 2);
	ck_assert_str_eq(fault(), "several descriptors came along");
	/* More than there is room for. */
	send_raw("\1", 1, fds, ROWS(fds));
	ck_assert_str_eq(fault(), "several descriptors came along");
}
END_TEST

START_TEST(only_connected_streams_are_taken)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int file = open("/dev/null", O_RDWR);
	int listening = socket(AF_UNIX, SOCK_STREAM, 0), packets, other;

	send_raw("\1", 1, &file, 1);
	ck_assert_str_eq(fault(), "the descriptor is no socket");
	connect_pair(SOCK_DGRAM, &packets, &other);
	send_raw("\1", 1, &packets, 1);
	ck_assert_str_eq(fault(), "the socket is no stream");
	/* No name given: the kernel makes one that is in no directory. */
	ck_assert_int_eq(bind(listening, (void *)&any,
			      sizeof(any.sun_family)), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	send_raw("\1", 1, &listening, 1);
	ck_assert_str_eq(fault(), "the socket is a listening one");
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("handover");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, a_connection_changes_hands);
	tcase_add_test(tc, what_was_taken_back_is_not_accepted);
	tcase_add_test(tc, what_was_accepted_cannot_be_taken_back);
	tcase_add_test(tc, a_refusal_says_why);
	tcase_add_test(tc, the_reason_is_cut_to_its_room);
	tcase_add_test(tc, who_ends_without_an_answer_has_not_taken_it);
	tcase_add_test(tc, an_answer_that_is_none_is_a_loss);
	tcase_add_test(tc, an_offer_of_nothing_is_refused);
	tcase_add_test(tc, an_offer_of_another_version_is_refused);
	tcase_add_test(tc, several_descriptors_are_all_closed);
	tcase_add_test(tc, only_connected_streams_are_taken);
	return unit_run();
}
