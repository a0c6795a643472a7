/* SPDX-License-Identifier: MIT */
/*
 * address.h - where a client is
 *
 * An IPv6 address, or an IPv4 address mapped into one (RFC 4291, 2.5.5.2), as
 * it stands in the segment.  All zero: unknown.
 *
 * Sessions of the same site hang together, so that they can be counted
 * (address.max.sessions).  The site of an IPv4 address is the address; that of
 * an IPv6 address is its first 64 bits, of which a client has all the rest.
 *
 * Invariant (address_check()): each live session is in the chain of its site,
 * and nothing else is in any.
 */
#ifndef BROKER_ADDRESS_H
#define BROKER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT 46			/* the longest, with its NUL */

struct address {
	uint8_t bytes[16];
};

/* Reads n bytes of text; white space around them counts for nothing, nor does
 * a port ("192.0.2.1:80", "[2001:db8::1]:80").  Anything else than an address
 * that a client can have ("::" is none): false, and *out is unknown. */
bool address_read(struct address *out, const char *text, size_t n);

/* Writes it into out and returns that; "" for unknown. */
const char *address_write(char out[ADDRESS_TEXT], const struct address *a);

#endif
