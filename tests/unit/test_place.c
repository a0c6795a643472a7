/* SPDX-License-Identifier: MIT */
/*
 * test_place.c - bridge/place.h: where Redis is, and who we are there
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/place.h"

static struct place place;
static struct buf text;

static int read_url(const char *url)
{
	static struct properties p;

	buf_clear(&text);
	snprintf(p.bridge_redis, sizeof(p.bridge_redis), "%s", url);
	return place_read(&place, &p, &text);
}

static const struct {
	const char *url, *name;
	unsigned db;
} good[] = {
	{ "redis://127.0.0.1", "127.0.0.1:6379", 0 },
	{ "redis://redis.example.org:7000", "redis.example.org:7000", 0 },
	{ "redis://localhost:7000/3", "localhost:7000", 3 },
	{ "redis://localhost/", "localhost:6379", 0 },
	{ "redis://[::1]:7000/1", "::1:7000", 1 },
	{ "unix:/run/redis/redis.sock", "unix:/run/redis/redis.sock", 0 },
};

START_TEST(an_address_is_taken_apart)
{
	ck_assert_int_eq(read_url(good[_i].url), 0);
	ck_assert_uint_eq(place.db, good[_i].db);
	place_name(&place, &text);
	ck_assert_str_eq(buf_str(&text), good[_i].name);
}
END_TEST

static const char *const bad[] = {
	"", "localhost", "http://localhost", "redis://", "redis://:6379",
	"redis://host:", "redis://host:0", "redis://host:65536",
	"redis://host:1x", "redis://host/x", "redis://host/10000",
	"redis://host/1/2", "redis://[::1", "redis://user:secret@host",
	"unix:relative", "rediss://host:6379",
};

START_TEST(what_is_none_is_refused_with_what_is_allowed)
{
	ck_assert_int_eq(read_url(bad[_i]), -1);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "bridge.redis: "));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "unix:"));
	ck_assert_ptr_null(strstr(buf_str(&text), "secret"));
}
END_TEST

START_TEST(tls_is_refused_by_name)
{
	ck_assert_int_eq(read_url("rediss://host"), -1);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "no TLS"));
}
END_TEST

static void password_file(const char *content)
{
	int fd;

	snprintf(place.password_file, sizeof(place.password_file),
		 "%s/pushlet-password-XXXXXX", getenv("TMPDIR") ?
		 getenv("TMPDIR") : "/tmp");
	fd = mkstemp(place.password_file);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)),
			 (ssize_t)strlen(content));
	close(fd);
}

START_TEST(the_password_is_the_first_line_of_its_file)
{
	struct buf why = BUF_INIT;

	password_file("open sesame\nmore\n");
	ck_assert_int_eq(place_password(&place, &text, &why), 0);
	ck_assert_str_eq(buf_str(&text), "open sesame");
	unlink(place.password_file);
	buf_release(&why);
}
END_TEST

START_TEST(a_file_without_one_and_no_file_are_said)
{
	struct buf why = BUF_INIT;

	password_file("\n");
	ck_assert_int_eq(place_password(&place, &text, &why), -1);
	ck_assert_ptr_nonnull(strstr(buf_str(&why), "it is empty"));
	unlink(place.password_file);
	ck_assert_int_eq(place_password(&place, &text, &why), -1);
	ck_assert_ptr_nonnull(strstr(buf_str(&why), "No such file"));
	buf_release(&why);
}
END_TEST

static void release(void)
{
	buf_release(&text);
}

int main(void)
{
	TCase *tc = unit_case("place");

	tcase_add_checked_fixture(tc, NULL, release);
	tcase_add_loop_test(tc, an_address_is_taken_apart, 0, ROWS(good));
	tcase_add_loop_test(tc, what_is_none_is_refused_with_what_is_allowed,
			    0, ROWS(bad));
	tcase_add_test(tc, tls_is_refused_by_name);
	tcase_add_test(tc, the_password_is_the_first_line_of_its_file);
	tcase_add_test(tc, a_file_without_one_and_no_file_are_said);
	return unit_run();
}
