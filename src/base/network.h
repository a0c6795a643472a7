/* SPDX-License-Identifier: MIT */
/*
 * network.h - a range of addresses
 *
 * "10.0.0.0/8", "2001:db8::/32", or one address alone.  Addresses are those of
 * broker/address.h: 16 bytes, IPv4 mapped into IPv6, all zero for unknown.
 * "0.0.0.0/0" is all of IPv4, "::/0" every address there is.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETWORK_BYTES 16

struct network {
	uint8_t bytes[NETWORK_BYTES];
	unsigned bits;			/* that count, from the first on */
};

/* Reads n bytes of text.  Returns 0, or -1 when they are no range. */
int network_read(struct network *out, const char *text, size_t n);

/* Is an address in it?  An unknown one is in none. */
bool network_has(const struct network *net,
		 const uint8_t address[NETWORK_BYTES]);

#endif
