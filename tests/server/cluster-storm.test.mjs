// SPDX-License-Identifier: MIT
//
// cluster-storm.test.mjs - a short storm over three nodes: whatever dies, each
// event arrives once at each of them
//
// make cluster is the long one.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Nodes } from '../storm/nodes.mjs';

const SEED = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));

describe('in a storm over three nodes', () => {
	const nodes = new Nodes({ seed: SEED });

	before(() => nodes.start());
	after(() => nodes.close());

	it('each event arrives once and in order at all of them', async (t) => {
		await nodes.each();
		await nodes.settle();
		const sum = (what) => nodes.pairs.reduce((n, pair) => n + pair[what], 0);

		t.diagnostic(`SEED=${SEED}: ${[...nodes.blows.keys()].join(', ')} killed; ${
			sum('received')} events received`);
		assert.deepEqual(nodes.problems, []);
		assert.ok(nodes.pairs.every((pair) => pair.received > 0));
		assert.equal(sum('received'), sum('published'));
	});
});
