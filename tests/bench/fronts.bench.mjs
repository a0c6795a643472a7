// SPDX-License-Identifier: MIT
//
// fronts.bench.mjs - from the end of pushlet-publish to a stream that curl
// reads, behind each of the web servers
//
// As a script would see it; below zero the event was there before the tool had
// ended.

import { spawn } from 'node:child_process';
import { Lab } from '../lib/lab.mjs';
import { readerFor } from '../lib/formats.mjs';
import { binary, program } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';
import { ended } from './meter.mjs';
import { row } from './results.mjs';

const EVENTS = 30;
/* Apache with mod_proxy_fcgi only ends when its streams have said something. */
const PROPS = { 'sessionmanager.maxsessions': 100, 'log.max.bytes': 2097152,
	'queue.read.timeout.millis': 1000 };

const FRONTS = [
	['nginx', async (lab) => lab.nginx(await lab.pushletd())],
	['Apache mod_fcgid', (lab) => lab.apacheFcgid({ props: PROPS })],
	['Apache mod_proxy_fcgi', async (lab) => lab.apacheProxy(await lab.pushletd({ props: PROPS }))],
	['lighttpd', async (lab) => lab.lighttpd(await lab.pushletd({ props: PROPS }))],
];

/* curl -N on a stream: the events, each with the time it came. */
class Curl {
	constructor(front) {
		const reader = readerFor(200, 'text/plain;charset=UTF-8');

		this.events = [];
		this.child = spawn(program('curl'), ['-N', '-sS', `${front.url}?p_event=`
			+ 'join-listen&p_format=xml&p_mode=stream&p_subject=/bench'],
		{ stdio: ['ignore', 'pipe', 'inherit'] });
		this.child.stdout.setEncoding('utf8').on('data', (text) => {
			const at = performance.now();
			for (const event of reader.push(text))
				this.events.push({ at, event });
		});
	}

	of(type) {
		return this.events.filter(({ event }) => event.get('p_event') === type);
	}

	has(n, type) {
		return until(`${n} ${type} events`, () => this.of(type).length >= n);
	}

	check() {}
	kill() { this.child.kill('SIGKILL'); }
	stop() { this.child.kill(); }
}

/* Milliseconds until the event was there. */
async function latency(lab, curl, n) {
	const child = spawn(binary('pushlet-publish'),
		['-n', lab.segment, '/bench', `n=${n}`], { stdio: 'ignore' });

	await ended(child, 'pushlet-publish');
	const end = performance.now();
	await curl.has(n + 1, 'data');
	const { at, event } = curl.of('data')[n];
	if (Number(event.get('n')) !== n)
		throw new Error(`event ${event.get('n')} instead of ${n}`);
	return at - end;
}

async function measure([name, start]) {
	const lab = new Lab();

	try {
		const curl = lab.guard(new Curl(await start(lab)));
		const times = [];
		await curl.has(1, 'hb');
		for (let n = 0; n < EVENTS; n++)
			times.push(await latency(lab, curl, n));
		row(`behind ${name}: event after the end of pushlet-publish, median`,
			'ms', times);
		row('  the slowest', 'ms', Math.max(...times));
	} finally {
		await lab.close();
	}
}

for (const front of FRONTS)
	await measure(front);
