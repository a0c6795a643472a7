// SPDX-License-Identifier: MIT
//
// soak.mjs - thousands of operations a second, for a long time: does anything
// grow, and are all counters right?
//
// usage: tests/storm/run soak.mjs MINUTES [SEED]      (or make soak)
//
// Clients come, listen, are cut off, are forgotten and expire, and events are
// published to them.  At the end everybody is gone; then the counters of
// pushletctl status --json must be those of the model, and nothing may be left.
// Prints a line every ten seconds, and figures of the first and last minute.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { until, within } from '../lib/wait.mjs';
import { doors, element, Life, Model } from './lives.mjs';
import { children } from '../lib/service.mjs';
import { dice } from './weather.mjs';

const MINUTES = Number(process.argv[2]);
const SEED = Number(process.argv[3] || Math.floor(Math.random() * 2 ** 31));
const TICK = 10;		/* ms */
const LIVES = 8;		/* that begin with each tick */
const EVENTS = 2000;		/* a second */
const CROWD = 200;		/* lives at a time */
const PROPS = { 'session.timeout.mins': 0.05, 'queue.size': 512,
	'sessionmanager.maxsessions': 8000, 'subscriptions.max': 16000,
	'log.max.bytes': 33554432, 'queue.read.timeout.millis': 1000,
	'pull.refresh.timeout.millis': 600000, 'poll.refresh.timeout.millis': 600000 };

const roll = dice(SEED);
const model = new Model();
const samples = [];
const problems = [];

/* Hears one subject from the beginning to the end: each event, once. */
class Witness {
	constructor(session, number) {
		Object.assign(this, { session, number, n: 0 });
	}

	async run() {
		for (;;) {
			const event = await this.session.channel.next();
			if (event.get('p_event') !== 'data')
				continue;
			this.n++;
			if (Number(event.get('n')) !== this.n)
				throw new Error(`witness ${this.number}: event ${event.get('n')} instead of ${this.n}`);
			if (this.n % 20 === 0)
				await this.session.ask('hb', { p_ack: event.get('p_eid') });
		}
	}
}

/* pushlet-publish --xml -v, which says whom each event reached. */
class Source {
	constructor(lab) {
		this.child = spawn(binary('pushlet-publish'), ['-n', lab.segment, '-v', '--xml'],
			{ stdio: ['pipe', 'pipe', 'inherit'] });
		this.given = this.said = 0;
		this.rest = '';
		this.child.stdin.on('error', () => {});	/* its status tells */
		this.child.stdout.setEncoding('latin1').on('data', (text) => this.#hear(text));
		this.ended = new Promise((done) => { this.child.on('close', done); });
	}

	#hear(text) {
		const lines = (this.rest + text).split('\n');

		this.rest = lines.pop();
		for (const line of lines) {
			this.said++;
			model.did('published');
			model.sure.queued += Number(/ to (\d+) session/.exec(line)[1]);
		}
	}

	give() { this.child.stdin.write(element(this.given++)); }

	async stop() {
		this.child.stdin.end();
		const status = await this.ended;
		if (status !== 0 || this.said !== this.given)
			problems.push(`pushlet-publish: status ${status}, ${this.said} of ${this.given} said`);
	}

	check() {}
	kill(signal) { this.child.kill(signal); }
}

function anonymous(pid) {
	const text = readFileSync(`/proc/${pid}/status`, 'utf8');

	return Number(/^RssAnon:\s+(\d+)/m.exec(text)[1]);
}

async function sample(site, began) {
	const status = await site.lab.status();
	const pids = children(site.pushletd.pid);
	const sum = (of) => pids.map(of).reduce((a, b) => a + b, 0);

	samples.push({ at: (Date.now() - began) / 1000, operations: model.operations,
		'memory kB': sum(anonymous), fds: sum((pid) => readdirSync(`/proc/${pid}/fd`).length),
		sessions: status.sessions.total, subscriptions: status.subscriptions,
		queued: status.queued, 'segment bytes': status.bytes });
	return status;
}

function tellSample() {
	const [last, before] = [samples.at(-1), samples.at(-11) ?? samples[0]];
	const rate = (last.operations - before.operations) / (last.at - before.at);

	console.log(`${String(Math.round(last.at)).padStart(5)} s ${
		String(Math.round(rate)).padStart(6)} operations/s, ${last.sessions} sessions, ${
		last.queued} queued, ${last['memory kB']} kB, ${last.fds} descriptors`);
}

async function checked(lab) {
	const { status, stdout } = await lab.ctl('check');

	if (status !== 0)
		problems.push(`check: ${stdout}`);
}

async function churn(site) {
	const began = Date.now();
	const running = new Set();
	const { http, fcgi } = site;
	let over = false;
	const tick = setInterval(() => {
		while (site.source.given < (Date.now() - began) / 1000 * EVENTS)
			site.source.give();
		for (let i = 0; i < LIVES && running.size < CROWD && !over; i++) {
			const life = new Life(model, roll(5) ? fcgi : http, roll).live()
				.catch((error) => problems.push(error.stack));
			running.add(life);
			life.then(() => running.delete(life));
		}
	}, TICK);

	for (let second = 1; Date.now() - began < MINUTES * 60_000; second++) {
		await new Promise((done) => { setTimeout(done, began + second * 1000 - Date.now()); });
		await sample(site, began);
		if (second % 10 === 0) {
			tellSample();
			await checked(site.lab);
		}
	}
	over = true;
	/* Events go on: some wait for one. */
	await within(Promise.all(running), 60_000, () => `${running.size} clients do not end`);
	clearInterval(tick);
	await site.source.stop();
}

