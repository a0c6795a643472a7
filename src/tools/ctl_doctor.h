/* SPDX-License-Identifier: MIT */
/*
 * ctl_doctor.h - inside pushletctl doctor: what was done, what was found
 */
#ifndef TOOLS_CTL_DOCTOR_H
#define TOOLS_CTL_DOCTOR_H

#include "tools/ctl_http.h"

/* What may be found; its names and advice stand in ctl_advice.c. */
enum ailment {
	UNREACHABLE, SILENT, PATH, REFUSED, RESPONDER, ELSEWHERE,
	BUFFERS, CUTS, COMPRESSES, DROPS, LEFT
};

enum { STEPS_MOST = 12, FINDINGS_MOST = 8 };

struct step {
	const char *name;
	int64_t ms;
	char text[120];
};

struct finding {
	enum ailment what;
	char text[320];
};

struct doctor {
	struct http_url url;
	const char *address;		/* as it was typed */
	char server[80];		/* what the front calls itself */
	int64_t seconds;		/* to listen */
	char id[128];			/* of the session; "": none */
	char subject[64];
	bool mute;			/* it may not publish */
	unsigned steps, findings;
	struct step step[STEPS_MOST];
	struct finding finding[FINDINGS_MOST];
};

/* Notes that a step took so long. */
void doctor_step(struct doctor *d, const char *name, int64_t ms,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Notes what was found. */
void doctor_found(struct doctor *d, enum ailment what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes what an answer without a word of a Pushlet server means.  step: what
 * was asked. */
void doctor_no_pushlet(struct doctor *d, const struct http *h,
		       const char *step);

/* Renders all of it, as text or JSON. */
void doctor_report(const struct doctor *d, bool json, struct buf *out);

#endif
