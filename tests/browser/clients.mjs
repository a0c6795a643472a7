// SPDX-License-Identifier: MIT
//
// clients.mjs - the three libraries for pages, spoken to in one language
//
//	for (const { mode, open } of LIBRARIES['pushlet.js']) ...
//	const ann = await open(tabs);		joined and live
//	const handle = await ann.subscribe('/a', 'label');
//	await ann.publish('/a', { n: '1' });
//	const events = await ann.heard(1);	all so far, once there are so many
//
// Values are strings, called text, n, a or b: the old pages keep no others.

import assert from 'node:assert/strict';

/* What they have in common: a page and what it was given. */
class Client {
	constructor(tabs, page, mode) { Object.assign(this, { tabs, page, mode }); }

	run(f, arg) { return this.page.evaluate(f, arg); }

	/* f: runs in the page, until it returns something true */
	until(f, arg) { return this.page.waitForFunction(f, arg, { polling: 20 }); }

	async heard(n) {
		const reached = `${this.list}.length >= ${n}`;

		await this.until(reached).catch(async (error) => {
			throw new Error(`${n} events: ${error.message} ${
				JSON.stringify(await this.run(this.list))}`);
		});
		return this.run(this.list);
	}

	/* What it has heard, and is to hear no more of, is forgotten. */
	async fresh() { await this.run(`${this.list}.length = 0`); }

	close() { return this.page.close(); }
}

class NewPage extends Client {
	list = 'heard';

	static async open(tabs, mode) {
		const client = new NewPage(tabs, await tabs.page('tab.html'), mode);

		await client.run((transport) => {
			window.heard = [];
			window.rejoins = 0;
			start('pushlet.srv', { transports: [transport] });
			p.on('data', (e) => heard.push(e));
			p.on('rejoin', () => { rejoins++; });
		}, mode);
		await client.join();
		return client;
	}

	async join() {
		await this.run(() => p.join());
		await this.until(() => p.state === 'live');
		assert.equal(await this.run(() => p.transport), this.mode);
	}

	subscribe(subject, label) {
		return this.run(async ([s, l]) => {
			const n = subscribe(s, { label: l });
			await boxes[n].sub.ready;
			return n;
		}, [subject, label]);
	}

	unsubscribe(n) { return this.run((i) => boxes[i].sub.unsubscribe(), n); }

	publish(subject, values) {
		return this.run(([s, v]) => p.publish(s, v).then(() => {}),
			[subject, values]);
	}

	leave() { return this.run(() => p.leave()); }
	get id() { return this.run(() => p.id); }
	away() { return this.until(() => p.state === 'reconnecting'); }

	async rejoined() {
		await this.until(() => rejoins === 1 && p.state === 'live');
	}
}

/* The events of callbacks, acknowledgements among them, are kept as events. */
class OldPage extends Client {
	list = 'events.filter((e) => e.p_event === "data")';

	static async open(tabs, mode, name) {
		const client = new this(tabs, await tabs.page(name), mode);

		await client.run(() => {
			window.states = [];
			window.rejoins = 0;
			window.onConnection = (e) => states.push(e.get('p_state'));
			window.onRejoin = () => { rejoins++; };
		});
		await client.join();
		return client;
	}

	/* Calls a function with these, and returns the answer it is to have. */
	async ask(f, args, answer) {
		const from = await this.run('events.length');

		await this.run(f, args);
		const found = await this.until(([i, type]) => events.slice(i)
			.find((e) => e.p_event === type), [from, answer]);
		return found.jsonValue();
	}

	/* A channel cannot be opened without a subject. */
	async join() {
		const ack = await this.ask(this.listen, this.mode, 'join-listen-ack');

		assert.equal(ack.p_mode, this.mode);
		await this.until(() => states[states.length - 1] === 'live');
	}

	async subscribe(subject, label) {
		const ack = await this.ask(([s, l]) => p_subscribe(s, l),
			[subject, label], 'subscribe-ack');

		return ack.p_sid;
	}

	unsubscribe(sid) {
		return this.ask((s) => p_unsubscribe(s), sid, 'unsubscribe-ack');
	}

	publish(subject, values) {
		return this.run((list) => p_publish(...list),
			[subject, ...Object.entries(values).flat()]);
	}

	leave() { return this.ask(() => p_leave(), null, 'leave-ack'); }
	fresh() { return this.run('events.length = 0'); }

	away() {
		return this.until(() => states[states.length - 1] === 'reconnecting');
	}

	async rejoined() {
		await this.until(() => rejoins === 1
			&& states[states.length - 1] === 'live');
	}
}

class AjaxPage extends OldPage {
	static open(tabs, mode) { return super.open(tabs, mode, 'legacy.html'); }
	listen(mode) { PL.joinListen('/nothing', mode); }
	get id() { return this.run(() => PL.sessionId); }
}

class FramePage extends OldPage {
	static open(tabs, mode) { return super.open(tabs, mode, 'frame.html'); }
	listen(mode) { p_join_listen('/nothing', mode); }
	get id() { return this.run(() => p_getSessionId()); }
}

const ways = (Page, ...modes) => modes.map((mode) =>
	({ mode, open: (tabs) => Page.open(tabs, mode) }));

export const LIBRARIES = {
	'pushlet.js': ways(NewPage, 'sse', 'stream', 'pull', 'poll', 'script'),
	'ajax-pushlet-client.js': ways(AjaxPage, 'stream', 'pull', 'poll'),
	'js-pushlet-client.js': ways(FramePage, 'stream', 'pull', 'poll'),
};
