// SPDX-License-Identifier: MIT
//
// memory.bench.mjs - what open channels cost while nothing happens, and a
// process more under mod_fcgid

import { Lab } from '../lib/lab.mjs';
import { clockReaches, until } from '../lib/wait.mjs';
import { both, possible } from './site.mjs';
import { median, memory, segmentBytes } from './meter.mjs';
import { row } from './results.mjs';

const IDLE = 5000;		/* ms */
const PROCESSES = 5;

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

async function channels() {
	const n = possible(9000);

	await both({ streams: n }, async (ours, other) => {
		row(`memory of the process per open channel, ${n}`, 'bytes',
			await perChannel(ours, n), await perChannel(other, n),
			'at most 1024');
		row('segment, bytes a session as configured', 'bytes',
			segmentBytes(ours.lab) / (n + 300));
		row(`idle CPU with ${n} open channels`, '% of a core',
			await idle(ours), await idle(other), 'below 1');
	});
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
			median(workers.map(({ pid }) => memory(pid).private)) / 1024,
			undefined, 'below 600');
	} finally {
		await lab.close();
	}
}

await channels();
await processes();
