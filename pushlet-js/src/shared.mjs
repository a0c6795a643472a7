/* SPDX-License-Identifier: MIT */
/*
 * shared.mjs - one Link for all tabs of a browser
 *
 * The tabs talk over a BroadcastChannel.  The one that leads has the Link.  It
 * carries out what the others ask for, passes on what it hears, and tells them
 * about the session whenever that changes, so that any of them can go on with
 * it.  Who leads is who holds a lock; where there are no locks (pages without
 * https), who has signed in localStorage, which is to be renewed.
 */
import { after } from './timers.mjs';
import { Link, sendLeave } from './link.mjs';
import { PushletError } from './requests.mjs';

const RENEW = 1000, STALE = 4000;	/* ms; of a signature in localStorage */
const SETTLE = 100;		/* ms; then a signature was not overwritten */
const PRUNE = 5000;		/* ms; for tabs to repeat what they want */

const plainError = ({ message, kind, status, event }) =>
	({ message, kind, status, event });

export class Shared {
	/* The same interface as Link; me: the name of this tab */
	constructor(url, options, sink, me) {
		Object.assign(this, { url, options, sink, me, name: `pushlet:${url}`,
			link: null, session: null, seen: { id: null, last: 0 },
			calls: new Map(), wants: new Map(), others: new Set(), served: new Map(),
			count: 0 });
		this.start();
	}

	start() {
		this.bus = new BroadcastChannel(this.name);
		this.bus.onmessage = ({ data }) => this.hear(data);
		this.post({ type: 'hello' });
		this.elect();
	}

	/* This tab goes, or is put aside with all its state. */
	stop(forGood) {
		const { link } = this;
		if (link)
			this.session = link.session;
		this.post({ type: 'bye', session: link && link.session });
		this.link = null;
		if (link)
			link.abandon();
		if (this.others.size === 0 && forGood && this.session)
			sendLeave(this.url, this.session.id);
		this.resign();
		this.bus.close();
	}

	resume() { this.start(); }

	after(ms, f) { return after(ms, f, this.options.worker); }

	post(message) { this.bus.postMessage({ from: this.me, ...message }); }

	/* ---- who leads ---- */

	elect() {
		let locks;
		this.stopped = new AbortController();
		try {
			({ locks } = navigator);
		} catch (e) { /* a sandbox without them */ }
		if (!locks)
			return this.contend(this.stopped.signal).catch(() => this.lead());
		locks.request(this.name, { signal: this.stopped.signal }, () => {
			this.lead();
			return new Promise((release) => { this.release = release; });
		}).catch(() => {});
	}

	resign() {
		this.stopped.abort();
		if (this.release)
			this.release();
		else if (this.signature()[0] === this.me)
			localStorage.removeItem(this.name);
		this.release = null;
	}

	signature() {
		let text = '';
		try {
			text = localStorage.getItem(this.name) || '';
		} catch (e) { /* not allowed here */ }
		const [who, at = 0] = text.split(' ');
		return [who, Math.abs(Date.now() - Number(at)) < STALE];
	}

	async contend(signal) {
		const pause = (ms) => new Promise((done) => {
			this.hurry = done;
			this.after(ms, done);
		});
		const sign = () => localStorage.setItem(this.name,
			`${this.me} ${Date.now()}`);
		for (; !signal.aborted; await pause(RENEW)) {
			const [who, fresh] = this.signature();
			if (who !== this.me && fresh && this.link)
				this.follow();
			if (who === this.me && this.link)
				sign();
			if (fresh || this.link)
				continue;
			sign();
			await pause(SETTLE * (1 + Math.random()));
			if (this.signature()[0] === this.me && !signal.aborted)
				this.lead();
		}
	}

	lead() {
		const sink = {
			events: (list, id) => {
				this.post({ type: 'events', list, id });
				this.take(list, id);
			},
			tell: (name, detail) => {
				this.post({ type: 'tell', name, detail: name === 'error' ?
					plainError(detail) : detail });
				this.sink.tell(name, detail);
			},
			changed: () => this.announce(),
		};
		const link = this.link = new Link(this.url, this.options, sink);
		if (this.session)
			link.adopt({ ...this.session, last: this.session.id === this.seen.id ?
				this.seen.last : this.session.last });
		this.post({ type: 'lead' });
		for (const [user, spec] of this.wants)
			link.want(user, spec).catch(() => {});
		for (const call of this.calls.values())
			this.carryOut(call.what, call.args).then(call.done, call.fail);
		this.calls.clear();
		this.after(PRUNE, () => {
			if (this.link === link)
				link.prune();
		});
		this.announce();
	}

