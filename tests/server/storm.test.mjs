// SPDX-License-Identifier: MIT
//
// storm.test.mjs - a short storm: whatever dies, each event arrives once
//
// make storm is the long one, with Apache and more listeners.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Site } from '../storm/site.mjs';

const SEED = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));

describe('in a storm', () => {
	const site = new Site({ seed: SEED, apache: false });

	before(() => site.start());
	after(() => site.close());

	for (const [name, weather] of [['kills', (w) => w.kills(25)], ['reloads', (w) => w.reloads(4)]])
		it(`of ${name} each event arrives once and in order, in all modes`, async (t) => {
			const row = await site.row(name, weather);
			const sum = (what) => row.accounts.reduce((n, account) => n + account[what], 0);

			t.diagnostic(`SEED=${SEED}: ${row.blows}; ${sum('received')} events received`);
			assert.deepEqual(row.problems, []);
			assert.ok(sum('received') > 0);
			assert.equal(sum('received'), sum('published'));
		});
});
