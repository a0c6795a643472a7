// SPDX-License-Identifier: MIT
//
// load.test.mjs - what pushletctl says of a server under load is what is so
//
// A driver that knows all it did and got, through nginx, is compared with
// status, status --json, sessions, metrics and top: while it drives within what
// is under way, and number by number when all is at rest.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseExposition } from '../lib/exposition.mjs';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { Terminal } from '../lib/terminal.mjs';
import { until } from '../lib/wait.mjs';

const QUEUE = 64;
const ROUNDS = 6;
const PUBLISHERS = 4;
const EVENTS = 25;		/* of each publisher, in each round */
const FORMATS = ['xml', 'js', 'json', 'xml-strict'];

/* One who reads, or who should: it counts what it got, and what it was told
 * that it lost. */
class Reader {
	constructor(kind, format, number) {
		Object.assign(this, { kind, format, own: `/own/${number}`, matched: 0, got: 0, lost: 0 });
		this.subject = `/load,${this.own}`;
	}

	/* That of its last listen. */
	get mode() {
		return this.kind === 'none' ? null : this.kind === 'sse' ? 'stream' : this.kind;
	}

	async start(web) {
		if (this.kind === 'none') {
			this.session = await web.join(this.format);
			await this.session.subscribe(this.subject);
			return;
		}
		this.session = await web.joinListen({ format: this.format, mode: this.mode,
			subject: this.subject });
		if (this.mode !== 'stream')
			await this.#count(this.session.channel);
		if (this.kind === 'pull')
			this.looping = this.#pull();
	}

	/* Takes the events of an answer until it ends. */
	async #count(answer) {
		for (const event of await answer.rest())
			this.take(event);
	}

	take(event) {
		this.got += event.get('p_event') === 'data';
		this.lost += Number(event.get('p_lost') ?? 0);
	}

	async #pull() {
		try {
			while (!this.leaving) {
				this.session.channel = await this.session.refresh();
				await this.#count(this.session.channel);
			}
		} catch (error) {
			if (!this.leaving)
				throw error;
		}
	}

	/* Reads until it has all that matched so far. */
	async catchUp() {
		const all = () => this.got + this.lost === this.matched;

		if (this.mode === 'stream')
			while (!all())
				this.take(await this.session.channel.next());
		else if (this.kind === 'poll')
			for (let last = false; !last;) {
				last = all();	/* one more says that it arrived */
				await this.#count(await this.session.refresh());
			}
		else if (this.kind === 'pull')
			await until(`all events of ${this.own}`, all);
	}

	async leave() {
		this.leaving = true;
		await this.session.leave();
		await this.looping;
	}

	/* What there must be in pushletctl sessions now. */
	get expected() {
		const idle = this.kind === 'none';
		const open = idle || this.kind === 'sse';	/* whether it arrived, nobody said */
		const queued = open ? Math.min(this.matched, QUEUE) : 0;

		return { mode: this.mode, format: this.format, subjects: this.subject.split(','),
			listening: this.mode === 'stream' || this.kind === 'pull', queued,
			waiting: idle ? queued : 0, delivered: open ? 0 : this.got,
			lost: idle ? this.matched - queued : this.lost };
	}
}

class Driver {
	constructor(lab, web) {
		Object.assign(this, { lab, web, readers: [], left: [], publishes: [] });
		this.knows = { joins: 0, leaves: 0, expiries: 0, aborts: 0, published: 0,
			queued: 0, delivered: 0, lost: 0, refused: 0, repairs: 0, workers_reaped: 0,
			sent: 0, received: 0, missed: 0 };
	}

	async join(kind, n) {
		for (let i = 0; i < n; i++) {
			const reader = new Reader(kind, kind === 'sse' ? 'sse' : FORMATS[i % 4],
				this.readers.length + this.left.length);
			await reader.start(this.web);
			this.knows.joins++;
			this.readers.push(reader);
		}
	}

	/* One publish, and when it was; under way until there is an end. */
	async publish(work) {
		const record = { begin: performance.now(), end: Infinity };

		this.publishes.push(record);
		const answer = await work();
		record.end = performance.now();
		return answer;
	}

	publishAs(session, n) {
		return this.publish(() => session.publish('/load', { n: String(n).padStart(4, '0') }));
	}

	async refused(session) {
		const answer = await session.ask('publish', { p_subject: '/closed' });

		assert.equal(answer.get('p_event'), 'nack');
		this.knows.refused++;
	}

