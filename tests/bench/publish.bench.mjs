// SPDX-License-Identifier: MIT
//
// publish.bench.mjs - how many events pushlet-publish --lines gets rid of
//
// "paced" publishes as many events as a queue holds, waits until all streams
// have them, and so on: the most that arrives without a loss.  "flood" does
// not wait: full queues drop their oldest events, and the streams are told how
// many, which is checked against the numbers that are missing.

import { Lab } from '../lib/lab.mjs';
import { until } from '../lib/wait.mjs';
import { Listeners } from './listeners.mjs';
import { childrenOf, COUNT, cpu, cpuOfEnded, now, PERCENT, Publisher,
	table, US } from './lib.mjs';

const EVENTS = 200000;		/* into the segment alone */
const STREAMS = 100;
const FLOOD = 20000;		/* events to the streams */
const PACED = 10000;
const WINDOW = 200;		/* of them at a time; below queue.size */

/* Rate and CPU of what work() publishes, n events. */
async function measure(lab, subject, n, site, work) {
	const others = () => (site ? [cpu(site.pushletd.pid), cpu(site.worker)] : [0, 0]);
	const ended = cpuOfEnded(), busy = others(), began = now();
	const publisher = new Publisher(lab, subject, 'pad=0123456789abcdef');

	await work(publisher);
	const seconds = (now() - began) / 1000;
	const [server, front] = others().map((t, i) => (t - busy[i]) / n);
	return { seconds, rate: n / seconds, server, front,
		publisher: (cpuOfEnded() - ended) / n };
}

async function write(publisher, n) {
	publisher.numbers(0, n);
	await publisher.finish();
}

async function countOf(lab, name) { return (await lab.status()).counts[name]; }

async function queued(lab, nginx) {
	const session = await nginx.client().join('xml');

	await session.subscribe('/silent');
	const result = await measure(lab, '/silent', EVENTS, undefined,
		(p) => write(p, EVENTS));
	const lost = await countOf(lab, 'lost');
	if (lost === 0 || lost >= EVENTS)
		throw new Error(`the queue of one that never listens lost ${lost} `
			+ `of ${EVENTS} events`);
	await session.leave();
	return { ...result, lost: lost / EVENTS };
}

/* Each window of events is published when all streams have the last one. */
async function paced(lab, site, listeners) {
	const result = await measure(lab, '/all', PACED, site, async (publisher) => {
		for (let n = 0; n < PACED; n += WINDOW) {
			publisher.numbers(n, n + WINDOW);
			await listeners.all(n + WINDOW - 1);
		}
		await publisher.finish();
	});

	if (listeners.lost > 0)
		throw new Error(`${listeners.lost} events were lost when paced`);
	return { ...result, deliveries: PACED * STREAMS / result.seconds };
}

/* The rate is that of the publisher, the deliveries take longer. */
async function flood(lab, site, listeners) {
	let published;
	const result = await measure(lab, '/all', FLOOD, site, async (publisher) => {
		const began = now();
		await write(publisher, FLOOD);
		published = (now() - began) / 1000;
		await listeners.all(FLOOD - 1);
	});
	const arrived = FLOOD * STREAMS - listeners.lost;

	listeners.check();
	return { ...result, rate: FLOOD / published,
		lost: listeners.lost / (FLOOD * STREAMS),
		deliveries: arrived / result.seconds };
}

async function streams(lab, site) {
	const listeners = lab.guard(new Listeners(site.nginx, '/all'));

	await listeners.open(STREAMS);
	const first = await paced(lab, site, listeners);
	listeners.restart();
	return [[`${STREAMS} streams, paced`, first],
		[`${STREAMS} streams, flood`, await flood(lab, site, listeners)]];
}

async function bench(lab) {
	const pushletd = await lab.pushletd();
	const nginx = await lab.nginx(pushletd);
	const worker = await until('the worker of nginx',
		() => childrenOf(nginx.pid)[0]);
	const site = { pushletd, nginx, worker };
	const rows = [
		['nobody', await measure(lab, '/nobody', EVENTS, undefined,
			(p) => write(p, EVENTS))],
		['one session that never listens', await queued(lab, nginx)],
		...await streams(lab, site),
	];

	table('pushlet-publish --lines, and CPU time of each program per event',
		['to', 'events/s', 'deliveries/s', 'lost', 'publisher', 'pushletd',
			'nginx'],
		rows.map(([name, r]) => [name, COUNT(r.rate),
			r.deliveries ? COUNT(r.deliveries) : '-', PERCENT(r.lost ?? 0),
			US(r.publisher), US(r.server), US(r.front)]));
}

const lab = new Lab();
try {
	await bench(lab);
} finally {
	await lab.close();
}
