/* SPDX-License-Identifier: MIT */
/*
 * refusal.h - why a request was not carried out
 *
 * Status 200 makes it a nack in the session's format; any other status is an
 * HTTP error with the text as its body.  The text says which thing is wrong,
 * why, and what is allowed; what it quotes of the request is cut short, made
 * printable, and never a session id.
 */
#ifndef COMMAND_REFUSAL_H
#define COMMAND_REFUSAL_H

struct refusal {
	int status;
	char text[256];
};

/* Fills r and returns -1, so that a caller can `return refuse(...)`. */
int refuse(struct refusal *r, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Copies at most 40 bytes of text into out (at least 64 bytes), whole UTF-8
 * characters only, control characters and broken bytes as "?", "..." at the
 * end when cut.  Returns out. */
const char *refusal_quote(char *out, const char *text);

#endif