/* All leases end; then everything is where it was, and the books agree. */
async function settle(site, before) {
	await until('everybody to be gone', async () => {
		const s = await site.lab.status();
		return s.sessions.total === site.witnesses.length;
	}, 60_000);
	const want = site.source.given / 50;

	await until('the witnesses', () => site.witnesses.every((w) => w.n >= Math.floor(want)))
		.catch((error) => problems.push(error.message));
	for (const { session } of site.witnesses) {
		await session.leave();
		model.sure.leaves++;
	}
	const status = await until('an empty segment', async () => {
		const s = await site.lab.status();
		return s.sessions.total + s.subscriptions + s.queued + s.sessions.listening === 0 && s;
	});
	problems.push(...model.faults(status.counts));
	balance(status.counts);
	await until('all descriptors to be closed', () => descriptors(site) <= before)
		.catch(() => problems.push(`descriptors: ${before} at first, ${descriptors(site)} now`));
}

const descriptors = (site) => children(site.pushletd.pid)
	.map((pid) => readdirSync(`/proc/${pid}/fd`).length).reduce((a, b) => a + b, 0);

function balance(counts) {
	if (counts.joins !== counts.leaves + counts.expiries)
		problems.push(`${counts.joins} joins, but ${counts.leaves} leaves and ${
			counts.expiries} expiries, and nobody is there`);
	for (const name of ['lost', 'aborts', 'refused', 'repairs', 'workers_reaped'])
		if (counts[name] !== 0)
			problems.push(`${name}: ${counts[name]}`);
	if (counts.delivered > counts.queued)
		problems.push(`${counts.delivered} delivered of ${counts.queued}`);
	console.log(`\ncounters     segment       model    perhaps`);
	for (const [name, sure] of Object.entries(model.sure))
		console.log(name.padEnd(10) + String(counts[name]).padStart(10)
			+ String(sure).padStart(12) + String(model.perhaps[name]).padStart(11));
	console.log(`expiries  ${String(counts.expiries).padStart(10)}`
		+ String(counts.joins - counts.leaves).padStart(12));
}

const mean = (list, name) => Math.round(list.reduce((sum, s) => sum + s[name], 0) / list.length);

/* The first minute begins when the first leases have ended. */
function flat() {
	const settled = samples.filter((s) => s.at > Math.min(10, MINUTES * 15));
	const minute = Math.min(60, Math.ceil(settled.length / 2));
	const [first, last] = [settled.slice(0, minute), settled.slice(-minute)];

	console.log(`\nmeans of ${minute} s     first        last`);
	for (const name of ['memory kB', 'fds', 'sessions', 'subscriptions', 'queued', 'segment bytes']) {
		const [a, b] = [mean(first, name), mean(last, name)];
		console.log(name.padEnd(14) + String(a).padStart(12) + String(b).padStart(12));
		if (name === 'memory kB' && b > a * 1.1 + 1024)
			problems.push(`memory grew from ${a} to ${b} kB`);
		if (name === 'segment bytes' && a !== b)
			problems.push('the segment changed its size');
	}
	const whole = (samples.at(-1).operations - samples[0].operations)
		/ (samples.at(-1).at - samples[0].at);
	console.log(`${Math.round(whole)} operations/s over all, ${model.operations} operations`);
}

async function main(lab) {
	const pushletd = await lab.pushletd({ props: PROPS, args: ['-w', '2'] });
	const nginx = await lab.nginx(pushletd);
	const site = { lab, pushletd, fcgi: doors.fcgi(pushletd.socket), http: doors.http(nginx.port) };
	const before = descriptors(site);

	site.witnesses = await Promise.all([0, 25].map(async (number) => new Witness(
		await nginx.client().joinListen({ mode: 'stream', subject: `/soak/${number}/`,
			p_reliable: 1 }), number)));
	model.sure.joins += site.witnesses.length;
	for (const witness of site.witnesses)
		witness.run().catch((error) => witness.n < Math.floor(site.source.given / 50)
			&& problems.push(error.message));
	site.source = lab.guard(new Source(lab));
	await churn(site);
	await settle(site, before);
	flat();
}

console.log(`soak: ${MINUTES} minutes, SEED=${SEED}`);
const lab = new Lab();
await main(lab).catch((error) => problems.push(error.stack));
await lab.close().catch((error) => problems.push(error.stack));
for (const problem of [...new Set(problems)].slice(0, 30))
	console.log(`FAIL ${problem}`);
console.log(`${problems.length === 0 ? 'PASS' : 'FAIL'}: ${problems.length} problems, SEED=${SEED}`);
process.exitCode = problems.length === 0 ? 0 : 1;
