// SPDX-License-Identifier: MIT
//
// pushlet-shared.test.mjs - many tabs with one connection, many events a second

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Flood } from './flood.mjs';
import { Tabs } from './tabs.mjs';
import { SLOW } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';

/* Pages that do not come by https have no locks. */
const WAYS = {
	'a lock': undefined,
	localStorage: () => { delete Navigator.prototype.locks; },
};

for (const [way, init] of Object.entries(WAYS)) {
	describe(`tabs that elect a leader by ${way}`, () => {
		let tabs;
		let context;
		let all;

		before(async () => { tabs = await Tabs.open(); });
		after(() => tabs?.close());
		beforeEach(async () => {
			context = await tabs.browser.context();
			all = [];
		});
		afterEach(() => context.close());

		/* Tabs that listen to a subject, each with a box. */
		async function open(n, subject) {
			for (let i = 0; i < n; i++) {
				const tab = await tabs.tab({ shared: true }, { context, init });
				tab.box = await tab.subscribe(subject);
				await tab.live();
				all.push(tab);
			}
			return all;
		}

		/* The tab that has the connection: only its requests are seen. */
		async function leader() {
			const seen = await Promise.all(all.map((tab) => tab.run(() =>
				performance.getEntriesByType('resource').filter((e) =>
					/pushlet\.srv/.test(e.name)).length)));
			return seen.findIndex((count) => count > 0);
		}

		async function sessions(n) {
			await until(`${n} sessions`, async () =>
				(await tabs.lab.sessions()).length === n, 10000 * SLOW);
		}

		it('are five and have one session and one channel', async () => {
			await open(5, '/five');
			await sessions(1);
			assert.equal(await tabs.lab.listening(), 1);
			await tabs.lab.publish('/five', { n: 1 });
			for (const tab of all)
				assert.equal((await tab.heard(tab.box, 1))[0].n, '1');
			const ids = await Promise.all(all.map((t) => t.run(() => p.id)));
			assert.equal(new Set(ids).size, 1);
			await all[3].publish('/five', { n: 2 });
			for (const tab of all)
				assert.equal((await tab.heard(tab.box, 2))[1].n, '2');
			await assert.rejects(all[4].publish('/five', { '1 2': 'x' }),
				/1 2/);

			for (const tab of all.splice(0))
				await tab.page.close();
			await sessions(0);
		});

		it('have subscriptions of their own', async () => {
			const [one, two] = await open(2, '/own');
			const mine = await two.subscribe('/mine', { label: 'mine' });
			const status = async () =>
				(await tabs.lab.sessions())[0].subjects.length;

			await two.publish('/mine', { n: 1 });
			assert.equal((await two.heard(mine, 1))[0].p_label, 'mine');
			await one.run((b) => boxes[b].sub.unsubscribe(), one.box);
			await two.publish('/own', { n: 2 });
			assert.equal((await two.heard(two.box, 1))[0].n, '2');
			assert.deepEqual(await one.heard(one.box, 0), []);
			await two.page.close();
			await until('no subscription', async () => await status() === 0);
			await one.page.close();
			await sessions(0);
		});

		it('lose and repeat nothing when the leading tab is closed', async () => {
			await open(5, '/lead');
			const [id] = [await all[0].run(() => p.id)];
			const counter = tabs.counter('/lead', 20);
			const whole = async (tab) => {
				const numbers = (await tab.heard(tab.box, 0))
					.map((e) => Number(e.n));
				assert.deepEqual(numbers, numbers.map((_, i) => i + 1));
			};

			await until('a number', () => counter.n > 0);
			while (all.length > 1) {
				for (const tab of all)
					await tab.until(([b, n]) => boxes[b].events.some((e) =>
						e.n === n), [tab.box, String(counter.n)]);
				await Promise.all(all.map(whole));
				const [gone] = all.splice(await leader(), 1);
				await gone.page.close();
				await until('another leader', async () => await leader() >= 0);
			}
			const [last] = all;
			const late = await last.publish('/lead/late', { n: 'late' });
			assert.equal(late.p_event, 'publish-ack');
			await last.until((b) => boxes[b].events.some((e) => e.n === 'late'),
				last.box);
			const n = await counter.stop();
			await last.until(([b, k]) => boxes[b].events.some((e) => e.n === k),
				[last.box, String(n)]);
			const heard = (await last.heard(last.box, n + 1)).map((e) => e.n)
				.filter((k) => k !== 'late').map(Number);
			assert.deepEqual(heard, Array.from({ length: n }, (_, i) => i + 1));
			assert.equal(await last.run(() => p.id), id);
			assert.equal((await last.log).find((e) =>
				/gap|rejoin/.test(e.name)), undefined);
			await last.page.close();
			await sessions(0);
		});

		it('see the state that their handlers are told of', async () => {
			tabs.browser.outages = true;
			await open(2, '/state');
			for (const tab of all)
				await tab.run(() => {
					window.seen = [];
					p.on('state', ({ state }) => seen.push([state, p.state]));
				});
			await tabs.pushletd.stop();
			for (const tab of all)
				await tab.until(() => seen.some(([state]) => state === 'reconnecting'));
			await tabs.pushletd.start();
			for (const tab of all) {
				await tab.until(() => seen.some(([state]) => state === 'live'));
				for (const [told, state] of await tab.run(() => seen))
					assert.equal(state, told);
			}
		});

		it('share a restart of the server', async () => {
			tabs.browser.outages = true;
			await open(3, '/restart');
			const counter = tabs.counter('/restart', 50);
			await all[2].heard(all[2].box, 3);
			await tabs.pushletd.stop();
			await all[1].until(() => p.state === 'reconnecting');
			await tabs.pushletd.start();
			for (const tab of all)
				await tab.live();
			const n = await counter.stop();
			for (const tab of all)
				assert.equal(await tab.counted(tab.box, n), n);
		});
	});
}

describe('700 events a second', () => {
	let tabs;

	/* A busy machine may keep the server from its work for seconds. */
	before(async () => {
		tabs = await Tabs.open({ props: { 'queue.size': 4096 } });
	});
	after(() => tabs?.close());

	for (const transport of ['sse', 'stream', 'pull'])
		it(`are all shown over ${transport}`, async (t) => {
			const flood = await Flood.open(tabs, transport);
			const n = await flood.pour(700, 8000);
			const { numbers, frames, tasks, gaps, requests } =
				await flood.figures(n);

			t.diagnostic(`${n} events, ${requests} requests, ${
				frames.length} frames, ${tasks.length} long tasks`);
			assert.deepEqual(gaps, []);
			assert.deepEqual(numbers, Array.from({ length: n }, (_, i) => i + 1));
			await flood.close();
		});
});
