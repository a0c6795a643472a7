// SPDX-License-Identifier: MIT
//
// streams.bench.mjs - many open streams, through nginx, in one pushletd
//
//	node tests/bench/streams.bench.mjs [STREAMS]
//
// PUSHLET_BENCH_STREAMS is the same (default 5000).  Fails unless every stream
// gets every event exactly once and in order.  All programs, and this client,
// share the machine: the times are what is left of its processors for each.

import { readFileSync } from 'node:fs';
import { Lab } from '../lib/lab.mjs';
import { Nginx } from '../lib/fronts.mjs';
import { clockReaches, until } from '../lib/wait.mjs';
import { Listeners } from './listeners.mjs';
import { childrenOf, COUNT, cpu, facts, KB, MB, memory, MS, now, PERCENT,
	Publisher, quantile, segmentSize, spread, table, US } from './lib.mjs';

const WANTED = Number(process.argv[2] ?? process.env.PUSHLET_BENCH_STREAMS ?? 5000);
const SPARE = 300;		/* descriptors for other things */
const SINGLE = 20;		/* events, each when all have the last */
const BURST = 100;		/* events at once; below queue.size */
const IDLE = 5000;		/* ms */

/* nginx takes two connections for a stream, and cuts old ones when it has no
 * sixteenth of them free. */
const connectionsFor = (n) => Math.ceil(2 * n * 16 / 15) + SPARE;

/* As many streams as are wanted, or as nginx may have descriptors for. */
function possible(wanted) {
	const line = /^Max open files +\d+ +(\d+)/m
		.exec(readFileSync('/proc/self/limits', 'latin1'));
	const most = Math.floor((Number(line[1]) - 2048 - SPARE) / 2 * 15 / 16);

	if (!(wanted >= 1))
		throw new Error(`${wanted} streams: must be a number above 0`);
	if (wanted <= most)
		return wanted;
	process.stdout.write(`${wanted} streams need a higher limit of `
		+ `descriptors than ${line[1]} (ulimit -Hn): ${most} it is\n`);
	return most;
}

async function setUp(lab, n) {
	const pushletd = await lab.pushletd({ small: false, props: {
		'sessionmanager.maxsessions': n + SPARE, 'subscriptions.max': n + SPARE,
	} });
	const nginx = lab.guard(new Nginx(lab, [pushletd]));

	nginx.connections = connectionsFor(n);
	await nginx.start();
	const worker = await until('the worker of nginx',
		() => childrenOf(nginx.pid)[0]);
	return { pushletd, nginx, worker };
}

/* What work() takes of the processors, per unit, in each program. */
async function cost({ pushletd, worker }, units, work) {
	const before = [cpu(pushletd.pid), cpu(worker), cpu('self')];
	const began = now();
	const result = await work();
	const after = [cpu(pushletd.pid), cpu(worker), cpu('self')];
	const [server, front, client] = after.map((t, i) => (t - before[i]) / units);

	return { result, ms: now() - began, server, front, client };
}

const costCells = (c, unit) => [unit(c.server), unit(c.front), unit(c.client)];

const look = ({ pushletd, worker }) =>
	({ server: memory(pushletd.pid), front: memory(worker) });

function printMemory(n, empty, full) {
	const row = (name, which, what) => [name, MB(empty[which][what]),
		MB(full[which][what]), KB((full[which][what] - empty[which][what]) / n)];

	table('Memory', ['', 'before', 'with streams', 'per stream'], [
		row('pushletd, its own (anonymous)', 'server', 'anonymous'),
		row('pushletd, private dirty with its segment', 'server', 'dirty'),
		row('pushletd, resident with its segment', 'server', 'rss'),
		row('nginx worker, its own (anonymous)', 'front', 'anonymous'),
	]);
}

async function open(lab, site, listeners, n) {
	const empty = look(site);
	const opening = await cost(site, n, () => listeners.open(n));
	const full = look(site);
	const segment = segmentSize(lab);
	const { workers } = await lab.status();

	facts(`${COUNT(n)} streams through nginx in one pushletd`, [
		['all open after', MS(opening.ms)],
		['opened per second', COUNT(1000 * n / opening.ms)],
		['processes of pushletd', workers.length],
		['segment, size', MB(segment.size)],
		['segment, of it in memory', MB(segment.used)],
	]);
	printMemory(n, empty, full);
	return opening;
}

async function rest(site, listeners) {
	const before = listeners.heartbeats;
	const idle = await cost(site, IDLE / 1000,
		() => clockReaches(Date.now() + IDLE));

	return { ...idle, heartbeats: listeners.heartbeats - before };
}

/* The median stream's time is that until half of them have the event. */
async function oneByOne(publisher, listeners) {
	const first = [], median = [], last = [];

	for (let i = 0; i < SINGLE; i++) {
		const began = now();
		publisher.numbers(i, i + 1);
		const times = (await listeners.all(i)).map((t) => t - began);
		first.push(times[0]);
		median.push(quantile(times, 0.5));
		last.push(times.at(-1));
	}
	return [['first stream', first], ['median stream', median],
		['last stream', last]];
}

async function allAtOnce(publisher, listeners) {
	const began = now();

	publisher.numbers(SINGLE, SINGLE + BURST);
	const times = await listeners.all(SINGLE + BURST - 1, 20000);
	return times.at(-1) - began;
}

function printTimes(single) {
	table(`${SINGLE} events, one after another: until a stream has it`,
		['', 'min', 'median', 'max'], single.result.map(([name, values]) => {
			const s = spread(values);
			return [name, MS(s.min), MS(s.median), MS(s.max)];
		}));
}

function printCost(opening, idle, single, burst) {
	table('CPU time', ['', 'pushletd', 'nginx', 'this client'], [
		['to open a stream', ...costCells(opening, US)],
		['to deliver an event to a stream', ...costCells(single, US)],
		[`the same, ${BURST} events at once`, ...costCells(burst, US)],
		[`idle for ${IDLE / 1000} s, ${idle.heartbeats} hb, share of a core`,
			...costCells(idle, PERCENT)],
	]);
}

async function close(lab, site, listeners) {
	const began = now();

	listeners.close();
	await until('no stream to be open', async () => await lab.listening() === 0);
	facts('All streams closed by their clients', [
		['noticed after', MS(now() - began)],
		['pushletd, its own memory', MB(look(site).server.anonymous)],
	]);
}

async function bench(lab) {
	const n = possible(WANTED);
	const site = await setUp(lab, n);
	const listeners = lab.guard(new Listeners(site.nginx, '/bench'));
	const opening = await open(lab, site, listeners, n);
	const idle = await rest(site, listeners);
	const publisher = new Publisher(lab, '/bench', `pad=${'x'.repeat(100)}`);
	const single = await cost(site, SINGLE * n,
		() => oneByOne(publisher, listeners));
	const burst = await cost(site, BURST * n,
		() => allAtOnce(publisher, listeners));

	await publisher.finish();
	listeners.check();
	if (listeners.lost > 0)
		throw new Error(`${listeners.lost} events were lost`);
	printTimes(single);
	printCost(opening, idle, single, burst);
	facts(`${BURST} events at once`, [
		['until the last stream has all', MS(burst.result)],
		['deliveries per second', COUNT(1000 * BURST * n / burst.result)],
	]);
	await close(lab, site, listeners);
	process.stdout.write(`\nEach of ${COUNT(n)} streams got each of ${
		SINGLE + BURST} events once and in order.\n`);
}

const lab = new Lab();
try {
	await bench(lab);
} finally {
	await lab.close();
}
