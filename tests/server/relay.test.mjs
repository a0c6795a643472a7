// SPDX-License-Identifier: MIT
//
// relay.test.mjs - Apache mod_fcgid behind which one pushletd serves all

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Counter } from '../lib/counter.mjs';
import { frontTests, lockTest, PROPS } from '../lib/front-tests.mjs';
import { Lab } from '../lib/lab.mjs';
import { memory } from '../lib/relay.mjs';
import { SLOW } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';

const SMALL = { 'log.max.bytes': 2097152, 'sessionmanager.maxsessions': 200,
	'subscriptions.max': 400, 'workers.max': 8 };

const middle = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

describe('Apache mod_fcgid with relays', () => {
	const lab = new Lab();
	let front, web;

	before(async () => {
		front = await lab.apacheRelay({ props: { ...SMALL, ...PROPS } });
		web = front.client();
	});
	after(() => lab.close());

	frontTests(() => ({ lab, front, web }));
	lockTest(() => front);

	it('is served by one pushletd alone', async () => {
		const streams = await Promise.all(Array.from({ length: 8 }, () =>
			web.joinListen({ mode: 'stream', subject: '/one' })));

		assert.equal((await lab.status()).workers.length, 1);
		assert.ok(front.relays.length >= 8, `${front.relays}`);
		await front.pushletd.only();
		streams.forEach((s) => s.channel.close());
	});

	it('goes on with its sessions when pushletd was killed', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/again' });

		await lab.publish('/again', { n: 1 });
		await ann.channel.next({ p_event: 'data', n: 1 });
		const killed = await front.pushletd.killed('SIGKILL');
		await lab.publish('/again', { n: 2 });
		const stream = await ann.refresh();
		await stream.next({ p_event: 'refresh-ack' });
		/* 1 again: nobody knew whether it had arrived. */
		await stream.when('what was published meanwhile', () =>
			stream.events.some((e) => e.get('n') === '2'));
		assert.notEqual(await front.pushletd.only(), killed);
		stream.close();
	});

	it('passes long bodies on', async () => {
		const ann = await web.join();
		const long = await web.form({ p_event: 'hb', p_id: ann.id, x: 'y'.repeat(200_000) });

		assert.equal(long.status, 413);
		assert.match(long.text, /request\.max\.bytes/);
	});
});

/* All that a stream was sent, and that nothing else happened to it. */
function numbersOf({ channel }) {
	assert.ok(!channel.ended && !channel.failure, channel.seen());
	return channel.events.filter((e) => e.get('p_event') === 'data')
		.map((e) => Number(e.get('n')));
}

describe('100 streams through relays', () => {
	const lab = new Lab();
	let front, web, counter;

	before(async () => {
		front = await lab.apacheRelay({ props: { ...SMALL, 'queue.read.timeout.millis': 1000 },
			replace: [['FcgidBusyTimeout 604800', 'FcgidBusyTimeout 2\nFcgidBusyScanInterval 1']] });
		web = front.client();
	});
	after(async () => {
		counter?.kill();
		await lab.close();
	});

	const join = (n) => Promise.all(Array.from({ length: n }, () =>
		web.joinListen({ mode: 'stream', subject: '/count' })));

	it('get every event through two graceful restarts and FcgidBusyTimeout', async (t) => {
		const began = Date.now();
		const streams = await join(50);

		t.diagnostic(`50 streams open after ${Date.now() - began} ms`);
		counter = new Counter(lab, { every: 50 });
		counter.start();
		await front.graceful();
		streams.push(...await join(50));
		const relays = front.relays;
		const sizes = relays.map(memory);
		t.diagnostic(`a relay: ${middle(sizes.map((s) => s.dirty))} kB private dirty, ${
			middle(sizes.map((s) => s.anonymous))} kB anonymous, ${
			middle(sizes.map((s) => s.pss))} kB PSS (median of ${sizes.length})`);
		assert.ok(SLOW > 1 || middle(sizes.map((s) => s.dirty)) < 300);
		await until('mod_fcgid to end each busy relay', () =>
			!front.relays.some((pid) => relays.includes(pid)));
		await front.graceful();
		const total = await counter.stop();
		for (const [i, stream] of streams.entries()) {
			await stream.channel.when(`event ${total}`, () => numbersOf(stream).at(-1) === total);
			const numbers = numbersOf(stream);
			assert.deepEqual(numbers, Array.from({ length: numbers.length },
				(_, k) => total - numbers.length + 1 + k));
			assert.ok(i >= 50 || numbers.length === total, `stream ${i} began with ${numbers[0]}`);
		}
		t.diagnostic(`${total} events, each to 100 streams, in ${Date.now() - began} ms`);
		streams.forEach((s) => s.channel.close());
		await until('all to be noticed as gone', async () => await lab.listening() === 0);
	});
});
