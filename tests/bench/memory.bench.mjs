// SPDX-License-Identifier: MIT
//
// memory.bench.mjs - what open channels cost while nothing happens, and a
// process more under mod_fcgid

import { Lab } from '../lib/lab.mjs';
import { clockReaches, until } from '../lib/wait.mjs';
import { both, possible, SPARE } from './site.mjs';
import { memory, segmentBytes } from './meter.mjs';
import { row } from './results.mjs';

const TURNS = 3;
const IDLE = 4000;		/* ms */
const PROCESSES = 5;

let bytesASession;

const used = (site) => site.pids()
	.reduce((sum, pid) => sum + memory(pid).anonymous, 0);

/* Heap and stacks of the responder, for each open channel. */
async function perChannel(site, n) {
	const empty = used(site);

	await site.streams(n);
	return (used(site) - empty) / n;
}

async function idle(site) {
	const { responder } = await site.spent(async () => {
		await clockReaches(Date.now() + IDLE);
	});

	return 100 * responder / (IDLE / 1000);
}

/* Memory and idle time of both, once; each list gets one figure more. */
async function once(n, memories, idles) {
	await both({ streams: n }, async (...sites) => {
		for (const [i, site] of sites.entries())
			memories[i].push(await perChannel(site, n));
		for (const [i, site] of sites.entries())
			idles[i].push(await idle(site));
		bytesASession = segmentBytes(sites[0].lab) / (n + SPARE);
	});
}

async function channels() {
	const n = possible(9000), memories = [[], []], idles = [[], []];

	for (let turn = 0; turn < TURNS; turn++)
		await once(n, memories, idles);
	row(`memory of the process per open channel, ${n}`, 'bytes', ...memories,
		'at most 1024');
	row('segment, bytes a session as configured', 'bytes', bytesASession);
	row(`idle CPU with ${n} open channels`, '% of a core', ...idles, 'below 1');
}

/* Under mod_fcgid each stream has a process. */
async function processes() {
	const lab = new Lab();

	try {
		const front = await lab.apacheFcgid({ props: {
			'sessionmanager.maxsessions': 100, 'log.max.bytes': 2097152 } });
		for (let i = 0; i < PROCESSES; i++)
			await front.client().joinListen({ mode: 'stream', subject: '/m' });
		const { workers } = await until(`${PROCESSES} processes`, async () => {
			const status = await lab.status();
			return status.workers.length >= PROCESSES && status;
		});
		row('private memory of a process under mod_fcgid', 'KB',
			workers.map(({ pid }) => memory(pid).private / 1024),
			undefined, 'below 600');
	} finally {
		await lab.close();
	}
}

await channels();
await processes();
