// SPDX-License-Identifier: MIT
//
// frame.test.mjs - pages of old with js-pushlet-client.js in Chromium

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Site } from './site.mjs';
import { until } from '../lib/wait.mjs';

for (const mode of ['stream', 'pull', 'poll']) {
	describe(`a page with frames in ${mode} mode`, () => {
		let site;

		before(async () => { site = await Site.open(); });
		after(() => site?.close());

		/* A page that listens to a subject nobody else uses. */
		let pages = 0;
		async function listening() {
			const page = await site.framePage();
			const subject = `/frame/${++pages}`;

			await page.call('p_join');
			await page.call('p_listen', subject, mode);
			const join = await page.next({ p_event: 'join-ack' });
			const ack = await page.next({ p_event: 'listen-ack', p_mode: mode });
			return { page, subject, id: join.p_id, sid: ack.p_sid };
		}

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

		it('leaves, and joins again', async () => {
			const { page, subject, id } = await listening();

			assert.equal(await page.page.evaluate('p_getSessionId()'), id);
			await page.call('p_leave');
			await page.next({ p_event: 'leave-ack', p_id: id });
			assert.equal(await page.page.evaluate('p_getSessionId()'), null);
			await page.call('p_join_listen', subject, mode);
			await page.next({ p_event: 'join-listen-ack', p_mode: mode });
			await site.lab.publish(subject, { n: '1' });
			await page.next({ p_event: 'data', n: '1' });
		});

		it('keeps no frames but those in use', async () => {
			const { page, subject } = await listening();

			for (let n = 1; n <= 10; n++) {
				await site.lab.publish(subject, { n: String(n) });
				await page.next({ p_event: 'data', n: String(n) });
			}
			assert.ok(page.page.frames().length <= 4, 'the page, its net, 2');
			assert.equal(await page.page.evaluate('history.length'), 2);
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

	describe(`a page with frames in ${mode} mode, when servers end`, () => {
		let site;
		let page;

		beforeEach(async () => {
			site = await Site.open();
			page = await site.framePage();
			await page.page.evaluate((how) => {
				window.rejoins = [];
				window.onRejoin = (event) => rejoins.push(event.get('p_id'));
				p_join_listen('/life', how);
				p_subscribe('/other', 'label');
			}, mode);
			page.sid = (await page.next({ p_event: 'join-listen-ack' })).p_sid;
			page.other = (await page.next({ p_event: 'subscribe-ack' })).p_sid;
			site.browser.outages = true;
		});
		afterEach(() => site?.close());

		it('joins again when the server has forgotten it', async () => {
			await site.pushletd.stop();
			await site.lab.ctl('destroy');
			await site.pushletd.start();
			await page.until('rejoins.length === 1 && rejoins[0] === p_getSessionId()');
			await page.until('p_heartbeat() || true');
			await page.next({ p_event: 'hb-ack' });
			await until('its channel', async () => await site.lab.listening() > 0
				|| mode !== 'stream');
			await site.lab.publish('/life', { n: 'anew' });
			await page.next({ p_event: 'data', n: 'anew', p_sid: page.sid });
			await site.lab.publish('/other', { n: 'anew' });
			await page.next({ p_event: 'data', p_sid: page.other, p_label: 'label' });
		});

	});
}

describe('a page with frames', () => {
	let site;

	before(async () => { site = await Site.open(); });
	after(() => site?.close());

	it('streams with p_join_listen', async () => {
		const page = await site.framePage();

		await page.call('p_join_listen', '/old');
		await page.next({ p_event: 'join-listen-ack', p_mode: 'stream' });
		await site.lab.publish('/old', { text: 'hello' });
		await page.next({ p_event: 'data', text: 'hello' });
	});

	it('shows no busy cursor while it streams', async () => {
		const page = await site.framePage();
		const devtools = await page.page.context().newCDPSession(page.page);
		const busy = new Set();

		await devtools.send('Page.enable');
		devtools.on('Page.frameStartedLoading', (e) => busy.add(e.frameId));
		devtools.on('Page.frameStoppedLoading', (e) => busy.delete(e.frameId));
		devtools.on('Page.frameDetached', (e) => busy.delete(e.frameId));
		await page.call('p_join_listen', '/busy');
		await page.next({ p_event: 'join-listen-ack' });
		await site.lab.publish('/busy', { n: '1' });
		await page.next({ p_event: 'data', n: '1' });
		assert.deepEqual([...busy], [], 'no frame is loading');
		assert.ok(await page.page.evaluate('document.readyState === "complete"'));
	});

	it('may call everything at once, before its frame is there', async () => {
		const page = await site.framePage();

		await page.page.evaluate(() => {
			p_join();
			p_listen('/burst', 'stream');
			p_subscribe('/burst2', 'two');
			p_publish('/burst', 'n', '1');
			p_publish('/burst2', 'n', '2');
		});
		await page.until('events.length >= 5');
		const events = await page.rest();
		assert.deepEqual(events.filter((e) => e.n).map((e) => e.n), ['1', '2']);
	});

	it('asks for its frame again when that could not be loaded', async () => {
		site.browser.outages = true;
		let refused = 0;
		const page = await site.framePage({ refuse: (url) =>
			url.endsWith('js-pushlet-net.html') && refused++ < 2 });

		await page.call('p_join_listen', '/frameless');
		await page.next({ p_event: 'error' });
		await page.next({ p_event: 'join-listen-ack' });
		site.browser.outages = false;
	});

	it('is told when the server refuses, and by onEvent of the rest', async () => {
		const page = await site.framePage();

		await page.page.evaluate(() => {
			window.others = [];
			window.onEvent = (event) => others.push(event.getEvent());
			p_join();
			p_publish('/x');
		});
		await page.next({ p_event: 'join-ack' });
		await page.until('others.indexOf("publish-ack") >= 0');
		await page.call('p_unsubscribe', 'nosuchsid');
		assert.match((await page.next({ p_event: 'nack' })).p_reason, /nosuchsid/);
	});

	it('goes on after a mistake in a callback', async () => {
		const page = await site.framePage();

		await page.page.evaluate(() => {
			window.onData = function (event) {
				keep(event);
				throw new Error('mistake of the page');
			};
			p_join_listen('/mistake');
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

	it('may leave in the middle of events', async () => {
		const page = await site.framePage();

		await page.page.evaluate(() => {
			window.onData = function (event) { keep(event); p_leave(); };
			p_join_listen('/leave', 'pull');
		});
		await page.next({ p_event: 'join-listen-ack' });
		await site.lab.publish('/leave', { n: '1' });
		await page.next({ p_event: 'data', n: '1' });
		await page.next({ p_event: 'leave-ack' });
	});

	it('takes what is pushed by hand, and knows its directory', async () => {
		const page = await site.framePage();

		await page.page.evaluate(() =>
			_push('p_event', 'data', 'p_subject', '/s', 'a', '<b>'));
		await page.next({ p_event: 'data', p_subject: '/s', a: '<b>' });
		assert.match(await page.page.evaluate('p_getWebRoot()'), /\/pushlet\/$/);
	});

	it('finds its server in the directory given to p_embed', async () => {
		const page = await site.framePage({ embed: '/pushlet' });

		await page.call('p_join_listen', '/root');
		await page.next({ p_event: 'join-listen-ack' });
		assert.equal(await page.page.evaluate('p_getWebRoot()'), '/pushlet/');
	});

	it('defines no global but those of the original client', async () => {
		const page = await site.page('frame.html');
		const names = await page.evaluate(() => {
			const frame = document.createElement('iframe');
			document.body.appendChild(frame);
			const clean = new Set(Object.getOwnPropertyNames(frame.contentWindow));
			return Object.getOwnPropertyNames(window).filter((n) => !clean.has(n)
				&& !/^on[A-Z]|^(events|keep|\d+)$|playwright|Frame$/.test(n));
		});

		assert.deepEqual(names.sort(), ['PushletEvent', '_push', 'p_embed',
			'p_getSessionId', 'p_getWebRoot', 'p_heartbeat', 'p_join',
			'p_join_listen', 'p_leave', 'p_listen', 'p_publish', 'p_setDebug',
			'p_subscribe', 'p_unsubscribe']);
		assert.ok(await page.evaluate('new Map([[1, 2]]).get(1) === 2'));
	});
});
