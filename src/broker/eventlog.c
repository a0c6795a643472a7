/* SPDX-License-Identifier: MIT */
/*
 * eventlog.c - the byte rings of events
 *
 * See struct log_head in layout.h for the order of the stores.  The tail moves
 * before anything it leaves behind is overwritten, so a reader that holds the
 * lock and a position at or above the tail always sees a whole record.
 */

#include "broker/view.h"
#include "shm/store.h"

static struct log_record *place(const struct eventlog *log, uint64_t position)
{
	return (struct log_record *)(log->bytes + position % log->size);
}

/* Is this what may stand at the position? */
static bool sound(const struct eventlog *log, uint64_t position)
{
	const struct log_record *r = place(log, position);
	uint64_t ring = log->size;

	if (position % LOG_ALIGN || r->position != position ||
	    r->bytes < LOG_ALIGN || r->bytes % LOG_ALIGN || r->bytes > ring - position % ring)
		return false;
	if (r->kind == LOG_FILLER)
		return true;
	return (r->kind == LOG_EVENT || r->kind == LOG_REPLAY) &&
	       r->bytes >= sizeof(*r) &&
	       r->packed_bytes <= r->bytes - sizeof(*r) &&
	       r->subject_offset <= r->packed_bytes &&
	       r->subject_bytes <= r->packed_bytes - r->subject_offset;
}

struct log_record *eventlog_at(const struct eventlog *log, uint64_t position)
{
	if (!log->size || position < log->head->tail ||
	    position >= log->head->head || !sound(log, position) ||
	    place(log, position)->kind == LOG_FILLER)
		return NULL;
	return place(log, position);
}

uint64_t eventlog_before(const struct log_record *r)
{
	uint64_t back = (uint64_t)r->back * LOG_ALIGN;

	return back > 0 && back < r->position ? r->position - back : 0;
}

const struct log_record *eventlog_next(const struct eventlog *log,
				       uint64_t position)
{
	const struct log_head *h = log->head;

	if (!log->size)
		return NULL;
	if (position < h->tail)
		position = h->tail;
	for (; position < h->head; position += place(log, position)->bytes) {
		if (!sound(log, position))
			return NULL;
		if (place(log, position)->kind != LOG_FILLER)
			return place(log, position);
	}
	return NULL;
}

/* Moves the tail until the ring has room for n bytes from head on. */
static void make_room(struct eventlog *log, uint64_t n)
{
	struct log_head *h = log->head;
	uint64_t tail = h->tail;

	while (h->head + n - tail > log->size) {
		if (tail >= h->head || !sound(log, tail))
			tail = h->head;		/* damage: let all go */
		else
			tail += place(log, tail)->bytes;
		if (tail == h->head)
			break;
	}
	if (tail != h->tail)
		STORE(h->tail, tail);
}

/* A head where no record may be is damage; no position is used twice, so it
 * moves up.  All records go. */
static void align_head(struct eventlog *log)
{
	struct log_head *h = log->head;
	uint64_t over = h->head % LOG_ALIGN;

	if (over == 0)
		return;
	STORE(h->head, h->head + LOG_ALIGN - over);
	STORE(h->tail, h->head);
}

/* Fills the ring up to its end, where a record does not fit any more. */
static void write_filler(struct eventlog *log, uint64_t bytes)
{
	struct log_head *h = log->head;
	struct log_record filler = {
		.position = h->head,
		.bytes = (uint32_t)bytes,
		.kind = LOG_FILLER,
	};

	make_room(log, bytes);
	store_bytes(place(log, h->head), &filler, LOG_ALIGN);
	STORE(h->head, h->head + bytes);
}

/* What leads from a position back to the event before, if that is one. */
static uint32_t way_back(uint64_t position, uint64_t before)
{
	if (before == 0 || before >= position)
		return 0;
	return (uint32_t)((position - before) / LOG_ALIGN);
}

uint64_t eventlog_reserve(struct eventlog *log, size_t packed_bytes,
			  struct log_record **record_out)
{
	struct log_head *h = log->head;
	uint64_t need = sizeof(struct log_record) + packed_bytes;
	struct log_record *r;
	uint64_t left;

