// SPDX-License-Identifier: MIT
//
// rows.mjs - command lines that must fail, as a table
//
// [what, arguments, exit status, message on stderr, standard input].  A message
// must name the thing and say what is wrong with it.  Arguments and messages
// that are known only when the test runs are functions.  area: of the table of
// hostile inputs.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hostile } from './hostile.mjs';
import { tool } from './process.mjs';

const settled = (thing) => (typeof thing === 'function' ? thing() : thing);

export function rows(name, table, area = 'command line') {
	for (const [what, args, status, message, input] of table)
		it(`${name} with ${what} ends with ${status}`, async (t) => {
			const result = await tool(name, settled(args), { input });

			hostile(t, area, `${name}, ${what}`,
				`${result.status} ${result.stderr.replace(/^[\w-]+(\[\d+\])?: /, '')}`);
			assert.equal(result.status, status, result.stderr);
			assert.match(result.stderr, settled(message));
			assert.equal(result.stdout, '');
		});
}
