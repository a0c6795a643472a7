/* SPDX-License-Identifier: MIT */
/*
 * link.mjs - one session on the server, whatever happens
 *
 * Commands wait in a queue and are sent one at a time, in order.  Events come
 * over the data channel, which is a loop of requests by one of the transports.
 * Events have a number (p_eid).  What arrived is acknowledged by it, what was
 * not acknowledged is sent again, what arrives twice is dropped here.
 */
import { cancel } from './timers.mjs';
import { Commands } from './commands.mjs';
import { addressFor, byFetch, byScript, bySource } from './requests.mjs';
import { PushletError, statusError } from './requests.mjs';

const ACK_EVENTS = 48, ACK_AGE = 4000;	/* acknowledge a stream at the latest */
const MISSES_MAX = 3;		/* then another transport is tried */
const TICK = 1000, SLEPT = 15000;	/* ms; a tick so late: we were asleep */
const BETTER = 30000;		/* ms; then the mode we wanted is asked for again */
const MODES = { sse: 'stream', stream: 'stream', pull: 'pull', poll: 'poll',
	script: 'pull' };

export const keyOf = (spec) => JSON.stringify([spec.subject, spec.label, spec.own]);

/* For pages that are about to go. */
export function sendLeave(url, id) {
	if (id)
		navigator.sendBeacon(addressFor(url, id), new URLSearchParams(
			{ p_event: 'leave', p_id: id }));
}

/* sink: { events(list), tell(name, detail), changed() } */
export class Link extends Commands {
	constructor(url, options, sink) {
		super(url, options);
		Object.assign(this, { sink, subs: new Map(), channel: null,
			listened: null, at: 0, better: null, given: null, failures: 0,
			misses: 0, wanted: false,
			rejoining: false, epoch: 0, state: 'closed', since: Date.now() });
		const able = { sse: typeof EventSource !== 'undefined'
			&& options.reliable, script: typeof document !== 'undefined' };
		this.list = options.transports.filter((t) => able[t] !== false);
		this.ways = this.list.filter((t) => t !== 'script');
		this.script = this.ways.length === 0;
	}

	get transport() { return this.script ? 'script' : this.ways[this.at]; }
	get mode() { return MODES[this.transport]; }

	/* What a tab needs to go on with this session. */
	get session() {
		return { id: this.id, last: this.last, script: this.script,
			at: this.at, state: this.state, wanted: this.wanted,
			transport: this.transport,
			subs: [...this.subs].map(([, s]) => [s.spec, s.sid]) };
	}

	adopt({ subs, transport, ...rest }) {
		Object.assign(this, rest, { acked: rest.last });
		for (const [spec, sid] of subs)
			if (sid)
				this.subs.set(keyOf(spec), { spec, sid,
					users: new Set(), ready: Promise.resolve() });
		if (this.id)
			this.begin();
	}

	/* Subscriptions of the former leader that no tab has asked for again. */
	prune() {
		for (const sub of [...this.subs.values()])
			if (sub.users.size === 0)
				this.unwant(null, sub.spec);
	}

	/* restart: distrust the connection as well */
	wake(restart) {
		super.wake();
		if (restart && this.channel && this.channel.request) {
			this.channel.again = true;
			this.channel.request.abort();
		}
	}

	become(state, reason) {
		const before = this.state, now = Date.now();
		if (state === before)
			return;
		this.state = state;
		this.sink.changed();	/* first: handlers look at it */
		if (before === 'live')
			this.sink.tell('close', { reason, final: state === 'closed' });
		this.sink.tell('state', { state, transport: this.transport });
		if (state === 'live')
			this.sink.tell(before === 'reconnecting' ? 'reconnect' : 'open',
				{ transport: this.transport, p_id: this.id,
					ms: now - this.since });
		this.since = now;
	}

	trouble(error) {
		this.become(this.state === 'live' || this.state === 'reconnecting' ?
			'reconnecting' : 'connecting', error.message);
	}

	/* ---- commands ---- */

	join() {
		this.wanted = true;
		if (this.id)
			this.listen();
		return this.send('hb').then(() => ({ p_id: this.id }));
	}

	/* key: by which the server knows it when it comes again, because the
	 * answer was lost */
	publish(subject, values, to, key) {
		return this.send('publish', () => ({ ...values, p_subject: subject,
			p_key: key, ...(to ? { p_to: to } : {}) }));
	}

	want(user, spec) {
		const key = keyOf(spec);
		const sub = this.subs.get(key) || { spec, users: new Set(), sid: null };
		sub.users.add(user);
		this.wanted = true;
		if (this.id)
			this.listen();
		if (!this.subs.has(key)) {
			this.subs.set(key, sub);
			sub.ready = this.send('subscribe', () => this.subscription(spec))
				.then((ack) => this.confirm(sub, ack), (error) => {
					this.subs.delete(key);
					throw error;
				});
		}
		return sub.ready;
	}

	subscription({ subject, label, last }) {
		return { p_subject: subject, ...(label === undefined ? {} :
			{ p_label: label }), ...(last ? { p_last: last } : {}) };
	}

