// SPDX-License-Identifier: MIT
//
// flood.mjs - many events a second into a page that watches itself
//
//	const flood = await Flood.open(tabs, 'sse');
//	const n = await flood.pour(700, 8000);		a second, milliseconds
//	const { numbers, tasks } = await flood.figures(n);

import { until } from '../lib/wait.mjs';
import { SLOW } from '../lib/paths.mjs';

const ROWS = 50;		/* that the page shows at a time */

/* In the page: each event becomes a row of a list. */
async function show([subject, rows]) {
	const list = document.createElement('ol');
	const row = (e) => {
		const item = document.createElement('li');
		item.textContent = `${e.n} at ${e.p_time}`;
		return item;
	};

	document.body.append(list);
	window.numbers = [];
	await p.subscribe(subject, { onBatch(events) {
		for (const e of events) {
			list.prepend(row(e));
			numbers.push(Number(e.n));
		}
		while (list.children.length > rows)
			list.lastChild.remove();
	} }).ready;
}

/* In the page: what keeps it from being smooth, in milliseconds. */
function watch() {
	let last = performance.now();

	window.tasks = [];		/* of 50 ms and more */
	window.frames = [];		/* from one to the next */
	requestAnimationFrame(function frame(now) {
		frames.push(now - last);
		last = now;
		requestAnimationFrame(frame);
	});
	new PerformanceObserver((entries) => tasks.push(
		...entries.getEntries().map((e) => e.duration)))
		.observe({ entryTypes: ['longtask'] });
}

export class Flood {
	static async open(tabs, transport, subject = `/flood/${transport}`) {
		const flood = new Flood();

		Object.assign(flood, { tabs, subject });
		flood.tab = await tabs.tab({ transports: [transport] });
		await flood.tab.run(show, [subject, ROWS]);
		await flood.tab.live();
		flood.devtools = await flood.tab.page.context()
			.newCDPSession(flood.tab.page);
		/* Of the main thread, without waiting for a processor. */
		await flood.devtools.send('Performance.enable',
			{ timeDomain: 'threadTicks' });
		return flood;
	}

	async #busy() {
		const { metrics } = await this.devtools.send('Performance.getMetrics');

		return 1000 * metrics.find((m) => m.name === 'TaskDuration').value;
	}

	/* Publishes 1, 2, 3, ... at an even pace; returns the last number. */
	async pour(rate, ms) {
		await this.tab.run(watch);
		this.before = { busy: await this.#busy(),
			requests: this.tabs.proxy.requests };
		const counter = this.tabs.counter(this.subject, 0);
		const began = Date.now();
		await until('the last event', () => {
			const due = Math.min(Date.now() - began, ms) * rate / 1000;
			while (counter.n < due)
				counter.write();
			return counter.n >= rate * ms / 1000;
		}, ms * 2 * SLOW);
		return counter.stop();
	}

	/* Once the page has shown the last number. */
	async figures(last) {
		await this.tab.until((n) => numbers[numbers.length - 1] === n, last)
			.catch(async (error) => {
				throw new Error(`${error.message} ${JSON.stringify(
					await this.tab.run(() => [numbers.length,
						numbers.slice(-3), log.slice(-5), p.state]))}`);
			});
		return { ...await this.tab.run(() => ({ numbers, tasks, frames })),
			busy: await this.#busy() - this.before.busy,
			requests: this.tabs.proxy.requests - this.before.requests,
			gaps: (await this.tab.log).filter((e) => e.name === 'gap') };
	}

	close() { return this.tab.page.close(); }
}
