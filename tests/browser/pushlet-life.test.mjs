// SPDX-License-Identifier: MIT
//
// pushlet-life.test.mjs - what pushlet.js makes of restarts, cuts and sleep
//
// A counter is published every 50 ms all the time.  It must arrive whole, in
// order, and each number once.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Tabs } from './tabs.mjs';
import { until } from '../lib/wait.mjs';

const SUBJECT = '/count';
const PERIOD = 50;

for (const transport of ['sse', 'stream', 'pull', 'poll', 'script']) {
	describe(`a counter over ${transport}`, () => {
		let tabs;
		let tab;
		let box;
		let counter;

		before(async () => {
			tabs = await Tabs.open();
			tabs.browser.outages = true;
		});
		after(() => tabs?.close());
		beforeEach(async () => {
			tab = await tabs.tab({ transports: [transport] });
			box = await tab.subscribe(SUBJECT);
			await tab.live();
			counter = tabs.counter(SUBJECT, PERIOD);
			await tab.heard(box, 5);
		});
		afterEach(async () => {
			await counter.stop();
			await tab.page.close();
		});

		/* Some more numbers, then all of them. */
		async function whole() {
			const soFar = counter.n;

			await tab.until(([b, n]) => boxes[b].events.some((e) => e.n === n),
				[box, String(soFar + 5)]);
			const count = await tab.counted(box, await counter.stop());
			assert.ok(count > soFar);
			assert.equal((await tab.log).find((e) => /gap|rejoin/.test(e.name)),
				undefined);
		}

		it('survives a restart of the server', async () => {
			await tabs.pushletd.stop();
			await tab.until(() => p.state === 'reconnecting');
			await tabs.pushletd.start();
			await tab.live();
			await whole();
			await tab.logged('reconnect');
		});

		it('survives a killed server', async () => {
			tabs.pushletd.guarded.stopping = true;
			await tabs.pushletd.guarded.killed('SIGKILL');
			await tab.until(() => p.state === 'reconnecting');
			await tabs.pushletd.start();
			await tab.live();
			await whole();
		});

		it('survives a restart of the web server', async () => {
			await tabs.restartFront(() =>
				tab.until(() => p.state === 'reconnecting'));
			await tab.live();
			await whole();
		});

		it('survives cuts in the middle of responses', async () => {
			for (let i = 1; i <= 3; i++) {
				await tab.until(([b, n]) => boxes[b].events.some((e) =>
					e.n === n), [box, String(counter.n)]);
				const { requests } = tabs.proxy;
				tabs.proxy.cut();
				await until('the next request', () =>
					tabs.proxy.requests > requests);
			}
			await whole();
		});

		it('survives ten minutes of sleep', async () => {
			await tab.page.clock.install();
			await tab.page.clock.fastForward('10:00');
			await whole();
		});

		it('survives being offline', async () => {
			const context = tab.page.context();
			const from = counter.n;

			await context.setOffline(true);
			await until('a second of counting', () => counter.n > from + 20);
			await context.setOffline(false);
			await whole();
		});
	});

	describe(`a session that is no more, over ${transport}`, () => {
		let tabs;

		before(async () => {
			tabs = await Tabs.open();
			tabs.browser.outages = true;
		});
		after(() => tabs?.close());

		it('is joined again with its subscriptions', async () => {
			const tab = await tabs.tab({ transports: [transport] });
			const boxes = [await tab.subscribe('/one', { label: 'eins' }),
				await tab.subscribe('/two')];
			const dropped = await tab.subscribe('/three');
			await tab.run((b) => boxes[b].sub.unsubscribe(), dropped);
			await tab.live();
			const id = await tab.run(() => p.id);

			await tabs.pushletd.stop();
			await tabs.lab.ctl('destroy');
			const sent = tab.publish('/two', { n: 'patient' });
			await tab.until(() => p.state === 'reconnecting');
			await tabs.pushletd.start();
			const rejoin = await tab.logged('rejoin');
			assert.notEqual(rejoin.p_id, id);
			assert.equal(await tab.run(() => p.id), rejoin.p_id);
			await sent;
			await tab.live();
			await tabs.lab.publish('/one', { n: 1 });
			await tabs.lab.publish('/three', { n: 2 });
			await tabs.lab.publish('/two', { n: 3 });
			assert.deepEqual((await tab.heard(boxes[0], 1)).map((e) =>
				[e.n, e.p_label]), [['1', 'eins']]);
			assert.deepEqual((await tab.heard(boxes[1], 2)).map((e) => e.n),
				['patient', '3']);
			assert.deepEqual(await tab.heard(dropped, 0), []);
		});

		it('begins with the last events, in order, and shows none twice', async () => {
			const tab = await tabs.tab({ transports: [transport] });
			const numbers = (events) => events.map((e) => Number(e.n));
			const sequence = (a, b) => Array.from({ length: b - a + 1 }, (_, i) => a + i);

			for (let n = 1; n <= 30; n++)
				await tabs.lab.publish('/last/20', { n });
			const box = await tab.subscribe('/last/20', { last: 20 });
			const first = await tab.heard(box, 20);
			assert.deepEqual(numbers(first), sequence(11, 30));
			assert.ok(first.every((e) => e.p_history === '1'));
			await tab.live();
			await tabs.lab.publish('/last/20', { n: 31 });
			await tab.heard(box, 21);

			/* The server forgets the session; two are missed. */
			const id = await tab.run(() => p.id);
			await tab.page.context().setOffline(true);
			await tabs.front.client().ask({ p_event: 'leave', p_id: id });
			for (const n of [32, 33])
				await tabs.lab.publish('/last/20', { n });
			await tab.page.context().setOffline(false);
			await tab.logged('rejoin');
			await tab.heard(box, 23);
			await tabs.lab.publish('/last/20', { n: 34 });
			assert.deepEqual(numbers(await tab.heard(box, 24)), sequence(11, 34));
		});
	});
}

