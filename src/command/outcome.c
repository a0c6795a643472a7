/* SPDX-License-Identifier: MIT */
/*
 * outcome.c - a sentence for each
 */
#include "command/outcome.h"

int outcome_refuse(struct refusal *why, enum outcome outcome, const char *what,
		   const struct event_limits *limits,
		   const struct properties *rules)
{
	char quote[64];

	refusal_quote(quote, what ? what : "");
	switch (outcome) {
	case GONE:
		return refuse(why, 400, "Invalid or expired id: join again");
	case NO_SUCH_SUBSCRIPTION:
		return refuse(why, 200, "no subscription for sid=%s", quote);
	case NO_SUBJECT:
		return refuse(why, 200, "no subject provided");
	case SUBJECT_TOO_LONG:
		return refuse(why, 200, "a subject, with its label, may have "
			      "%zu bytes (subject.max.bytes)",
			      limits->subject);
	case TOO_MANY_SUBSCRIPTIONS:
		return refuse(why, 200, "a session may have %llu "
			      "subscriptions (session.max.subscriptions)",
			      (unsigned long long)
			      rules->session_subscriptions);
	case TOO_MANY_SESSIONS:
		return refuse(why, 200, "an address may have %llu sessions "
			      "(address.max.sessions)",
			      (unsigned long long)rules->address_sessions);
	case SEGMENT_FULL:
		return refuse(why, 200, "the server is full: no room for "
			      "another %s", quote);
	case BAD_TEXT:
		return refuse(why, 200, "'%s' is not UTF-8", quote);
	case BAD_NAME:
		return refuse(why, 200, "attribute name '%s' is not an XML "
			      "name, or reserved", quote);
	case TOO_MANY_ATTRIBUTES:
		return refuse(why, 200, "an event may have %u attributes "
			      "(event.max.attributes)", limits->attributes);
	case EVENT_TOO_LARGE:
		return refuse(why, 200, "an event may have %zu bytes "
			      "(event.max.bytes)", limits->bytes);
	case RESERVED_SUBJECT:
		return refuse(why, 200, "subjects below /meta are the "
			      "server's own");
	case NO_MEMORY:
	case DONE:
		break;
	}
	return refuse(why, 503, "the server is short of memory; try again");
}
