// SPDX-License-Identifier: MIT
//
// mod_fcgid.test.mjs - Apache starts the processes, each serves one request
//
// conf/apache-mod_fcgid.conf as shipped.  pushletd -v logs "request COMMAND"
// with its pid, so a test can see which process answered.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import { lockTest } from '../lib/front-tests.mjs';
import { Lab } from '../lib/lab.mjs';
import { until } from '../lib/wait.mjs';

describe('Apache mod_fcgid', () => {
	const lab = new Lab();
	let apache, web;

	before(async () => {
		apache = await lab.apacheFcgid({ args: ' -v', props: {
			'queue.read.timeout.millis': 500, 'log.max.bytes': 2097152,
			'sessionmanager.maxsessions': 100, 'subscriptions.max': 1000 } });
		web = apache.client();
	});
	after(() => lab.close());

	/* Does ask, and gives what it gave and the pid of the process that
	 * logged this command meanwhile. */
	async function served(command, ask) {
		const logged = apache.says(new RegExp(
			`pushletd\\[(\\d+)\\][^\\n]* request ${command}(?![-\\w])`));
		const result = await ask();
		const [, pid] = await logged;

		return [Number(pid), result];
	}

	/* A process that is busy with a stream answers nothing else.  The one
	 * that has just answered is the only idle one: this takes it. */
	async function occupy() {
		const busy = await web.joinListen({ mode: 'stream', subject: '/busy' });

		return () => busy.channel.close();
	}

	lockTest(() => apache);

	it('serves one session with four processes, and the event arrives', async () => {
		const pids = new Set();
		const releases = [];
		let ann, stream;
		const step = async (command, ask) => {
			const [pid, result] = await served(command, ask);
			pids.add(pid);
			releases.push(await occupy());
			return result;
		};

		ann = await step('join', () => web.join('xml'));
		await step('subscribe', () => ann.subscribe('/four'));
		stream = await step('listen', () => ann.listen({ mode: 'stream' }));
		await step('publish', () => ann.publish('/four', { text: 'from another process' }));
		await stream.next({ p_event: 'listen-ack' });
		await stream.next({ p_event: 'data', text: 'from another process' });
		assert.equal(pids.size, 4, `served by ${[...pids]}`);
		releases.forEach((release) => release());
		stream.close();
	});

	it('runs as many streams as there are processes', async () => {
		const streams = await Promise.all(Array.from({ length: 8 }, () =>
			web.joinListen({ mode: 'stream', subject: '/several' })));
		const bob = await web.join();

		await bob.publish('/several', { n: 1 });
		for (const s of streams)
			await s.channel.next({ p_event: 'data', n: 1 });
		await lab.publish('/several', { n: 2 });
		for (const s of streams)
			await s.channel.next({ p_event: 'data', n: 2 });
		streams.forEach((s) => s.channel.close());
	});

	it('passes heartbeats on in time', async () => {
		const ann = await web.joinListen({ mode: 'stream' });

		for (const seq of [1, 2, 3])
			await ann.channel.next({ p_event: 'hb', p_seq: seq });
		const [, , second, third] = ann.channel.times;
		assert.ok(third - second < 2000, `${third - second} ms`);
		ann.channel.close();
	});

	it('knows pull and poll, POST and long bodies', async () => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/pull' });
		await ann.channel.next({ p_event: 'refresh' });
		await ann.channel.rest();
		const form = await web.form({ p_event: 'publish', p_id: ann.id, p_subject: '/pull', n: 1 });
		assert.equal(form.get('p_event'), 'publish-ack');
		const refresh = await ann.refresh();
		await refresh.next({ p_event: 'refresh-ack' });
		await refresh.next({ p_event: 'data', n: 1 });
		await refresh.rest();
		const long = await web.form({ p_event: 'hb', p_id: ann.id, x: 'y'.repeat(200_000) });
		assert.equal(long.status, 413);
		assert.match(long.text, /request\.max\.bytes/);
	});

	for (const format of ['json', 'sse', 'multipart'])
		it(`streams ${format}`, async () => {
			const ann = await web.joinListen({ format, mode: 'stream', subject: `/as/${format}` });

			await ann.channel.next({ p_event: 'hb', p_seq: 1 });
			for (let n = 1; n <= 3; n++) {
				await lab.publish(`/as/${format}`, { n, text: '</script>"\u2028' });
				await ann.channel.next({ p_event: 'data', n, text: '</script>"\u2028' });
			}
			await ann.leave();
			await ann.channel.rest();
		});

	it('passes Last-Event-ID on', async () => {
		const ann = await web.joinListen({ format: 'sse', mode: 'stream', subject: '/last' });

		for (let n = 1; n <= 3; n++)
			await lab.publish('/last', { n });
		await ann.channel.next({ p_event: 'data', p_eid: 1 });
		ann.channel.close();
		const source = await ann.refresh({}, { headers: { 'Last-Event-ID': '1' } });
		await source.next({ p_event: 'refresh-ack' });
		await source.next({ p_event: 'data', p_eid: 2, n: 2 });
		await source.next({ p_event: 'data', p_eid: 3, n: 3 });
		source.close();
	});

	it('sends again what was not acknowledged, by whichever process', async () => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/rel', p_reliable: 1 });

		await ann.channel.rest();
		for (let n = 1; n <= 3; n++)
			await lab.publish('/rel', { n });
		for (const [p_ack, first] of [[undefined, 1], [0, 1], [1, 2], [2, 3]]) {
			const answer = await ann.refresh({ p_ack });
			await answer.next({ p_event: 'refresh-ack' });
			for (let n = first; n <= 3; n++)
				await answer.next({ p_event: 'data', n, p_eid: n });
			await answer.rest();
		}
	});

	it('answers by callback, errors too', async () => {
		const call = { p_callback: 'cb' };
		const ann = await web.joinListen({ format: 'json', mode: 'stream', subject: '/cb', ...call });

		assert.equal(ann.ack.get('p_mode'), 'pull');
		await lab.publish('/cb', { n: 1 });
		const answer = await ann.refresh(call);
		await answer.next({ p_event: 'refresh-ack' });
		await answer.next({ p_event: 'data', n: 1 });
		await answer.rest();
		const error = await web.ask({ p_event: 'hb', p_id: 'x', ...call });
		assert.equal(error.status, 200);
		assert.equal(error.get('p_status'), '400');
	});

	it('notices a client that is gone within two heartbeats', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/gone' });

		ann.channel.close();
		await until('no channel of that session', async () => {
			const sessions = await lab.sessions();
			return sessions.every((s) => !s.listening || !s.subjects.includes('/gone'));
		});
		assert.ok(await ann.alive());
	});

	it('ends streams with refresh at a graceful restart, and goes on with their sessions', async () => {
		const streams = await Promise.all([1, 2, 3].map(() =>
			web.joinListen({ mode: 'stream', subject: '/graceful' })));

		apache.signal('SIGUSR1');
		for (const s of streams) {
			await s.channel.next({ p_event: 'refresh' });
			await s.channel.rest();
		}
		await lab.publish('/graceful', { n: 1 });
		for (const s of streams) {
			const again = await until('Apache to be back', () =>
				s.refresh().catch(() => undefined));
			await again.next({ p_event: 'refresh-ack' });
			await again.next({ p_event: 'data', n: 1 });
			again.close();
		}
	});

	it('keeps session ids out of the access log', async () => {
		const ann = await web.join();
		await ann.ask('hb');
		const log = await until('a request in the log', () => {
			const text = readFileSync(apache.accessLog, 'utf8');
			return text.includes('GET /pushlet/pushlet.srv HTTP') && text;
		});

		assert.ok(!log.includes(ann.id) && !log.includes('p_id'), log.slice(-500));
	});
});
