// SPDX-License-Identifier: MIT
//
// meter.mjs - what the kernel says of a process: processor time and memory

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { within, LIMIT } from '../lib/wait.mjs';

/* Nanoseconds on a processor, of one thread; one that ends meanwhile counts
 * for nothing. */
function onProcessor(pid, task) {
	try {
		const text = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1');
		return Number(text.split(' ')[0]);
	} catch {
		return 0;
	}
}

/* Seconds that the threads of these processes have run so far. */
export function cpu(...pids) {
	return pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`)
		.map((task) => onProcessor(pid, task)))
		.reduce((sum, ns) => sum + ns / 1e9, 0);
}

/*
 * Bytes.  anonymous is heap, stacks and written data: the process's own.
 * private also has the pages of files and of the segment that it alone has
 * mapped and written.
 */
export function memory(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
	const field = (name) =>
		1024 * Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)[1]);

	return { resident: field('Rss'), anonymous: field('Anonymous'),
		private: field('Private_Clean') + field('Private_Dirty') };
}

export function childrenOf(pid) {
	return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
		.trim().split(' ').filter(Boolean).map(Number);
}

export const segmentBytes = (lab) => statSync(lab.shmFile).size;

/* The status of a child process, once it has ended. */
export function ended(child, what) {
	const end = child.exitCode !== null || child.signalCode !== null
		? Promise.resolve(child.signalCode ?? child.exitCode)
		: new Promise((done, fail) => {
			child.on('error', fail);
			child.on('exit', (code, signal) => done(signal ?? code));
		});

	return within(end, 3 * LIMIT, () => `${what} does not end`);
}

export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;

	return sorted.length % 2 ? sorted[middle]
		: (sorted[middle - 1] + sorted[middle]) / 2;
}
