/* SPDX-License-Identifier: MIT */
/*
 * pushlet.mjs - what a page sees: subscriptions and callbacks
 */
import { after } from './timers.mjs';
import { keyOf, Link } from './link.mjs';
import { Shared } from './shared.mjs';
import { PushletError } from './requests.mjs';

const BUDGET = 8;		/* ms of a frame for batched callbacks */
const FRAME_MAX = 250;		/* ms; hidden pages have no animation frames */
const BATCH_MAX = 1000;		/* events in one call of onBatch */

/* The first of them send the session's id in the body; sse and script have
 * nowhere to put it but the URL, which gets into logs. */
const DEFAULTS = { transports: ['stream', 'sse', 'pull', 'poll', 'script'],
	reliable: true, shared: false, batch: false, patience: 5000,
	silence: 60000, worker: true, credentials: false };

/* A mistake of the page's own must not stop what it is called from. */
function guarded(f, ...args) {
	try {
		f(...args);
	} catch (e) {
		setTimeout(() => { throw e; });
	}
}

function randomName() {
	return [...crypto.getRandomValues(new Uint32Array(3))]
		.map((n) => n.toString(36)).join('');
}

/** One subject, or several with commas between, and who is to hear of them. */
class Subscription {
	constructor(pushlet, user, subject, callback, options) {
		Object.assign(this, { pushlet, user, subject, callback,
			onBatch: options.onBatch, label: options.label });
		this.prefixes = subject.split(',').map((s) => s.trim()).filter(Boolean);
		this.spec = { subject, label: options.label, last: options.last,
			own: options.last ? user : undefined };
		this.key = keyOf(this.spec);
		this.had = [];		/* the last ones, if there may be a replay */
		this.active = true;
	}

	unsubscribe() { return this.pushlet.unsubscribe(this); }

	/* After a rejoin the server sends the last events again: is this one that
	 * we had?  Equal ones are counted. */
	knows(e) {
		if (!this.spec.last)
			return false;
		const { p_sid, p_label, p_seq, p_eid, p_lost, p_history, ...rest } = e;
		const key = JSON.stringify(rest);
		if (p_history && p_sid !== this.replay)
			Object.assign(this, { replay: p_sid, again: [...this.had] });
		if (p_history && this.again.includes(key)) {
			this.again.splice(this.again.indexOf(key), 1);
			return true;
		}
		this.had.push(key);
		this.had.splice(0, this.had.length - this.spec.last);
		return false;
	}
}

export class Pushlet {
	#wire;
	#subs = new Set();
	#handlers = new Map();
	#pending = [];
	#scheduled = false;
	#me = randomName();
	#count = 0;
	#options;
	#quit = [];
	#sids = null;		/* p_sid -> spec, when it is needed */

	/**
	 * @param {string} url of pushlet.srv
	 * @param {object} options see pushlet.d.ts
	 */
	constructor(url = '/pushlet/pushlet.srv', options = {}) {
		const wrong = Object.keys(options).find((name) => !(name in DEFAULTS));
		if (wrong)
			throw new TypeError(`Pushlet has no option '${wrong}'; it has `
				+ Object.keys(DEFAULTS).join(', '));
		this.#options = { ...DEFAULTS, ...options };
		const unknown = this.#options.transports.find((t) =>
			!DEFAULTS.transports.includes(t));
		if (unknown !== undefined || this.#options.transports.length === 0)
			throw new TypeError(`unknown transport '${unknown}'; there are `
				+ DEFAULTS.transports.join(', '));
		this.url = new URL(url, document.baseURI).href;
		this.#connect();
		this.#watchPage();
	}

