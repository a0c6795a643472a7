/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzzers have in common
 *
 * A fuzzer is one file tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput();
 * libFuzzer, or driver.c, calls it again and again, each time with n other
 * bytes.  What it claims, it claims with must() (base/log.h), which aborts: a
 * finding, as are a report of a sanitizer and an input that takes seconds.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Small, so that inputs reach them. */
static const struct event_limits fuzz_limits = {
	.bytes = 512,
	.attributes = 8,
	.subject = 64,
};

#define FUZZ_SHM_SIZE 40

/* The segment of a fuzzer, which whoever waits for it removes if it died. */
static inline const char *fuzz_shm_name(char out[FUZZ_SHM_SIZE], pid_t pid)
{
	snprintf(out, FUZZ_SHM_SIZE, "/pushlet-fuzz-%ld", (long)pid);
	return out;
}

/* A file in memory, for what reads files by name.  Returns its descriptor. */
static inline int fuzz_file(char *name_out, size_t size)
{
	int fd = memfd_create("input", 0);

	must(fd >= 0);
	snprintf(name_out, size, "/proc/self/fd/%d", fd);
	return fd;
}

static inline void fuzz_fill(int fd, const void *bytes, size_t n)
{
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, bytes, n, 0) == (ssize_t)n);
}

/* What has not been read yet of an input. */
struct fuzz_input {
	const uint8_t *pos, *end;
};

/* The next byte; 0 when there is no more. */
static inline unsigned fuzz_byte(struct fuzz_input *in)
{
	return in->pos < in->end ? *in->pos++ : 0;
}

/* The next text: a byte with its length, its bytes (fewer at the end). */
static inline const char *fuzz_text(struct fuzz_input *in, size_t *n_out)
{
	const char *text;

	*n_out = fuzz_byte(in);
	if (*n_out > (size_t)(in->end - in->pos))
		*n_out = (size_t)(in->end - in->pos);
	text = (const char *)in->pos;
	in->pos += *n_out;
	return text;
}

/* An event of texts by turns names and values, whatever they hold. */
static inline void fuzz_event(struct fuzz_input *in, struct event *e)
{
	const char *name, *value;
	size_t name_len, value_len;

	while (in->pos < in->end) {
		name = fuzz_text(in, &name_len);
		value = fuzz_text(in, &value_len);
		event_add_n(e, name, name_len, value, value_len);
	}
}

static inline int fuzz_same(const struct event *a, const struct event *b)
{
	return a->count == b->count && a->packed.len == b->packed.len &&
	       memcmp(buf_str(&a->packed), buf_str(&b->packed),
		      a->packed.len) == 0;
}

#endif
