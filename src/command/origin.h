/* SPDX-License-Identifier: MIT */
/*
 * origin.h - which pages may ask: the property origin.allow
 *
 * https://fetch.spec.whatwg.org/#http-cors-protocol.  Without the property
 * nobody is asked, and browsers keep answers from pages of other origins, as
 * ever.  With it, they are told which pages may read them, and what other pages
 * make them send is not done.
 */
#ifndef COMMAND_ORIGIN_H
#define COMMAND_ORIGIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "fcgi/request.h"

#define ORIGIN_HEAD 640			/* enough for the lines below */

/* May it ask?  allow is the property.  head_out is what the head of any answer
 * is to have of it: lines, or "". */
bool origin_allowed(const char *allow, const struct request *q,
		    char head_out[ORIGIN_HEAD]);

/* Does a browser ask whether a page may ask?  Then out gets the answer. */
bool origin_preflight(const char *allow, const struct request *q,
		      const char *head, struct buf *out);

#endif
