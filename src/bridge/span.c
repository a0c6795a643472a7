/* SPDX-License-Identifier: MIT */
/*
 * span.c - what both directions share: keys, and one word on the weather
 */
#include "bridge/span.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/token.h"

enum { SHORTEST = 100, LONGEST = 2000 };	/* ms */
enum { NEWS = 5000 };		/* ms before another reason is worth a line */

void span_key(const struct span *s, char key_out[KEY_SIZE], const char *what,
	      const char *node)
{
	snprintf(key_out, KEY_SIZE, "%s:%s%s%s", s->prefix, what,
		 node ? ":" : "", node ? node : "");
}

/* The two links find out one after the other, and each has its own words for
 * the same; but who mends one thing wants to hear of the next. */
static void tell_loss(struct span *s, const char *why)
{
	struct buf at = BUF_INIT;
	int64_t now = clock_ms();

	if (s->told && (now < s->told_at + NEWS ||
			strcmp(buf_str(&s->why), why) == 0))
		return;
	place_name(&s->place, &at);
	log_warn("Redis at %s is out of reach: %s; trying again", buf_str(&at),
		 why);
	buf_release(&at);
	s->told = true;
	s->told_at = now;
	buf_clear(&s->why);
	buf_puts(&s->why, why);
}

void span_down(struct span *s, enum direction d, const char *why)
{
	pthread_mutex_lock(&s->lock);
	tell_loss(s, why);
	s->up[d] = false;
	bridge_note(s->broker, false);
	pthread_mutex_unlock(&s->lock);
}

void span_up(struct span *s, enum direction d)
{
	struct buf at = BUF_INIT;

	pthread_mutex_lock(&s->lock);
	s->up[d] = true;
	if (s->up[OUT] && s->up[IN]) {
		bridge_note(s->broker, true);
		place_name(&s->place, &at);
		log_info("node %s: connected with Redis at %s", s->node,
			 buf_str(&at));
		buf_release(&at);
		s->told = false;
	}
	pthread_mutex_unlock(&s->lock);
}

int span_patience(unsigned *turn)
{
	int most = SHORTEST << (*turn < 6 ? *turn : 6);
	uint32_t dice;

	(*turn)++;
	if (most > LONGEST)
		most = LONGEST;
	token_bytes(&dice, sizeof(dice));
	return most / 2 + (int)(dice % (uint32_t)(most / 2 + 1));
}
