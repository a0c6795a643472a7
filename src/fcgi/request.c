/* SPDX-License-Identifier: MIT */
/*
 * request.c - parameters by name
 */
#include "fcgi/request.h"

#include <string.h>

const char *request_param(const struct request *q, const char *name)
{
	size_t n = strlen(name);
	char *const *p;

	for (p = q->params; p && *p; p++)
		if (strncmp(*p, name, n) == 0 && (*p)[n] == '=')
			return *p + n + 1;
	return "";
}
