// SPDX-License-Identifier: MIT
//
// page.bench.mjs - a page of pushlet.js that shows 700 events a second
//
// PUSHLET_BENCH_SECONDS (default 30) for each transport.  All settings are the
// defaults; what is measured is Chromium's, in the page itself.  Fails if an
// event is missing or comes twice.

import { Flood } from '../browser/flood.mjs';
import { Tabs } from '../browser/tabs.mjs';
import { remark, row } from './results.mjs';

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
	const show = (what, unit, value, limit) =>
		row(`page by ${transport}, ${RATE} events/s: ${what}`, unit, value,
			undefined, limit);

	await flood.close();
	remark(`page by ${transport}: ${shown} of ${n} events shown in ${
		TIME / 1000} s`);
	show('long tasks', '', tasks.length);
	show('longest task', 'ms', Math.max(0, ...tasks), `below ${BLOCKED}`);
	show('longest frame', 'ms', Math.max(...frames), `below ${BLOCKED}`);
	show('main thread busy', '%', 100 * busy / TIME);
	show('requests a second', '', 1000 * requests / TIME);
	return lost + wrong;
}

const tabs = await Tabs.open({ small: false });
try {
	let bad = 0;

	for (const transport of ['sse', 'stream'])
		bad += await measure(tabs, transport);
	if (bad > 0)
		throw new Error(`${bad} events were lost, repeated or out of order`);
} finally {
	await tabs.close();
}
