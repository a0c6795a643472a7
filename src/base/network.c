/* SPDX-License-Identifier: MIT */
/*
 * network.c - a range of addresses
 */
#include "base/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96			/* in front of an IPv4 address */

/* Reads what stands before the slash.  Returns how many bits stand in front of
 * the ones its length counts, or -1. */
static int read_base(struct network *out, const char *text)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET6, text, out->bytes) == 1)
		return 0;
	memcpy(out->bytes, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, out->bytes + sizeof(mapped)) == 1)
		return MAPPED_BITS;
	return -1;
}

int network_read(struct network *out, const char *text, size_t n)
{
	char copy[64], *slash;
	unsigned long length;
	int front;

	if (n >= sizeof(copy))
		return -1;
	snprintf(copy, sizeof(copy), "%.*s", (int)n, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	front = read_base(out, copy);
	if (front < 0)
		return -1;
	out->bits = NETWORK_BYTES * 8;
	if (!slash)
		return 0;
	if (!*slash || strlen(slash) > 3 || slash[strspn(slash, "0123456789")])
		return -1;
	length = strtoul(slash, NULL, 10) + (unsigned long)front;
	if (length > NETWORK_BYTES * 8)
		return -1;
	out->bits = (unsigned)length;
	return 0;
}

bool network_has(const struct network *net,
		 const uint8_t address[NETWORK_BYTES])
{
	static const uint8_t unknown[NETWORK_BYTES];
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(address, unknown, sizeof(unknown)) == 0 ||
	    memcmp(net->bytes, address, whole) != 0)
		return false;
	return rest == 0 ||
	       (net->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}
