// SPDX-License-Identifier: MIT
//
// client.mjs - a Pushlet client that checks whatever it reads
//
//	const ann = await nginx.client().join('xml');
//	const stream = await ann.listen({ subject: '/news' });
//	await stream.next({ p_event: 'listen-ack' });
//	await stream.next({ p_event: 'data', text: 'hello' });
//
// Each request has a connection of its own, as browsers' streams have.

import http from 'node:http';
import { LIMIT, within } from './wait.mjs';
import { plain, readerFor } from './formats.mjs';

export function formEncode(values) {
	return Object.entries(values).filter(([, v]) => v !== undefined)
		.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`)
		.join('&');
}

export function matches(event, wanted) {
	return Object.entries(wanted).every(([name, value]) =>
		(value instanceof RegExp ? value.test(event.get(name))
			: event.get(name) === (value === undefined ? value : String(value))));
}

/* One response, as it comes in. */
export class Stream {
	constructor(request, response, lab) {
		this.request = request;
		this.lab = lab;
		this.status = response.statusCode;
		this.headers = response.headers;
		this.text = '';
		this.events = [];	/* all */
		this.times = [];	/* Date.now() of each */
		this.taken = 0;		/* how many next() went past */
		this.ended = false;
		this.watchers = new Set();
		this.reader = readerFor(this.status, this.headers['content-type']);
		this.#follow(response);
	}

	#follow(response) {
		const decoder = new TextDecoder('utf-8', { fatal: true });
		const guarded = (work) => {
			try {
				work();
			} catch (error) {
				this.#fail(error);
			}
		};

		response.on('data', (bytes) => guarded(() =>
			this.#take(decoder.decode(bytes, { stream: true }))));
		response.on('end', () => guarded(() => {
			this.#take(decoder.decode());
			this.reader.end();
			this.ended = true;
			this.#wake();
		}));
		response.on('error', (error) => this.#fail(error));
		response.on('close', () => {
			if (!this.ended)
				this.#fail(new Error('the connection was cut'));
		});
	}

	#take(text) {
		this.text += text;
		for (const event of this.reader.push(text)) {
			this.events.push(event);
			this.times.push(Date.now());
		}
		this.#wake();
	}

	#fail(error) {
		this.failure ??= error;
		this.#wake();
	}

	#wake() {
		for (const watcher of this.watchers)
			watcher();
	}

	/* For messages: everything this response has brought. */
	seen() {
		const end = this.failure ? `, failed: ${this.failure.message}`
			: this.ended ? ', ended' : ', still open';

		return `status ${this.status}${end}; events:\n${this.events.map((e, i) =>
			`  ${i < this.taken ? '(taken) ' : ''}${JSON.stringify(plain(e))}`)
			.join('\n')}${this.status === 200 ? '' : `\n  ${this.text}`}`;
	}

	/* Waits until test() gives something; what is for the message. */
	async when(what, test, limit = LIMIT) {
		let watcher;
		const found = new Promise((done, fail) => {
			/* More may arrive before the caller goes on: test() must not
			 * be asked again once it has given something. */
			const settle = (how, value) => {
				this.watchers.delete(watcher);
				how(value);
			};
			watcher = () => {
				try {
					const value = test();
					if (value)
						settle(done, value);
					else if (this.failure)
						throw new Error(`waiting for ${what}: ${this.seen()}`);
					else if (this.ended)
						throw new Error(`ended without ${what}: ${this.seen()}`);
				} catch (error) {
					settle(fail, error);
				}
			};
			this.watchers.add(watcher);
			watcher();
		});

		try {
			return await within(found, limit, () =>
				`no ${what} within ${limit} ms: ${this.seen()}`);
		} catch (error) {
			this.lab?.check();	/* a dead server is the better message */
			throw error;
		} finally {
			this.watchers.delete(watcher);
		}
	}

	/*
	 * The next event, which must match wanted ({ name: value or RegExp, or
	 * undefined for "must be absent" }).  Heartbeats in front of it are
	 * passed over unless one is wanted.
	 */
	async next(wanted = {}, { limit } = {}) {
		const text = JSON.stringify(wanted, (_, v) =>
			(v instanceof RegExp ? String(v) : v));

		const event = await this.when(text, () => {
			while (this.taken < this.events.length) {
				const candidate = this.events[this.taken++];
				if (matches(candidate, wanted))
					return candidate;
				if (candidate.get('p_event') !== 'hb')
					throw new Error(`${JSON.stringify(plain(candidate))} `
						+ `instead of ${text}: ${this.seen()}`);
			}
			return undefined;
		}, limit);
		return event;
	}

	/* Reads to the end; the events that next() has not taken. */
	async rest({ limit } = {}) {
		await this.when('the end', () => this.ended, limit);
		const rest = this.events.slice(this.taken);
		this.taken = this.events.length;
		return rest;
	}

	/* Hangs up. */
	close() {
		this.closed = true;
		this.request.destroy();
	}
}

/* An answer that is complete. */
class Answer {
	constructor(stream) {
		Object.assign(this, { status: stream.status, headers: stream.headers,
			text: stream.text, events: stream.events });
	}

	/* The only event of a control answer. */
	get event() {
		if (this.status !== 200 || this.events.length !== 1)
			throw new Error(`no single event: ${this.status} ${this.text}`);
		return this.events[0];
	}

	get(name) { return this.event.get(name); }
}

export class Session {
	constructor(client, id, ack) {
		Object.assign(this, { client, id, ack });
	}

	/* An answer to a command of this session. */
	ask(command, params = {}) {
		return this.client.ask({ p_event: command, p_id: this.id, ...params });
	}

	async listen({ mode, subject, label, ...more } = {}) {
		return this.client.open({ p_event: 'listen', p_id: this.id, p_mode: mode,
			p_subject: subject, p_label: label, ...more });
	}

	refresh(params = {}, options) {
		return this.client.open({ p_event: 'refresh', p_id: this.id, ...params }, options);
	}

	/* What a refresh event told it to fetch. */
	follow(event) {
		return this.client.open('', { path: event.get('p_url') });
	}

	/* The p_sid of a new subscription. */
	async subscribe(subject, label) {
		const answer = await this.ask('subscribe', { p_subject: subject, p_label: label });

		if (answer.get('p_event') !== 'subscribe-ack')
			throw new Error(`subscribe: ${answer.text}`);
		return answer.get('p_sid');
	}

	async publish(subject, attributes = {}, to) {
		const answer = await this.ask('publish',
			{ p_subject: subject, p_to: to, ...attributes });

		if (answer.get('p_event') !== 'publish-ack')
			throw new Error(`publish: ${answer.text}`);
		return answer;
	}

	leave() { return this.ask('leave'); }

	/* Does the server still know it? */
	async alive() {
		const answer = await this.ask('hb');

		return answer.status === 200 && answer.get('p_event') === 'hb-ack';
	}
}

export class Client {
	constructor(url, { lab, headers = {} } = {}) {
		Object.assign(this, { url: new URL(url), lab, headers });
	}

	/* options: method, body, headers, path (instead of the usual target) */
	open(params, { method = 'GET', body, headers, path } = {}) {
		const query = typeof params === 'string' ? params : formEncode(params);
		const target = path ?? this.url.pathname + (query === '' ? '' : `?${query}`);

		const answered = new Promise((done, fail) => {
			const request = http.request({
				host: this.url.hostname, port: this.url.port, path: target,
				method, agent: false, headers: { ...this.headers, ...headers },
			});
			request.on('response', (response) => {
				try {
					done(new Stream(request, response, this.lab));
				} catch (error) {
					request.destroy();
					fail(error);
				}
			});
			request.on('error', fail);
			request.end(body);
		});

		return within(answered, LIMIT, () => {
			this.lab?.check();
			return `no answer to ${method} ${target}`;
		});
	}

	/* A request whose answer ends by itself. */
	async ask(params, options) {
		const stream = await this.open(params, options);

		await stream.rest();
		return new Answer(stream);
	}

	/* POST with a form, or with an XML element. */
	form(values, options) {
		return this.ask('', { method: 'POST', body: formEncode(values), ...options,
			headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
	}

	xml(body, options) {
		return this.ask('', { method: 'POST', body, ...options,
			headers: { 'Content-Type': 'text/xml' } });
	}

	async join(format = 'xml', more = {}) {
		const answer = await this.ask({ p_event: 'join', p_format: format, ...more });

		return new Session(this, answer.get('p_id'), answer.event);
	}

	/* A session with its channel; the ack has been read. */
	async joinListen({ format = 'xml', mode, subject, label, ...more } = {}) {
		const channel = await this.open({ p_event: 'join-listen', p_format: format,
			p_mode: mode, p_subject: subject, p_label: label, ...more });
		const ack = await channel.next({ p_event: 'join-listen-ack' });
		const session = new Session(this, ack.get('p_id'), ack);

		session.channel = channel;
		return session;
	}
}
