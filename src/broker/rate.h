/* SPDX-License-Identifier: MIT */
/*
 * rate.h - so many a second, of a session or an address
 *
 * A bucket that holds one second's worth and fills evenly.  It is kept as one
 * number, the time at which it would be full again: a single store, so that a
 * crash leaves it as before or after, and nothing has to be repaired.
 *
 * The buckets of addresses are a table in the segment.  Each site (address.h)
 * has one of four places; when others have taken them all, the fullest bucket
 * gives way, and its site begins with a full one again.
 */
#ifndef BROKER_RATE_H
#define BROKER_RATE_H

#include <stdint.h>

#include "broker/address.h"
#include "broker/broker.h"

/* Takes one of a session's publishes, or of an address's requests; rate is how
 * many there are in a second, not 0.  Returns 0, or, when none is left, the
 * milliseconds (at least 1) until there is. */
unsigned rate_publish(struct broker *b, struct session_ref ref, uint64_t rate);
unsigned rate_request(struct broker *b, const struct address *a,
		      uint64_t rate);

#endif
