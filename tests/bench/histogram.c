/* SPDX-License-Identifier: MIT */
/*
 * histogram.c - how long things took, in buckets as wide as they are precise
 */
#include "histogram.h"

#include <string.h>

enum { BITS = 7, BUCKETS = HISTOGRAM_LINEAR * HISTOGRAM_POWERS };

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
}

/* Values below 2 * HISTOGRAM_LINEAR have a bucket each. */
static unsigned bucket_of(uint64_t ns)
{
	int power = 63 - __builtin_clzll(ns | 1) - BITS;
	uint64_t at;

	if (power <= 0)
		return (unsigned)ns;
	at = (uint64_t)power * HISTOGRAM_LINEAR + (ns >> power);
	return at < BUCKETS ? (unsigned)at : BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t top_of(unsigned bucket)
{
	unsigned power = bucket / HISTOGRAM_LINEAR;
	uint64_t rest;

	if (bucket < 2 * HISTOGRAM_LINEAR)
		return bucket;
	power--;
	rest = bucket - (uint64_t)power * HISTOGRAM_LINEAR;
	return ((rest + 1) << power) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->buckets[bucket_of(ns)]++;
	h->n++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)h->n), seen = 0;
	unsigned i;

	for (i = 0; i < BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen > wanted || seen == h->n)
			return top_of(i) < h->max ? top_of(i) : h->max;
	}
	return h->max;
}
