// SPDX-License-Identifier: MIT
//
// growth.bench.mjs - what a delivery costs by sessions, size and rate; and the
// operations on a segment by what is in it
//
// Nothing here may grow that HACKING does not name.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { BUILD } from '../lib/paths.mjs';
import { both, possible } from './site.mjs';
import { point, row } from './results.mjs';

const DELIVERIES = 60000;	/* of a run, or a few more */
const micro = (r) => 1e6 * (r.responder + r.front) / r.deliveries;

/* What segment.c times: its name there, in words, what it has to be. */
const OPERATIONS = [
	['one', 'publish to one and the same session', 'at most 2 times'],
	['another', 'publish to a session, each time another: nothing cached'],
	['none', 'publish to nobody'],
	['join', 'join'], ['subscribe', 'subscribe'], ['leave', 'leave'],
];

/* One point for ours and the other each. */
async function measure(chart, size, sites, options) {
	const costs = [];

	for (const site of sites)
		costs.push(micro(await site.run({ bytes: 30, ...options })));
	point(chart, size, ...costs);
}

async function bySessions(sites) {
	let open = 0;

	for (const n of [100, 300, 1000, 3000, possible(9000)]) {
		for (const site of sites)
			await site.streams(n - open);
		open = n;
		const count = Math.max(6, Math.round(DELIVERIES / n));
		await measure('open streams', n, sites,
			{ count, rate: Math.max(4, count) });
	}
}

async function byRateAndSize(sites) {
	for (const site of sites)
		await site.streams(1000);
	for (const rate of [3, 10, 30, 100, 300])
		await measure('events a second to 1000 streams', rate, sites,
			{ rate, count: Math.max(6, rate) });
	for (const bytes of [10, 100, 1000, 4000, 16000])
		await measure('bytes of an event to 1000 streams', bytes, sites,
			{ bytes, rate: 30, count: 30 });
}

/* The C program fills a segment of its own and times what is done with it. */
function bySegment() {
	const { status, stdout, stderr } = spawnSync(join(BUILD, 'bench/segment'),
		{ encoding: 'utf8' });

	if (status !== 0)
		throw new Error(`segment: ${status}: ${stderr}`);
	const steps = stdout.trim().split('\n').map((line) => JSON.parse(line));
	const small = steps[0], large = steps.at(-1);
	const at = (step) => `${step.sessions} sessions of 3 subscriptions`;

	for (const step of steps) {
		point('subscriptions that do not match, a publish',
			step.subscriptions, step.none);
		for (const [what, name] of OPERATIONS)
			point(`sessions in the segment, ${name}`, step.sessions, step[what]);
	}
	for (const [what, name, limit] of OPERATIONS)
		row(`${name}, ${at(large)} (against ${small.sessions})`, 'us',
			large[what], small[what], limit);
	row(`attach, ${at(large)}`, 'us', large.attach);
	row(`repair, ${at(large)}`, 'ms', large.repair / 1000);
}

bySegment();
await both({ streams: possible(9000) }, (...sites) => bySessions(sites));
await both({ streams: 1000, props: { 'log.max.bytes': 67108864 } },
	(...sites) => byRateAndSize(sites));
