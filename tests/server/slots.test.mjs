// SPDX-License-Identifier: MIT
//
// slots.test.mjs - more clients that want to listen than may (listen.slots)
//
// First each format, then Apache with mod_fcgid, which holds a process for each
// open channel, with five times as many clients as processes.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { SLOW } from '../lib/paths.mjs';
import { clockReaches, LIMIT, until } from '../lib/wait.mjs';

const FORMATS = ['js', 'xml', 'xml-strict', 'json', 'sse', 'multipart'];
const WAITS = {
	'queue.read.timeout.millis': 3000,
	'pull.refresh.wait.min.millis': 1, 'pull.refresh.wait.max.millis': 9,
	'poll.refresh.wait.min.millis': 20, 'poll.refresh.wait.max.millis': 29,
};

const names = (events) => events.map((e) => e.get('p_event'));

describe('Two slots: one stream, one more that waits', () => {
	const lab = new Lab();
	let pushletd, web;

	before(async () => {
		pushletd = await lab.pushletd({ props: { 'listen.slots': 2, ...WAITS } });
		web = (await lab.nginx(pushletd)).client();
	});
	after(() => lab.close());

	const channels = async () => (await lab.status()).channels;

	/* Takes slots for a test; what it gives gives them back. */
	async function taken(t, { stream = false, pull = false }) {
		const open = [];

		t.after(() => Promise.all(open.map((session) => session.leave())));
		if (stream)
			open.push(await web.joinListen({ mode: 'stream' }));
		if (pull) {
			const bob = await web.joinListen({ mode: 'pull' });
			await bob.channel.rest();
			bob.channel = await bob.refresh();
			await bob.channel.next({ p_event: 'refresh-ack' });
			open.push(bob);
		}
		await until('the slots to be taken', async () => {
			const { stream: s, pull: p } = await channels();
			return s === Number(stream) && p === Number(pull);
		});
		return async () => {
			for (const session of open.splice(0))
				await session.leave();
			await until('the slots to be free', async () => {
				const { stream: s, pull: p } = await channels();
				return s + p === 0;
			});
		};
	}

	/* As an EventSource does that saw an event with that number. */
	const comeBack = (ann, eid) => web.open({ p_event: 'listen', p_id: ann.id },
		{ headers: { 'Last-Event-ID': String(eid) } });

	for (const format of FORMATS)
		it(`${format}: gets pull instead of a stream, and every event`, async (t) => {
			const release = await taken(t, { stream: true });
			const ann = await web.join(format);
			await ann.subscribe('/slots');

			let answer = await ann.listen({ mode: 'stream' });
			await answer.next({ p_event: 'listen-ack', p_mode: 'pull' });
			for (let n = 1; n <= 3; n++) {
				/* EventSource comes back to its listen, which brings events;
				 * the others follow the refresh. */
				if (format !== 'sse') {
					const end = await answer.next({ p_event: 'refresh',
						p_wait: /^[1-9]$/ });
					await answer.rest();
					answer = await ann.follow(end);
					await answer.next({ p_event: 'refresh-ack' });
				} else if (n > 1) {
					answer = await comeBack(ann, n - 1);
					await answer.next({ p_event: 'listen-ack', p_mode: 'pull' });
				}
				await lab.publish('/slots', { n });
				await answer.next({ p_event: 'data', n });
				if (format === 'sse') {
					await answer.next({ p_event: 'refresh', p_wait: /^[1-9]$/ });
					await answer.rest();
				}
			}
			if (format !== 'sse')
				await answer.rest();
			assert.equal((await ann.ask('hb', format === 'sse' ? { p_ack: 3 } : {}))
				.get('p_event'), 'hb-ack');
			await ann.leave();
			await release();
		});

	for (const format of FORMATS)
		it(`${format}: polls when all slots are taken`, async (t) => {
			const release = await taken(t, { stream: true, pull: true });
			const ann = await web.join(format);
			await ann.subscribe('/poll');

			let answer = await ann.listen({ mode: 'stream' });
			await answer.next({ p_event: 'listen-ack', p_mode: 'poll' });
			if (format === 'sse')
				await answer.next({ p_event: 'hb' });
			await answer.next({ p_event: 'refresh', p_wait: /^2\d$/ });
			await answer.rest();
			await lab.publish('/poll', { n: 1 });
			answer = await (format === 'sse' ? ann.listen() : ann.refresh());
			await answer.next({ p_event: format === 'sse' ? 'listen-ack' : 'refresh-ack' });
			await answer.next({ p_event: 'data', n: 1 });
			await answer.rest();
			await ann.leave();
			await release();
		});

	it('does not let a pull wait when all are taken, and lets it when there is room', async (t) => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/w' });
		await ann.channel.rest();
		const release = await taken(t, { stream: true, pull: true });

		let answer = await ann.refresh();
		assert.deepEqual(names(await answer.rest()), ['refresh-ack', 'hb', 'refresh']);
		assert.match(answer.events[2].get('p_wait'), /^2\d$/);
		await release();
		answer = await ann.refresh();
		await answer.next({ p_event: 'refresh-ack' });
		await lab.publish('/w', { n: 1 });
		await answer.next({ p_event: 'data', n: 1 });
		await ann.leave();
	});

	it('lets who was given poll wait, and stream, when there is room again', async (t) => {
		const release = await taken(t, { stream: true, pull: true });
		const ann = await web.joinListen({ mode: 'stream', subject: '/again' });

		assert.equal(ann.ack.get('p_mode'), 'poll');
		await ann.channel.rest();
		await release();
		let answer = await ann.refresh();
		await answer.next({ p_event: 'refresh-ack' });
		await lab.publish('/again', { n: 1 });
		await answer.next({ p_event: 'data', n: 1 });
		await answer.rest();
		answer = await ann.listen({ mode: 'stream' });
		await answer.next({ p_event: 'listen-ack', p_mode: 'stream' });
		await answer.next({ p_event: 'hb' });
		await lab.publish('/again', { n: 2 });
		await answer.next({ p_event: 'data', n: 2 });
		await ann.leave();
		await answer.rest();
	});

	it('lets who asked to poll poll', async () => {
		const ann = await web.joinListen({ mode: 'poll' });

		await ann.channel.rest();
		assert.deepEqual(names(await (await ann.refresh()).rest()),
			['refresh-ack', 'hb', 'refresh']);
		await ann.leave();
	});

	it('gives a stream that comes back what there is room for', async (t) => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/turn' });

		assert.equal(ann.ack.get('p_mode'), 'stream');
		ann.channel.close();
		await until('its slot to be free', async () => (await channels()).stream === 0);
		const release = await taken(t, { stream: true });
		let answer = await ann.refresh();
		await answer.next({ p_event: 'refresh-ack' });
		await lab.publish('/turn', { n: 1 });
		await answer.next({ p_event: 'data', n: 1 });
		const end = await answer.next({ p_event: 'refresh' });
		await answer.rest();
		await release();
		answer = await ann.follow(end);
		await answer.next({ p_event: 'refresh-ack' });
		await answer.next({ p_event: 'hb' });
		await lab.publish('/turn', { n: 2 });
		await answer.next({ p_event: 'data', n: 2 });
		await ann.leave();
		await answer.rest();
	});

	it('keeps its slots under a rush', async () => {
		const all = await Promise.all(Array.from({ length: 40 }, () =>
			web.joinListen({ mode: 'stream' })));
		const modes = all.map((s) => s.ack.get('p_mode'));

		assert.equal(modes.filter((m) => m === 'stream').length, 1, String(modes));
		await Promise.all(all.map((s) => s.leave()));
	});
});

