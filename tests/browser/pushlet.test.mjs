// SPDX-License-Identifier: MIT
//
// pushlet.test.mjs - pushlet.js in Chromium: each transport, and its mistakes

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Tabs } from './tabs.mjs';
import { until } from '../lib/wait.mjs';

const HOSTILE = '</script><script>alert(1)</script>"\'\\';

describe('a page', () => {
	let tabs;

	before(async () => { tabs = await Tabs.open(); });
	after(() => tabs?.close());

	for (const transport of ['sse', 'stream', 'pull', 'poll', 'script'])
		it(`over ${transport} gives each subscription its events`, async () => {
			const tab = await tabs.tab({ transports: [transport] });
			const subject = `/labels/${transport}`;
			const boxes = {
				wide: await tab.subscribe(subject, { label: 'wide' }),
				narrow: await tab.subscribe(`${subject}/a`, { label: '<a>' }),
				bare: await tab.subscribe(`/nothing, ${subject}/a/b`),
			};
			const heard = async (box, n) => (await tab.heard(boxes[box], n))
				.map((e) => [e.n, e.p_label]);

			await tab.publish(`${subject}/a/b`, { n: 1, none: undefined, no: null });
			await tab.publish(`${subject}/c`, { n: 2 });
			assert.deepEqual(await heard('wide', 2), [['1', 'wide'], ['2', 'wide']]);
			assert.deepEqual(await heard('narrow', 1), [['1', '<a>']]);
			assert.deepEqual(await heard('bare', 1), [['1', undefined]]);
			const [event] = await tab.heard(boxes.bare, 1);
			assert.ok(!('none' in event) && !('no' in event));
			await tab.page.close();
		});

	it('keeps its id out of URLs', async () => {
		const tab = await tabs.tab();
		const box = await tab.subscribe('/secret');

		await tab.live();
		await tab.publish('/secret', { n: 1 });
		await tab.heard(box, 1);
		const id = await tab.run(() => p.id);
		await tab.page.close();		/* it leaves */
		await until('no session', async () =>
			(await tabs.lab.sessions()).every((s) => !s.subjects.includes('/secret')));
		assert.match(id, /^[0-9a-f]{38}$/);
		assert.ok(tabs.proxy.requests >= 4);
		assert.deepEqual(tabs.proxy.urls.filter((url) => url.includes(id)), []);
	});

	it('may import the module', async () => {
		const tab = await tabs.tab();

		const n = await tab.run(async () => {
			const { Pushlet: P, PushletError: E } = await import('./pushlet.mjs');
			const one = new P('pushlet.srv');
			const heard = new Promise((done) => {
				one.subscribe('/module', (e) => done(e.n));
			});
			await one.publish('/module', { n: 7 });
			const answer = await heard;
			await one.close();
			return E.name === 'PushletError' && answer;
		});
		assert.equal(n, '7');
	});

	it('is told what it did wrong', async () => {
		const tab = await tabs.tab();
		const say = (f) => tab.run(async (text) => {
			try {
				await (0, eval)(text);
			} catch (e) {
				return `${e.name}: ${e.message}`;
			}
			return 'nothing';
		}, f);

		assert.match(await say('new Pushlet("x", { relaible: true })'),
			/TypeError: Pushlet has no option 'relaible'; it has transports,/);
		assert.match(await say('new Pushlet("x", { transports: ["xhr"] })'),
			/TypeError: unknown transport 'xhr'; there are stream, sse/);
		assert.match(await say('p.subscribe("stocks")'),
			/TypeError: a subject begins with '\/', unlike 'stocks'/);
		assert.match(await say('p.publish("/a", { "1 2": "x" })'),
			/PushletError: .*1 2/);
		assert.equal(await say('p.publish("/a", { b: "x" })'), 'nothing');
	});

	it('is told of a refused subscription', async () => {
		const small = await Tabs.open({ props: { 'session.max.subscriptions': 1 } });

		try {
			const tab = await small.tab();
			await tab.subscribe('/one');
			await assert.rejects(tab.subscribe('/two'), /session.max.subscriptions/);
			assert.match((await tab.logged('error')).message,
				/session.max.subscriptions/);
		} finally {
			await small.close();
		}
	});

	it('may throw in a callback', async () => {
		const tab = await tabs.tab();
		const box = await tab.subscribe('/throw');

		await tab.run(() => p.subscribe('/throw', () => {
			throw new Error('on purpose');
		}).ready);
		const later = await tab.subscribe('/throw/x');
		await tab.publish('/throw/x', { n: 1 });
		await tab.heard(box, 1);
		await tab.heard(later, 1);
		await until('the error', () => tabs.browser.errors.length > 0);
		assert.match(tabs.browser.errors.pop(), /on purpose/);
	});

	it('publishes to one session', async () => {
		const [ann, bob] = [await tabs.tab(), await tabs.tab()];
		const mine = await ann.subscribe('/to');
		const his = await bob.subscribe('/to');

		await ann.publish('/to', { n: 1 });
		const [{ p_from: handle }] = await ann.heard(mine, 1);
		await bob.publish('/to', { n: 2 }, { to: handle });
		await bob.publish('/to', { n: 3 });
		assert.deepEqual((await ann.heard(mine, 3)).map((e) => e.n), ['1', '2', '3']);
		assert.deepEqual((await bob.heard(his, 2)).map((e) => e.n), ['1', '3']);
	});

	it('leaves when it is closed', async () => {
		const tab = await tabs.tab();

		await tab.subscribe('/gone');
		const { length } = await tabs.lab.sessions();
		await tab.page.close({ runBeforeUnload: false });
		await until('one session less', async () =>
			(await tabs.lab.sessions()).length < length);
	});

	it('hears of lost events without p_reliable', async () => {
		const tab = await tabs.tab({ reliable: false });
		const box = await tab.subscribe('/unreliable');

		await tab.live();
		assert.equal(await tab.run(() => p.transport), 'stream');
		await tab.publish('/unreliable', { n: 1 });
		const [event] = await tab.heard(box, 1);
		assert.equal(event.p_eid, undefined);
	});

	it('asks for history', async () => {
		const tab = await tabs.tab();
		const asked = tab.page.waitForRequest((request) =>
			/p_event=subscribe/.test(request.postData() ?? ''));
		const box = await tab.subscribe('/history', { last: 20 });

		assert.match((await asked).postData(), /p_last=20/);
		await tab.publish('/history', { n: 1 });
		await tab.heard(box, 1);
	});

	for (const shared of [false, true])
		it(`may be put aside and come back (shared: ${shared})`, async () => {
			const tab = await tabs.tab({ shared });
			const box = await tab.subscribe('/aside');

			await tab.live();
			const id = await tab.run(() => p.id);
			const listening = await tabs.lab.listening();
			await tab.run(() => window.dispatchEvent(
				new PageTransitionEvent('pagehide', { persisted: true })));
			await until('the channel to end', async () =>
				await tabs.lab.listening() < listening);
			await tabs.lab.publish('/aside', { n: 1 });
			await tab.run(() => window.dispatchEvent(
				new PageTransitionEvent('pageshow', { persisted: true })));
			assert.equal((await tab.heard(box, 1))[0].n, '1');
			assert.equal(await tab.run(() => p.id), id);
			await tab.page.close();
		});

	it('goes on while the timers of its tab stand still', async () => {
		const tab = await tabs.tab({ transports: ['poll'] }, { init: () => {
			const { setTimeout } = window;
			window.setTimeout = (f, ms, ...args) =>
				(ms > 0 ? 0 : setTimeout(f, ms, ...args));
		} });
		const box = await tab.subscribe('/hidden');

		for (let n = 1; n <= 3; n++) {
			await tabs.lab.publish('/hidden', { n });
			assert.equal(await tab.run(async ([b, k]) => {
				while (boxes[b].events.length < k)
					await new Promise(requestAnimationFrame);
				return boxes[b].events[k - 1].n;
			}, [box, n]), String(n));
		}
	});

	it('gets batches, once per frame', async () => {
		const tab = await tabs.tab();

		await tab.run(() => {
			window.batches = [];
			return p.subscribe('/batch', { onBatch: (list) =>
				batches.push(list.map((e) => e.n)) }).ready;
		});
		const counter = tabs.counter('/batch', 1);
		await tab.until(() => batches.flat().length >= 300);
		const last = await counter.stop();
		await tab.until((n) => batches.flat().length === n, last);
		const batches = await tab.run(() => batches);
		assert.deepEqual(batches.flat().map(Number),
			Array.from({ length: last }, (_, i) => i + 1));
		assert.ok(batches.length < last, `${batches.length} calls for ${last}`);
	});
});

