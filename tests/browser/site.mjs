// SPDX-License-Identifier: MIT
//
// site.mjs - pages of pushlet-js in Chromium, against a private server
//
//	const site = await Site.open({ props });
//	after(() => site.close());
//	const page = await site.page('examples/chat.html');
//	const legacy = await site.legacyPage();
//	const frame = await site.framePage();	the same with js-pushlet-client.js
//
// pushlet.srv is answered by nginx and pushletd of a Lab; all other paths come
// from the files of pushlet-js.  close() fails if a page had a console error.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { Lab } from '../lib/lab.mjs';
import { program, ROOT, SLOW } from '../lib/paths.mjs';
import { LIMIT } from '../lib/wait.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update',
	'--disable-sync'];

/* What the browser itself prints while a server is away. */
const OUTAGE = /Failed to load resource|net::ERR_/;

/* Chromium with the errors its pages report. */
export class Browser {
	static async launch() {
		const browser = new Browser();

		browser.errors = [];
		browser.outages = false;	/* a test sets it when it makes one */
		browser.chromium = await chromium.launch({
			executablePath: program('chromium'), args: ARGS });
		return browser;
	}

	/* options: those of playwright's newContext */
	async page(url, { prepare, ...options } = {}) {
		const context = await this.chromium.newContext(options);
		const page = await context.newPage();

		page.setDefaultTimeout(LIMIT);
		page.on('pageerror', (error) => this.errors.push(`${url}: ${error.stack}`));
		page.on('dialog', (dialog) => {
			this.errors.push(`${url}: dialog ${dialog.message()}`);
			dialog.dismiss();
		});
		page.on('console', (message) => {
			if (['error', 'warning'].includes(message.type())
				&& !(this.outages && OUTAGE.test(message.text())))
				this.errors.push(`${url}: ${message.text()}`);
		});
		await prepare?.(page);
		await page.goto(url);
		return page;
	}

	async close() {
		await this.chromium.close();
		assert.deepEqual(this.errors, [], 'no page reports an error');
	}
}

/* Quick turns, so that a test sees several. */
const PROPS = {
	'queue.read.timeout.millis': 3000 * SLOW,
	'pull.refresh.wait.min.millis': 10,
	'pull.refresh.wait.max.millis': 60,
	'poll.refresh.wait.min.millis': 20,
	'poll.refresh.wait.max.millis': 100,
};

/* In the manner of old: global callbacks, no onRejoin, inline script. */
const LEGACY = `<!DOCTYPE html><html><head><title>legacy</title>
<link rel="icon" href="data:,">
<script type="text/javascript" src="lib/ajax-pushlet-client.js"></script>
<script type="text/javascript">
var events = [];
function keep(event) {
	var copy = {}, i, parts = ['p_event', 'p_subject', 'p_sid', 'p_label',
	    'p_reason', 'p_id', 'p_mode', 'text', 'a', 'b', 'n'];
	for (i = 0; i < parts.length; i++)
		if (event.get(parts[i]) != null) copy[parts[i]] = event.get(parts[i]);
	events.push(copy);
}
function onData(event) { keep(event); }
function onJoinAck(event) { keep(event); }
function onJoinListenAck(event) { keep(event); }
function onListenAck(event) { keep(event); }
function onSubscribeAck(event) { keep(event); }
function onUnsubscribeAck(event) { keep(event); }
function onHeartbeatAck(event) { keep(event); }
function onLeaveAck(event) { keep(event); }
function onNack(event) { keep(event); }
function onError(event) { keep(event); }
function onAbort(event) { keep(event); }
</script></head><body>An old page</body></html>`;

const FRAME = LEGACY.replace('ajax-pushlet-client', 'js-pushlet-client').replace(
	'An old page', '<script type="text/javascript">p_embed();</script>$&');

export class Site {
	static async open({ props } = {}) {
		const site = new Site();

		site.lab = new Lab();
		try {
			site.pushletd = await site.lab.pushletd({
				props: { ...PROPS, ...props } });
			site.nginx = await site.lab.nginx(site.pushletd);
			site.url = site.nginx.url;
			site.browser = await Browser.launch();
		} catch (error) {
			await site.lab.close().catch(() => {});
			throw error;
		}
		return site;
	}

	async #serve(route, { embed, refuse }) {
		const url = route.request().url();
		const path = new URL(url).pathname;

		if (refuse?.(url))
			return route.fulfill({ status: 502, body: 'Bad gateway' });
		if (path.endsWith('/pushlet.srv'))
			return route.continue();
		if (path === '/pushlet/legacy.html')
			return route.fulfill({ contentType: 'text/html', body: LEGACY });
		if (path === '/pushlet/frame.html')
			return route.fulfill({ contentType: 'text/html', body: FRAME.replace(
				'p_embed()', `p_embed(${JSON.stringify(embed) ?? ''})`) });
		return route.fulfill({
			contentType: `${TYPES[extname(path)]}; charset=utf-8`,
			body: readFileSync(join(ROOT, 'pushlet-js',
				path.replace(/^\/pushlet\/(lib\/)?/, ''))),
		});
	}

	/* A file of pushlet-js in a browser window of its own.  options: those of
	 * playwright's newContext, refuse (which URLs get a 502), embed (what the
	 * frame page gives p_embed) */
	page(path, { embed, refuse, ...options } = {}) {
		return this.browser.page(new URL(path, this.url).href, {
			...options,
			prepare: (page) => page.context().route('**/*',
				(route) => this.#serve(route, { embed, refuse })),
		});
	}

	async legacyPage() {
		return new Legacy(await this.page('legacy.html'));
	}

	async framePage(options) {
		return new Legacy(await this.page('frame.html', options));
	}

	async close() {
		try {
			await this.browser.close();
		} finally {
			await this.lab.close();
		}
	}
}

/* An old page, seen from a test. */
class Legacy {
	constructor(page) {
		this.page = page;
		this.seen = 0;
	}

	/* Calls a global function, or a method as 'PL.join'. */
	call(name, ...args) {
		return this.page.evaluate(([path, list]) => {
			const [first, second] = path.split('.');
			if (second)
				window[first][second](...list);
			else
				window[first](...list);
		}, [name, args]);
	}

	get(name) {
		return this.page.evaluate((path) =>
			path.split('.').reduce((o, key) => o[key], window), name);
	}

	/* Waits until an expression holds in the page. */
	until(expression) {
		return this.page.waitForFunction(expression, null, { polling: 20 });
	}

	/* The next event a callback was given; heartbeats are not kept. */
	async next(fields) {
		const index = this.seen++;
		await this.until(`events.length > ${index}`);
		const event = await this.page.evaluate((i) => events[i], index);

		for (const [name, value] of Object.entries(fields))
			assert.equal(event[name], value, `${name} of ${JSON.stringify(event)}`);
		return event;
	}

	/* All events after those next() returned. */
	async rest() {
		return (await this.get('events')).slice(this.seen);
	}
}
