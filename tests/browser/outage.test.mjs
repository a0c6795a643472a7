// SPDX-License-Identifier: MIT
//
// outage.test.mjs - what a page does while the server is away, and afterwards

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Site } from './site.mjs';
import { until } from '../lib/wait.mjs';

/* Listens in the mode and keeps what the connection does. */
async function listening(site, mode) {
	const page = await site.legacyPage();

	await page.page.evaluate((how) => {
		window.states = [];
		window.rejoins = [];
		window.onConnection = (event) => states.push(event.get('p_state'));
		window.onRejoin = (event) => rejoins.push(event.get('p_id'));
		PL.joinListen('/life', how);
		p_subscribe('/other', 'label');
	}, mode);
	const first = await page.next({ p_event: 'join-listen-ack' });
	const second = await page.next({ p_event: 'subscribe-ack' });
	page.sids = [first.p_sid, second.p_sid];
	page.id = first.p_id;
	return page;
}

/* The bad gateways a page sees now are part of the test. */
async function stop(site) {
	site.browser.outages = true;
	await site.pushletd.stop();
}

/* Both subscriptions deliver, under the ids the page knows them by. */
async function delivers(site, page, n) {
	await site.lab.publish('/life', { n });
	await page.next({ p_event: 'data', n, p_sid: page.sids[0] });
	await site.lab.publish('/other', { n });
	await page.next({ p_event: 'data', n, p_sid: page.sids[1], p_label: 'label' });
}

for (const mode of ['pull', 'stream', 'poll']) {
	describe(`a page in ${mode} mode`, () => {
		let site;
		let page;

		beforeEach(async () => {
			site = await Site.open();
			page = await listening(site, mode);
			await delivers(site, page, 'before');
		});
		afterEach(() => site?.close());

		it('keeps its session when the server restarts', async () => {
			await stop(site);
			await page.until('states.indexOf("reconnecting") >= 0');
			await site.pushletd.start();
			await page.until('PL.connection === "live"');
			await delivers(site, page, 'after');
			assert.equal(await page.get('PL.sessionId'), page.id);
			assert.deepEqual(await page.get('rejoins'), []);
		});

		it('misses nothing that is published during a restart', async () => {
			await stop(site);
			await site.lab.publish('/life', { n: 'meanwhile' });
			await page.until('states.indexOf("reconnecting") >= 0');
			await site.pushletd.start();
			await page.next({ p_event: 'data', n: 'meanwhile' });
		});

		it('shows no number of an event, and no other trace', async () => {
			await page.page.evaluate(() => {
				window.shown = [];
				window.onData = (event) => shown.push(event.toString());
			});
			await site.lab.publish('/life', { n: 'bare' });
			await page.until('shown.length === 1');
			assert.deepEqual((await page.get('shown'))[0].split(' ')
				.map((pair) => pair.split('=')[0]).sort(), ['n', 'p_event',
				'p_seq', 'p_sid', 'p_subject', 'p_time']);
		});

		it('publishes later what it could not publish at once', async () => {
			await stop(site);
			await page.call('p_publish', '/life', 'n', 'patient');
			await page.until('states.indexOf("reconnecting") >= 0');
			await site.pushletd.start();
			await page.next({ p_event: 'data', n: 'patient' });
		});

		it('joins again when the server has forgotten it', async () => {
			await stop(site);
			await site.lab.ctl('destroy');
			await site.pushletd.start();
			await page.until('rejoins.length === 1');
			assert.notEqual(await page.get('PL.sessionId'), page.id);
			assert.deepEqual(await page.get('rejoins'),
				[await page.get('PL.sessionId')]);
			await page.until('PL.connection === "live"');
			await delivers(site, page, 'anew');

			await page.call('p_unsubscribe', page.sids[1]);
			await page.next({ p_event: 'unsubscribe-ack', p_sid: page.sids[1] });
			await site.lab.publish('/other', { n: 'unheard' });
			await site.lab.publish('/life', { n: 'heard' });
			await page.next({ p_event: 'data', n: 'heard' });
		});

		it('sends in a new session what the old one refused', async () => {
			await stop(site);
			await site.lab.ctl('destroy');
			await page.call('p_publish', '/life', 'n', 'moved');
			await page.call('p_subscribe', '/third');
			await site.pushletd.start();
			await page.until('events.filter(function (e) {' +
				' return e.p_event === "subscribe-ack"; }).length === 2');
			await page.until('events.filter(function (e) {' +
				' return e.n === "moved"; }).length === 1');
			assert.equal((await page.get('rejoins')).length, 1);
		});
	});
}

describe('a page that streams', () => {
	let site;

	beforeEach(async () => {
		site = await Site.open({ props: { 'queue.size': 20 } });
	});
	afterEach(() => site?.close());

	it('acknowledges, so that its queue on the server stays short', async () => {
		const page = await listening(site, 'stream');

		for (let n = 1; n <= 30; n++)
			await site.lab.publish('/life', { n: String(n) });
		for (let n = 1; n <= 30; n++)
			await page.next({ p_event: 'data', n: String(n) });
		await until('an empty queue', async () =>
			(await site.lab.sessions()).every((session) => session.queued === 0));
	});
});

describe('a page that cannot reach its server', () => {
	let site;

	beforeEach(async () => { site = await Site.open(); });
	afterEach(() => site?.close());

	it('joins as soon as it can', async () => {
		await stop(site);
		const page = await site.legacyPage();

		await page.call('PL.joinListen', '/late', 'stream');
		await page.until('PL.connection === "connecting"');
		await site.pushletd.start();
		await page.next({ p_event: 'join-listen-ack' });
		await site.lab.publish('/late', { n: '1' });
		await page.next({ p_event: 'data', n: '1' });
	});

	it('does not wait when the network returns', async () => {
		const page = await listening(site, 'stream');

		await stop(site);
		await page.until('PL.connection === "reconnecting"');
		/* After one more failure no pause ends by itself. */
		const failure = new Promise((done) => {
			for (const end of ['requestfinished', 'requestfailed'])
				page.page.once(end, done);
		});
		await page.page.clock.install();
		await page.page.clock.pauseAt(Date.now() + 1000);
		await failure;
		await site.pushletd.start();
		await page.page.evaluate(() => {
			window.dispatchEvent(new Event('online'));
		});
		await delivers(site, page, '1');
	});

	it('tells the page of an address that is no server', async () => {
		const page = await site.legacyPage();

		site.browser.outages = true;
		await page.page.evaluate(() => {
			PL.pushletURL = '/pushlet/nothing/pushlet.srv';
			p_join();
		});
		const error = await page.next({ p_event: 'error' });
		assert.match(error.p_reason, /join: HTTP 404/);
		assert.equal(await page.get('PL.state'), -2);
	});
});
