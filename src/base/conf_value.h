/* SPDX-License-Identifier: MIT */
/*
 * conf_value.h - one property's value: text into a field, by type
 *
 * The part of conf.c that knows the types; nobody else needs it.
 */
#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"

/* Enough for every why of conf_value_set(). */
#define CONF_WHY_SIZE 512

/* Sets key's field of target.  Returns 0, or -1 with the reason, which names
 * the key and what is allowed, in why_out; the field is then unchanged. */
int conf_value_set(const struct conf_key *key, void *target, const char *value,
		   char why_out[CONF_WHY_SIZE]);

/* Makes a field empty that setting would add to. */
void conf_value_clear(const struct conf_key *key, void *target);

/* Is key's field the same in both structs? */
bool conf_value_same(const struct conf_key *key, const void *a, const void *b);

/* Copies key's field. */
void conf_value_copy(const struct conf_key *key, void *to, const void *from);

#endif
