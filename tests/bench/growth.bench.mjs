// SPDX-License-Identifier: MIT
//
// growth.bench.mjs - what a delivery costs by sessions, size and rate; and the
// operations on a segment by what is in it
//
// HACKING says what each costs ("What it costs"): what grows here and not there,
// or the other way round, is a mistake of one of the two.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { BUILD } from '../lib/paths.mjs';
import { both, possible } from './site.mjs';
import { point, row } from './results.mjs';

const DELIVERIES = 60000;	/* of a run, or a few more */
const TURNS = 3;
const micro = (r) => 1e6 * (r.responder + r.front) / r.deliveries;

/* What segment.c times: its name there, in words, what it has to be. */
const OPERATIONS = [
	['one', 'publish to one session', 'at most 2 times'],
	['another', 'publish to another one each time, none in a cache'],
	['all', 'publish to all, for each, who has no room in its queue'],
	['none', 'publish to nobody'],
	['join', 'join'], ['subscribe', 'subscribe'], ['leave', 'leave'],
	['attach', 'attach'], ['repair', 'repair'],
];

/* One point for ours and the other each. */
async function measure(chart, size, sites, options) {
	const costs = sites.map(() => []);

	for (let turn = 0; turn < TURNS; turn++)
		for (const [i, site] of sites.entries())
			costs[i].push(micro(await site.run({ bytes: 30, ...options })));
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
function segmentOnce() {
	const { status, stdout, stderr } = spawnSync(join(BUILD, 'bench/segment'),
		{ encoding: 'utf8' });

	if (status !== 0)
		throw new Error(`segment: ${status}: ${stderr}`);
	return stdout.trim().split('\n').map((line) => JSON.parse(line));
}

/* Sizes, each with what all runs said of an operation. */
function segmentRuns() {
	const runs = Array.from({ length: TURNS }, segmentOnce);

	return runs[0].map(({ sessions, subscriptions }, i) => ({ sessions,
		subscriptions, us: (what) => runs.map((steps) => steps[i][what]) }));
}

function bySegment() {
	const steps = segmentRuns();
	const small = steps[0], large = steps.at(-1);
	const at = `${large.sessions} sessions x 3 subscriptions`;

	for (const { sessions, subscriptions, us } of steps) {
		point('subscriptions that do not match, a publish', subscriptions,
			us('none'));
		for (const [what, name] of OPERATIONS)
			point(`sessions in the segment, ${name}`, sessions, us(what));
	}
	for (const [what, name, limit] of OPERATIONS)
		row(`${name}, ${at} (against ${small.sessions})`, 'us',
			large.us(what), small.us(what), limit);
}

bySegment();
await both({ streams: possible(9000) }, (...sites) => bySessions(sites));
await both({ streams: 1000, props: { 'log.max.bytes': 67108864 } },
	(...sites) => byRateAndSize(sites));
