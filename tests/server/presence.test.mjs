// SPDX-License-Identifier: MIT
//
// presence.test.mjs - who is there: events of the server's own below /meta

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';

const PROPS = { 'queue.read.timeout.millis': 30000, 'session.timeout.mins': 0.02 };

const lab = new Lab();
let web;

before(async () => {
	web = (await lab.nginx(await lab.pushletd({ props: PROPS, args: ['-w', '2'] }))).client();
});
after(() => lab.close());

/* The handle of a session that has just come, from what its watcher hears. */
const joins = (watcher, action) =>
	watcher.channel.next({ p_event: 'data', p_subject: '/meta/joins', action,
		from: /^[0-9a-f]{18}$/, online: /^\d+$/, peak: /^\d+$/ });

describe('below /meta', () => {
	it('a newcomer is told the counts, then of all who come and go', async () => {
		const watcher = await web.joinListen({ mode: 'stream', subject: '/meta/joins' });
		const status = await watcher.channel.next({ p_event: 'data', action: 'status',
			p_sid: watcher.ack.get('p_sid'), from: undefined });
		const online = Number(status.get('online'));
		const ann = await web.join();

		assert.equal(Number((await joins(watcher, 'join')).get('online')), online + 1);
		await ann.leave();
		const left = await joins(watcher, 'leave');
		assert.equal(Number(left.get('online')), online);
		assert.equal(Number(left.get('peak')), online + 1);
		await web.join();		/* and is not heard of again */
		const from = (await joins(watcher, 'join')).get('from');
		assert.equal((await joins(watcher, 'expire')).get('from'), from);
		watcher.channel.close();
	});

	it('subscriptions are told by subject, in all formats', async () => {
		for (const format of ['xml', 'json', 'sse', 'js']) {
			const subject = `/chat/${format}`;
			const watcher = await web.joinListen({ format, mode: 'stream',
				subject: `/meta/subs${subject}`, label: 'who' });
			await watcher.channel.next({ p_event: 'data', action: 'status', online: 0,
				peak: 0, p_label: 'who' });
			const ann = await web.joinListen({ mode: 'stream', subject, label: 'a&b<' });
			await watcher.channel.next({ p_event: 'data', action: 'subscribe', subject,
				label: 'a&b<', online: 1, peak: 1 });
			const sid = await ann.subscribe(subject);
			await watcher.channel.next({ action: 'subscribe', online: 1, label: undefined });
			await ann.ask('unsubscribe', { p_sid: sid });
			await watcher.channel.next({ action: 'unsubscribe', online: 1 });
			await ann.leave();
			await watcher.channel.next({ action: 'unsubscribe', online: 0, peak: 1 });
			watcher.channel.close();
			await watcher.leave();
		}
	});

	it('who subscribed to / hears nothing', async () => {
		const legacy = await web.joinListen({ mode: 'stream', subject: '/' });
		const watcher = await web.joinListen({ mode: 'stream', subject: '/meta' });

		await web.join();
		await joins(watcher, 'join');
		await lab.publish('/end', { n: 1 });
		await legacy.channel.next({ p_event: 'data', p_subject: '/end' });
		legacy.channel.close();
		watcher.channel.close();
	});

	it('nobody but the server publishes', async () => {
		const ann = await web.join();

		for (const p_subject of ['/meta', '/meta/joins', '/meta/subs/x']) {
			const answer = await ann.ask('publish', { p_subject, action: 'join' });
			assert.equal(answer.get('p_event'), 'nack');
			assert.match(answer.get('p_reason'), /\/meta/);
			await assert.rejects(lab.publish(p_subject, { n: 1 }), /\/meta/);
		}
	});
});