	/* All publishers at once, then everybody catches up; so that it is known
	 * what each queue got. */
	async round() {
		await Promise.all(this.publishers.map(async (session, i) => {
			for (let n = 0; n < EVENTS; n++)
				await this.publishAs(session, EVENTS * i + n);
			await this.refused(session);
		}));
		const n = PUBLISHERS * EVENTS;
		this.knows.published += n;
		this.knows.queued += n * this.readers.length;
		for (const reader of this.readers)
			reader.matched += n;
		await Promise.all(this.readers.map((reader) => reader.catchUp()));
	}

	async leave(kind) {
		const at = this.readers.findIndex((reader) => reader.kind === kind);
		const [reader] = this.readers.splice(at, 1);

		this.left.push(reader);
		await reader.leave();
		this.knows.leaves++;
	}

	async drive() {
		this.publishers = [];
		for (let i = 0; i < PUBLISHERS; i++)
			this.publishers.push(await this.web.join());
		this.knows.joins += PUBLISHERS;
		for (let n = 0; n < ROUNDS; n++) {
			await this.round();
			await this.leave('stream');
			await this.leave('poll');
			await this.join('stream', 2);
		}
		await this.#end();
	}

	/* One who read nothing comes after all and is told what it lost; another
	 * is sent away; and one event goes to one reader. */
	async #end() {
		const late = this.readers.find((reader) => reader.kind === 'none');
		late.kind = 'stream';
		late.session.channel = await late.session.listen({ mode: 'stream' });
		await late.session.channel.next({ p_event: 'listen-ack' });
		await late.catchUp();
		assert.equal(late.got, QUEUE);

		const kicked = this.readers.findIndex((reader) => reader.kind === 'none');
		await this.lab.ctl('kick', await this.handleOf(this.readers[kicked]));
		const gone = this.readers.splice(kicked, 1)[0].expected;
		this.knows.aborts++;

		const [one] = this.readers.filter((reader) => reader.kind === 'stream');
		assert.match(await this.publish(() => this.lab.publish(one.own, { n: '0000' }, '-v')),
			/to 1 session/);
		one.matched++;
		await one.catchUp();
		this.knows.published++;
		this.knows.queued++;
		this.knows.lost = gone.lost;
		for (const { expected } of [...this.readers, ...this.left]) {
			this.knows.delivered += expected.delivered;
			this.knows.lost += expected.lost;
		}
	}

	/* The server may go. */
	async stop() {
		for (const reader of this.readers) {
			reader.leaving = true;
			reader.session.channel?.close();
		}
		await Promise.all(this.readers.map((reader) => reader.looping));
	}

	async handleOf(reader) {
		const found = (await this.lab.sessions()).find((s) => s.subjects.includes(reader.own));

		return found.handle;
	}

	/* How many publishes were certainly done in a time, and how many perhaps,
	 * which began between from[0] and from[1] and ended between to[0] and to[1]. */
	publishedWithin(from, to) {
		return [this.publishes.filter((p) => p.begin >= from[1] && p.end <= to[0]).length,
			this.publishes.filter((p) => p.end >= from[0] && p.begin <= to[1]).length];
	}

	/* Looks once, while it drives: what was published and how fast. */
	async look() {
		const before = performance.now();
		const { counts, rates, ...rest } = await this.lab.status();
		const now = [before, performance.now()];
		const [least, most] = this.publishedWithin([0, 0], now);

		assert.ok(counts.published >= least && counts.published <= most,
			`${counts.published} published, of ${least} to ${most}`);
		assert.ok(counts.queued >= counts.delivered + counts.lost + rest.waiting);
		for (const [name, ms] of [['second', 3000], ['minute', 62_000]])
			this.#compareRate(name, rates[name], now, ms);
	}

	/* A sample is taken every second by whoever has time; so a second's look
	 * may be one of up to three, which it says. */
	#compareRate(name, rate, now, longest) {
		if (rate === null)
			return;
		assert.ok(rate.ms <= longest, `${rate.ms} ms`);
		const [least, most] = this.publishedWithin(now.map((t) => t - rate.ms), now);
		const n = Math.round(rate.published * rate.ms / 1000);
		assert.ok(n >= least && n <= most,
			`${n} in the last ${name} (${rate.ms} ms), of ${least} to ${most}`);
		this.compared = { ...this.compared, [name]: (this.compared?.[name] ?? 0) + 1 };
	}

	/* What is there, at rest. */
	get picture() {
		const all = this.readers.map((reader) => reader.expected);
		const sum = (name) => all.reduce((n, session) => n + session[name], 0);
		const of = (mode, list = all) => list.filter((s) => s.mode === mode).length;
		const listening = all.filter((s) => s.listening);

		return { total: all.length + PUBLISHERS, listening: listening.length,
			by: { stream: of('stream'), pull: of('pull'), poll: of('poll'),
				none: of(null) + PUBLISHERS },
			open: { stream: of('stream', listening), pull: of('pull', listening), poll: 0 },
			subscriptions: 2 * all.length, queued: sum('queued'), waiting: sum('waiting') };
	}
}

