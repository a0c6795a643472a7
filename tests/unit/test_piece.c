/* SPDX-License-Identifier: MIT */
/*
 * test_piece.c - feed/piece.h: pieces are the same however the bytes arrive
 */
#include "unit.h"

#include <string.h>

#include "feed/piece.h"

static struct buf heard;		/* each piece in brackets */

static void hear(const struct piece *p)
{
	ck_assert_uint_gt(p->len, 0);
	buf_putc(&heard, '[');
	buf_add(&heard, p->at, p->len);
	buf_putc(&heard, ']');
}

/* The pieces of the text, which arrives so many bytes at a time. */
static const char *cut(bool lines, const char *text, size_t n, size_t step)
{
	struct piece p = { .lines = lines };
	const char *bytes = text;
	size_t part;

	buf_clear(&heard);
	for (; n > 0; n -= part) {
		size_t left = part = step < n ? step : n;

		while (piece_next(&p, &bytes, &left))
			hear(&p);
		ck_assert_uint_eq(left, 0);
	}
	ck_assert(!piece_next(&p, &bytes, &n));
	if (piece_last(&p))
		hear(&p);
	ck_assert(!piece_last(&p));
	piece_release(&p);
	return buf_str(&heard);
}

static const struct {
	bool lines;
	const char *text, *pieces;
} cuts[] = {
	{ false, "", "" },
	{ false, "a", "[a]" },
	{ false, "<a>\n<b/>\n", "[<a>][\n<b/>][\n]" },
	{ true, "<a>\n<b/>\nc", "[<a>][\n][<b/>][\n][c]" },
	{ true, "\n\n>>\n", "[\n][\n][>][>][\n]" },
	{ true, "a\nb>", "[a\n][b>]" },
};

START_TEST(a_piece_ends_where_a_tag_or_a_line_does)
{
	const char *text = cuts[_i].text;
	size_t step;

	for (step = strlen(text) + 1; step > 0; step--)
		ck_assert_str_eq(cut(cuts[_i].lines, text, strlen(text), step),
				 cuts[_i].pieces);
}
END_TEST

START_TEST(or_after_so_many_bytes)
{
	const size_t steps[] = { 1, 7, PIECE_BYTES - 1, PIECE_BYTES,
				 PIECE_BYTES + 1, 3 * PIECE_BYTES };
	static char text[2 * PIECE_BYTES + 2];
	struct buf expected = BUF_INIT;
	size_t i;

	memset(text, 'x', sizeof(text));
	text[2 * PIECE_BYTES - 1] = '>';	/* the last of the second */
	buf_printf(&expected, "[%.*s][%.*s][xx]", PIECE_BYTES, text,
		   PIECE_BYTES, text + PIECE_BYTES);
	for (i = 0; i < ROWS(steps); i++)
		ck_assert_str_eq(cut(true, text, sizeof(text), steps[i]),
				 buf_str(&expected));
	buf_release(&expected);
}
END_TEST

static void finish(void)
{
	buf_release(&heard);
}

int main(void)
{
	TCase *tc = unit_case("piece");

	tcase_add_checked_fixture(tc, NULL, finish);
	tcase_add_loop_test(tc, a_piece_ends_where_a_tag_or_a_line_does, 0,
			    (int)ROWS(cuts));
	tcase_add_test(tc, or_after_so_many_bytes);
	return unit_run();
}
