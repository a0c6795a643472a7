/* SPDX-License-Identifier: MIT */
/*
 * eventlog.c - the byte ring of events
 *
 * See struct log_head in layout.h for the order of the stores.  The tail moves
 * before anything it leaves behind is overwritten, so a reader that holds the
 * lock and a position at or above the tail always sees a whole record.
 */

#include "broker/view.h"
#include "shm/store.h"

static struct log_record *place(struct broker *b, uint64_t position)
{
	return (struct log_record *)(b->log +
				     position % b->geometry.log_bytes);
}

/* Is this what may stand at the position? */
static bool sound(struct broker *b, uint64_t position)
{
	const struct log_record *r = place(b, position);
	uint64_t ring = b->geometry.log_bytes;

	if (position % LOG_ALIGN || r->position != position ||
	    r->bytes < LOG_ALIGN || r->bytes % LOG_ALIGN || r->bytes > ring - position % ring)
		return false;
	if (r->kind == LOG_FILLER)
		return true;
	return r->kind == LOG_EVENT && r->bytes >= sizeof(*r) &&
	       r->packed_bytes <= r->bytes - sizeof(*r) &&
	       r->subject_offset <= r->packed_bytes &&
	       r->subject_bytes <= r->packed_bytes - r->subject_offset;
}

const struct log_record *eventlog_at(struct broker *b, uint64_t position)
{
	const struct log_head *log = &b->map->log;

	if (position < log->tail || position >= log->head ||
	    !sound(b, position) ||
	    place(b, position)->kind != LOG_EVENT)
		return NULL;
	return place(b, position);
}

/* Moves the tail until the ring has room for n bytes from head on. */
static void make_room(struct broker *b, uint64_t n)
{
	struct log_head *log = &b->map->log;
	uint64_t tail = log->tail;

	while (log->head + n - tail > b->geometry.log_bytes) {
		if (tail >= log->head || !sound(b, tail))
			tail = log->head;	/* damage: let all go */
		else
			tail += place(b, tail)->bytes;
		if (tail == log->head)
			break;
	}
	if (tail != log->tail)
		STORE(log->tail, tail);
}

/* A head where no record may be is damage; no position is used twice, so it
 * moves up.  All records go. */
static void align_head(struct broker *b)
{
	struct log_head *log = &b->map->log;
	uint64_t over = log->head % LOG_ALIGN;

	if (over == 0)
		return;
	STORE(log->head, log->head + LOG_ALIGN - over);
	STORE(log->tail, log->head);
}

/* Fills the ring up to its end, where a record does not fit any more. */
static void write_filler(struct broker *b, uint64_t bytes)
{
	struct log_head *log = &b->map->log;
	struct log_record filler = {
		.position = log->head,
		.bytes = (uint32_t)bytes,
		.kind = LOG_FILLER,
	};

	make_room(b, bytes);
	store_bytes(place(b, log->head), &filler, LOG_ALIGN);
	STORE(log->head, log->head + bytes);
}

uint64_t eventlog_reserve(struct broker *b, size_t packed_bytes,
			  struct log_record **record_out)
{
	struct log_head *log = &b->map->log;
	uint64_t ring = b->geometry.log_bytes;
	uint64_t need = sizeof(struct log_record) + packed_bytes;
	uint64_t left;

	align_head(b);
	left = ring - log->head % ring;
	need = (need + LOG_ALIGN - 1) / LOG_ALIGN * LOG_ALIGN;
	*record_out = NULL;
	if (need > ring / 4)
		return 0;
	if (left < need)
		write_filler(b, left);
	make_room(b, need);
	*record_out = place(b, log->head);
	STORE((*record_out)->position, log->head);
	STORE((*record_out)->bytes, (uint32_t)need);
	STORE((*record_out)->kind, (uint32_t)LOG_EVENT);
	return log->head;
}

void eventlog_commit(struct broker *b, uint64_t position)
{
	struct log_head *log = &b->map->log;

	STORE(log->fanout, position);
	STORE(log->head, position + place(b, position)->bytes);
}

/* Does record lead to record from tail to head? */
static int chain_check(struct broker *b, struct buf *report)
{
	const struct log_head *log = &b->map->log;
	uint64_t p = log->tail;

	if (log->head < log->tail || log->head % LOG_ALIGN ||
	    log->head - log->tail > b->geometry.log_bytes) {
		buf_printf(report, "log: head %llu, tail %llu\n",
			   (unsigned long long)log->head,
			   (unsigned long long)log->tail);
		return 1;
	}
	while (p < log->head && sound(b, p))
		p += place(b, p)->bytes;
	if (p != log->head) {
		buf_printf(report, "log: no record at position %llu\n",
			   (unsigned long long)p);
		return 1;
	}
	return 0;
}

void eventlog_mend(struct broker *b)
{
	struct buf report = BUF_INIT;

	align_head(b);
	if (chain_check(b, &report))
		STORE(b->map->log.tail, b->map->log.head);
	buf_release(&report);
}

int eventlog_check(struct broker *b, struct buf *report)
{
	if (chain_check(b, report))
		return 1;
	if (b->map->log.fanout) {
		buf_printf(report, "log: a fan-out is under way\n");
		return 1;
	}
	return 0;
}