/* A client as pages are: it reads, and comes back when it is told to. */
class Reader {
	constructor(web) {
		this.web = web;
		this.got = [];
		this.modes = new Set();
	}

	async run() {
		let channel = await this.web.open({ p_event: 'join-listen', p_format: 'xml',
			p_mode: 'stream', p_subject: '/many' });

		while (!this.over) {
			this.channel = channel;
			const end = await this.read(channel);
			if (this.over)
				break;
			await clockReaches(Date.now() + Number(end.get('p_wait')));
			channel = await this.web.open('', { path: end.get('p_url') });
		}
		await this.web.ask({ p_event: 'leave', p_id: this.id });
	}

	/* To the refresh that ends it. */
	async read(channel) {
		for (;;) {
			const event = await channel.when('an event',
				() => channel.events[channel.taken++] ?? (channel.taken--, undefined),
				3 * LIMIT);
			const type = event.get('p_event');
			if (type === 'join-listen-ack') {
				this.id = event.get('p_id');
				this.modes.add(event.get('p_mode'));
			} else if (type === 'data') {
				this.got.push(Number(event.get('n')));
			} else if (type === 'refresh') {
				await channel.rest();
				return event;
			} else {
				assert.match(type, /^(hb|refresh-ack)$/);
			}
		}
	}
}

describe('Apache mod_fcgid with 20 processes and 100 clients that want streams', () => {
	const lab = new Lab();
	let apache;

	before(async () => {
		apache = await lab.apacheFcgid({
			args: ' -o listen.slots=14 -o stream.max.seconds=5',
			props: { 'queue.read.timeout.millis': 3000,
				'sessionmanager.maxsessions': 200, 'subscriptions.max': 400,
				'pull.refresh.wait.min.millis': 500,
				'pull.refresh.wait.max.millis': 1500,
				'poll.refresh.wait.min.millis': 1500,
				'poll.refresh.wait.max.millis': 2500 },
			replace: [['FcgidMaxProcesses 500', 'FcgidMaxProcesses 20'],
				['FcgidMaxProcessesPerClass 500', 'FcgidMaxProcessesPerClass 20']] });
	});
	after(() => lab.close());

	it('answers every control request in time, and every client gets every event', async (t) => {
		const web = apache.client();
		const readers = Array.from({ length: 100 }, () => new Reader(web));
		const runs = readers.map((r) => r.run());
		const failed = Promise.all(runs);
		const times = [];
		failed.catch(() => {});

		await Promise.race([failed, until('all to have joined',
			() => readers.every((r) => r.id), 6 * LIMIT)]);
		const ann = await web.join();
		for (let n = 1; n <= 60; n++) {
			const began = Date.now();
			if (n % 3 === 0)
				await ann.publish('/many', { n: n / 3 });
			else
				assert.ok(await ann.alive());
			times.push(Date.now() - began);
			await clockReaches(Date.now() + 50);
		}
		const wanted = Array.from({ length: 20 }, (_, i) => i + 1).join();
		await Promise.race([failed, until('all to have all',
			() => readers.every((r) => r.got.join() === wanted), 3 * LIMIT)]);
		const { channels } = await lab.status();
		assert.ok(channels.stream <= 7 && channels.stream + channels.pull <= 14,
			JSON.stringify(channels));
		for (const r of readers)
			r.over = true;
		for (const r of readers)
			r.channel.close();
		await Promise.allSettled(runs);
		times.sort((a, b) => a - b);
		t.diagnostic(`60 control requests: median ${times[30]} ms, `
			+ `p95 ${times[56]} ms, worst ${times[59]} ms; channels `
			+ `${JSON.stringify(channels)}`);
		assert.ok(times[59] < 8000 * SLOW, `${times[59]} ms`);
	});
});
