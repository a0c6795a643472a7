// SPDX-License-Identifier: MIT
//
// replay.mjs - plays a recorded scenario against a server of ours
//
// Exchanges start in the recorded order, after the recorded pauses (at a faster
// pace), and not before every event has arrived that had arrived in the
// recording.  Each answer is compared event by event: names and values, not
// the order of attributes or chunk borders.
//
// p_seq is compared with the number of counted events seen in the response,
// which is what it is in every recording.  Pace allows one tolerance: a
// heartbeat that is not recorded is right when a read timeout went by in
// silence.

import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { Stream } from './client.mjs';
import { plain } from './formats.mjs';
import { Binding } from './binding.mjs';
import { clockReaches, until } from './wait.mjs';
import { SLOW } from './paths.mjs';

const CONFIG = {
	default: { scale: 20, session: 5, queue: 24, read: 20000,
		pull: [45000, 2000, 6000], poll: [60000, 6000, 10000] },
	short: { scale: 4, session: 1, queue: 4, read: 2000,
		pull: [4500, 200, 600], poll: [6000, 600, 1000] },
};
CONFIG.uuid = { ...CONFIG.default, generation: 'uuid' };

/* When the last thing happens, in recorded seconds. */
export function duration(scenario) {
	return Math.max(...scenario.exchanges.map((x) =>
		(Number.isFinite(x.endsAt) ? x.endsAt : x.at)));
}

/* What is recorded to happen one second apart happens 1/pace s apart.  Short
 * recordings are not hurried: there is nothing to gain, and the refresh that a
 * pull client owes would shrink to less than a busy machine can keep. */
export function pace(scenario) {
	const scale = scenario.scale ?? CONFIG[scenario.config].scale;

	return Math.min(scale, Math.max(1, duration(scenario))) / SLOW;
}

/* The recorded server's settings, at our pace. */
export function settings(scenario) {
	const c = CONFIG[scenario.config];
	const faster = (ms) => Math.round(ms / pace(scenario));

	return {
		/* 1.5 % more, because requests of ours are late, never early. */
		'session.timeout.mins': (c.session / pace(scenario) * 1.015).toFixed(5),
		'queue.size': c.queue,
		'queue.read.timeout.millis': faster(c.read),
		'queue.write.timeout.millis': 20,
		'listen.force.pull.agents': 'safari',
		...Object.fromEntries(['pull', 'poll'].flatMap((mode) => [
			[`${mode}.refresh.timeout.millis`, faster(c[mode][0])],
			[`${mode}.refresh.wait.min.millis`, faster(c[mode][1])],
			[`${mode}.refresh.wait.max.millis`, faster(c[mode][2])],
		])),
		...(c.generation ? { 'session.id.generation': c.generation } : {}),
	};
}

/* An HTTP/1.0 exchange: the body ends with the connection. */
function open10(port, request) {
	return new Promise((done, fail) => {
		const socket = connect(port, '127.0.0.1', () => socket.write(request));
		const response = new EventEmitter();
		let head = '';

		socket.on('error', fail);
		socket.on('end', () => response.emit('end'));
		socket.on('close', () => response.emit('close'));
		socket.on('data', (bytes) => {
			if (response.statusCode) {
				response.emit('data', bytes);
				return;
			}
			head += bytes.toString('latin1');
			const end = head.indexOf('\r\n\r\n');
			if (end < 0)
				return;
			response.statusCode = Number(head.split(' ')[1]);
			response.headers = Object.fromEntries([...head.slice(0, end)
				.matchAll(/^([-\w]+): (.*)$/gm)].map(([, n, v]) => [n.toLowerCase(), v.trim()]));
			done(new Stream(socket, response));
			response.emit('data', Buffer.from(head.slice(end + 4), 'latin1'));
		});
	});
}

const ms = (seconds) => Math.round(seconds * 1000);

/* How many events of x are recorded as come before this time.  What comes by
 * itself, not from a publish, also counts when it came at that very time. */
function arrivedBefore(x, at) {
	const later = x.events.findIndex(({ at: came, event }) => ms(came)
		>= ms(at) + (event.get('p_event') === 'data' ? 0 : 1));

	return later < 0 ? x.events.length : later;
}

export class Replay {
	/* lab, front and pushletd serve this scenario alone. */
	constructor(scenario, { lab, front, pushletd }) {
		Object.assign(this, { scenario, lab, front, pushletd });
		this.binding = new Binding();
		this.modes = new Map();
		this.settings = settings(scenario);
		this.exchanges = scenario.exchanges.filter((x) => !x.skip);
	}

