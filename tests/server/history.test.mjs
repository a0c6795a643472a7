// SPDX-License-Identifier: MIT
//
// history.test.mjs - p_last: first what was said before, then what is said now

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';

const PROPS = { 'queue.read.timeout.millis': 30000, 'history.max': 50,
	'history.subjects': '/h,/other', 'pull.refresh.wait.min.millis': 0,
	'pull.refresh.wait.max.millis': 10 };

const lab = new Lab();
let web;

before(async () => {
	web = (await lab.nginx(await lab.pushletd({ props: PROPS }))).client();
});
after(() => lab.close());

async function publish(subject, from, to) {
	for (let n = from; n <= to; n++)
		await lab.publish(subject, { n });
}

const COMMANDS = {
	'join-listen': (subject, p_last) =>
		web.joinListen({ mode: 'stream', subject, p_last }).then((ann) => ann.channel),
	async listen(subject, p_last) {
		const ann = await web.join();
		const stream = await ann.listen({ mode: 'stream', subject, p_last });

		await stream.next({ p_event: 'listen-ack' });
		return stream;
	},
	async subscribe(subject, p_last) {
		const ann = await web.joinListen({ mode: 'stream' });
		const ack = await ann.ask('subscribe', { p_subject: subject, p_last });

		assert.equal(ack.get('p_event'), 'subscribe-ack');
		return ann.channel;
	},
};

describe('p_last', () => {
	for (const [command, subscribe] of Object.entries(COMMANDS))
		it(`of ${command} brings the newest earlier events first, and marks them`, async () => {
			const subject = `/h/${command}`;

			await publish(subject, 1, 5);
			const stream = await subscribe(subject, 3);
			await publish(subject, 6, 6);
			for (const n of [3, 4, 5])
				await stream.next({ p_event: 'data', n, p_subject: subject, p_history: 1,
					p_time: /^\d+$/, p_sid: /./, p_seq: /./ });
			await stream.next({ p_event: 'data', n: 6, p_history: undefined });
			stream.close();
		});

	it('comes with the next refresh of a pull, and once', async () => {
		await publish('/h/pull', 1, 3);
		const ann = await web.joinListen({ mode: 'pull', subject: '/h/pull', p_last: 2 });
		const first = await ann.channel.next({ p_event: 'refresh' });
		await ann.channel.rest();
		const answer = await ann.follow(first);
		await answer.next({ p_event: 'refresh-ack' });
		await answer.next({ p_event: 'data', n: 2, p_history: 1 });
		await answer.next({ p_event: 'data', n: 3, p_history: 1 });
		await answer.next({ p_event: 'refresh' });
		await answer.rest();
		const again = await ann.listen({ mode: 'stream', subject: '/h/pull', p_last: 2 });
		await again.next({ p_event: 'listen-ack', p_sid: ann.ack.get('p_sid') });
		await publish('/h/pull', 4, 4);
		await again.next({ p_event: 'data', n: 4 });
		again.close();
	});

	it('keeps who published it, and when', async () => {
		const bob = await web.join();

		await bob.publish('/h/from', { n: 1 });
		const first = await web.joinListen({ mode: 'stream', subject: '/h/from', p_last: 1 });
		await first.channel.next({ p_event: 'data', n: 1, p_from: /^[0-9a-f]{18}$/ });
		first.channel.close();
	});

	it('has nothing of what was sent to one, nor of other subjects', async () => {
		const bob = await web.join();

		await bob.publish('/h/one', { n: 1 }, bob.id);
		await publish('/elsewhere', 2, 2);
		await publish('/h/one', 3, 3);
		const stream = await COMMANDS.subscribe('/h/one,/elsewhere', 10);
		await publish('/elsewhere', 4, 4);
		await stream.next({ p_event: 'data', n: 3, p_history: 1 });
		await stream.next({ p_event: 'data', n: 4, p_history: undefined });
		stream.close();
	});

	it('asks for no more than history.max', async () => {
		await publish('/h/max', 1, 60);
		const stream = await COMMANDS.listen('/h/max', 100000);
		for (let n = 11; n <= 60; n++)
			await stream.next({ p_event: 'data', n, p_history: 1 });
		await publish('/h/max', 61, 61);
		await stream.next({ p_event: 'data', n: 61, p_history: undefined });
		stream.close();
	});

	it('that is no number is refused, and changes nothing', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/h/x' });
		const before = (await lab.sessions()).length;

		for (const p_last of ['', '-1', 'x', '1.5', ' 1', '9999999999999999999'])
			for (const p_event of ['subscribe', 'listen', 'join-listen']) {
				const answer = await web.ask({ p_event, p_subject: '/h', p_last,
					p_format: 'xml', ...(p_event === 'join-listen' ? {} : { p_id: ann.id }) });
				assert.equal(answer.get('p_event'), 'nack');
				assert.match(answer.get('p_reason'), /^p_last must be a whole number/);
			}
		assert.equal((await lab.sessions()).length, before);
		const [one] = (await lab.sessions()).filter((s) => ann.id.endsWith(s.handle.slice(-6)));
		assert.deepEqual(one.subjects, ['/h/x']);
		ann.channel.close();
	});

	it('costs nothing where there is no history', async () => {
		const own = new Lab();

		try {
			const none = (await own.nginx(await own.pushletd({
				props: { 'history.max.bytes': 0 } }))).client();
			await own.publish('/h', { n: 1 });
			const ann = await none.joinListen({ mode: 'stream', subject: '/h', p_last: 5 });
			await own.publish('/h', { n: 2 });
			await ann.channel.next({ p_event: 'data', n: 2 });
			ann.channel.close();
			assert.equal((await own.status()).limits.history_bytes, 0);
		} finally {
			await own.close();
		}
	});
});
