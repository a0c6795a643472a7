/* SPDX-License-Identifier: MIT */
/*
 * test_apology.c - relay/apology.h: any request is read to its end, and
 * answered 503
 */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "relay/apology.h"
#include "relay/halt.h"

enum { BEGIN = 1, PARAMS = 4, STDIN = 5 };

static struct buf bytes;

static void add(int type, int request, size_t n, int padding)
{
	unsigned char head[8] = { 1, (unsigned char)type,
				  (unsigned char)(request >> 8),
				  (unsigned char)request,
				  (unsigned char)(n >> 8), (unsigned char)n,
				  (unsigned char)padding, 0 };

	buf_add(&bytes, head, sizeof(head));
	for (n += (size_t)padding; n > 0; n--)
		buf_putc(&bytes, '\5');	/* looks like a type, and is none */
}

/* A request as a web server sends it. */
static void add_request(int id, size_t body)
{
	add(BEGIN, id, 8, 0);
	add(PARAMS, id, 300, 4);
	add(PARAMS, id, 0, 0);
	if (body)
		add(STDIN, id, body, 7);
	add(STDIN, id, 0, 0);
}

static struct apology feed(size_t from, size_t n, struct apology a)
{
	apology_feed(&a, (const unsigned char *)bytes.data + from, n);
	return a;
}

START_TEST(a_request_is_whole_at_its_last_byte)
{
	static const struct apology nothing;
	size_t split;

	add_request(258, 65535);
	for (split = 1; split < bytes.len; split += split < 400 ? 1 : 997) {
		struct apology a = feed(0, split, nothing);

		ck_assert(!a.whole);
		a = feed(split, bytes.len - split, a);
		ck_assert(a.whole);
		ck_assert(!a.broken);
		ck_assert_int_eq(a.request, 258);
	}
}
END_TEST

START_TEST(the_end_of_another_request_is_not_that_of_this)
{
	static const struct apology nothing;

	add(BEGIN, 1, 8, 0);
	add(STDIN, 2, 0, 0);
	ck_assert(!feed(0, bytes.len, nothing).whole);
}
END_TEST

START_TEST(what_is_no_request_is_broken)
{
	static const struct apology nothing;

	buf_puts(&bytes, "GET / HTTP/1.1\r\n");
	ck_assert(feed(0, bytes.len, nothing).broken);
	buf_clear(&bytes);
	add(PARAMS, 1, 0, 0);
	ck_assert(feed(0, bytes.len, nothing).broken);
	buf_clear(&bytes);
	add(BEGIN, 0, 8, 0);
	ck_assert(feed(0, bytes.len, nothing).broken);
}
END_TEST

/* Sends what was added; what the apology answers within the time is in buf. */
static void answer(int64_t ms)
{
	char part[1024];
	ssize_t n;
	int fds[2];

	halt_init();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(write(fds[0], bytes.data, bytes.len),
			 (ssize_t)bytes.len);
	apology_make(fds[1], "It is not there.", clock_ms() + ms);
	close(fds[1]);
	buf_clear(&bytes);
	while ((n = read(fds[0], part, sizeof(part))) > 0)
		buf_add(&bytes, part, (size_t)n);
}

START_TEST(the_answer_is_a_503_of_that_request_with_its_end)
{
	static const char end[] = "\1\6\1\2\0\0\0\0" "\1\3\1\2\0\10\0\0"
				  "\0\0\0\0\0\0\0\0";
	size_t n = sizeof(end) - 1;

	add_request(258, 5000);
	answer(5000);
	ck_assert_uint_gt(bytes.len, n);
	ck_assert_mem_eq(bytes.data, "\1\6\1\2", 4);
	ck_assert_ptr_nonnull(strstr(bytes.data + 8, "Status: 503 "));
	ck_assert_ptr_nonnull(strstr(bytes.data + 8, "It is not there.\n"));
	ck_assert_mem_eq(bytes.data + bytes.len - n, end, n);
}
END_TEST

START_TEST(half_a_request_is_answered_when_the_time_is_over)
{
	int64_t began = clock_ms();

	add(BEGIN, 258, 8, 0);
	answer(50);
	ck_assert_int_ge(clock_ms() - began, 50);
	ck_assert_ptr_nonnull(strstr(bytes.data + 8, "Status: 503 "));
}
END_TEST

START_TEST(who_speaks_no_fastcgi_gets_no_answer)
{
	buf_puts(&bytes, "GET / HTTP/1.1\r\n");
	answer(5000);
	ck_assert_uint_eq(bytes.len, 0);
}
END_TEST

static void tear_down(void)
{
	buf_release(&bytes);
}

int main(void)
{
	TCase *tc = unit_case("apology");

	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_test(tc, a_request_is_whole_at_its_last_byte);
	tcase_add_test(tc, the_end_of_another_request_is_not_that_of_this);
	tcase_add_test(tc, what_is_no_request_is_broken);
	tcase_add_test(tc, the_answer_is_a_503_of_that_request_with_its_end);
	tcase_add_test(tc, half_a_request_is_answered_when_the_time_is_over);
	tcase_add_test(tc, who_speaks_no_fastcgi_gets_no_answer);
	return unit_run();
}
