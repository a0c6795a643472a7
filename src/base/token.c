/* SPDX-License-Identifier: MIT */
/*
 * token.c - unguessable text
 */
#include "base/token.h"

#include <errno.h>
#include <sys/random.h>

#include "base/log.h"

void token_bytes(void *out, size_t n)
{
	char *pos = out;
	ssize_t got;

	while (n > 0) {
		got = getrandom(pos, n, 0);
		must(got > 0 || errno == EINTR);
		if (got > 0) {
			pos += got;
			n -= (size_t)got;
		}
	}
}

void token_hex(char *out, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	unsigned char byte;
	size_t i;

	/* The bytes wait in the upper half of out, which the digits reach
	 * only after each byte was read. */
	token_bytes(out + n, n);
	for (i = 0; i < n; i++) {
		byte = (unsigned char)out[n + i];
		out[2 * i] = digit[byte >> 4];
		out[2 * i + 1] = digit[byte & 15];
	}
	out[2 * n] = '\0';
}

bool token_equal(const char *a, const char *b, size_t n)
{
	volatile unsigned char differ = 0;
	size_t i;

	for (i = 0; i < n; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

uint64_t token_between(uint64_t min, uint64_t max)
{
	uint64_t span = max - min + 1;	/* 0: all numbers of 64 bits */
	uint64_t drawn, skip;

	must(min <= max);
	/* 2^64 modulo span: as many lowest values would favour some results. */
	skip = span ? (0 - span) % span : 0;
	do {
		token_bytes(&drawn, sizeof(drawn));
	} while (drawn < skip);
	return span ? min + drawn % span : drawn;
}
