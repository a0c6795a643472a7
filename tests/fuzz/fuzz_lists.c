/* SPDX-License-Identifier: MIT */
/*
 * fuzz_lists.c - any bytes as ban.addresses.file and as filter.words.file
 *
 * An input is a text to look for words in, up to a line "--"; then the list of
 * words; behind another line "--" that of addresses.
 */
#include "fuzz.h"

#include <unistd.h>

#include "base/utf8.h"
#include "broker/address.h"
#include "command/permit.h"

static struct properties p;
static int words, banned;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	properties_defaults(&p);
	words = fuzz_file(p.words_file, sizeof(p.words_file));
	banned = fuzz_file(p.ban_file, sizeof(p.ban_file));
	return 0;
}

/* What stands before the next line "--"; *pos is then behind it. */
static size_t part(const char **pos, const char *end)
{
	static const char line[] = "--\n";
	const char *begin = *pos;
	const char *found = memmem(begin, (size_t)(end - begin), line, 3);

	*pos = found ? found + 3 : end;
	return (size_t)((found ? found : end) - begin);
}

/* All is as it was, but for a star in the place of some characters. */
static void check_masked(const char *text, size_t n, const struct buf *masked,
			 bool found)
{
	const char *end = text + n, *is = buf_str(masked);
	const char *is_end = is + masked->len;
	size_t length;
	const char *from;
	bool stars = false;

	while (text < end) {
		from = text;
		utf8_next(&text, end);
		length = (size_t)(text - from);
		must(is < is_end);
		if (length <= (size_t)(is_end - is) &&
		    memcmp(is, from, length) == 0) {
			is += length;
			stars |= length == 1 && *from == '*';
		} else {
			must(*is++ == '*');
			stars = true;
		}
	}
	must(is == is_end);
	must(!found || stars);
	must(found || (masked->len == n &&
		       memcmp(end - n, buf_str(masked), n) == 0));
}

static void ask(const struct permit *permit, const char *text, size_t n)
{
	struct buf masked = BUF_INIT;
	struct address address;
	int found;

	found = words_find(&permit->words, text, n, &masked);
	must(found >= 0);
	check_masked(text, n, &masked, found > 0);
	if (address_read(&address, text, n))
		permit_banned(permit, address.bytes);
	for (n = 0; n < permit->banned_count; n++)
		must(permit_banned(permit, permit->banned[n].bytes) ||
		     network_has(&permit->banned[n], address.bytes) ||
		     memcmp(permit->banned[n].bytes, &(struct address){ { 0 } },
			    NETWORK_BYTES) == 0);
	buf_release(&masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data, *end = text + n, *pos = text;
	size_t text_len = part(&pos, end), len;
	struct buf report = BUF_INIT;
	struct permit *permit;
	const char *list = pos;

	len = part(&pos, end);
	fuzz_fill(words, list, len);
	list = pos;
	len = part(&pos, end);
	fuzz_fill(banned, list, len);
	permit = permit_new(&p, &report);
	must((permit == NULL) == (report.len > 0));
	if (permit)
		ask(permit, text, text_len);
	else
		must(strstr(report.data, ".file: /proc/self/fd/"));
	permit_drop(permit);
	buf_release(&report);
	return 0;
}
