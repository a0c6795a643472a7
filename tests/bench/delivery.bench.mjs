// SPDX-License-Identifier: MIT
//
// delivery.bench.mjs - what a delivery costs, and how many there can be
//
// Ours and the null responder by turns, each behind an nginx of its own with
// as many open streams; three runs of each.  Every stream gets every event once
// and in order, or the bench fails.

import { both, possible } from './site.mjs';
import { remark, row } from './results.mjs';

const TURNS = 3;

/* What is picked of each of our runs, and of the other's. */
async function compare(ours, other, options) {
	const runs = [[], []];

	for (let turn = 0; turn < TURNS; turn++)
		for (const [i, site] of [ours, other].entries())
			runs[i].push(await site.run(options));
	return runs.map((list) => (pick) => list.map(pick));
}

const micro = (pick) => (r) => 1e6 * pick(r) / r.deliveries;
const both_ = (r) => r.responder + r.front;

function costRows(name, [ours, other]) {
	row(`CPU per delivery, ${name}`, 'us', ours(micro(both_)),
		other(micro(both_)), 'at most 1.15 times');
	row('  of it the responder', 'us', ours(micro((r) => r.responder)),
		other(micro((r) => r.responder)));
	row('  the responder\'s share', '%',
		ours((r) => 100 * r.responder / both_(r)),
		other((r) => 100 * r.responder / both_(r)), 'at most 35');
	row('  the publisher besides', 'us', ours(micro((r) => r.publisher)));
}

function latencyRows(name, [ours, other], limits) {
	for (const [label, key] of [['p50', 'p50'], ['p90', 'p90'], ['p99', 'p99'],
		['p99.9', 'p999'], ['max', 'max']])
		row(`latency ${label}, ${name}`, 'ms', ours((r) => r[key] / 1000),
			other((r) => r[key] / 1000), limits[key]);
}

async function loads(ours, other, n, rate, count) {
	const name = `${n} streams x ${rate}/s`;
	const figures = await compare(ours, other, { rate, count, bytes: 30 });

	costRows(name, figures);
	return figures;
}

async function saturate(ours, other, n) {
	const figures = await compare(ours, other,
		{ rate: 0, count: 1200, bytes: 30, pace: true });
	const name = `${n} streams, saturated`;

	row(`deliveries, ${name}, --pace`, '1/s',
		...figures.map((pick) => pick((r) => r.deliveries / r.span)),
		'at least 600000 or 0.9 times');
	costRows(name, figures);
	latencyRows(name, figures, { p99: 'ours below 200 ms' });
}

async function open(streams, work, props = {}) {
	const n = possible(streams);

	if (n < streams)
		remark(`${streams} streams need more descriptors than ulimit -Hn `
			+ `allows: ${n} it is`);
	await both({ streams: n, props }, async (ours, other) => {
		await ours.streams(n);
		await other.streams(n);
		await work(ours, other, n);
	});
}

await open(1000, async (ours, other, n) => {
	await loads(ours, other, n, 300, 600);
	latencyRows(`${n} streams x 10/s`, await loads(ours, other, n, 10, 30),
		{ p50: 'at most 1.2 times', p99: 'at most 1.2 times' });
});
await open(1000, saturate);
await open(8000, (ours, other, n) => loads(ours, other, n, 10, 30));