	confirm(sub, ack) {
		sub.sid = ack.p_sid;
		this.sink.changed();
	}

	async unwant(user, spec) {
		const sub = this.subs.get(keyOf(spec));
		if (!sub)
			return;
		sub.users.delete(user);
		if (sub.users.size > 0)
			return;
		this.subs.delete(keyOf(spec));
		await this.send('unsubscribe', () => ({ p_sid: sub.sid }))
			.catch((error) => this.sink.tell('error', error));
		this.sink.changed();
	}

	/* A user is tab.number. */
	dropTab(tab) {
		for (const { spec, users } of [...this.subs.values()])
			for (const user of [...users])
				if (user.startsWith(`${tab}.`))
					this.unwant(user, spec);
	}

	async leave() {
		this.wanted = false;
		this.hangUp();
		if (this.id)
			await this.send('leave', undefined, true).catch(() => {});
		this.close('left');
	}

	/* Everything ends here. */
	close(reason) {
		const lost = this.queue.splice(0);
		this.abandon();
		this.subs.clear();
		this.become('closed', reason);
		for (const { fail } of lost)
			fail(new PushletError(`not sent: ${reason}`));
	}

	/* Stops, without a word to anybody. */
	abandon() {
		this.forget();
		this.epoch++;
		this.queue.length = 0;
		cancel(this.tick);
		this.wake();
	}

	/* The page goes, for good or to come back as it was. */
	stop(forGood) {
		const { id } = this;
		if (forGood) {
			this.abandon();
			sendLeave(this.url, id);
			return;
		}
		cancel(this.tick);
		this.hangUp();
	}

	resume() {
		if (this.id)
			this.begin();
	}

	/* Joins, with all subscriptions there were. */
	async enter() {
		const { epoch } = this;
		if (this.state === 'closed')
			this.become('connecting');
		const { p_id } = await this.askJoin().catch((error) => {
			if (!error.network || this.script || this.home()
			    || !this.list.includes('script'))
				throw error;
			this.script = true;	/* and not for good, if that fails */
			return this.askJoin().catch((e) => {
				this.script = false;
				throw e;
			});
		});
		if (epoch !== this.epoch)
			throw new PushletError('closed meanwhile');
		Object.assign(this, { id: p_id, last: 0, acked: 0, listened: null });
		try {
			for (const sub of [...this.subs.values()].filter((x) => x.sid))
				await this.renew(sub);
		} catch (error) {
			this.id = null;
			throw error;
		}
		this.sink.changed();
		if (this.rejoining)
			this.sink.tell('rejoin', { p_id });
		this.rejoining = false;
		if (!this.wanted)
			this.become('live');
		this.begin();
	}

	/* An established subscription, in a new session. */
	async renew(sub) {
		const ack = await this.ask('subscribe', this.subscription(sub.spec))
			.catch((error) => {
				if (error.kind !== 'refused')
					throw error;
				this.subs.delete(keyOf(sub.spec));
				this.sink.tell('error', error);
			});
		sub.sid = ack ? ack.p_sid : sub.sid;
	}

	askJoin() {
		const sse = !this.script && this.ways.includes('sse');
		return this.ask('join', { p_format: sse ? 'sse' : 'json',
			...(this.options.reliable && { p_reliable: 1 }) });
	}

	home() { return new URL(this.url).origin === location.origin; }

	/* ---- the data channel ---- */

	begin() {
		cancel(this.tick);
		this.ticked = this.heard = this.ackedAt = Date.now();
		this.tick = this.after(TICK, () => this.onTick());
		this.listen();
	}

	onTick() {
		const now = Date.now(), slept = now - this.ticked > SLEPT;
		this.ticked = now;
		this.tick = this.after(TICK, () => this.onTick());
		if (slept || (this.channel && this.channel.open
		    && now - this.heard > this.options.silence)) {
			this.heard = now;
			this.wake(true);
		} else if (this.acked === this.last) {
			this.ackedAt = now;
		} else if (now - this.ackedAt > ACK_AGE && this.mode === 'stream') {
			this.ackedAt = now;
			this.hb();
		}
	}

	/* again: the page still wants one, with the same subscriptions */
	forget(again = false) {
		this.id = null;
		this.rejoining = again;
		this.hangUp();
	}

	hangUp() {
		if (this.channel && this.channel.request)
			this.channel.request.abort();
		this.channel = null;
	}

	async listen() {
		if (this.channel || !this.id || !this.wanted)
			return;
		const run = this.channel = { again: false, open: false };
		while (this.channel === run) {
			let wait = 0;
			try {
				wait = await this.round(run);
			} catch (error) {
				if (this.channel !== run)
					return;
				wait = this.failed(run, error);
			}
			if (this.channel === run && wait > 0)
				await this.pause(wait);
		}
	}

