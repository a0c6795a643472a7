// SPDX-License-Identifier: MIT
//
// latency.bench.mjs - from pushlet-publish to a stream that curl reads, behind
// each of the web servers
//
// "after the return" counts from the end of the pushlet-publish process, as a
// script would see it; below zero the event was there before.  "after the
// start" also contains the start of that process.  Then heartbeats are awaited,
// whose interval is to be queue.read.timeout.millis.

import { spawn } from 'node:child_process';
import { Lab } from '../lib/lab.mjs';
import { readerFor } from '../lib/formats.mjs';
import { binary, program } from '../lib/paths.mjs';
import { LIMIT, until, within } from '../lib/wait.mjs';
import { MS, now, spread, table } from './lib.mjs';

const EVENTS = 50;
const BEATS = 5;
const READ_TIMEOUT = 1000;	/* ms */
const PROPS = { 'queue.read.timeout.millis': READ_TIMEOUT };

const FRONTS = [
	['nginx', async (lab) => lab.nginx(await lab.pushletd({ props: PROPS }))],
	['Apache mod_fcgid', (lab) => lab.apacheFcgid({ props: {
		'sessionmanager.maxsessions': 100, 'log.max.bytes': 2097152, ...PROPS } })],
	['Apache mod_proxy_fcgi',
		async (lab) => lab.apacheProxy(await lab.pushletd({ props: PROPS }))],
	['lighttpd', async (lab) => lab.lighttpd(await lab.pushletd({ props: PROPS }))],
];

/* curl -N on a stream: the events, each with the time it came. */
class Curl {
	constructor(front) {
		const reader = readerFor(200, 'text/plain;charset=UTF-8');

		this.events = [];
		this.errors = '';
		this.child = spawn(program('curl'), ['-N', '-sS', `${front.url}?p_event=`
			+ 'join-listen&p_format=xml&p_mode=stream&p_subject=/bench'],
		{ stdio: ['ignore', 'pipe', 'pipe'] });
		this.child.stdout.setEncoding('utf8').on('data', (text) => {
			const at = now();
			for (const event of reader.push(text))
				this.events.push({ at, event });
		});
		this.child.stderr.setEncoding('utf8')
			.on('data', (text) => { this.errors += text; });
		this.child.on('error', (error) => { this.errors += error.message; });
		this.child.on('close', (status) => {
			this.errors += `curl ended with ${status}`;
		});
	}

	of(type) {
		return this.events.filter(({ event }) => event.get('p_event') === type);
	}

	/* Waits until it has at least n events of this type. */
	async has(n, type) {
		await until(`${n} ${type} events`, () => {
			if (this.errors)
				throw new Error(this.errors);
			return this.of(type).length >= n;
		}, LIMIT + n * READ_TIMEOUT);
	}

	check() {}
	kill() { this.child.kill('SIGKILL'); }
	stop() { this.child.kill(); }
}

/* One event of the tool: when it was started and when it had ended. */
async function publish(lab, n) {
	const start = now();
	const child = spawn(binary('pushlet-publish'),
		['-n', lab.segment, '/bench', `n=${n}`], { stdio: 'ignore' });
	const ended = new Promise((done, fail) => {
		child.on('error', fail);
		child.on('exit', (status) => done({ status, end: now() }));
	});
	const { status, end } = await within(ended, LIMIT,
		() => 'pushlet-publish does not end');

	if (status !== 0)
		throw new Error(`pushlet-publish ended with ${status}`);
	return { start, end };
}

async function open(lab, make) {
	const curl = lab.guard(new Curl(await make(lab)));

	await curl.has(1, 'hb');
	return curl;
}

async function events(lab, curl) {
	const returned = [], started = [];

	for (let n = 0; n < EVENTS; n++) {
		const { start, end } = await publish(lab, n);
		await curl.has(n + 1, 'data');
		const { at, event } = curl.of('data')[n];
		if (Number(event.get('n')) !== n)
			throw new Error(`event ${event.get('n')} instead of ${n}`);
		returned.push(at - end);
		started.push(at - start);
	}
	return { returned: spread(returned), started: spread(started) };
}

/* The intervals of the heartbeats that follow the last event. */
async function beats(curl) {
	const last = curl.of('data').at(-1).at;
	const later = () => curl.of('hb').map(({ at }) => at).filter((at) => at > last);

	await curl.has(curl.of('hb').length + BEATS, 'hb');
	const times = [last, ...later()].slice(0, BEATS + 1);
	return times.slice(1).map((at, i) => at - times[i]);
}

async function bench(labs) {
	const names = FRONTS.map(([name]) => name);
	const latencies = [], curls = [];

	for (const [i, [, make]] of FRONTS.entries()) {
		curls[i] = await open(labs[i], make);
		latencies.push(await events(labs[i], curls[i]));
	}
	for (const [title, which] of [['return', 'returned'], ['start', 'started']])
		table(`${EVENTS} events, each after the ${title} of pushlet-publish`,
			['curl -N behind', 'min', 'median', 'p99', 'max'],
			latencies.map((l, i) => [names[i], MS(l[which].min),
				MS(l[which].median), MS(l[which].p99), MS(l[which].max)]));
	const intervals = await Promise.all(curls.map(beats));
	table(`${BEATS} heartbeats, queue.read.timeout.millis=${READ_TIMEOUT}`,
		['curl -N behind', ...intervals[0].map((_, i) => `#${i + 1}`)],
		intervals.map((row, i) => [names[i], ...row.map((ms) => MS(ms))]));
}

const labs = FRONTS.map(() => new Lab());
try {
	await bench(labs);
} finally {
	await Promise.all(labs.map((lab) => lab.close()));
}
