/* SPDX-License-Identifier: MIT */
/*
 * fuzz_apology.c - any bytes as a FastCGI request that a relay has to skip, at
 * once and in pieces
 */
#include "fuzz.h"

#include "relay/apology.h"

static bool same(const struct apology *a, const struct apology *b)
{
	return a->request == b->request && a->whole == b->whole &&
	       a->broken == b->broken && a->skip == b->skip &&
	       a->have == b->have && memcmp(a->head, b->head, a->have) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct apology once = { .request = 0 }, pieces = { .request = 0 };
	size_t piece = n ? data[0] % 16 + 1 : 1, i;

	apology_feed(&once, data, n);
	for (i = 0; i < n; i += piece)
		apology_feed(&pieces, data + i, n - i < piece ? n - i : piece);
	must(same(&once, &pieces));
	must(!once.whole || once.request > 0);
	must(once.have < sizeof(once.head));
	must(once.skip <= 65535 + 255);
	return 0;
}