	*record_out = NULL;
	need = (need + LOG_ALIGN - 1) / LOG_ALIGN * LOG_ALIGN;
	if (need > log->size / 4)
		return 0;
	align_head(log);
	left = log->size - h->head % log->size;
	if (left < need)
		write_filler(log, left);
	make_room(log, need);
	*record_out = r = place(log, h->head);
	STORE(r->position, h->head);
	STORE(r->bytes, (uint32_t)need);
	STORE(r->kind, (uint32_t)LOG_EVENT);
	STORE(r->back, way_back(h->head, h->newest));
	return h->head;
}

uint64_t eventlog_append(struct eventlog *log, const struct log_record *like,
			 const void *packed, const struct buf *more)
{
	size_t more_bytes = more ? more->len : 0;
	struct log_record head = *like, *r;

	head.packed_bytes += (uint32_t)more_bytes;
	eventlog_reserve(log, head.packed_bytes, &r);
	if (!r)
		return 0;
	head.position = r->position;
	head.bytes = r->bytes;
	head.back = r->back;
	store_bytes(r, &head, sizeof(head));
	store_bytes(r + 1, packed, like->packed_bytes);
	if (more)
		store_bytes((char *)(r + 1) + like->packed_bytes, more->data,
			    more_bytes);
	return head.position;
}

void eventlog_commit(struct eventlog *log, uint64_t position)
{
	STORE(log->head->head, position + place(log, position)->bytes);
	STORE(log->head->newest, position);
}

void eventlog_retract(struct eventlog *log, uint64_t position)
{
	const struct log_record *r = place(log, position);

	if (log->head->head != position + r->bytes)
		return;
	STORE(log->head->newest, eventlog_before(r));
	STORE(log->head->head, position);
}

static int complain(const struct eventlog *log, struct buf *report,
		    const char *what, uint64_t position)
{
	buf_printf(report, "%s: %s (head %llu, tail %llu, position %llu)\n",
		   log->name, what, (unsigned long long)log->head->head,
		   (unsigned long long)log->head->tail,
		   (unsigned long long)position);
	return 1;
}

/* Does record lead to record from tail to head?  Calls each for every event,
 * with the one before it or 0, and tells the last. */
static int follow(const struct eventlog *log, struct buf *report,
		  int (*each)(const struct eventlog *log, struct buf *report,
			      uint64_t position, uint64_t before),
		  uint64_t *newest_out)
{
	const struct log_head *h = log->head;
	uint64_t p = h->tail;

	*newest_out = 0;
	if (h->head < h->tail || h->head % LOG_ALIGN ||
	    h->head - h->tail > log->size)
		return complain(log, report, "head and tail astray", 0);
	for (; p < h->head && sound(log, p); p += place(log, p)->bytes) {
		if (place(log, p)->kind == LOG_FILLER)
			continue;
		if (each(log, report, p, *newest_out))
			return 1;
		*newest_out = p;
	}
	return p == h->head ? 0 : complain(log, report, "no record", p);
}

/* The oldest event may lead back to one that has gone. */
static int check_back(const struct eventlog *log, struct buf *report,
		      uint64_t position, uint64_t before)
{
	if (!before || place(log, position)->back == way_back(position, before))
		return 0;
	return complain(log, report, "the way back leads astray", position);
}

static int mend_back(const struct eventlog *log, struct buf *report,
		     uint64_t position, uint64_t before)
{
	struct log_record *r = place(log, position);

	(void)report;
	if (r->back != way_back(position, before))
		STORE(r->back, way_back(position, before));
	return 0;
}

void eventlog_mend(struct eventlog *log)
{
	struct buf report = BUF_INIT;
	uint64_t newest;

	if (!log->size)
		return;
	align_head(log);
	if (follow(log, &report, mend_back, &newest)) {
		STORE(log->head->tail, log->head->head);
		newest = 0;
	}
	if (log->head->newest != newest)
		STORE(log->head->newest, newest);
	buf_release(&report);
}

int eventlog_check(const struct eventlog *log, struct buf *report)
{
	uint64_t newest;

	if (!log->size)
		return 0;
	if (follow(log, report, check_back, &newest))
		return 1;
	if (newest && log->head->newest != newest)
		return complain(log, report, "that is the newest", newest);
	if (log->head->fanout)
		return complain(log, report, "a fan-out is under way",
				log->head->fanout);
	return 0;
}
