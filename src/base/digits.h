/* SPDX-License-Identifier: MIT */
/*
 * digits.h - numbers as text
 *
 * What printf does too, for the places that do it for every delivery.
 */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include <stdint.h>

#define DIGITS_SIZE 21		/* of the largest number, with its NUL */

/* Writes n in decimal at the end of room; returns where it begins. */
static inline char *digits_decimal(char room[DIGITS_SIZE], uint64_t n)
{
	char *p = room + DIGITS_SIZE - 1;

	*p = '\0';
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	return p;
}

/* Writes n in hexadecimal with at least width digits (up to 16), and a NUL;
 * returns its place. */
static inline char *digits_hex(char *out, uint64_t n, int width)
{
	int i;

	while (width < 16 && n >> (4 * width))
		width++;
	for (i = width - 1; i >= 0; i--, n >>= 4)
		out[i] = "0123456789abcdef"[n & 15];
	out[width] = '\0';
	return out + width;
}

#endif
