// SPDX-License-Identifier: MIT
//
// wait.mjs - waiting for conditions, never for time to pass
//
// Every wait has a limit, and says what it waited for when it gives up.

import { SLOW } from './paths.mjs';

export const LIMIT = 10_000 * SLOW;

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/* Calls test until it returns something true, which is the result. */
export async function until(what, test, limit = LIMIT) {
	const end = Date.now() + limit;
	let last;

	for (;;) {
		const value = await test();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`gave up waiting for ${what}`);
		last = Math.min((last ?? 1) * 2, 50);
		await pause(last);
	}
}

/* The promise's value, or an error that explain() words, after the limit. */
export async function within(promise, limit, explain) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(explain())), limit);
	});

	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}

/* For tests whose very subject is elapsed time (leases, recorded paces). */
export function clockReaches(ms) {
	return pause(Math.max(0, ms - Date.now()));
}

/* Runs the tasks with at most n under way; waits for all, then reports the
 * first failure. */
export async function pool(n, tasks) {
	const queue = [...tasks];
	const failures = [];
	const worker = async () => {
		for (let task = queue.shift(); task; task = queue.shift())
			await task().catch((error) => failures.push(error));
	};

	await Promise.all(Array.from({ length: n }, worker));
	if (failures.length > 0)
		throw failures[0];
}
