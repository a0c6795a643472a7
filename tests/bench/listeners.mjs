// SPDX-License-Identifier: MIT
//
// listeners.mjs - thousands of open streams in one process
//
// Each is a socket that asks for a stream and then is read.  While events
// arrive, bytes are only noted with their time; they are understood a moment
// later, so that the last stream does not wait for the parsing of the others.
// Then each event is checked: the publisher numbers them (attribute n), every
// stream has to get all numbers once and in order, and p_seq without a gap.

import { connect } from 'node:net';
import { now } from './lib.mjs';
import { LIMIT, pool, within } from '../lib/wait.mjs';

const EVENT = /\s*<event ([^<>]*)\/>/y;
const RESPONSE = /^HTTP\/1\.1 200 [^]*?\r\n\r\n/;
const PARSE_EVERY = 50;		/* ms */
const CONNECTING = 128;		/* at a time */
const OPEN_LIMIT = 60000;	/* ms */

/* One buffer for all: what was read is copied before the next read. */
const shared = Buffer.alloc(65536);

function field(attributes, name) {
	return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
}

class Listener {
	constructor(all, number) {
		this.all = all;
		this.number = number;
		this.raw = '';		/* not yet taken out of HTTP */
		this.text = '';		/* events, the last perhaps not whole */
		this.head = false;	/* the response's has been read */
		this.ready = false;	/* the first hb is there */
		this.next = 0;		/* number of the next event */
		this.seq = 0;		/* p_seq of the last */
	}

	open() {
		const { all } = this;

		return new Promise((done, fail) => {
			this.opened = done;
			this.socket = connect({ host: '127.0.0.1', port: all.port,
				onread: { buffer: shared, callback: (n) => {
					all.arrived(this, shared.latin1Slice(0, n));
					return true;
				} } });
			this.socket.on('error', fail);
			this.socket.on('close', () => {
				if (!all.closing)
					all.fail(new Error(`stream ${this.number} was closed`));
			});
			this.socket.write(`GET ${all.target} HTTP/1.1\r\n`
				+ 'Host: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n');
		});
	}

	fail(what) {
		throw new Error(`stream ${this.number}: ${what}`);
	}

	/* Takes the chunks that are whole out of the transfer encoding. */
	unwrap() {
		for (;;) {
			const line = this.raw.indexOf('\r\n');
			if (line < 0)
				return;
			const size = Number.parseInt(this.raw.slice(0, line), 16);
			if (!(size > 0))
				this.fail(`no chunk: ${this.raw.slice(0, 200)}`);
			if (this.raw.length < line + size + 4)
				return;
			this.text += this.raw.slice(line + 2, line + 2 + size);
			this.raw = this.raw.slice(line + size + 4);
		}
	}

	data(attributes, at) {
		const n = Number(field(attributes, 'n'));
		const lost = Number(field(attributes, 'p_lost') ?? 0);

		if (n !== this.next + lost)
			this.fail(`event ${n} after ${this.next - 1}, `
				+ `${lost} reported lost`);
		this.next = n + 1;
		this.all.lost += lost;
		this.all.count(n, at);
	}

	event(attributes, at) {
		const type = field(attributes, 'p_event');

		if (type === 'join-listen-ack')
			return;
		if (type !== 'hb' && type !== 'data')
			this.fail(`an event ${type}`);
		if (Number(field(attributes, 'p_seq')) !== ++this.seq)
			this.fail(`p_seq is not ${this.seq}: ${attributes}`);
		if (type === 'data')
			this.data(attributes, at);
		else
			this.all.heartbeats++;
		if (!this.ready) {
			this.ready = true;
			this.opened();
		}
	}

	take(bytes, at) {
		this.raw += bytes;
		if (!this.head) {
			const head = RESPONSE.exec(this.raw);
			if (!head && this.raw.includes('\r\n\r\n'))
				this.fail(`refused: ${this.raw.slice(0, 300)}`);
			if (!head)
				return;
			this.head = true;
			this.raw = this.raw.slice(head[0].length);
		}
		this.unwrap();
		EVENT.lastIndex = 0;
		let end = 0;
		for (let found; (found = EVENT.exec(this.text)); end = EVENT.lastIndex)
			this.event(found[1], at);
		this.text = this.text.slice(end);
		if (!'<event '.startsWith(this.text.trimStart().slice(0, 7)))
			this.fail(`no event: ${this.text.slice(0, 200)}`);
	}
}

export class Listeners {
	constructor(front, subject) {
		this.port = front.port;
		this.target = `${front.path}?p_event=join-listen&p_format=xml`
			+ `&p_mode=stream&p_subject=${encodeURIComponent(subject)}`;
		this.streams = [];
		this.noted = [];	/* bytes that are not understood yet */
		this.got = new Map();	/* number of an event: arrival times */
		this.lost = 0;		/* events, as p_lost reports them */
		this.heartbeats = 0;
		this.awaited = undefined;	/* the event that all() waits for */
		this.failed = new Promise((_, reject) => { this.reject = reject; });
		this.failed.catch(() => {});	/* check() tells, too */
		this.timer = setInterval(() => this.parse(), PARSE_EVERY);
	}

	/* Opens n streams; all have their first hb when it returns. */
	async open(n) {
		for (let i = 0; i < n; i++)
			this.streams.push(new Listener(this, i));
		this.eager = true;
		await within(Promise.race([this.failed,
			pool(CONNECTING, this.streams.map((s) => () => s.open()))]),
		OPEN_LIMIT, () => `${this.streams.filter((s) => s.ready).length} of ${
			n} streams are open after ${OPEN_LIMIT} ms`);
		this.eager = false;
	}

	arrived(stream, bytes) {
		this.noted.push([stream, bytes, now()]);
		if (this.eager || this.noted.length === this.streams.length)
			setImmediate(() => this.parse());
	}

	parse() {
		const { noted } = this;

		this.noted = [];
		try {
			for (const [stream, bytes, at] of noted)
				stream.take(bytes, at);
		} catch (error) {
			this.fail(error);
		}
		if (this.got.get(this.awaited)?.length === this.streams.length)
			this.complete();
	}

	count(n, at) {
		const times = this.got.get(n);

		if (times)
			times.push(at);
		else
			this.got.set(n, [at]);
	}

	fail(error) {
		this.problem ??= error;
		this.reject(error);
	}

	check() {
		if (this.problem)
			throw this.problem;
	}

	/* Waits until every stream has event n; when each had it, sorted. */
	async all(n, limit = LIMIT) {
		const complete = new Promise((done) => { this.complete = done; });

		this.awaited = n;
		this.parse();
		await within(Promise.race([this.failed, complete]), limit, () =>
			`${this.got.get(n)?.length ?? 0} of ${this.streams.length} `
			+ `streams have event ${n} after ${limit} ms`);
		const times = this.got.get(n).sort((a, b) => a - b);
		this.got.clear();
		return times;
	}

	/* The next event has the number 0 again. */
	restart() {
		for (const stream of this.streams)
			stream.next = 0;
	}

	close() {
		this.closing = true;
		clearInterval(this.timer);
		for (const { socket } of this.streams)
			socket?.destroy();
	}

	stop() { this.close(); }	/* so that a Lab can guard it */
}
