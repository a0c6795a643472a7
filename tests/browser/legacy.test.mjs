// SPDX-License-Identifier: MIT
//
// legacy.test.mjs - pages of old with ajax-pushlet-client.js in Chromium

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Site } from './site.mjs';
import { until } from '../lib/wait.mjs';

for (const mode of ['pull', 'stream', 'poll']) {
	describe(`a legacy page in ${mode} mode`, () => {
		let site;

		before(async () => { site = await Site.open(); });
		after(() => site?.close());

		/* A page that listens to a subject nobody else uses. */
		let pages = 0;
		async function listening(label) {
			const page = await site.legacyPage();
			const subject = `/test/${++pages}`;

			await page.call('PL.join');
			await page.call('PL.listen', subject, mode);
			await page.next({ p_event: 'join-ack' });
			const ack = await page.next({ p_event: 'listen-ack', p_mode: mode });
			if (label)
				await page.call('p_subscribe', subject, label);
			return { page, subject, sid: ack.p_sid };
		}

		it('has the states of the original', async () => {
			const page = await site.legacyPage();
			const PL = await page.get('PL');

			assert.deepEqual([PL.STATE_ERROR, PL.STATE_ABORT, PL.STATE_NULL,
				PL.STATE_READY, PL.STATE_JOINED, PL.STATE_LISTENING],
			[-2, -1, 1, 2, 3, 3]);
			assert.equal(PL.state, 2);
			assert.equal(PL.sessionId, null);
			await page.call('PL.joinListen', '/a', mode);
			const ack = await page.next({ p_event: 'join-listen-ack', p_mode: mode });
			assert.equal(await page.get('PL.state'), 3);
			assert.equal(await page.get('PL.sessionId'), ack.p_id);
		});

		it('publishes a query string or an object with PL.publish', async () => {
			const { page, subject } = await listening();

			await page.call('PL.publish', subject, 'a=two words&b=%C3%A9 é 100%');
			await page.next({ a: 'two words', b: 'é é 100%' });
			await page.call('PL.publish', subject, { a: '&b=1', b: '100%41' });
			await page.next({ a: '&b=1', b: '100%41' });
			await page.call('PL.publish', subject);
			await page.next({ p_event: 'data', p_subject: subject });
		});

		it('subscribes with a label and unsubscribes', async () => {
			const { page } = await listening();
			const subject = `/label/${mode}`;

			await page.call('p_subscribe', subject, 'mine & yours');
			const ack = await page.next({ p_event: 'subscribe-ack',
				p_subject: subject, p_label: 'mine & yours' });
			await site.lab.publish(subject, { n: '1' });
			await page.next({ p_event: 'data', n: '1', p_label: 'mine & yours',
				p_sid: ack.p_sid });
			await page.call('p_unsubscribe', ack.p_sid);
			await page.next({ p_event: 'unsubscribe-ack', p_sid: ack.p_sid });
			await site.lab.publish(subject, { n: '2' });
			await page.call('p_heartbeat');
			await page.next({ p_event: 'hb-ack' });
			assert.deepEqual(await page.rest(), []);
		});

		it('is told when the server refuses', async () => {
			const { page } = await listening();

			await page.call('p_unsubscribe', 'nosuchsid');
			const nack = await page.next({ p_event: 'nack' });
			assert.match(nack.p_reason, /nosuchsid/);
			await page.call('p_publish', '/x', 'no name', '1');
			await page.next({ p_event: 'nack' });
		});

		it('leaves, and joins again', async () => {
			const { page, subject } = await listening();
			const id = await page.get('PL.sessionId');

			await page.call('p_leave');
			await page.next({ p_event: 'leave-ack', p_id: id });
			assert.equal(await page.get('PL.sessionId'), null);
			assert.equal(await page.get('PL.state'), 2);
			await page.call('PL.joinListen', subject, mode);
			await page.next({ p_event: 'join-listen-ack' });
			await site.lab.publish(subject, { n: '1' });
			await page.next({ p_event: 'data', n: '1' });
		});

		it('ends its session when the window closes', async () => {
			const { page, subject } = await listening();
			const listeners = async () => (await site.lab.sessions())
				.filter((s) => JSON.stringify(s).includes(`"${subject}"`)).length;

			assert.equal(await listeners(), 1);
			await site.release(page.page);
			await page.page.close({ runBeforeUnload: true });
			await until('the session to end', async () => await listeners() === 0);
		});
	});
}

