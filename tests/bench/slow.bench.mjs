// SPDX-License-Identifier: MIT
//
// slow.bench.mjs - what clients that never read cost those that do
//
// 1,000 streams whose connections nobody reads, among 100 that are read, all in
// one pushletd.  The client is the web server here: it speaks FastCGI to the
// socket, so that what is not read stays with pushletd.  The delay of an event
// is that from the writing of its line to pushlet-publish --lines to its
// arrival at a reader.  Fails if a reader misses an event.

import { spawn } from 'node:child_process';
import { Lab } from '../lib/lab.mjs';
import { begin, params, requestParams } from '../lib/fcgi.mjs';
import { pool, until } from '../lib/wait.mjs';
import { binary } from '../lib/paths.mjs';
import { ended, memory } from './meter.mjs';
import { remark, row } from './results.mjs';

const READERS = 100, DEAF = 1000;
const EVENTS = 200, PERIOD = 20;	/* ms between two */
const RUNS = 5;				/* a p99 is that of two slow events */
const PAD = 4000;			/* bytes of an event */
const REQUEST = Buffer.concat([begin(), params(requestParams({ query:
	'p_event=join-listen&p_mode=stream&p_format=xml&p_subject=/slow' })),
Buffer.from([1, 5, 0, 1, 0, 0, 0, 0])]);

const now = () => performance.now();
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/* A stream: the numbers of its events, as they come. */
class Stream {
	constructor(pushletd, each) {
		this.next = 0;
		this.each = each;
		this.rest = '';
		this.ready = new Promise((done, fail) => {
			this.opened = done;
			this.socket = pushletd.connect();
			this.socket.on('error', fail);
			this.socket.write(REQUEST);
			this.socket.on('data', (bytes) => this.take(bytes.latin1Slice()));
		});
	}

	take(text) {
		this.rest += text;
		if (this.rest.includes('p_event="hb"'))
			this.opened();
		for (const [, n] of this.rest.matchAll(/ n="(\d+)"/g)) {
			if (Number(n) !== this.next)
				this.missed ??= `event ${n} instead of ${this.next}`;
			this.next = Number(n) + 1;
			this.each?.(Number(n));
		}
		/* From the last number on it may be incomplete. */
		this.rest = this.rest.slice(-40).replace(/^.* n="\d+"/s, '');
	}
}

async function open(pushletd, n, each) {
	const streams = [];

	await pool(64, Array.from({ length: n }, () => async () => {
		const stream = new Stream(pushletd, each);
		streams.push(stream);
		await stream.ready;
	}));
	return streams;
}

function spread(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];

	return { median: at(0.5), p99: at(0.99), max: at(1) };
}

/* Publishes EVENTS events; the delays of all readers. */
async function measure(publisher, readers, log) {
	const from = readers[0].next;

	log.sent.length = 0;
	log.delays.length = 0;
	for (let i = 0; i < EVENTS; i++) {
		log.sent[from + i] = now();
		publisher.stdin.write(`${from + i}\n`);
		await pause(PERIOD);
	}
	await until('all readers to have all',
		() => readers.every((r) => r.next === from + EVENTS));
	const missed = readers.find((r) => r.missed);
	if (missed)
		throw new Error(missed.missed);
	return spread(log.delays);
}

async function measures(...how) {
	const found = [];

	while (found.length < RUNS)
		found.push(await measure(...how));
	return found;
}

async function bench(lab) {
	const pushletd = await lab.pushletd({ small: false, props: {
		'sessionmanager.maxsessions': 1200, 'queue.size': 64 } });
	const log = { sent: [], delays: [] };
	const readers = await open(pushletd, READERS,
		(n) => log.delays.push(now() - log.sent[n]));
	const publisher = spawn(binary('pushlet-publish'), ['-n', lab.segment,
		'--lines', 'n', '/slow', `pad=${'x'.repeat(PAD)}`],
	{ stdio: ['pipe', 'ignore', 'inherit'] });

	await measure(publisher, readers, log);		/* warm */
	const alone = await measures(publisher, readers, log);
	const before = memory(pushletd.pid);
	const deaf = await open(pushletd, DEAF);
	deaf.forEach(({ socket }) => socket.pause());
	/* Until their buffers are full: all have lost something. */
	await until('all slow clients to be stuck', async () => {
		await measure(publisher, readers, log);
		return (await lab.sessions()).filter((s) => s.lost > 0).length === DEAF;
	}, 25000);
	const among = await measures(publisher, readers, log);
	const after = memory(pushletd.pid);
	const { counts } = await lab.status();
	publisher.stdin.end();
	if (await ended(publisher, 'pushlet-publish') !== 0)
		throw new Error('pushlet-publish failed');
	deaf.concat(readers).forEach(({ socket }) => socket.destroy());

	remark(`slow clients: the reference is the same ${READERS} readers alone; ${
		DEAF} others lost ${counts.lost} events`);
	for (const what of ['median', 'p99', 'max'])
		row(`delay among ${DEAF} clients that never read: ${what}`, 'ms',
			among.map((a) => a[what]), alone.map((a) => a[what]));
	row('memory of pushletd for a client that never reads', 'KiB',
		(after.anonymous - before.anonymous) / DEAF / 1024);
}

const lab = new Lab();
try {
	await bench(lab);
} finally {
	await lab.close();
}