	/* Everything that happens, in order; on a tie a close comes first. */
	#timeline() {
		const steps = [
			...this.exchanges.filter((x) => x.open)
				.map((x) => [x.endsAt, 0, () => this.#close(x)]),
			...this.scenario.notes.filter((n) => n.restart)
				.map((n) => [n.at, 1, () => this.#restart()]),
			...this.exchanges.map((x) => [x.at, 2, () => this.#start(x)]),
		];

		return steps.sort((a, b) => ms(a[0]) - ms(b[0]) || a[1] - b[1]);
	}

	async run() {
		let done = [Date.now(), 0];

		try {
			for (const [at, , step] of this.#timeline()) {
				/* From the step before, so that no pause is shorter than
				 * recorded when an answer was late. */
				await clockReaches(done[0] + ms(at - done[1]) / pace(this.scenario));
				await this.#arrived(at);
				await step();
				done = [Date.now(), at];
			}
			await this.#arrived(Infinity);
		} finally {
			for (const x of this.exchanges)
				x.stream?.close();
		}
	}

	/* Waits for all that is recorded to have arrived before this time. */
	async #arrived(at) {
		for (const x of this.exchanges.filter((e) => e.stream)) {
			const before = arrivedBefore(x, at);
			const ends = !x.open && before === x.events.length && ms(x.endsAt) <= ms(at);

			if (x.closed)
				continue;
			await x.stream.when(`${this.#name(x)}: event ${before} of `
				+ `${x.events.length}${ends ? ' and the end' : ''}; next should be `
				+ JSON.stringify(x.events[x.done] && plain(x.events[x.done].event)),
			() => {
				this.#follow(x);
				return x.done >= before && (!ends || x.stream.ended);
			});
		}
	}

	#name(x) { return `${this.scenario.name} ${x.name}`; }

	async #start(x) {
		const headers = { 'User-Agent': 'recorder/1.0', ...x.headers };
		const target = this.binding.fill(x.target);
		const body = x.body === undefined ? undefined : this.binding.fill(x.body);

		for (const name of Object.keys(headers).filter((n) => headers[n] === undefined))
			delete headers[name];
		x.done = 0;
		x.seq = 0;
		x.stream = x.version === '1.0'
			? await open10(this.front.port, `${x.method} ${target} HTTP/1.0\r\n`
				+ `Host: localhost\r\n\r\n`)
			: await this.front.client().open('', { method: x.method, path: target,
				headers, body });
		this.#head(x);
		x.stream.watchers.add(() => {
			try {
				this.#follow(x);
			} catch {
				/* #arrived() reports it */
			}
		});
	}

	#expect(x, what, right, actual) {
		if (!right)
			throw new Error(`${this.#name(x)} (${x.note ?? ''}): ${what}; got ${actual}\n`
				+ x.stream.seen());
	}

	#head(x) {
		const { status, headers } = x.stream;
		const recorded = new Map(x.answerHeaders);

		this.#expect(x, `status ${x.status}`, status === x.status, status);
		if (x.status !== 200 || x.events.length === 0)
			return;
		for (const name of ['expires', 'pragma', 'cache-control'])
			if (recorded.has(name))
				this.#expect(x, `${name}: ${recorded.get(name)}`,
					headers[name] === recorded.get(name), headers[name]);
		if (recorded.has('content-type'))
			this.#expect(x, recorded.get('content-type'), headers['content-type']
				.toLowerCase() === recorded.get('content-type'), headers['content-type']);
	}

	/* Compares whatever has come in since the last time. */
	#follow(x) {
		if (x.failure)
			throw x.failure;
		try {
			for (let i = x.seen ?? 0; i < x.stream.events.length; i++) {
				x.seen = i + 1;
				this.#compare(x, x.stream.events[i], i);
			}
			if (x.stream.ended) {
				this.#expect(x, `${x.events.length} events`,
					x.done === x.events.length, x.done);
				this.#expect(x, 'an open response', !x.open, 'the end');
				this.#text(x);
			}
		} catch (error) {
			x.failure = error;
			throw error;
		}
	}

	#text(x) {
		if (x.status !== 200 && x.text !== undefined)
			this.#expect(x, `text ${x.text}`,
				this.binding.match(x.text, x.stream.text.trim()), x.stream.text);
	}

	#compare(x, actual, index) {
		const expected = x.events[x.done]?.event;
		const shown = JSON.stringify(plain(actual));
		const counted = actual.has('p_seq');
		const heartbeat = actual.get('p_event') === 'hb';

		if (counted)
			this.#expect(x, `p_seq ${x.seq + 1}`, actual.get('p_seq')
				=== String(++x.seq), shown);
		if (heartbeat && index > 1)
			this.#expect(x, 'silence before a heartbeat',
				this.#quiet(x, index), shown);
		if (heartbeat && index > 1 && expected?.get('p_event') !== 'hb')
			return;
		this.#expect(x, 'no more events', expected !== undefined, shown);
		const wanted = JSON.stringify(plain(expected), (_, v) =>
			(v instanceof RegExp ? String(v) : v));
		this.#expect(x, wanted, expected.size === actual.size
			&& [...expected].every(([name, value]) => actual.has(name)
				&& (name === 'p_seq' || this.#value(value, actual.get(name), actual))), shown);
		if (actual.get('p_event') === 'data')
			this.#expect(x, 'no session id', !this.binding.secretIn(shown), shown);
		if (actual.has('p_mode'))
			this.modes.set(actual.get('p_id'), actual.get('p_mode'));
		x.done++;
	}

	/* Has a read timeout passed since the event before this one?  Half of it
	 * is enough: that one may have been late. */
	#quiet(x, index) {
		const silence = x.stream.times[index] - x.stream.times[index - 1];

		return silence >= this.settings['queue.read.timeout.millis'] / 2;
	}

	#value(template, text, event) {
		const [, id] = /p_id=(\w+)/.exec(event.get('p_url')) ?? [];
		const mode = this.modes.get(id) === 'poll' ? 'poll' : 'pull';
		const min = this.settings[`${mode}.refresh.wait.min.millis`];
		const max = this.settings[`${mode}.refresh.wait.max.millis`];

		return this.binding.match(template, text, (wait) => wait >= min && wait <= max);
	}

	/* The client hangs up; done when the server has noticed. */
	async #close(x) {
		const listening = x.stream.ended ? 0 : await this.lab.listening();

		x.closed = true;
		x.stream.close();
		if (listening)
			await until('the server to notice the hang-up', async () =>
				await this.lab.listening() < listening);
	}

	async #restart() {
		await this.pushletd.stop();
		await this.pushletd.start();
	}
}