describe('a legacy page', () => {
	let site;

	before(async () => { site = await Site.open(); });
	after(() => site?.close());

	it('listens in pull mode with p_join_listen', async () => {
		const page = await site.legacyPage();

		await page.call('p_join_listen', '/old');
		await page.next({ p_event: 'join-listen-ack', p_mode: 'pull' });
		await site.lab.publish('/old', { text: 'hello' });
		await page.next({ p_event: 'data', text: 'hello' });
	});

	it('may call everything at once, in any state', async () => {
		const page = await site.legacyPage();

		await page.page.evaluate(() => {
			p_publish('/burst', 'n', '0');	/* waits for the join */
			p_join();
			p_listen('/burst', 'stream');
			p_subscribe('/burst2', 'two');
			p_publish('/burst', 'n', '1');
			p_publish('/burst2', 'n', '2');
		});
		await page.next({ p_event: 'join-ack' });
		await page.until('events.length >= 5');
		const events = await page.rest();
		assert.deepEqual(events.filter((e) => e.n).map((e) => e.n), ['1', '2']);
	});

	it('gets events without a callback of their own through onEvent', async () => {
		const page = await site.legacyPage();

		await page.page.evaluate(() => {
			window.others = [];
			window.onEvent = (event) => others.push(event.getEvent());
			onSubscribeAck = undefined;
			p_join();
			p_subscribe('/x');
			p_publish('/x');
		});
		await page.until('others.indexOf("subscribe-ack") >= 0');
		await page.until('others.indexOf("publish-ack") >= 0');
		assert.ok(!(await page.get('others')).includes('join-ack'));
	});

	it('goes on after a mistake in a callback', async () => {
		const page = await site.legacyPage();

		await page.page.evaluate(() => {
			window.onData = function (event) {
				keep(event);
				throw new Error('mistake of the page');
			};
			PL.joinListen('/mistake', 'stream');
		});
		await page.next({ p_event: 'join-listen-ack' });
		for (const n of ['1', '2']) {
			await site.lab.publish('/mistake', { n });
			await page.next({ p_event: 'data', n });
		}
		await until('both errors in the console', () => site.browser.errors
			.filter((e) => e.includes('mistake of the page')).length === 2);
		site.browser.errors.length = 0;
	});

	it('has events that can be read and shown', async () => {
		const page = await site.legacyPage();
		const shown = await page.page.evaluate(() => {
			const event = new PushletEvent({ p_event: 'data', p_subject: '/s' });
			event.put('x', '<b>&"');
			event.put('__proto__', 'y');
			return [event.getEvent(), event.getSubject(), event.get('x'),
				event.get('__proto__'), typeof event.get('toString'),
				event.toString(), event.toTable()];
		});

		assert.deepEqual(shown.slice(0, 6), ['data', '/s', '<b>&"', 'y',
			'undefined', 'p_event=data p_subject=/s x=<b>&" __proto__=y']);
		assert.match(shown[6], /<table.*<td>x<td>&lt;b>&amp;"/);
	});

	it('defines no global but those of the original client', async () => {
		const page = await site.page('legacy.html');
		const names = await page.evaluate(() => {
			const frame = document.createElement('iframe');
			document.body.appendChild(frame);
			const clean = new Set(Object.getOwnPropertyNames(frame.contentWindow));
			return Object.getOwnPropertyNames(window).filter((n) =>
				!clean.has(n) && !/^on[A-Z]|^(events|keep|\d+)$|playwright/.test(n));
		});

		assert.deepEqual(names.sort(), ['PL', 'PushletEvent', 'p_debug', 'p_embed',
			'p_heartbeat', 'p_join', 'p_join_listen', 'p_leave', 'p_listen',
			'p_publish', 'p_subscribe', 'p_unsubscribe']);
	});
});
