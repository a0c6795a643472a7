/* SPDX-License-Identifier: MIT */
/*
 * origin.c - which pages may ask
 */
#include "command/origin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "command/answer.h"

enum { ORIGIN_MAX = 255 };

static bool listed(const char *list, const char *origin)
{
	size_t n, len = strlen(origin);

	for (; *list; list += n + strspn(list + n, ", ")) {
		n = strcspn(list, ", ");
		if (n == len && strncasecmp(list, origin, n) == 0)
			return true;
	}
	return false;
}

/* Is it the origin of our own URL?  Some web servers leave the port out of what
 * they pass as the host. */
static bool is_own(const char *origin, const struct request *q)
{
	const char *host = request_param(q, "HTTP_HOST");
	const char *theirs = strstr(origin, "://");
	size_t n = strlen(host);

	if (!theirs || n == 0)
		return false;
	theirs += strlen("://");
	if (strncasecmp(theirs, host, n) != 0)
		return false;
	return theirs[n] == '\0' ||
	       (theirs[n] == ':' && strcmp(theirs + n + 1,
					   request_param(q, "SERVER_PORT")) == 0);
}

/* A page's scripts, frames and images have no origin, but browsers say that
 * they were asked for by another site. */
static bool is_foreign(const struct request *q)
{
	const char *site = request_param(q, "HTTP_SEC_FETCH_SITE");

	return strcmp(site, "cross-site") == 0 ||
	       strcmp(site, "same-site") == 0;
}

bool origin_allowed(const char *allow, const struct request *q,
		    char head_out[ORIGIN_HEAD])
{
	const char *origin = request_param(q, "HTTP_ORIGIN");

	head_out[0] = '\0';
	if (!*allow)
		return true;
	if (listed(allow, "*")) {
		snprintf(head_out, ORIGIN_HEAD,
			 "Access-Control-Allow-Origin: *\r\n"
			 "Access-Control-Expose-Headers: Retry-After\r\n");
		return true;
	}
	snprintf(head_out, ORIGIN_HEAD, "Vary: Origin\r\n");
	if (!*origin)
		return !is_foreign(q);
	if (strlen(origin) > ORIGIN_MAX || !listed(allow, origin))
		return is_own(origin, q);
	snprintf(head_out, ORIGIN_HEAD, "Vary: Origin\r\n"
		 "Access-Control-Allow-Origin: %s\r\n"
		 "Access-Control-Allow-Credentials: true\r\n"
		 "Access-Control-Expose-Headers: Retry-After\r\n", origin);
	return true;
}

bool origin_preflight(const char *allow, const struct request *q,
		      const char *head, struct buf *out)
{
	if (!*allow || strcmp(q->method, "OPTIONS") != 0)
		return false;
	answer_empty(out, head,
		     "Access-Control-Allow-Methods: GET, POST\r\n"
		     "Access-Control-Allow-Headers: Content-Type, "
		     "Last-Event-ID, X-Pushlet-Id\r\n"
		     "Access-Control-Max-Age: 600\r\n");
	return true;
}
