// SPDX-License-Identifier: MIT
//
// site.mjs - pages of pushlet-js in a browser, against a private server
//
//	const site = await Site.open({ props, front });
//	after(() => site.close());
//	const page = await site.page('examples/chat.html');
//	const legacy = await site.legacyPage();
//	const frame = await site.framePage();	the same with js-pushlet-client.js
//
// pushlet.srv, metrics and health are answered by the web server of a Place; all
// other paths come from the files of pushlet-js.

import assert from 'node:assert/strict';
import { file } from './files.mjs';
import { Place } from './place.mjs';

export class Site extends Place {
	prepare() { this.url = this.front.url; }

	async #serve(route, { embed, refuse }) {
		const url = route.request().url();

		if (refuse?.(url))
			return route.fulfill({ status: 502, body: 'Bad gateway' });
		if (/\/(pushlet\.srv|metrics|health)$/.test(new URL(url).pathname))
			return route.continue();
		const { type, body } = file(url, embed);
		return route.fulfill({ contentType: type, body });
	}

	/* A file of pushlet-js in a browser window of its own.  options: those of
	 * playwright's newContext, refuse (which URLs get a 502), embed (what the
	 * frame page gives p_embed) */
	page(path, { embed, refuse, ...options } = {}) {
		return this.browser.page(new URL(path, this.url).href, {
			...options,
			prepare: (page) => this.attend(page, { embed, refuse }),
		});
	}

	/* Answers for the files that the windows of this page's context want. */
	attend(page, { embed, refuse } = {}) {
		return page.context().route('**/*',
			(route) => this.#serve(route, { embed, refuse }));
	}

	/* No more: what a page sends as it goes is lost to us on the way. */
	release(page) { return page.context().unrouteAll(); }

	async legacyPage() {
		return new Legacy(await this.page('legacy.html'));
	}

	async framePage(options) {
		return new Legacy(await this.page('frame.html', options));
	}
}

/* An old page, seen from a test. */
export class Legacy {
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
