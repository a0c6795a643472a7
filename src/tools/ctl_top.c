/* SPDX-License-Identifier: MIT */
/*
 * ctl_top.c - pushletctl top
 *
 * A second's look again and again.  What is drawn is made as text first and
 * cut to the screen, so that curses sees nothing but lines.
 */
#include "tools/ctl.h"

#include <curses.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "broker/format.h"
#include "broker/session.h"

enum { PERIOD = 1000, HEAD = 7, ESCAPE = 27,
       WIDE = 110 };		/* columns, for more about a session */

enum order { BY_WAITING, BY_DELIVERED, BY_LOST };

struct top {
	struct broker *broker;
	enum order order;
	struct buf filter;		/* a subject; empty: all sessions */
	bool typing;			/* the filter */
};

static volatile sig_atomic_t stopping;

static void stop(int number)
{
	(void)number;
	stopping = 1;
}

/* -- lines ---------------------------------------------------------------- */

/* Draws a text, which may be too long, and clears what stood behind it. */
static void put_line(int y, const struct buf *text)
{
	const char *start = buf_str(text), *end = start + text->len;
	const char *pos = start, *next = start;
	int n;

	for (n = 0; n < COLS && pos < end; n++, pos = next)
		utf8_next(&next, end);
	mvaddnstr(y, 0, start, (int)(pos - start));
	if (n < COLS)
		clrtoeol();
}

static void add_head(struct buf *out, struct broker *b, const struct status *s)
{
	tool_add_safe(out, broker_name(b));
	buf_puts(out, "  up ");
	ctl_add_period(out, ctl_since(s->created));
	buf_printf(out, "  processes %u  ", s->workers);
	ctl_add_time(out, clock_unix());
}

static void add_sessions(struct buf *out, const struct status *s)
{
	buf_printf(out, "sessions %u of %u: stream %u, pull %u, poll %u, none "
		   "%u; listening %u", s->sessions, s->geometry.sessions,
		   s->by_mode[MODE_STREAM], s->by_mode[MODE_PULL],
		   s->by_mode[MODE_POLL], status_modeless(s), s->listening);
}

static double percent(uint64_t head, uint64_t tail, uint64_t of)
{
	return of ? 100.0 * (double)(head - tail) / (double)of : 0;
}

static void add_room(struct buf *out, const struct status *s)
{
	const struct geometry *g = &s->geometry;

	buf_printf(out, "waiting %" PRIu64 ", fullest queue %" PRIu64 " of %u; "
		   "log %.0f%%, history %.0f%%; repairs %" PRIu64, s->waiting,
		   s->waiting_most, g->queue,
		   percent(s->log_head, s->log_tail, g->log_bytes),
		   percent(s->history_head, s->history_tail, g->history_bytes),
		   s->counts.repairs);
}

/* -- the counts that matter from one second to the next --------------------- */

#define SHOWN(X) X(published) X(queued) X(delivered) X(lost) X(refused) X(joins)

static void add_count_names(struct buf *out)
{
	buf_printf(out, "%-12s", "");
#define NAME(field) buf_printf(out, "%11s", #field);
	SHOWN(NAME)
#undef NAME
}

static void add_rates(struct buf *out, const struct pace *p)
{
	buf_printf(out, "%-12s", "a second");
#define RATE(field) if (p->ms > 0) \
		buf_printf(out, "%11.1f", \
			   (double)p->counts.field * 1000 / (double)p->ms); \
	else \
		buf_printf(out, "%11s", "-");
	SHOWN(RATE)
#undef RATE
}

static void add_totals(struct buf *out, const struct counts *c)
{
	buf_printf(out, "%-12s", "since made");
#define TOTAL(field) buf_printf(out, "%11" PRIu64, c->field);
	SHOWN(TOTAL)
#undef TOTAL
}

/* -- a session, a line ------------------------------------------------------ */

/* How sessions are shown. */
struct columns {
	int handle;			/* how wide */
	bool wide;			/* room for more columns */
};

static struct columns columns_of(struct broker *b)
{
	return (struct columns){ ctl_handle_width(b), COLS >= WIDE };
}

static void add_heading(struct buf *out, enum order order, struct columns c)
{
	buf_printf(out, "%-*s %-8s", c.handle, "HANDLE", "MODE");
	if (c.wide)
		buf_printf(out, " %-10s", "FORMAT");
	buf_printf(out, "%8s%c%10s%c%8s%c %8s  ",
		   "WAITING", order == BY_WAITING ? '*' : ' ', "DELIVERED",
		   order == BY_DELIVERED ? '*' : ' ', "LOST",
		   order == BY_LOST ? '*' : ' ', "AGE");
	if (c.wide)
		buf_printf(out, "%-15s  ", "ADDRESS");
	buf_puts(out, "SUBJECTS");
}

/* In brackets while no channel of it is open. */
static void add_mode(struct buf *out, const struct status_session *s)
{
	const char *name = s->listened ? session_mode_name(s->mode) : "-";
	size_t start = out->len;

	buf_printf(out, s->listening || !s->listened ? "%s" : "(%s)", name);
	buf_printf(out, "%*s", (int)(8 - (out->len - start)), "");
}

/* In eight columns. */
static void add_age(struct buf *out, int64_t seconds)
{
	if (seconds < 86400)
		ctl_add_period(out, seconds);
	else
		buf_printf(out, "%4" PRId64 "d %02dh", seconds / 86400,
			   (int)(seconds / 3600 % 24));
}