for (const transport of ['sse', 'pull'])
	it(`a counter over ${transport} survives what ends processes of mod_fcgid`,
		async () => {
			const tabs = await Tabs.open({ front: 'Apache with mod_fcgid' });

			try {
				tabs.browser.outages = true;
				const tab = await tabs.tab({ transports: [transport] });
				const box = await tab.subscribe(SUBJECT);
				await tab.live();
				const counter = tabs.counter(SUBJECT, PERIOD);
				await tab.heard(box, 5);
				for (const trouble of [() => tabs.restartGracefully(),
					() => tabs.restartFront(), () => tabs.proxy.cut()]) {
					await trouble();
					const { length } = await tab.heard(box, 0);
					await tab.heard(box, length + 10);
				}
				await tab.counted(box, await counter.stop());
			} finally {
				await tabs.close();
			}
		});

describe('a connection', () => {
	let tabs;

	before(async () => {
		tabs = await Tabs.open({ props: { 'queue.size': 16 } });
		tabs.browser.outages = true;
	});
	after(() => tabs?.close());

	it('tells of events that were lost', async () => {
		const tab = await tabs.tab();
		const box = await tab.subscribe('/gap');

		await tab.live();
		await tabs.pushletd.stop();
		for (let n = 1; n <= 20; n++)
			await tabs.lab.publish('/gap', { n });
		await tabs.pushletd.start();
		assert.equal((await tab.logged('gap')).lost, 4);
		const events = await tab.heard(box, 16);
		assert.deepEqual(events.map((e) => Number(e.n)),
			Array.from({ length: 16 }, (_, i) => i + 5));
	});

	it('that loses the answer to a publish does not publish twice', async () => {
		const tab = await tabs.tab();
		const box = await tab.subscribe('/once');

		await tab.live();
		for (let n = 1; n <= 3; n++) {
			tabs.proxy.lose = 1;
			await tab.publish('/once', { n });
			assert.equal(tabs.proxy.lose, 0);
		}
		await tab.publish('/once', { n: 4 });
		assert.deepEqual((await tab.heard(box, 4)).map((e) => e.n), ['1', '2', '3', '4']);
	});

	it('that was silent while the machine slept is opened again', async () => {
		const tab = await tabs.tab({ transports: ['sse'], worker: false });

		await tab.subscribe('/sleep');
		await tab.live();
		await tab.page.clock.install();
		const { requests } = tabs.proxy;
		/* Ten minutes pass for the clock, and no timer rings meanwhile. */
		await tab.page.clock.fastForward(600_000);
		await tab.page.clock.runFor(2000);
		await until('a new stream', () => tabs.proxy.requests > requests);
		await tab.page.clock.resume();
		const box = await tab.subscribe('/sleep/x');
		await tab.publish('/sleep/x', { n: 1 });
		await tab.heard(box, 1);
	});

	it('that fell silent is opened again', async () => {
		const tab = await tabs.tab({ silence: 500 });
		const box = await tab.subscribe('/silent');

		/* Longer than a heartbeat takes: only we can have closed it. */
		await tab.live();
		const { requests } = tabs.proxy;
		await until('another stream', () => tabs.proxy.requests > requests + 1);
		await tab.publish('/silent', { n: 1 });
		assert.equal((await tab.heard(box, 1)).length, 1);
	});

	/* A probe, whether the server still answers, would take that turn. */
	it('that asks too often for long gets the next turn', async () => {
		const one = await Tabs.open({ props: { 'address.max.requests.second': 1 } });

		try {
			one.browser.outages = true;
			const tab = await one.tab({ transports: ['script'] });
			const box = await tab.subscribe('/one');
			await tab.live();
			for (let n = 1; n <= 4; n++) {
				await one.lab.publish('/one', { n });
				await tab.heard(box, n);
			}
		} finally {
			await one.close();
		}
	});

	for (const transport of ['sse', 'stream', 'script'])
		it(`over ${transport} waits when told that it asks too often, and why`, async () => {
			const few = await Tabs.open({ props: { 'address.max.requests.second': 3 } });

			try {
				few.browser.outages = true;
				const tab = await few.tab({ transports: [transport] });
				const box = await tab.subscribe('/few');
				await tab.live();
				for (let n = 1; n <= 8; n++)
					await tab.publish('/few', { n });
				await tab.heard(box, 8);
				const { reason } = await tab.logged('close');
				assert.match(reason, /^HTTP 429 an address may make 3 requests a second/);
				assert.ok(!(await tab.log).some(({ name }) => name === 'error'));
			} finally {
				await few.close();
			}
		});

	it('is joined again as soon as the server has room', async () => {
		const full = await Tabs.open();

		try {
			full.browser.outages = true;
			const tab = await full.tab();
			const box = await tab.subscribe('/room');
			await tab.live();
			await full.pushletd.stop();
			await full.lab.ctl('destroy');
			await tab.page.context().setOffline(true);
			full.pushletd.options['sessionmanager.maxsessions'] = 1;
			await full.pushletd.start();
			const other = await full.front.client().join('xml');
			await tab.page.context().setOffline(false);
			const { requests } = full.proxy;
			await until('three attempts', () => full.proxy.requests > requests + 3);
			assert.equal(await tab.run(() => p.state), 'reconnecting');
			await other.leave();
			await tab.logged('rejoin');
			await tab.publish('/room', { n: 1 });
			await tab.heard(box, 1);
		} finally {
			await full.close();
		}
	});

	it('to no server fails with a reason', async () => {
		const tab = await tabs.tab({ transports: ['stream'] },
			{ url: '/nowhere/pushlet.srv' });

		await assert.rejects(tab.run(() => p.join()), /HTTP 404/);
	});
});
