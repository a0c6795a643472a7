// SPDX-License-Identifier: MIT
//
// publish.bench.mjs - how many events pushlet-publish --lines gets rid of
//
// The lines are in a file, so that what is measured is not who writes them.
// The one session never listens: each event finds its queue full, and pushes
// the oldest out.

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { ended } from './meter.mjs';
import { row } from './results.mjs';

const EVENTS = 500000;
const TURNS = 3;

async function rate(lab, file, subject) {
	const input = openSync(file, 'r'), began = performance.now();
	const child = spawn(binary('pushlet-publish'),
		['-n', lab.segment, '--lines', 'b', subject],
		{ stdio: [input, 'ignore', 'inherit'] });
	const status = await ended(child, 'pushlet-publish');
	const seconds = (performance.now() - began) / 1000;

	closeSync(input);
	if (status !== 0)
		throw new Error(`pushlet-publish: ${status}`);
	return EVENTS / seconds;
}

async function rates(lab, file, subject) {
	const runs = [];

	for (let turn = 0; turn < TURNS; turn++)
		runs.push(await rate(lab, file, subject));
	return runs;
}

const lab = new Lab();
try {
	const nginx = await lab.nginx(await lab.pushletd({ small: false }));
	const session = await nginx.client().join('xml');
	const lines = Array.from({ length: EVENTS }, (_, i) => `${i} some text\n`);
	const file = lab.write('lines', lines.join(''));

	await session.subscribe('/one');
	row('pushlet-publish --lines, nobody subscribed', '1/s',
		await rates(lab, file, '/nobody'), undefined, 'at least 1000000');
	row('pushlet-publish --lines, one session each', '1/s',
		await rates(lab, file, '/one'), undefined, 'at least 500000');
	const { published, queued } = (await lab.status()).counts;
	if (published !== 2 * TURNS * EVENTS || queued !== TURNS * EVENTS)
		throw new Error(`${published} were published, ${queued} queued`);
	await session.leave();
} finally {
	await lab.close();
}