static void add_session(struct buf *out, const struct status_session *s,
			struct columns c)
{
	buf_printf(out, "%-*s ", c.handle, s->handle);
	add_mode(out, s);
	if (c.wide)
		buf_printf(out, " %-10s", format_name(s->format));
	buf_printf(out, "%8" PRIu64 " %10" PRIu64 " %8" PRIu64 "  ",
		   s->waiting, s->delivered, s->lost);
	add_age(out, ctl_since(s->joined));
	buf_puts(out, "  ");
	if (c.wide)
		buf_printf(out, "%-15s  ", s->address);
	tool_add_safe(out, s->subjects.len ? buf_str(&s->subjects) : "-");
}

static void add_foot(struct buf *out, const struct top *t)
{
	if (t->typing)
		buf_puts(out, "subject: ");
	else
		buf_puts(out, "q quit  w waiting  d delivered  l lost  "
			 "/ subject");
	if (!t->typing && t->filter.len)
		buf_puts(out, ": ");
	tool_add_safe(out, buf_str(&t->filter));
}

/* -- the screen ------------------------------------------------------------- */

static uint64_t key_of(const struct status_session *s, enum order order)
{
	return order == BY_WAITING ? s->waiting :
	       order == BY_DELIVERED ? s->delivered : s->lost;
}

/* The largest first; those alike stay as they are. */
static int compare(const void *a, const void *b, void *order)
{
	const struct status_session *x = a, *y = b;
	uint64_t i = key_of(x, *(enum order *)order);
	uint64_t j = key_of(y, *(enum order *)order);

	return i != j ? (i < j) - (i > j) : strcmp(x->handle, y->handle);
}

/* Draws one line with what add() makes, which is released. */
static void draw(int y, struct buf *line, attr_t look)
{
	attrset(look);
	put_line(y, line);
	attrset(A_NORMAL);
	buf_release(line);
}

static void draw_sessions(struct top *t)
{
	struct status_session *list;
	struct buf line = BUF_INIT;
	unsigned i, n;
	int y = HEAD;

	list = status_sessions(t->broker, &n);
	if (n)
		qsort_r(list, n, sizeof(*list), compare, &t->order);
	for (i = 0; i < n && y < LINES - 1; i++) {
		if (t->filter.len && !ctl_wants(&list[i],
						buf_str(&t->filter)))
			continue;
		add_session(&line, &list[i], columns_of(t->broker));
		draw(y++, &line, A_NORMAL);
	}
	status_sessions_free(list, n);
	for (; y < LINES - 1; y++)
		draw(y, &line, A_NORMAL);
}

static void draw_all(struct top *t)
{
	struct buf line = BUF_INIT;
	struct status s;

	status_read(t->broker, &s);
	add_head(&line, t->broker, &s);
	draw(0, &line, A_BOLD);
	add_sessions(&line, &s);
	draw(1, &line, A_NORMAL);
	add_room(&line, &s);
	draw(2, &line, A_NORMAL);
	add_count_names(&line);
	draw(3, &line, A_BOLD);
	add_rates(&line, &s.second);
	draw(4, &line, A_NORMAL);
	add_totals(&line, &s.counts);
	draw(5, &line, A_NORMAL);
	add_heading(&line, t->order, columns_of(t->broker));
	draw(6, &line, A_REVERSE);
	draw_sessions(t);
	add_foot(&line, t);
	draw(LINES - 1, &line, A_BOLD);
	refresh();
}

/* -- keys ------------------------------------------------------------------- */

static void type(struct top *t, int key)
{
	if (key == '\n' || key == KEY_ENTER) {
		t->typing = false;
	} else if (key == ESCAPE) {
		buf_clear(&t->filter);
		t->typing = false;
	} else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
		t->filter.len -= t->filter.len > 0;
		if (t->filter.data)
			t->filter.data[t->filter.len] = '\0';
	} else if (key >= ' ' && key < 256) {
		buf_putc(&t->filter, (char)key);
	}
}

static void obey(struct top *t, int key)
{
	if (t->typing) {
		type(t, key);
		return;
	}
	switch (key) {
	case 'q':
		stopping = 1;
		break;
	case 'w':
		t->order = BY_WAITING;
		break;
	case 'd':
		t->order = BY_DELIVERED;
		break;
	case 'l':
		t->order = BY_LOST;
		break;
	case '\f':
		clearok(curscr, TRUE);
		break;
	case '/':
		buf_clear(&t->filter);
		t->typing = true;
		break;
	default:
		break;
	}
}

static void look_on(struct top *t)
{
	int key;

	timeout(PERIOD);
	while (!stopping && !broker_retired(t->broker)) {
		draw_all(t);
		key = getch();
		if (key == ERR && !isatty(STDIN_FILENO))
			break;
		obey(t, key);
	}
}

/* Before curses, which would set its own. */
static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = stop };

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}

enum tool_exit ctl_top(struct broker *b, const struct ctl_request *q)
{
	struct top t = { .broker = b };
	SCREEN *screen;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		complain("top needs a terminal; there are status and sessions");
		return TOOL_BAD;
	}
	setlocale(LC_ALL, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		complain("TERM: this terminal is not known");
		return TOOL_BAD;
	}
	catch_signals();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(25);
	buf_puts(&t.filter, q->subject ? q->subject : "");
	look_on(&t);
	endwin();
	delscreen(screen);
	buf_release(&t.filter);
	if (!broker_retired(b))
		return TOOL_OK;
	complain("%s: the segment was destroyed", broker_name(b));
	return TOOL_NO_SEGMENT;
}
