// SPDX-License-Identifier: MIT
//
// place.mjs - a server, a web server and a browser: what all pages here need
//
// Site and Tabs are the two kinds of it.  close() fails if a page had an error.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { chromium, firefox } from 'playwright-core';
import { Cluster } from '../lib/cluster.mjs';
import { Lab } from '../lib/lab.mjs';
import { program, SLOW } from '../lib/paths.mjs';
import { LIMIT, until } from '../lib/wait.mjs';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update',
	'--disable-sync'];

/* moz-firefox: a Firefox as it is released, by WebDriver BiDi.  The other
 * way needs one that playwright has changed. */
const BROWSERS = {
	chromium: () => chromium.launch({ executablePath: program('chromium'),
		args: ARGS }),
	firefox: () => firefox.launch({ executablePath: program('firefox-esr'),
		channel: 'moz-firefox' }),
};

/* What the browsers themselves print while a server is away; half a script,
 * of a server that died while it wrote it, is one that they cannot read. */
const OUTAGE = new RegExp('Failed to load resource|net::ERR_'
	+ '|Firefox can’t establish a connection|was interrupted while the page'
	+ '|^SyntaxError: (Unexpected end|Invalid or unexpected|missing \\))');

/* A browser with the errors its pages report. */
export class Browser {
	static async launch(name = 'chromium') {
		const browser = new Browser();

		browser.errors = [];
		browser.outages = false;	/* a test sets it when it makes one */
		browser.driver = await BROWSERS[name]();
		return browser;
	}

	/* A new window of its own, or a tab of a context: an empty page. */
	async blank(context, name = '') {
		const page = await (context ?? await this.context()).newPage();
		const report = (text) => {
			if (!(this.outages && OUTAGE.test(text)))
				this.errors.push(`${name}: ${text}`);
		};

		page.setDefaultTimeout(LIMIT);
		page.on('pageerror', (error) =>
			report(error.stack || `${error.name}: ${error.message}`));
		page.on('dialog', (dialog) => {
			report(`dialog ${dialog.message()}`);
			dialog.dismiss();
		});
		page.on('console', (message) => {
			if (['error', 'warning'].includes(message.type()))
				report(message.text());
		});
		return page;
	}

	/* options: those of playwright's newContext */
	context(options) { return this.driver.newContext(options); }

	async page(url, { prepare, ...options } = {}) {
		const page = await this.blank(await this.context(options), url);

		await prepare?.(page);
		await page.goto(url);
		return page;
	}

	async close() {
		await this.driver.close();
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

/* The web server, and how the server behind it is started. */
const STARTS = {
	async nginx(place, props, small) {
		place.pushletd = await place.lab.pushletd({ props, small });
		place.front = await place.lab.nginx(place.pushletd);
	},
	async 'Apache with mod_fcgid'(place, props) {
		place.front = await place.lab.apacheFcgid({ props });
	},
};

/* The same for several nodes behind one nginx: no place for every test. */
const NODES = {
	async 'nginx before a cluster'(place, props) {
		place.cluster = new Cluster(['n1', 'n2', 'n3'], { props });
		place.lab.guard({ check() {}, kill() {}, stop: () => place.cluster.close() });
		await place.cluster.start();
		place.front = await place.cluster.nginx();
		await place.cluster.joined(place.front);
	},
};
export const FRONTS = Object.keys(STARTS);

function answers(port) {
	return new Promise((done) => {
		const socket = connect(port, '127.0.0.1');

		socket.on('connect', () => { socket.destroy(); done(true); });
		socket.on('error', () => done(false));
	});
}

export class Place {
	/* options: props, front (one of FRONTS, or of NODES), browser (one of BROWSERS), small
	 * (false: a segment of the size that users have) */
	static async open({ props, front = 'nginx', browser, small } = {}) {
		const place = new this();

		place.lab = new Lab();
		try {
			await { ...STARTS, ...NODES }[front](place, { ...PROPS, ...props }, small);
			await place.prepare();
			place.browser = await Browser.launch(browser);
		} catch (error) {
			await place.close().catch(() => {});
			throw error;
		}
		return place;
	}

	async prepare() {}

	/* The web server goes and comes back where it was. */
	async restartFront(meanwhile) {
		const { front } = this;

		await front.stop();
		await meanwhile?.();
		front.guarded = front.spawn();
		await until('the web server', () => answers(front.port));
	}

	/* What `apachectl graceful` does: all processes end, and new ones come. */
	async restartGracefully() {
		const { front } = this;

		const resumed = front.says(/resuming normal operations/);
		front.signal('SIGUSR1');
		await resumed;
	}

	async close() {
		try {
			await this.browser?.close();
		} finally {
			await this.lab.close();
		}
	}
}