describe('another domain', () => {
	let tabs;

	before(async () => { tabs = await Tabs.open(); });
	after(() => tabs?.close());

	/* 'localhost' and '127.0.0.1' are two origins, and the server allows
	 * neither by CORS. */
	it('is reached by scripts when fetch() is not allowed', async () => {
		tabs.browser.outages = true;
		const tab = await tabs.tab({},
			{ url: tabs.url.replace('127.0.0.1', 'localhost') });
		const box = await tab.subscribe('/cross');

		await tab.live();
		assert.equal(await tab.run(() => p.transport), 'script');
		await tab.publish('/cross', { text: HOSTILE });
		assert.equal((await tab.heard(box, 1))[0].text, HOSTILE);
		await assert.rejects(tab.publish('/cross', { text: 'x'.repeat(7000) }),
			/characters are too many for a request across domains/);
		tabs.browser.errors = tabs.browser.errors.filter((e) => !/CORS/.test(e));
	});
});

describe('a proxy that holds streams back', () => {
	let tabs;

	before(async () => { tabs = await Tabs.open(); });
	after(() => tabs?.close());

	it('makes it fall back to pull', async () => {
		tabs.proxy.buffer = true;
		const tab = await tabs.tab({ patience: 300 });
		const box = await tab.subscribe('/held');

		const { transport, reason } = await tab.logged('fallback');
		assert.deepEqual([transport, reason], ['pull', 'streams are held back']);
		await tab.live();
		await tab.publish('/held', { n: 1 });
		await tab.heard(box, 1);
		assert.equal(await tab.run(() => p.transport), 'pull');
	});

	it('is not taken for one while it is away', async () => {
		tabs.proxy.buffer = false;
		tabs.browser.outages = true;
		const tab = await tabs.tab({ patience: 1000 });
		await tab.subscribe('/away');
		await tab.live();
		await tabs.pushletd.stop();
		await tab.logged('close');
		const { requests } = tabs.proxy;
		await until('some tries in vain', () => tabs.proxy.requests > requests + 3);
		await tabs.pushletd.start();
		await tab.logged('reconnect');
		assert.equal(await tab.run(() => p.transport), 'stream');
	});

	it('gives way to what the server wants', async () => {
		const forced = await Tabs.open({ props: { 'listen.force.pull.all': true } });

		try {
			const tab = await forced.tab();
			const box = await tab.subscribe('/forced');

			assert.equal((await tab.logged('fallback')).transport, 'pull');
			await tab.publish('/forced', { n: 1 });
			await tab.heard(box, 1);
		} finally {
			await forced.close();
		}
	});
});
