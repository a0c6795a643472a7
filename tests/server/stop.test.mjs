// SPDX-License-Identifier: MIT
//
// stop.test.mjs - SIGTERM in whatever state a process is
//
// mod_fcgid sends it at each restart of Apache, and waits for the processes:
// each must end what it owes and be gone in well under a second.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import { Lab } from '../lib/lab.mjs';
import { answer, begin, params, requestParams } from '../lib/fcgi.mjs';
import { SLOW } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';

const LATE = 2000 * SLOW;	/* ms; generous, the figure is printed */

describe('A process with one thread, told to stop', () => {
	const lab = new Lab();
	let pushletd;

	before(async () => {
		pushletd = await lab.pushletd({ args: ['-t', '1'] });
	});
	after(() => lab.close());

	/* How long it takes to end; then it runs again. */
	async function stop(t, what) {
		const began = Date.now();

		await pushletd.stop();
		const ms = Date.now() - began;
		t.diagnostic(`${what}: gone after ${ms} ms`);
		assert.ok(ms < LATE, `${ms} ms`);
		await pushletd.start();
	}

	const ask = (query) => pushletd.fcgi({ query });
	const whole = (query) => Buffer.concat([begin(), params(requestParams({ query })),
		Buffer.from([1, 5, 0, 1, 0, 0, 0, 0])]);

	/* An open channel, its first bytes read. */
	async function open(query, first) {
		const channel = await pushletd.fcgiOpen(whole(query));

		await until(first, () => answer(channel.received).text.includes(first));
		return channel;
	}

	/* What it got before the connection was closed. */
	async function last(channel) {
		await channel.end;
		const got = answer(channel.received);
		assert.ok(got.ended, 'FCGI_END_REQUEST');
		assert.match(got.text, /p_event="refresh"/);
	}

	it('ends at once when it is idle', async (t) => {
		await ask('p_event=join&p_format=xml');
		await stop(t, 'idle');
	});

	it('gives up a request that is only half there', async (t) => {
		const half = await pushletd.fcgiOpen(
			Buffer.concat([begin(), params({ REQUEST_METHOD: 'GET' })]).subarray(0, 20));
		const silent = await pushletd.fcgiOpen();

		await stop(t, 'half a request, and a silent connection');
		await Promise.all([half.end, silent.end]);
	});

	it('ends a stream with refresh', async (t) => {
		const stream = await open('p_event=join-listen&p_mode=stream&p_format=xml',
			'p_event="hb"');

		await stop(t, 'an open stream');
		await last(stream);
	});

	it('ends a pull that waits with refresh, and forgets nothing', async (t) => {
		const ack = await ask('p_event=join-listen&p_mode=pull&p_format=xml&p_subject=/s');
		const [, id] = /p_id="(\w+)"/.exec(ack.text);
		const pull = await open(`p_event=refresh&p_id=${id}`, 'refresh-ack');

		await stop(t, 'a pull that waits');
		await last(pull);
		await lab.publish('/s', { n: 1 });
		const again = await ask(`p_event=refresh&p_id=${id}`);
		assert.match(again.text, / n="1"/);
	});

	it('does not wait for a client that reads nothing', async (t) => {
		const stream = await open('p_event=join-listen&p_mode=stream&p_format=xml'
			+ '&p_subject=/deaf', 'p_event="hb"');
		const text = 'x'.repeat(60_000);

		stream.socket.pause();
		for (let n = 0; n < 20; n++)
			await lab.publish('/deaf', { text });
		await stop(t, 'a stream whose client reads nothing');
		stream.socket.destroy();
	});
});

describe('A process of Apache mod_fcgid, told to stop', () => {
	const lab = new Lab();
	let web;

	before(async () => {
		web = (await lab.apacheFcgid({ props: { 'log.max.bytes': 2097152,
			'sessionmanager.maxsessions': 100, 'subscriptions.max': 100 } })).client();
	});
	after(() => lab.close());

	const gone = (pid) => {
		try {
			return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
		} catch {
			return true;
		}
	};

	for (const mode of ['stream', 'pull'])
		it(`ends a ${mode} with refresh`, async (t) => {
			const ann = await web.joinListen({ mode, subject: '/stop' });
			let channel = ann.channel;
			if (mode === 'pull') {
				await channel.rest();
				channel = await ann.refresh();
				await channel.next({ p_event: 'refresh-ack' });
			}
			const { pid } = await until('its process', async () =>
				(await lab.sessions()).find((s) => s.listening));
			const began = Date.now();

			process.kill(pid, 'SIGTERM');
			const end = await channel.next({ p_event: 'refresh' });
			await channel.rest();
			await until('its end', () => gone(pid));
			t.diagnostic(`${mode}: gone after ${Date.now() - began} ms`);
			assert.ok(Date.now() - began < LATE);
			await lab.publish('/stop', { n: 1 });
			const again = await ann.follow(end);
			await again.next({ p_event: 'refresh-ack' });
			await again.next({ p_event: 'data', n: 1 });
			await ann.leave();
			await again.rest();
		});
});
