// SPDX-License-Identifier: MIT
//
// storm.mjs - kills and reloads everything, and counts what arrives
//
// usage: tests/storm/run storm.mjs KILLS [SEED]      (or make storm)
//
// Prints the matrix of weather, mode and format, then what is left behind.
// The status is 1 unless nothing was lost or repeated and nothing leaks.

import { halfMade, leaks } from './leaks.mjs';
import { cell, cells, Site } from './site.mjs';

const KILLS = Number(process.argv[2]);
const SEED = Number(process.argv[3] || Math.floor(Math.random() * 2 ** 31));
const RELOADS = Math.max(5, Math.round(KILLS / 10));
const problems = [];

function line(...columns) {
	console.log(columns.map((c, i) => (i < 3 ? String(c).padEnd(10) : String(c).padStart(10)))
		.join(''));
}

function tell(row) {
	for (const [mode, format] of cells) {
		const c = cell(row, mode, format);
		line(row.name, mode, format, c.published, c.received, c.lost, c.repeated,
			c.perhaps, c.broken);
	}
	problems.push(...row.problems.map((what) => `${row.name}: ${what}`));
}

async function matrix(site) {
	const rows = [['normal', (w) => w.quiet(300)], ['killed', (w) => w.kills(KILLS)],
		['reloaded', (w) => w.reloads(RELOADS)]];
	const blows = [];

	line('weather', 'mode', 'format', 'published', 'received', 'lost', 'repeated',
		'perhaps', 'broken');
	for (const [name, weather] of rows) {
		const row = await site.row(name, weather);
		tell(row);
		blows.push(`${name}: ${row.blows}; ${row.perhaps} events in doubt`);
	}
	console.log(['', ...blows, '',
		'perhaps: events in doubt that came (and came everywhere); broken: answers that',
		'did not come to their end, and were asked for again', ''].join('\n'));
}

console.log(`storm: ${KILLS} kills, ${RELOADS} reloads, SEED=${SEED}\n`);
const site = new Site({ seed: SEED });
try {
	await site.start();
	await matrix(site);
	problems.push(...await leaks(site, 100), ...await halfMade(site, 20));
} catch (error) {
	problems.push(error.stack);
} finally {
	await site.close().catch((error) => problems.push(error.stack));
}
for (const problem of problems.slice(0, 50))
	console.log(`FAIL ${problem}`);
console.log(`${problems.length === 0 ? 'PASS' : 'FAIL'}: ${problems.length} problems, SEED=${SEED}`);
process.exitCode = problems.length === 0 ? 0 : 1;
