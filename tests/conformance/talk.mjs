// SPDX-License-Identifier: MIT
//
// talk.mjs - requests to one URL, and their answers as they come
//
// Nothing else is ever asked than the host of that URL, no redirection is
// followed, and the number of requests and their time are limited.  A reply is
// read in the format that was asked for, whatever its content type says: a wrong
// one is the trouble of one case, not of all.

import http from 'node:http';
import https from 'node:https';
import { reader } from './readers.mjs';
import { show, Silence, Trouble } from './words.mjs';

const TOO_MANY = 429;
const PATIENCE = 10;	/* seconds that a server may ask us to wait */

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

export function formEncode(values) {
	return Object.entries(values).filter(([, v]) => v !== undefined)
		.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&');
}

/* One answer, as it comes in. */
export class Reply {
	constructor(request, response, { format, callback, strict, limit, what }) {
		Object.assign(this, { request, limit, what, text: '', bytes: [], events: [],
			times: [], taken: 0, ended: false, watchers: new Set() });
		this.status = response.statusCode;
		this.type = response.headers['content-type'] ?? '';
		this.headers = response.headers;
		this.rawHeaders = response.rawHeaders;
		this.reader = reader(this.status === 200 ? format : 'text',
			{ callback, strict, type: this.type });
		this.#follow(response);
	}

	#follow(response) {
		const decoder = new TextDecoder('utf-8', { fatal: true });
		const guarded = (work) => (...args) => {
			try {
				work(...args);
			} catch (error) {
				this.failure ??= new Trouble(
					`the answer to ${this.what} cannot be read: ${error.message}`);
				this.request.destroy();
			}
			this.watchers.forEach((watcher) => watcher());
		};

		response.on('data', guarded((bytes) => {
			this.bytes.push(bytes);
			if (!this.binary)
				this.#take(decoder.decode(bytes, { stream: true }));
		}));
		response.on('end', guarded(() => {
			this.ended = true;
			if (this.text !== '')
				this.reader.end();
		}));
		response.on('close', guarded(() => {
			if (!this.ended)
				throw new Error(this.closed ? 'it was hung up' : 'the connection was cut');
		}));
		response.on('error', () => {});	/* close tells the same */
		this.binary = this.type.startsWith('application/x-java');
	}

	#take(text) {
		this.text += text;
		for (const event of this.reader.push(text)) {
			this.events.push(event);
			this.times.push(Date.now());
		}
	}

	/* What came that no case has taken, for messages. */
	#seen() {
		const rest = this.events.slice(this.taken).map(show).join(', ');
		const unread = this.reader.rest ? `; then ${JSON.stringify(
			this.reader.rest.slice(0, 100))}` : '';

		return (rest || 'nothing more') + unread;
	}

	/* Waits until test() gives something true, or the answer is over. */
	#when(test, limit) {
		return new Promise((done) => {
			const settle = (value) => {
				clearTimeout(timer);
				this.watchers.delete(watcher);
				done(value);
			};
			const watcher = () => {
				const value = test();
				if (value || this.failure || this.ended)
					settle(value);
			};
			const timer = setTimeout(settle, limit);
			this.watchers.add(watcher);
			watcher();
		});
	}

	/*
	 * The next event, or undefined at the end of the answer.  Heartbeats are
	 * passed over unless hb is true; limit is in milliseconds.
	 */
	async any({ hb = false, limit = this.limit } = {}) {
		const next = await this.#when(() => {
			while (this.taken < this.events.length) {
				const event = this.events[this.taken++];
				if (hb || event.get('p_event') !== 'hb')
					return event;
			}
			return undefined;
		}, limit);

		if (!next && this.failure)
			throw this.failure;
		if (!next && !this.ended)
			throw new Silence(`nothing came within ${limit / 1000} s in the answer to ${
				this.what}`);
		return next;
	}

	/* The next event, which must be one of this kind. */
	async event(kind, options) {
		const event = await this.any({ hb: kind === 'hb', ...options });

		if (!event)
			throw new Trouble(this.status === 200
				? `the answer to ${this.what} ended without ${kind}`
				: `${this.what} was answered with status ${this.status}: ${
					this.text.slice(0, 120).trim()}`);
		if (event.get('p_event') === kind)
			return event;
		throw new Trouble(event.get('p_event') === 'nack'
			? `${this.what} was refused: ${event.get('p_reason')}`
			: `${kind} should come next in the answer to ${this.what}; came ${
				show(event)}, then ${this.#seen()}`);
	}

	/* Waits for the end of the answer. */
	async done({ limit = this.limit } = {}) {
		await this.#when(() => false, limit);
		if (this.failure)
			throw this.failure;
		if (!this.ended)
			throw new Silence(`the answer to ${this.what} did not end within ${
				limit / 1000} s; in it came ${this.#seen()}`);
	}

	/* All that comes until then and was not taken, with heartbeats. */
	async rest(options) {
		await this.done(options);
		const rest = this.events.slice(this.taken);
		this.taken = this.events.length;
		return rest;
	}

	/* The values of a header, a line of the answer each. */
	header(name) {
		return this.rawHeaders.filter((_, i, all) => i % 2 === 1
			&& all[i - 1].toLowerCase() === name);
	}

	close() {
		this.closed = true;
		this.request.destroy();
	}
}

