// SPDX-License-Identifier: MIT
//
// page.bench.mjs - a page of pushlet.js that shows 700 events a second
//
// PUSHLET_BENCH_SECONDS (default 30) for each transport.  All settings are the
// defaults; what is measured is Chromium's, in the page itself.  Fails if an
// event is missing or comes twice.

import { Flood } from '../browser/flood.mjs';
import { Tabs } from '../browser/tabs.mjs';
import { COUNT, MS, PERCENT, spread, table } from './lib.mjs';

const RATE = 700;
const TIME = 1000 * Number(process.env.PUSHLET_BENCH_SECONDS ?? 30);
const BLOCKED = 50;		/* ms; the page does not feel smooth */

function verdict(n, { numbers }) {
	const seen = new Set(numbers);
	const ordered = numbers.every((k, i) => i === 0 || k > numbers[i - 1]);

	return { shown: numbers.length, lost: n - seen.size,
		wrong: numbers.length - seen.size + (ordered ? 0 : 1) };
}

async function measure(tabs, transport) {
	const flood = await Flood.open(tabs, transport);
	const n = await flood.pour(RATE, TIME);
	const figures = await flood.figures(n);
	const { tasks, frames, busy, requests } = figures;
	const { shown, lost, wrong } = verdict(n, figures);

	await flood.close();
	return { bad: lost + wrong, cells: [transport, COUNT(n), COUNT(shown), lost,
		tasks.length, MS(Math.max(0, ...tasks)),
		frames.filter((ms) => ms > BLOCKED).length, MS(spread(frames).max),
		PERCENT(busy / TIME), (1000 * requests / TIME).toFixed(1)] };
}

const tabs = await Tabs.open({ small: false });
try {
	const results = [];

	for (const transport of ['sse', 'stream'])
		results.push(await measure(tabs, transport));
	table(`${RATE} events a second for ${TIME / 1000} s, shown by a page`,
		['', 'published', 'shown', 'lost', 'long tasks', 'longest',
			`frames > ${BLOCKED} ms`, 'longest', 'main thread', 'requests/s'],
		results.map(({ cells }) => cells));
	if (results.some(({ bad }) => bad > 0))
		throw new Error('events were lost, repeated or out of order');
} finally {
	await tabs.close();
}