/* The numbers of a line that begins with these words. */
function numbers(text, words) {
	const line = text.split('\n').find((l) => l.startsWith(words));

	return line.slice(words.length).match(/\d+(\.\d+)?/g).map(Number);
}

describe('a server under load', () => {
	const lab = new Lab();
	let driver, web, pushletd, nginx, picture;
	/* Until the pulls have come back for more. */
	const rest = () => until('all to be at rest', async () => {
		const { sessions, queued } = await lab.status();

		return sessions.listening === picture.listening && queued === picture.queued;
	});

	before(async () => {
		pushletd = await lab.pushletd({ props: { 'queue.size': QUEUE,
			'metrics.http': 'on', rule: 'deny publish below /closed' } });
		nginx = await lab.nginx(pushletd);
		web = nginx.client();
		driver = new Driver(lab, web);
		await until('a first sample', async () => (await lab.status()).rates.minute);
	});
	after(async () => {
		await driver?.stop();
		await lab.close();
	});

	it('is seen as it is, while it goes on', async () => {
		let driving = true;

		for (const [kind, n] of [['stream', 24], ['pull', 8], ['poll', 8], ['sse', 2], ['none', 6]])
			await driver.join(kind, n);
		const done = driver.drive().finally(() => { driving = false; });
		while (driving)
			await driver.look();
		await done;
		assert.ok(driver.compared.minute > 10 && driver.compared.second > 5,
			JSON.stringify(driver.compared));
		({ picture } = driver);
		await rest();
	});

	it('status --json knows each number', async () => {
		const status = await lab.status();

		assert.deepEqual(status.counts, driver.knows);
		assert.deepEqual(status.sessions, { total: picture.total, listening: picture.listening,
			stream: picture.by.stream, pull: picture.by.pull, poll: picture.by.poll });
		assert.deepEqual(status.channels, picture.open);
		assert.equal(status.subscriptions, picture.subscriptions);
		assert.deepEqual([status.queued, status.waiting, status.queued_most, status.waiting_most],
			[picture.queued, picture.waiting, QUEUE, QUEUE]);
		assert.deepEqual(status.workers.map(({ pid, channels, alive }) => [pid, channels, alive]),
			[[pushletd.pid, picture.listening, true]]);
		/* All of it was within the last minute, unless the machine is busy. */
		for (const [name, n] of status.uptime < 60 ? Object.entries(driver.knows) : [])
			assert.equal(Math.round(status.rates.minute[name] * status.rates.minute.ms / 1000), n,
				`${name} in the last minute`);
	});

	it('the log is as long as its events are', async () => {
		const { log: { bytes } } = await lab.status();

		await driver.publishAs(driver.publishers[0], 0);
		driver.knows.published++;
		driver.knows.queued += driver.readers.length;
		for (const reader of driver.readers)
			reader.matched++;
		await Promise.all(driver.readers.map((reader) => reader.catchUp()));
		const { log, history } = await lab.status();
		const record = log.bytes - bytes;
		/* One event was shorter: of a tool, which has no handle. */
		const rest = log.bytes - record * (driver.knows.published - 1);
		assert.ok(rest > 0 && rest < record, `${rest} of ${record}`);
		assert.deepEqual([log.head - log.tail, history.bytes], [log.bytes, log.bytes]);
	});

	it('sessions knows each number of each', async () => {
		await rest();
		const sessions = await lab.sessions();

		for (const reader of driver.readers) {
			const found = sessions.find((s) => s.subjects.includes(reader.own));
			const { expected } = reader;
			assert.deepEqual(Object.fromEntries(Object.keys(expected).map((k) => [k, found[k]])),
				expected, reader.own);
		}
		assert.equal(sessions.filter((s) => s.subjects.length === 0).length, PUBLISHERS);
		assert.equal(sessions.length, picture.total);
	});

	it('status says the same in words', async () => {
		const { stdout } = await lab.ctl('status');
		const { counts, log, limits } = await lab.status();
		const { by, open, listening, total } = picture;
		const share = (n, of) => [n, of, Number((100 * n / of).toFixed(1))];

		assert.deepEqual(numbers(stdout, 'sessions    '), share(total, 500));
		assert.deepEqual(numbers(stdout, 'subscriptions '), share(picture.subscriptions, 1000));
		assert.deepEqual(numbers(stdout, 'workers  '), share(1, 64));
		assert.deepEqual(numbers(stdout, 'fullest queue'), share(QUEUE, QUEUE));
		assert.deepEqual(numbers(stdout, 'log bytes'), share(log.bytes, limits.log_bytes));
		assert.deepEqual(numbers(stdout.slice(stdout.indexOf('by mode')), 'sessions'),
			[by.stream, by.pull, by.poll, by.none, total]);
		assert.deepEqual(numbers(stdout, 'open channels'),
			[open.stream, open.pull, open.poll, listening]);
		assert.deepEqual(numbers(stdout, 'events waiting'),
			[picture.waiting, picture.queued - picture.waiting]);
		for (const [name, n] of Object.entries(counts))
			assert.equal(numbers(stdout.slice(stdout.indexOf('counted')),
				`${name.replace('_', ' ')} `)[0], n, name);
		assert.deepEqual(numbers(stdout, `${pushletd.pid} `)[0], listening);
	});

	it('metrics has the same, over HTTP too', async () => {
		const here = parseExposition((await lab.ctl('metrics')).stdout);
		const there = parseExposition(await (await fetch(new URL('metrics', nginx.url))).text());
		const { log, history, bytes } = await lab.status();

		assert.deepEqual(there, here);
		const known = { sessions: picture.total, sessions_limit: 500, workers: 1,
			sessions_listening: picture.listening, subscriptions: picture.subscriptions,
			events_waiting: picture.waiting, queue_fullest: QUEUE, queue_limit: QUEUE,
			events_unacknowledged: picture.queued - picture.waiting,
			log_bytes: log.bytes, history_bytes: history.bytes, segment_bytes: bytes };
		for (const [mode, n] of Object.entries(picture.open)) {
			known[`channels{mode="${mode}"}`] = n;
			known[`sessions_by_mode{mode="${mode}"}`] = picture.by[mode];
		}
		for (const [name, n] of Object.entries((await lab.status()).counts))
			known[`${name}_total`] = n;
		for (const [name, n] of Object.entries(known))
			assert.equal(here.get(`pushlet_${name}`), n, name);
	});

	it('top draws it, each session a line, and on a small screen the most', async () => {
		const top = (size) => lab.guard(new Terminal([binary('pushletctl'), '-n', lab.segment, 'top'], size));
		const large = top({ columns: 140, lines: picture.total + 8 });
		const small = top();
		const { by, total, listening } = picture;
		const { counts, log, history, limits } = await lab.status();
		const part = (n, of) => `${Math.round(100 * n / of)}%`;

		await large.shows(/^q quit/m);
		await small.shows(/^q quit/m);
		for (const { text } of [large, small]) {
			const lines = text.split('\n');
			assert.equal(lines[1], `sessions ${total} of 500: stream ${by.stream}, pull ${by.pull}, `
				+ `poll ${by.poll}, none ${by.none}; listening ${listening}`);
			assert.equal(lines[2], `waiting ${picture.waiting}, fullest queue ${QUEUE} of ${QUEUE}; `
				+ `log ${part(log.bytes, limits.log_bytes)}, history ${
					part(history.bytes, limits.history_bytes)}; repairs 0`);
			assert.deepEqual(lines[3].trim().split(/ +/),
				['published', 'queued', 'delivered', 'lost', 'refused', 'joins']);
			assert.deepEqual(numbers(text, 'since made'), [counts.published, counts.queued,
				counts.delivered, counts.lost, counts.refused, counts.joins]);
			assert.match(lines.at(-1), /^q quit .* \/ subject$/);
		}
		assert.equal(small.text.split('\n').filter((l) => /^[0-9a-f]{18} /.test(l)).length, 16);
		for (const reader of driver.readers) {
			const { mode, format, listening: open, waiting, delivered, lost, subjects } = reader.expected;
			const line = large.text.split('\n').find((l) => l.endsWith(subjects.join(',')));
			const words = line.split(/ +/);
			assert.deepEqual([...words.slice(1, 6), ...words.slice(7)],
				[mode === null ? '-' : open ? mode : `(${mode})`, format, String(waiting),
					String(delivered), String(lost), '127.0.0.1', subjects.join(',')]);
		}
		await until('a second without events', () => numbers(large.text, 'a second')[0] === 0);
	});
});