/* A run asks for at most so much; then no more is asked. */
export class OverBudget extends Error {}

export class Talk {
	/* options: strict (values are escaped in all formats), limit (ms that an
	 * answer may take), requests (how many at most), until (the time of the
	 * last) */
	constructor(url, { strict = true, limit = 5000, requests = 3000, until = Infinity } = {}) {
		Object.assign(this, { url: new URL(url), strict, limit, left: requests,
			until, asked: 0 });
		this.name = `${this.url.origin}${this.url.pathname}`;	/* no password */
		this.agent = this.url.protocol === 'https:' ? https : http;
		this.user = this.url.username === '' ? undefined
			: `${decodeURIComponent(this.url.username)}:${
				decodeURIComponent(this.url.password)}`;
	}

	#spend(always) {
		if (this.left-- <= 0 && !always)
			throw new OverBudget('the run has made as many requests as it may');
		if (Date.now() > this.until && !always)
			throw new OverBudget('the run has taken as long as it may');
		this.asked++;
	}

	/* Where a p_url leads, which must be here. */
	target(url) {
		const there = new URL(url, this.url);

		if (there.host !== this.url.host)
			throw new Trouble(`p_url leads to another host: ${there.host}`);
		return there.pathname + there.search;
	}

	/*
	 * A request; the answer has begun when this returns.  options: method,
	 * body, headers, path (instead of the usual one), format (to read it in),
	 * callback, always (whatever it costs: a leave)
	 */
	async open(params, options = {}) {
		for (;;) {
			this.#spend(options.always);
			const reply = await this.#send(params, options);
			const wait = Number(reply.headers['retry-after']);
			if (reply.status !== TOO_MANY || !(wait <= PATIENCE))
				return reply;
			reply.close();
			await pause(wait * 1000);
		}
	}

	#send(params, { method = 'GET', body, headers, path, format = 'xml', callback }) {
		const query = typeof params === 'string' ? params : formEncode(params);
		const target = path ?? this.url.pathname + (query && `?${query}`);
		const what = params.p_event ?? /p_event="?([-\w]+)/.exec(`${body ?? ''} ${target}`)?.[1]
			?? 'a request';

		return new Promise((done, fail) => {
			const request = this.agent.request({
				host: this.url.hostname.replace(/^\[|\]$/g, ''), port: this.url.port,
				path: target, method, agent: false, auth: this.user,
				headers: { 'User-Agent': 'pushlet-conformance', ...headers },
			});
			const timer = setTimeout(() => {
				fail(Object.assign(new Silence(`no answer to ${what} within ${
					this.limit / 1000} s`), { dead: true }));
				request.destroy();
			}, this.limit);
			request.on('response', (response) => {
				clearTimeout(timer);
				done(new Reply(request, response, { format, callback, what,
					strict: this.strict, limit: this.limit }));
			});
			request.on('error', (error) => {
				clearTimeout(timer);
				fail(Object.assign(new Silence(`no answer to ${what}: ${
					error.message}`), { code: error.code, dead: true }));
			});
			request.end(body);
		});
	}
}
