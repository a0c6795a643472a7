// SPDX-License-Identifier: MIT
//
// slow.test.mjs - clients that do not read, and clients that want too much
//
// The slow ones are connections of a web server that takes nothing.  They cost
// a socket buffer and their own queues, and delay nobody.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { answer, begin, params, requestParams } from '../lib/fcgi.mjs';
import { until } from '../lib/wait.mjs';

const SLOW_CLIENTS = 30, EVENTS = 120;
const TEXT = 'x'.repeat(8000);
const LISTEN = 'p_event=join-listen&p_mode=stream&p_format=xml&p_subject=/slow';

const request = (query) => Buffer.concat([begin(), params(requestParams({ query })),
	Buffer.from([1, 5, 0, 1, 0, 0, 0, 0])]);

/* A stream whose client reads its beginning, and then nothing. */
async function deaf(pushletd) {
	const channel = await pushletd.fcgiOpen(request(LISTEN));

	await until('its first hb', () =>
		answer(channel.received).text.includes('p_event="hb"'));
	channel.socket.pause();
	return channel;
}

for (const [policy, count] of [['drop-oldest', 'lost'], ['abort', 'aborts']])
	describe(`Clients that read nothing, queue.overflow=${policy}`, () => {
		const lab = new Lab();
		let pushletd, slow;

		before(async () => {
			pushletd = await lab.pushletd({ props: { 'queue.size': 16,
				'queue.overflow': policy } });
			slow = await Promise.all(Array.from({ length: SLOW_CLIENTS },
				() => deaf(pushletd)));
		});
		after(() => {
			slow?.forEach(({ socket }) => socket.destroy());
			return lab.close();
		});

		it('delay nobody, lose events of their own, and are named in the log', async (t) => {
			const web = (await lab.nginx(pushletd)).client();
			const ann = await web.joinListen({ mode: 'stream', subject: '/slow' });
			const said = pushletd.says(policy === 'abort' ? /session (\w+) is aborted/
				: /session (\w+) loses events/);
			const delays = [];

			for (let n = 1; n <= EVENTS; n++) {
				await lab.publish('/slow', { n, text: TEXT });
				const published = Date.now();
				await ann.channel.next({ p_event: 'data', n, p_lost: undefined });
				delays.push(Date.now() - published);
			}
			delays.sort((a, b) => a - b);
			t.diagnostic(`delay of who reads: median ${delays[EVENTS / 2]} ms, `
				+ `worst ${delays.at(-1)} ms`);
			const [, handle] = await said;
			const { counts } = await lab.status();
			assert.ok(counts[count] >= SLOW_CLIENTS, `${counts[count]} ${count}`);
			if (policy === 'drop-oldest') {
				const sessions = await lab.sessions();
				const lossy = sessions.filter((s) => s.lost > 0);
				assert.equal(lossy.length, SLOW_CLIENTS);
				assert.ok(lossy.some((s) => s.handle === handle));
				assert.equal(sessions.length, SLOW_CLIENTS + 1);
			}
			/* Neither ids, nor a line for each of them. */
			assert.ok(!/\b[0-9a-f]{38}\b/.test(pushletd.output));
			const lines = pushletd.output.match(/session \w+ (loses|is aborted)/g);
			assert.ok(lines.length < SLOW_CLIENTS / 2, `${lines.length} lines`);
			await ann.leave();
		});
	});

describe('Limits', () => {
	const from = (pushletd, address, query, more = {}) =>
		pushletd.fcgi({ query, REMOTE_ADDR: address, ...more });
	const JOIN = 'p_event=join&p_format=xml';

	async function withServer(props, test) {
		const lab = new Lab();

		try {
			await test(await lab.pushletd({ props }), lab);
		} finally {
			await lab.close();
		}
	}

	it('let an address have so many sessions, which go on', () =>
		withServer({ 'address.max.sessions': 2 }, async (pushletd, lab) => {
			const ids = [];

			for (const join of [JOIN, 'p_event=join-listen&p_format=xml&p_mode=pull']) {
				const { text } = await from(pushletd, '192.0.2.1', join);
				ids.push(/p_id="(\w+)"/.exec(text)[1]);
			}
			const refused = await from(pushletd, '192.0.2.1', JOIN);
			assert.match(refused.text, /"nack".*p_reason="an address may have 2 sessions \(address\.max\.sessions\)"/);
			const other = await from(pushletd, '192.0.2.2', JOIN);
			assert.match(other.text, /join-ack/);
			for (const id of ids)
				assert.match((await from(pushletd, '192.0.2.1',
					`p_event=hb&p_id=${id}`)).text, /hb-ack/);
			assert.deepEqual((await lab.sessions()).map((s) => s.address).sort(),
				['192.0.2.1', '192.0.2.1', '192.0.2.2']);
			assert.equal((await lab.status()).counts.refused, 1);
			await from(pushletd, '192.0.2.1', `p_event=leave&p_id=${ids[0]}`);
			assert.match((await from(pushletd, '192.0.2.1', JOIN)).text, /join-ack/);
		}));

	it('believe the header of a proxy only when told to, and only its last part', async () => {
		const more = { HTTP_X_FORWARDED_FOR: '198.51.100.9, 192.0.2.7' };

		for (const [props, address] of [[{}, '127.0.0.1'],
			[{ 'address.header': 'X-Forwarded-For' }, '192.0.2.7'],
			[{ 'address.header': 'X-Real-IP' }, '127.0.0.1']])
			await withServer(props, async (pushletd, lab) => {
				await from(pushletd, '127.0.0.1', JOIN, more);
				assert.equal((await lab.sessions())[0].address, address);
				await from(pushletd, '2001:db8::1', JOIN,
					{ HTTP_X_FORWARDED_FOR: 'x, nonsense' });
				assert.equal((await lab.sessions())[1].address, '2001:db8::1');
			});
	});
});
