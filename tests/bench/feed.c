/* SPDX-License-Identifier: MIT */
/*
 * feed.c - events with a number and a time, at a given pace
 *
 * usage: feed lines|events RATE COUNT BYTES WINDOW
 *
 * Writes COUNT lines to standard output, a pipe, RATE a second; with RATE 0 as
 * fast as they are read: while WINDOW bytes or more are unread it waits, so
 * that what is measured is not the time in the pipe.  A line is
 *
 *	NUMBER NANOSECONDS xxx...	for pushlet-publish --lines b
 *	<event ... />			for null: the same event as pushletd
 *					renders it
 *
 * The line is BYTES longer than number and time.  The nanoseconds are those
 * of CLOCK_MONOTONIC when the line is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull

enum { PAD_MAX = 60000, LINE = PAD_MAX + 512 };

struct feed {
	int events;			/* else lines */
	uint64_t rate, count;
	int window;
	char pad[PAD_MAX + 1];
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t at)
{
	struct timespec t = { (time_t)(at / SECOND), (long)(at % SECOND) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
		;
}

/* Naps until the reader has almost all. */
static void wait_for_reader(const struct feed *f)
{
	int unread = 0;

	while (ioctl(STDOUT_FILENO, FIONREAD, &unread) == 0 &&
	       unread >= f->window)
		sleep_until(now() + 50000);
}

/* What pushletd renders for a session with one subscription. */
static int print_event(const struct feed *f, uint64_t number, char *out)
{
	return snprintf(out, LINE, "<event p_event=\"data\" p_subject=\"/bench"
			"\" p_time=\"%lld\" b=\"%" PRIu64 " %" PRIu64 " %s\" "
			"p_sid=\"00000001\" p_seq=\"%" PRIu64 "\" />\n",
			(long long)time(NULL), number, now(), f->pad,
			number + 2);
}

static int print_line(const struct feed *f, uint64_t number, char *out)
{
	return snprintf(out, LINE, "%" PRIu64 " %" PRIu64 " %s\n", number,
			now(), f->pad);
}

/* 0, or -1 when nobody reads any more. */
static int put(const char *line, int n)
{
	ssize_t written;

	for (; n > 0; line += written, n -= (int)written) {
		written = write(STDOUT_FILENO, line, (size_t)n);
		if (written < 0)
			return -1;
	}
	return 0;
}

static int run(const struct feed *f)
{
	static char line[LINE];
	uint64_t start = now(), i;
	int n;

	for (i = 0; i < f->count; i++) {
		if (f->rate)
			sleep_until(start + i * SECOND / f->rate);
		else
			wait_for_reader(f);
		n = f->events ? print_event(f, i, line) :
				print_line(f, i, line);
		if (put(line, n) < 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct feed f;
	unsigned long pad = argc == 6 ? strtoul(argv[4], NULL, 10) : 0;

	if (argc != 6 || pad > PAD_MAX || (strcmp(argv[1], "lines") != 0 &&
					   strcmp(argv[1], "events") != 0)) {
		fprintf(stderr, "usage: feed lines|events RATE COUNT BYTES "
			"WINDOW (BYTES up to %d)\n", PAD_MAX);
		return 2;
	}
	f.events = argv[1][0] == 'e';
	f.rate = strtoull(argv[2], NULL, 10);
	f.count = strtoull(argv[3], NULL, 10);
	f.window = (int)strtol(argv[5], NULL, 10);
	memset(f.pad, 'x', pad);
	return run(&f);
}