	/* After a round that failed: how long to wait, in milliseconds. */
	failed(run, error) {
		if (run.again) {
			run.again = false;
			return 0;
		}
		if (error.kind === 'gone') {
			this.forget(true);
			this.trouble(error);
			this.hb();
			return 0;
		}
		if (error.kind === 'refused') {
			this.listened = null;
			this.sink.tell('error', error);
		}
		this.trouble(error);
		this.failures++;
		/* Who is told that he asks too often has a way to the server, and
		 * a probe would take the turn that the next try is to have. */
		if (!run.open && error.status !== 429)
			this.suspect(run);
		return this.waitAfter(error, this.failures);
	}

	/* Does the server answer a command, at once, and know us? */
	async probe(run) {
		try {
			await this.ask('hb', {});
			return this.channel === run;
		} catch (error) {
			if (error.kind === 'gone' && this.channel === run) {
				this.forget(true);
				this.hb();
			}
			return false;
		}
	}

	/* A request brought nothing: is it the way, or the server? */
	async suspect(run) {
		if (run.suspected)
			return;
		run.suspected = true;
		if (await this.probe(run) && !run.open) {
			if (++this.misses >= MISSES_MAX)
				this.fallBack(`${MISSES_MAX} requests brought nothing`);
			else
				this.wake();
		}
		run.suspected = false;
	}

	/* buffered: no stream will do any better */
	fallBack(reason, buffered) {
		let at = this.at + 1;
		while (buffered && MODES[this.ways[at]] === 'stream')
			at++;
		this.misses = 0;
		if (this.script || at >= this.ways.length)
			return;
		this.better = null;
		this.at = at;
		this.listened = null;
		this.sink.tell('fallback', { transport: this.transport, reason });
		this.sink.changed();
		this.wake(true);
	}

	/* A stream begins with two events.  When commands are answered and those
	 * do not come, somebody on the way keeps them back. */
	patience(run, request) {
		const silent = () => !run.open && run.request === request;
		return this.after(this.options.patience, async () => {
			if (silent() && await this.probe(run) && silent())
				this.fallBack('streams are held back', true);
		});
	}

	/* One data request; how long to wait before the next one. */
	async round(run) {
		const request = run.request = new AbortController();
		this.upgrade();
		const { transport, mode } = this;
		const listen = mode === 'stream' || this.listened !== mode;
		const how = { sse: bySource, script: byScript }[transport] || byFetch;
		let end = null;
		run.open = false;
		this.heard = Date.now();
		const timer = mode === 'stream' && this.patience(run, request);
		try {
			await how(this, { p_event: listen ? 'listen' : 'refresh',
				p_id: this.id, ...(listen && { p_mode: mode }),
				...(this.options.reliable &&
					{ p_ack: this.last }) },
			(e) => {
				if (this.channel !== run || run.request !== request)
					return true;
				end = this.take(run, e, mode) || end;
				return Boolean(end);
			}, request.signal);
		} finally {
			cancel(timer);
			if (run.request === request)
				run.request = null;
		}
		if (end && end.p_event === 'refresh')
			return listen && mode !== 'stream' ? 0 : Number(end.p_wait) || 0;
		if (end && end.p_status)
			throw statusError(Number(end.p_status), end.p_reason);
		throw end ? new PushletError(end.p_reason || 'aborted',
			end.p_event === 'abort' ? 'gone' : 'refused') :
			new PushletError('the response was cut short', 'retry');
	}

	/* Returns an event that ends the response. */
	take(run, e, mode) {
		const last = /^(refresh|abort|nack)$/.test(e.p_event) ? e : null;
		this.heard = Date.now();
		if (!run.open && e.p_event !== 'nack' && e.p_event !== 'abort') {
			run.open = true;
			this.failures = this.misses = 0;
			this.become('live');
		}
		if (e.p_event === 'listen-ack') {
			this.listened = e.p_mode;
			if (e.p_mode !== mode)
				this.degrade(e.p_mode);
			else if (mode === 'stream')
				this.given = null;
		} else if (e.p_event === 'data') {
			this.data(e);
		}
		return last;
	}

	/* The server has given us another mode than we asked for: all of its
	 * slots may be taken, and free again later. */
	degrade(mode) {
		const at = this.ways.findIndex((t) => MODES[t] === mode);
		if (this.script)
			return;
		this.better = { at: this.at, due: Date.now() + BETTER };
		this.at = at >= 0 ? at : this.ways.push(mode) - 1;
		if (this.given !== mode)
			this.sink.tell('fallback', { transport: this.transport,
				reason: `the server wants ${mode}` });
		this.given = mode;
	}

	/* Is it time to ask for the mode that was not to be had? */
	upgrade() {
		if (!this.better || Date.now() < this.better.due)
			return;
		this.at = this.better.at;
		this.better = this.listened = null;
	}

	data(e) {
		const eid = Number(e.p_eid);
		const lost = eid ? eid - this.last - 1 : Number(e.p_lost) || 0;
		if (eid && eid <= this.last)
			return;
		if (lost > 0)
			this.sink.tell('gap', { lost, p_eid: e.p_eid });
		this.last = eid || this.last;
		this.sink.events([e], this.id);
		if (this.mode === 'stream' && this.last - this.acked >= ACK_EVENTS)
			this.hb();
	}
}
