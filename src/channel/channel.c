/* SPDX-License-Identifier: MIT */
/*
 * channel.c - records onto a socket, without waiting
 */
#include "channel/channel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

void channel_url(struct buf *url_out, const char *path, size_t path_len,
		 const char *id)
{
	buf_add(url_out, path, path_len);
	buf_printf(url_out, "?p_id=%s&p_event=refresh&p_ack=", id);
}

struct channel *channel_new(const struct channel_plan *plan)
{
	struct channel *c = calloc(1, sizeof(*c));
	struct buf url = BUF_INIT;

	if (!c)
		return NULL;
	channel_url(&url, plan->path, plan->path_len, plan->id);
	c->url = buf_failed(&url) ? NULL : strdup(buf_str(&url));
	buf_release(&url);
	if (!c->url) {
		free(c);
		return NULL;
	}
	c->ref = plan->ref;
	c->number = plan->number;
	c->mode = (uint8_t)plan->mode;
	c->adapter = plan->adapter;
	c->eid = plan->eid;
	c->fd = -1;
	c->opened = c->quiet_since = clock_ms();
	return c;
}

void channel_free(struct channel *c)
{
	buf_release(&c->held);
	free(c->url);
	free(c);
}

/* What send() means when it takes nothing. */
static enum written failed(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ||
	       errno == ENOBUFS || errno == ENOMEM ? HELD : PEER_GONE;
}

enum written channel_flush(struct channel *c)
{
	ssize_t n;

	while (c->held.len > 0) {
		n = send(c->fd, c->held.data, c->held.len,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return failed();
		buf_drop(&c->held, (size_t)n);
	}
	buf_release(&c->held);	/* most channels never hold anything again */
	return WRITTEN;
}

/* Content too large for one record goes through the held bytes. */
static enum written write_records(struct channel *c, const struct buf *record)
{
	record_add(&c->held, c->request, record->data + RECORD_HEAD,
		   record->len - RECORD_HEAD);
	return buf_failed(&c->held) ? PEER_GONE : channel_flush(c);
}

enum written channel_write(struct channel *c, struct buf *record)
{
	size_t taken = 0;
	ssize_t n;

	if (record->len <= RECORD_HEAD)
		return WRITTEN;
	if (record->len - RECORD_HEAD > RECORD_MAX)
		return write_records(c, record);
	record_stdout((unsigned char *)record->data, c->request,
		      record->len - RECORD_HEAD);
	n = send(c->fd, record->data, record->len,
		 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == (ssize_t)record->len)
		return WRITTEN;
	if (n < 0 && failed() == PEER_GONE)
		return PEER_GONE;
	if (n > 0)
		taken = (size_t)n;
	buf_add(&c->held, record->data + taken, record->len - taken);
	return buf_failed(&c->held) ? PEER_GONE : HELD;
}

enum written channel_say(struct channel *c, struct buf *record)
{
	enum written w = PEER_GONE;

	if (!buf_failed(record))
		w = channel_write(c, record);
	buf_release(record);
	return w;
}

/* An event of the server's own, with the time. */
static void add_event(struct channel *c, struct buf *out, struct event *e)
{
	event_add_int(e, "p_time", clock_unix());
	adapter_event(c->adapter, out, e, false);
	out->failed |= buf_failed(&e->packed);
	event_release(e);
}

void channel_heartbeat(struct channel *c, struct buf *out)
{
	struct event e = EVENT_INIT;

	event_add(&e, "p_event", "hb");
	event_add_int(&e, "p_seq", ++c->seq);
	add_event(c, out, &e);
}

void channel_abort(struct channel *c, struct buf *out, const char *reason)
{
	struct event e = EVENT_INIT;

	event_add(&e, "p_event", "abort");
	event_add(&e, "p_reason", reason);
	event_add_int(&e, "p_seq", ++c->seq);
	add_event(c, out, &e);
}

void channel_refresh(struct channel *c, struct buf *out, uint64_t wait)
{
	struct event e = EVENT_INIT;
	struct buf url = BUF_INIT;

	/* Who fetches it has what came before it. */
	buf_printf(&url, "%s%" PRIu64, c->url, c->eid);
	event_add(&e, "p_event", "refresh");
	event_add_int(&e, "p_wait", (int64_t)wait);
	event_add(&e, "p_url", buf_str(&url));
	e.packed.failed |= buf_failed(&url);
	buf_release(&url);
	add_event(c, out, &e);
}

enum written channel_finish(struct channel *c, struct buf *content)
{
	unsigned char end[RECORD_END];
	bool lost;

	if (c->adapter->finish)
		c->adapter->finish(content);
	c->ending = true;
	record_add(&c->held, c->request, buf_str(content), content->len);
	record_end(end, c->request);
	buf_add(&c->held, end, sizeof(end));
	lost = buf_failed(content) || buf_failed(&c->held);
	buf_release(content);
	return lost ? PEER_GONE : channel_flush(c);
}

bool channel_hung_up(struct channel *c)
{
	unsigned char bytes[64];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		return record_is_abort(bytes, (size_t)n);
	return n == 0 || failed() == PEER_GONE;
}
