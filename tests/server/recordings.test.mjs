// SPDX-License-Identifier: MIT
//
// recordings.test.mjs - the original server's recorded exchanges, replayed
//
// Every recording of tests/data/transcripts/ is played through nginx against a
// pushletd of its own.  What may differ from the recording is in ONE table,
// tests/lib/differences.mjs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { names, read } from '../lib/transcript.mjs';
import { applyDifferences, DIFFERENCES, LEFT_OUT } from '../lib/differences.mjs';
import { duration, pace, Replay, settings } from '../lib/replay.mjs';
import { Lab } from '../lib/lab.mjs';

const scenarios = names().filter((name) => !LEFT_OUT[name]).map((name) => {
	const scenario = read(name);

	return { scenario, rows: applyDifferences(scenario) };
});
const length = ({ scenario }) => duration(scenario) / pace(scenario);

async function replay(scenario) {
	const lab = new Lab();

	try {
		const pushletd = await lab.pushletd({ props: settings(scenario) });
		const front = await lab.nginx(pushletd);
		await new Replay(scenario, { lab, front, pushletd }).run();
	} finally {
		await lab.close();
	}
}

/* Long ones first, so that none is left alone at the end. */
describe('a recorded scenario', { concurrency: 6 }, () => {
	for (const { scenario } of scenarios.sort((a, b) => length(b) - length(a)))
		it(`${scenario.name}: ${scenario.title}`, () => replay(scenario));
});

describe('the table of differences', () => {
	it('has no row that changes nothing', () => {
		const used = new Set(scenarios.flatMap(({ rows }) => [...rows]));
		const idle = DIFFERENCES.filter((row) => !used.has(row));

		assert.deepEqual(idle.map((row) => row.original), []);
	});

	it('leaves out only recordings that exist', () => {
		const missing = Object.keys(LEFT_OUT).filter((name) => !names().includes(name));

		assert.deepEqual(missing, []);
	});
});
