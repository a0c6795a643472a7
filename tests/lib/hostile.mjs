// SPDX-License-Identifier: MIT
//
// hostile.mjs - hostile inputs and their answers: lines of the table that make
// hostile prints (tests/server/hostile)

/* Notes one in the log of test t.  area: where it comes in. */
export function hostile(t, area, what, answer) {
	const line = answer.trim().split('\n', 1)[0];

	t.diagnostic(`hostile: ${area} | ${what} | ${line}`);
}
