/* SPDX-License-Identifier: MIT */
/*
 * pushlet.mjs - Pushlet client for new pages
 *
 * import { Pushlet } from './pushlet.mjs';
 *	const p = new Pushlet('/pushlet/pushlet.srv');
 *	const sub = p.subscribe('/stocks', (e) => show(e.symbol, e.price));
 *	await p.publish('/chat', { text: 'hello' });
 *	p.on('state', ({ state }) => { light.className = state; });
 *
 * pushlet.d.ts says what there is.  Made of src/ by build-aux/pushlet-js.
 */

/* -- timers -- */
/*
 * timers that also ring in hidden tabs
 *
 * Browsers slow the timers of hidden tabs down, but not those of workers.  Each
 * timer runs in both places, and the first that rings counts: a page may forbid
 * workers.
 */

const timers = new Map();
let lastTimer = 0, ticker;

function ring(id) {
	const timer = timers.get(id);
	cancel(id);
	if (timer)
		timer.f();
}

function cancel(id) {
	if (timers.has(id))
		clearTimeout(timers.get(id).timeout);
	timers.delete(id);
}

function startTicker() {
	const code = 'onmessage=e=>{setTimeout(()=>postMessage(e.data[0]),e.data[1])}';
	try {
		ticker = new Worker(URL.createObjectURL(
			new Blob([code], { type: 'text/javascript' })));
		ticker.onmessage = (e) => ring(e.data);
		ticker.onerror = (e) => { e.preventDefault(); ticker = null; };
	} catch (e) {
		ticker = null;
	}
}

function after(ms, f, useWorker) {
	const id = ++lastTimer;
	timers.set(id, { f, timeout: setTimeout(ring, ms, id) });
	if (useWorker && ticker === undefined)
		startTicker();
	if (useWorker && ticker)
		ticker.postMessage([id, ms]);
	return id;
}

/* -- requests -- */
/*
 * one request to the server, in three ways
 *
 * Each takes the fields of a request, calls each() with every event as soon as
 * it is here, and is fulfilled at the end of the response.
 */

const SCRIPT_MAX = 6000;	/* characters in the address of a script */

/* kind: retry (may work later), gone (no such session) or refused */
class PushletError extends Error {
	constructor(message, kind = 'refused', more = {}) {
		super(message);
		this.name = 'PushletError';
		Object.assign(this, { kind }, more);
	}
}

