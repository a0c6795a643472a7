/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how long things took, in buckets as wide as they are precise
 *
 * Log-linear: each power of two of nanoseconds has 128 buckets, so a value is
 * known to better than 1 %.  Adding one costs a few instructions.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_LINEAR = 128, HISTOGRAM_POWERS = 40 };

struct histogram {
	uint64_t n;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_LINEAR * HISTOGRAM_POWERS];
};

void histogram_clear(struct histogram *h);

void histogram_add(struct histogram *h, uint64_t ns);

/* The value that a share (0..1) of all values does not exceed; 0 if there is
 * none. */
uint64_t histogram_at(const struct histogram *h, double share);

#endif