	#connect() {
		const sink = {
			events: (list) => list.forEach((e) => this.#dispatch(e)),
			tell: (name, detail) => this.#tell(name, detail),
			changed: () => { this.#sids = null; },
		};
		const sharing = this.#options.shared
			&& typeof BroadcastChannel !== 'undefined';
		this.#wire = sharing ? new Shared(this.url, this.#options, sink, this.#me)
			: new Link(this.url, this.#options, sink);
	}

	/* The browser tells when the network is back, when the page is seen
	 * again, and when it goes or is put aside. */
	#watchPage() {
		const on = (target, type, f) => {
			target.addEventListener(type, f);
			this.#quit.push(() => target.removeEventListener(type, f));
		};
		on(window, 'online', () => this.#wire.wake(true));
		on(document, 'visibilitychange', () => {
			if (!document.hidden)
				this.#wire.wake(false);
		});
		on(window, 'pagehide', (e) => this.#wire.stop(!e.persisted));
		on(window, 'pageshow', (e) => {
			if (e.persisted)
				this.#wire.resume();
		});
	}

	#session() { return this.#wire.session || { subs: [] }; }

	/** closed, connecting, live or reconnecting */
	get state() { return this.#session().state || 'closed'; }

	/** stream, sse, pull, poll or script; undefined before it is known */
	get transport() { return this.#session().transport; }

	/** The session's id on the server, or null. */
	get id() { return this.#session().id || null; }

	/** Joins, and opens the data channel, now. */
	join() { return this.#wire.join(); }

	/**
	 * @param {string} subject
	 * @param {(event: object) => void} [callback]
	 * @param {{label?: string, last?: number, onBatch?: Function}} [options]
	 */
	subscribe(subject, callback, options = {}) {
		if (callback && typeof callback === 'object')
			return this.subscribe(subject, undefined, callback);
		if (typeof subject !== 'string' || !subject.startsWith('/'))
			throw new TypeError(`a subject begins with '/', unlike '${subject}'`);
		const sub = new Subscription(this, `${this.#me}.${++this.#count}`,
			subject, callback, options);
		this.#subs.add(sub);
		sub.ready = this.#wire.want(sub.user, sub.spec).then(() => sub);
		sub.ready.catch((error) => {
			this.#subs.delete(sub);
			this.#tell('error', error);
		});
		return sub;
	}

	async unsubscribe(sub) {
		sub.active = false;
		if (this.#subs.delete(sub))
			await this.#wire.unwant(sub.user, sub.spec);
	}

	/**
	 * @param {string} subject
	 * @param {object} [values] undefined and null are left out
	 * @param {{to?: string}} [options] to: the id or handle of one session
	 */
	publish(subject, values = {}, { to } = {}) {
		const given = Object.entries(values).filter(([, value]) =>
			value !== undefined && value !== null);
		return this.#wire.publish(subject, Object.fromEntries(
			given.map(([name, value]) => [name, String(value)])), to,
			`${this.#me}.${++this.#count}`);
	}

	/** Ends the session; a later call of another method starts a new one. */
	async leave() {
		for (const sub of this.#subs)
			sub.active = false;
		this.#subs.clear();
		await this.#wire.leave();
	}

	/** Leaves, and frees everything. */
	async close() {
		await this.leave();
		this.#quit.splice(0).forEach((f) => f());
		this.#wire.stop(true);
	}

	/** Returns a function that takes the handler away again. */
	on(name, handler) {
		if (!this.#handlers.has(name))
			this.#handlers.set(name, new Set());
		this.#handlers.get(name).add(handler);
		return () => this.off(name, handler);
	}

	off(name, handler) {
		if (this.#handlers.has(name))
			this.#handlers.get(name).delete(handler);
	}

	#tell(name, detail) {
		for (const handler of [...(this.#handlers.get(name) || [])])
			guarded(handler, detail);
	}

	/* The server sends an event once, with the p_sid of one subscription; all
	 * others that it matches are served here. */
	#dispatch(e) {
		this.#sids = this.#sids || new Map(this.#session().subs
			.map(([spec, sid]) => [sid, spec]));
		const found = this.#sids.get(e.p_sid);
		for (const sub of [...this.#subs]) {
			const named = found && keyOf(found) === sub.key;
			const matches = !named && sub.prefixes.some((p) => e.p_subject.startsWith(p));
			if (named ? sub.knows(e) : !matches || (e.p_history && found)
					|| sub.knows(e))
				continue;
			if (named)
				this.#deliver(sub, e);
			else
				this.#deliver(sub, this.#relabelled(e, sub));
		}
		this.#tell('data', e);
	}

	#relabelled(e, sub) {
		const { p_label, ...rest } = e;
		return sub.label === undefined ? rest : { ...rest, p_label: sub.label };
	}

	#deliver(sub, e) {
		if (!sub.onBatch && !this.#options.batch)
			return sub.callback && guarded(sub.callback, e);
		this.#pending.push([sub, e]);
		this.#schedule();
	}

	#schedule() {
		if (this.#scheduled)
			return;
		this.#scheduled = true;
		let done = false;
		const flush = () => {
			if (!done)
				this.#flush();
			done = true;
		};
		if (!document.hidden)
			requestAnimationFrame(flush);
		after(FRAME_MAX, flush, this.#options.worker);
	}

	/* In order, and no longer than a frame can bear: the rest comes next. */
	#flush() {
		const end = performance.now() + BUDGET;
		const list = this.#pending;
		let i = 0;
		this.#scheduled = false;
		while (i < list.length && performance.now() < end) {
			const [sub, e] = list[i++];
			const batch = [e];
			while (sub.onBatch && i < list.length && list[i][0] === sub
			    && batch.length < BATCH_MAX)
				batch.push(list[i++][1]);
			if (sub.active && sub.onBatch)
				guarded(sub.onBatch, batch);
			else if (sub.active && sub.callback)
				guarded(sub.callback, e);
		}
		list.splice(0, i);
		if (this.#pending.length > 0)
			this.#schedule();
	}
}
