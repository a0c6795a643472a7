/* SPDX-License-Identifier: MIT */
/*
 * token.h - unguessable text
 */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills out with n random bytes from getrandom(2).  The kernel's generator
 * cannot fail once it is seeded; if it does, the process stops. */
void token_bytes(void *out, size_t n);

/* Writes 2 * n lower-case hexadecimal digits of n random bytes and a NUL. */
void token_hex(char *out, size_t n);

/* Equal texts of n bytes?  Takes the same time wherever they differ. */
bool token_equal(const char *a, const char *b, size_t n);

/* A number from min to max, both included, equally likely. */
uint64_t token_between(uint64_t min, uint64_t max);

#endif