	/* Two led for a moment: the other one goes on. */
	follow() {
		this.link.abandon();
		this.link = null;
		this.post({ type: 'hello' });
		this.repeat();
	}

	announce() {
		if (!this.link)
			return;
		this.session = this.link.session;
		this.post({ type: 'session', session: this.session });
		this.sink.changed();
	}

	/* ---- what is asked for ---- */

	carryOut(what, args) { return Promise.resolve(this.link[what](...args)); }

	call(what, ...args) {
		if (this.link)
			return this.carryOut(what, args);
		return new Promise((done, fail) => {
			const n = ++this.count;
			this.calls.set(n, { what, args, done, fail });
			this.post({ type: 'call', n, what, args });
		});
	}

	join() { return this.call('join'); }
	publish(...args) { return this.call('publish', ...args); }

	want(user, spec) {
		this.wants.set(user, spec);
		return this.call('want', user, spec);
	}

	unwant(user, spec) {
		this.wants.delete(user);
		return this.call('unwant', user, spec);
	}

	/* The session ends with the last tab that leaves. */
	async leave() {
		for (const [user, spec] of [...this.wants])
			await this.unwant(user, spec);
		this.post({ type: 'bye' });
		if (this.link && this.others.size === 0)
			await this.link.leave();
	}

	wake(restart) {
		if (this.link)
			this.link.wake(restart);
	}

	/* ---- what is heard ---- */

	hear(message) {
		const { from } = message;
		if (message.type !== 'bye')
			this.others.add(from);
		({
			hello: () => this.greet(),
			here: () => {},
			lead: () => this.repeat(),
			bye: () => this.gone(from, message.session),
			call: () => this.serve(message),
			answer: () => message.to === this.me && this.settle(message),
			events: () => this.take(message.list, message.id),
			tell: () => this.told(message),
			session: () => this.learn(message.session),
		})[message.type]();
	}

	greet() {
		this.post({ type: 'here' });
		this.announce();
	}

	/* A new leader must know what we are waiting for. */
	repeat() {
		this.post({ type: 'here' });
		for (const [user, spec] of this.wants)
			this.post({ type: 'call', n: 0, what: 'want', args: [user, spec] });
		for (const [n, { what, args }] of this.calls)
			this.post({ type: 'call', n, what, args });
	}

	async serve({ from, n, what, args }) {
		if (!this.link || n && n <= (this.served.get(from) || 0))
			return;
		this.served.set(from, Math.max(n, this.served.get(from) || 0));
		const answer = { type: 'answer', to: from, n };
		try {
			this.post({ ...answer, value: await this.carryOut(what, args) });
		} catch (error) {
			this.post({ ...answer, error: plainError(error) });
		}
	}

	settle({ n, value, error }) {
		const call = this.calls.get(n);
		this.calls.delete(n);
		if (call && error)
			call.fail(new PushletError(error.message, error.kind, error));
		else if (call)
			call.done(value);
	}

	/* What both a leader and its follower passed on counts once. */
	take(list, id) {
		const fresh = list.filter((e) => !(Number(e.p_eid) <= this.seen.last)
			|| id !== this.seen.id);
		if (fresh.length === 0)
			return;
		this.seen = { id, last: Number(fresh[fresh.length - 1].p_eid)
			|| this.seen.last };
		this.sink.events(fresh, id);
	}

	told({ name, detail }) {
		if (!this.link)
			this.sink.tell(name, name === 'error' ?
				new PushletError(detail.message, detail.kind, detail) : detail);
	}

	learn(session) {
		if (this.link)
			return;
		this.session = session;
		if (session.id !== this.seen.id)
			this.seen = { id: session.id, last: session.last };
		this.sink.changed();
	}

	gone(tab, session) {
		this.others.delete(tab);
		if (this.link)
			this.link.dropTab(tab);
		else if (session)
			this.learn(session);
		if (session && this.hurry)
			this.hurry();
	}
}