/* The next whole event in a text of json or of sse: values are strings. */
const EVENT = /[^{]*(\{(?:"[^"\\]*(?:\\.[^"\\]*)*"[:,]?)*\})/gy;

/* Takes the whole events from the front of text; returns what is left. */
function takeEvents(text, each) {
	let end = 0;
	for (const found of text.matchAll(EVENT)) {
		end = found.index + found[0].length;
		each(JSON.parse(found[1]));
	}
	return text.slice(end);
}

/* An error may be an event, too, which says why. */
function reasonIn(type, text) {
	let reason = text;
	if (/json|event-stream/.test(type))
		takeEvents(text, (e) => { reason = e.p_reason || reason; });
	return reason;
}

function statusError(status, text) {
	const kind = status === 400 && /expired id/i.test(text) ? 'gone' :
		status >= 500 || status === 408 || status === 429 ? 'retry' :
		'refused';
	return new PushletError(`HTTP ${status} ${text.trim().slice(0, 200)}`,
		kind, { status });
}

/* The address for a request with a body.  A web server in front of several
 * nodes does not see the id in there; its first part says whose it is. */
function addressFor(url, id) {
	const node = /^[a-z0-9]+(?=-)/.exec(id || '');
	return node ? `${url}${/\?/.test(url) ? '&' : '?'}p_node=${node}` : url;
}

async function byFetch(link, fields, each, signal) {
	const cut = (e) => { throw new PushletError(e.message, 'retry',
		{ network: true }); };
	const response = await fetch(addressFor(link.url, fields.p_id), {
		method: 'POST', signal, body: new URLSearchParams(fields),
		cache: 'no-store', credentials: link.options.credentials ? 'include' : 'same-origin',
	}).catch(cut);
	const type = response.headers.get('Content-Type') || '';
	if (response.status !== 200)
		throw statusError(response.status,
			reasonIn(type, await response.text().catch(cut)));
	if (!/json|event-stream/.test(type))
		throw new PushletError(`${link.url} answers with ${type || 'no type'}`,
			'retry');
	const reader = response.body.getReader(), decoder = new TextDecoder();
	for (let rest = ''; ;) {
		const { done, value } = await reader.read().catch(cut);
		if (done)
			return;
		rest = takeEvents(rest + decoder.decode(value, { stream: true }),
			each);
	}
}

/* each() returns true when the server is about to end the stream: a source
 * would come back at once, with its old address. */
function bySource(link, fields, each, signal) {
	return new Promise((done, fail) => {
		const source = new EventSource(
			`${link.url}${link.glue}${new URLSearchParams(fields)}`,
			{ withCredentials: Boolean(link.options.credentials) });
		const end = (how, value) => { source.close(); how(value); };
		const lost = () => end(fail,
			new PushletError('the stream was cut', 'retry'));
		source.onmessage = ({ data }) => {
			if (each(JSON.parse(data)))
				end(done);
		};
		source.onerror = lost;
		signal.addEventListener('abort', lost);
	});
}

let scripts = 0;

/* For servers of another domain that do not allow fetch(). */
function byScript(link, fields, each, signal) {
	return new Promise((done, fail) => {
		const name = `__pushlet${++scripts}`;
		const script = document.createElement('script');
		const lost = () => fail(new PushletError('no answer to a script',
			'retry', { network: true }));
		script.src = `${link.url}${link.glue}${new URLSearchParams(
			{ ...fields, p_callback: name })}`;
		if (script.src.length > SCRIPT_MAX)
			return fail(new PushletError(`${script.src.length} characters`
				+ ' are too many for a request across domains;'
				+ ` ${SCRIPT_MAX} are allowed`));
		window[name] = (events) => {
			const refusal = events.find((e) => e.p_status);
			if (signal.aborted)
				return;
			if (refusal)
				return fail(statusError(Number(refusal.p_status),
					refusal.p_reason));
			events.forEach((e) => each(e));
			done();
		};
		script.onload = script.onerror = () => {
			delete window[name];
			script.remove();
			lost();		/* unless it has called the function */
		};
		signal.addEventListener('abort', lost);
		document.head.append(script);
	});
}

/* -- commands -- */
/*
 * a queue of commands, sent one at a time, in order
 *
 * A command that fails for a while (no network, 502, restart) is sent again
 * after a pause; one whose answer was lost may be carried out twice.  Joining
 * is up to Link: enter() is called when there is no session.
 */

const RETRY_MIN = 400, RETRY_MAX = 30000;	/* ms; pauses after failures */
const BUSY_MAX = 3;	/* pauses grow so often when asked too often */
const ANSWER_MAX = 30000;	/* ms; a command's answer takes no longer */
const ERRORS_MAX = 8;		/* HTTP 500 in a row: the command is to blame */

class Commands {
	constructor(url, options) {
		Object.assign(this, { url, options, glue: /\?/.test(url) ? '&' : '?',
			id: null, last: 0, acked: 0, queue: [], pauses: new Set(),
			script: false });
	}

	after(ms, f) { return after(ms, f, this.options.worker); }

	pause(ms) {
		return new Promise((done) => {
			const go = () => {
				this.pauses.delete(go);
				cancel(timer);
				done();
			};
			const timer = this.after(ms, go);
			this.pauses.add(go);
		});
	}

	/* Ends all pauses. */
	wake() {
		for (const go of [...this.pauses])
			go();
	}

	backoff(failures) {
		return Math.min(RETRY_MAX, RETRY_MIN * Math.pow(2, failures - 1))
			* (0.5 + Math.random() / 2);
	}

	/* How long to wait after an error.  Who asked too often has his turn
	 * within seconds, however often he was told. */
	waitAfter(error, failures) {
		return this.backoff(error.status === 429
			? Math.min(failures, BUSY_MAX) : failures);
	}

	/* fields: a function, asked when it is really sent; once: one attempt */
	send(event, fields = () => ({}), once = false) {
		return new Promise((done, fail) => {
			this.queue.push({ event, fields, done, fail, once, tries: 0 });
			this.pump();
		});
	}

	/* Is the server there, does it know us?  And what have we received? */
	hb() {
		if (!this.queue.some(({ event }) => event === 'hb'))
			this.send('hb').catch((error) => this.sink.tell('error', error));
	}

	async pump() {
		if (this.pumping)
			return;
		this.pumping = true;
		while (this.queue.length > 0)
			await this.next(this.queue[0]);
		this.pumping = false;
	}

	async next(command) {
		const over = (how, value) => {
			if (this.queue[0] === command)
				this.queue.shift();
			how(value);
		};
		try {
			if (!this.id)
				await this.tryEnter();
			const ack = await this.ask(command.event, command.fields());
			if (command.tries > 0)
				this.wake();
			over(command.done, ack);
		} catch (error) {
			const hopeless = error.status === 500 && this.id
				&& command.tries >= ERRORS_MAX;
			if (this.queue[0] !== command)
				return;		/* closed meanwhile */
			if (error.kind === 'gone')
				this.forget(true);
			if (error.kind === 'refused' || hopeless || command.once)
				return over(command.fail, error);
			this.trouble(error);
			await this.pause(this.waitAfter(error, ++command.tries));
		}
	}

	/* Whoever had a session once gets another one, sooner or later. */
	tryEnter() {
		return this.enter().catch((error) => {
			error.kind = this.rejoining ? 'retry' : error.kind;
			throw error;
		});
	}

	/* One command and its answer. */
	async ask(event, fields) {
		const abort = new AbortController(), ack = this.last, answers = [];
		const timer = this.after(ANSWER_MAX, () => abort.abort());
		const how = this.script ? byScript : byFetch;
		const reliable = event === 'hb' && this.options.reliable;
		try {
			await how(this, { ...fields, p_event: event,
				...(this.id && { p_id: this.id }),
				...(reliable && { p_ack: ack }) },
			(e) => answers.push(e), abort.signal);
		} finally {
			cancel(timer);
		}
		if (answers.length === 0)
			throw new PushletError('an empty answer', 'retry');
		if (answers[0].p_event === 'nack')
			throw new PushletError(answers[0].p_reason, 'refused',
				{ event: answers[0] });
		if (reliable)
			this.acked = Math.max(this.acked, ack);
		return answers[0];
	}
}

/* -- link -- */
/*
 * one session on the server, whatever happens
 *
 * Commands wait in a queue and are sent one at a time, in order.  Events come
 * over the data channel, which is a loop of requests by one of the transports.
 * Events have a number (p_eid).  What arrived is acknowledged by it, what was
 * not acknowledged is sent again, what arrives twice is dropped here.
 */

const ACK_EVENTS = 48, ACK_AGE = 4000;	/* acknowledge a stream at the latest */
const MISSES_MAX = 3;		/* then another transport is tried */
const TICK = 1000, SLEPT = 15000;	/* ms; a tick so late: we were asleep */
const BETTER = 30000;		/* ms; then the mode we wanted is asked for again */
const MODES = { sse: 'stream', stream: 'stream', pull: 'pull', poll: 'poll',
	script: 'pull' };

const keyOf = (spec) => JSON.stringify([spec.subject, spec.label, spec.own]);

/* For pages that are about to go. */
function sendLeave(url, id) {
	if (id)
		navigator.sendBeacon(addressFor(url, id), new URLSearchParams(
			{ p_event: 'leave', p_id: id }));
}

/* sink: { events(list), tell(name, detail), changed() } */
class Link extends Commands {
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

/* -- shared -- */
/*
 * one Link for all tabs of a browser
 *
 * The tabs talk over a BroadcastChannel.  The one that leads has the Link.  It
 * carries out what the others ask for, passes on what it hears, and tells them
 * about the session whenever that changes, so that any of them can go on with
 * it.  Who leads is who holds a lock; where there are no locks (pages without
 * https), who has signed in localStorage, which is to be renewed.
 */

const RENEW = 1000, STALE = 4000;	/* ms; of a signature in localStorage */
const SETTLE = 100;		/* ms; then a signature was not overwritten */
const PRUNE = 5000;		/* ms; for tabs to repeat what they want */

const plainError = ({ message, kind, status, event }) =>
	({ message, kind, status, event });

class Shared {
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

/* -- pushlet -- */
/*
 * what a page sees: subscriptions and callbacks
 */

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

class Pushlet {
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

export { Pushlet, PushletError };
