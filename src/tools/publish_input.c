/* SPDX-License-Identifier: MIT */
/*
 * publish_input.c - standard input, through a feed, into the outlet
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tools/publish.h"

#define CHUNK 65536

static bool on_event(void *arg, const struct outgoing *event)
{
	return outlet_publish(arg, event);
}

static void on_fault(void *arg, const char *text)
{
	complain("%s", text);
	outlet_fault(arg, TOOL_BAD);
}

struct feed_calls outlet_calls(struct outlet *o)
{
	return (struct feed_calls){ on_event, on_fault, o };
}

/* What there is, at least one byte.  Returns how many; 0 at the end; -1 after
 * having complained. */
static ssize_t read_some(struct outlet *o, char *out, size_t size)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	while ((n = read(STDIN_FILENO, out, size)) < 0) {
		if (errno == EAGAIN)
			poll(&input, 1, -1);
		else if (errno != EINTR)
			break;
	}
	if (n < 0) {
		complain("standard input: %s", strerror(errno));
		outlet_fault(o, TOOL_SYSTEM);
	}
	return n;
}

void outlet_run(struct outlet *o, struct feed *f)
{
	enum feed_state state = f ? FEED_ON : FEED_NO_MEMORY;
	char chunk[CHUNK];
	ssize_t n = 0;

	while (state == FEED_ON && (n = read_some(o, chunk, CHUNK)) > 0)
		state = feed_bytes(f, chunk, (size_t)n);
	if (state == FEED_ON && n == 0)
		state = feed_end(f);
	if (state == FEED_NO_MEMORY) {
		complain("out of memory");
		outlet_fault(o, TOOL_SYSTEM);
	}
}
