// SPDX-License-Identifier: MIT
//
// conformance-faults.test.mjs - make conformance names the fault of a server

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Faulty, FAULTS } from '../conformance/faulty.mjs';
import { holds, sums } from '../conformance/report.mjs';
import { Suite } from '../conformance/suite.mjs';
import { Lab } from '../lib/lab.mjs';
import { SLOW } from '../lib/paths.mjs';

/* A queue that the cases can fill, heartbeats that they need not wait for. */
const PROPS = { 'queue.read.timeout.millis': 500, 'queue.size': 40 };

const doubted = (outcome) => outcome.results.filter((r) => r.how !== 'ok')
	.map((r) => `${r.how}: ${r.name}: ${r.why}`).join('\n');

describe('a server with a fault: the report names it', { concurrency: 2 }, () => {
	const lab = new Lab();
	let front;

	before(async () => { front = await lab.nginx(await lab.pushletd({ props: PROPS })); });
	after(() => lab.close());

	for (const row of FAULTS)
		it(row.fault, async () => {
			const faulty = lab.guard(new Faulty(front.port, row));
			await faulty.start();
			const url = `http://127.0.0.1:${faulty.port}/pushlet/pushlet.srv`;
			const outcome = await new Suite(url, { wait: 2 * SLOW, demand: true,
				limit: 2 * SLOW }).run();

			assert.ok(outcome.results.some((r) => r.how !== 'ok' && row.sentence.test(r.name)
				&& row.reason.test(r.why)), doubted(outcome));
			assert.ok(!holds(outcome));
			/* It names that fault, and does not doubt all the rest. */
			assert.ok(sums(outcome.results).hold > 160, doubted(outcome));
			faulty.stop();
		});
});
