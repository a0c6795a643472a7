// SPDX-License-Identifier: MIT
//
// cluster.mjs - kills three nodes, their bridges and their Redis, and counts
// what arrives where
//
// usage: tests/storm/run cluster.mjs MINUTES [SEED]      (or make cluster)
//
// A counter is published at each node every 10 ms, and three reliable listeners
// at each (stream, pull, poll) want all of them.  Prints a line for each pair of
// nodes.  The status is 1 unless all of it arrived once and in order.

import { Nodes } from './nodes.mjs';

const MINUTES = Number(process.argv[2]);
const SEED = Number(process.argv[3] || Math.floor(Math.random() * 2 ** 31));
const COLUMNS = ['published', 'received', 'lost', 'repeated'];

function line(name, ...columns) {
	console.log(name.padEnd(12) + columns.map((c) => String(c).padStart(11)).join(''));
}

function tell(nodes) {
	line('from, to', ...COLUMNS);
	for (const pair of nodes.pairs)
		line(`${pair.from}, ${pair.to}`, ...COLUMNS.map((what) => pair[what]));
	console.log(`\ngaps reported by ${nodes.gaps.map(([name, n]) => `${name}: ${n}`).join(', ')}`);
	console.log(`killed: ${[...nodes.blows].map(([name, n]) => `${n} ${name}`).join(', ')}`);
	console.log(`broken answers: ${nodes.listeners.reduce((n, l) => n + l.failures, 0)} of ${
		nodes.listeners.reduce((n, l) => n + l.trips, 0)}\n`);
}

console.log(`cluster: ${MINUTES} minutes, SEED=${SEED}\n`);
const nodes = new Nodes({ seed: SEED });
const problems = [];
try {
	await nodes.start();
	const end = Date.now() + MINUTES * 60_000;
	await nodes.storm(() => Date.now() >= end);
	await nodes.settle();
	tell(nodes);
	problems.push(...nodes.problems);
} catch (error) {
	problems.push(error.stack);
} finally {
	await nodes.close().catch((error) => problems.push(error.stack));
}
for (const problem of problems.slice(0, 50))
	console.log(`FAIL ${problem}`);
console.log(`${problems.length === 0 ? 'PASS' : 'FAIL'}: ${problems.length} problems, SEED=${SEED}`);
process.exitCode = problems.length === 0 ? 0 : 1;
