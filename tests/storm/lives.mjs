// SPDX-License-Identifier: MIT
//
// lives.mjs - short lives of many clients, and the model of what they did
//
// They speak FastCGI to pushletd directly, or HTTP to nginx, on bare sockets:
// thousands of operations a second leave no time for more.  Each takes a few
// steps and ends in one of several ways; some hang up in the middle of one.

import { connect } from 'node:net';
import { begin, params, requestParams, stdin } from '../lib/fcgi.mjs';

const SUBJECTS = 50;
const STUCK = 20_000;		/* ms that an answer may take */

/* What must be true of the counters: for each the number that is sure, and how
 * many more there may be, because an answer was not waited for. */
export class Model {
	constructor() {
		this.sure = { joins: 0, leaves: 0, published: 0, queued: 0 };
		this.perhaps = { joins: 0, leaves: 0, published: 0, queued: 0 };
		this.operations = 0;
		this.problems = [];
	}

	did(what) {
		this.operations++;
		if (what)
			this.sure[what]++;
	}

	/* The words for each counter that is not what it must be. */
	faults(counts) {
		return Object.keys(this.sure).filter((what) => counts[what] < this.sure[what]
			|| counts[what] > this.sure[what] + this.perhaps[what])
			.map((what) => `${what}: ${counts[what]}, but the model has ${this.sure[what]} and ${
				this.perhaps[what]} perhaps`);
	}
}

/* One request on a socket of its own. */
class Call {
	constructor(door, query) {
		this.text = '';
		this.socket = connect(door.where);
		this.ended = new Promise((done) => {
			this.socket.on('close', () => done(this.text));
		});
		this.socket.on('error', (error) => { this.error = error; });
		this.socket.setEncoding('latin1').on('data', (text) => {
			this.text += text;
			this.watcher?.();
		});
		this.socket.setTimeout(STUCK, () => {
			this.error = new Error(`no answer to ${query}: ${this.text}`);
			this.socket.destroy();
		});
		this.bytes = door.request(query);
	}

	send() {
		this.socket.write(this.bytes);
		return this;
	}

	/* Some of the request, then nothing. */
	cut(part) {
		this.socket.on('connect', () => this.socket.write(
			this.bytes.subarray(0, Math.floor(this.bytes.length * part)),
			() => this.socket.destroy()));
		return this.ended;
	}

	/* Until a stream is open and has so many events, or the end. */
	events(n) {
		const enough = () => this.text.includes('p_event="hb"')
			&& this.text.split('p_event="data"').length > n;

		return Promise.race([this.ended, new Promise((done) => {
			this.watcher = () => enough() && done(this.text);
			this.watcher();
		})]);
	}

	close() {
		this.socket.destroy();
		return this.ended;
	}
}

/* Ways to pushletd: what to connect to, and a query as bytes. */
export const doors = {
	fcgi: (path) => ({ where: { path }, request: (query) => Buffer.concat([begin(),
		params(requestParams({ query })), stdin('')]) }),
	http: (port) => ({ where: { port, host: '127.0.0.1' }, request: (query) => Buffer.from(
		`GET /pushlet/pushlet.srv?${query} HTTP/1.0\r\nHost: localhost\r\n\r\n`) }),
};

export class Life {
	constructor(model, door, roll) {
		Object.assign(this, { model, door, roll });
		this.subject = `/soak/${roll(SUBJECTS)}/`;
	}

	call(query) { return new Call(this.door, query).send(); }

	/* Asks and reads the answer, which must be that. */
	async ask(query, wanted, what) {
		const call = this.call(query);
		const text = await call.ended;

		if (!text.includes(`p_event="${wanted}"`))
			throw new Error(`${query}: ${call.error?.message ?? JSON.stringify(text)}`);
		this.model.did(what);
		return text;
	}

	#named(text) {
		this.id = /p_id="(\w+)"/.exec(text)[1];
	}

	async join(mode) {
		if (mode === 'stream' || this.roll(2)) {
			this.#named(await this.ask('p_event=join&p_format=xml', 'join-ack', 'joins'));
			await this.ask(`p_event=subscribe&p_id=${this.id}&p_subject=${this.subject}`,
				'subscribe-ack');
			if (mode !== 'stream')
				await this.ask(`p_event=listen&p_id=${this.id}&p_mode=${mode}`, 'listen-ack');
		} else {
			this.#named(await this.ask(`p_event=join-listen&p_format=xml&p_mode=${
				mode}&p_subject=${this.subject}`, 'join-listen-ack', 'joins'));
		}
	}

	leave() { return this.ask(`p_event=leave&p_id=${this.id}`, 'leave-ack', 'leaves'); }

	/* A stream that is left, or cut, or replaced, or forgotten. */
	async stream() {
		await this.join('stream');
		const stream = this.call(`p_event=listen&p_id=${this.id}&p_mode=stream`);
		await stream.events(this.roll(4));
		this.model.did();
		if (this.roll(3) === 0) {
			const newer = this.call(`p_event=refresh&p_id=${this.id}`);
			await stream.ended;
			await newer.close();
			this.model.did();
		}
		if (this.roll(2)) {
			await this.leave();
			await stream.ended;
		}
		await stream.close();
	}

	/* Some come back, some are never seen again. */
	async visits(mode) {
		await this.join(mode);
		for (let i = this.roll(4); i > 0; i--)
			await this.ask(`p_event=refresh&p_id=${this.id}`, 'refresh-ack');
		if (this.roll(2))
			await this.leave();
	}

	/* Hangs up while it waits for the first event. */
	async impatient() {
		await this.join('pull');
		const call = this.call(`p_event=refresh&p_id=${this.id}`);
		await Promise.race([call.ended, new Promise((done) => { setImmediate(done); })]);
		await call.close();
		this.model.did();
	}

	/* Hangs up at some byte of its request, or behind it. */
	async cut() {
		const [query, what] = [['p_event=join&p_format=xml', 'joins'],
			[`p_event=join-listen&p_format=xml&p_subject=${this.subject}`, 'joins'],
			['p_event=hb&p_id=nobody', undefined]][this.roll(3)];
		const part = this.roll(12) / 10;

		if (part >= 1 && what)
			this.model.perhaps[what]++;
		await new Call(this.door, query).cut(Math.min(part, 1));
		this.model.did();
	}

	/* Nobody hears what it publishes. */
	async publisher() {
		this.#named(await this.ask('p_event=join&p_format=xml', 'join-ack', 'joins'));
		for (let i = this.roll(5); i > 0; i--)
			await this.ask(`p_event=publish&p_id=${this.id}&p_subject=/unheard&n=${i}`,
				'publish-ack', 'published');
		await this.leave();
	}

	live() {
		const ways = [() => this.stream(), () => this.visits('pull'), () => this.visits('poll'),
			() => this.impatient(), () => this.cut(), () => this.publisher()];

		return ways[this.roll(ways.length)]();
	}
}

/* A line for pushlet-publish --xml. */
export const element = (n) => `<event p_subject="/soak/${n % SUBJECTS}/" n="${
	Math.floor(n / SUBJECTS) + 1}"/>\n`;
