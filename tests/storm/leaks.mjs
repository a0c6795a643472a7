// SPDX-License-Identifier: MIT
//
// leaks.mjs - what is left behind by the dead, and by many reloads

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { binary, SLOW } from '../lib/paths.mjs';
import { Guarded, tool } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

const SETTLES = 20_000 * SLOW;	/* ms until the dead are noticed */

function rss(pid) {
	return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/* Sums over the workers of pushletd, and what the segment has in use. */
async function figures(site) {
	const status = await site.lab.status();
	const pids = site.service.workerPids;
	const sum = (of) => pids.map(of).reduce((a, b) => a + b, 0);

	return { workers: pids.length, fds: sum(descriptors), 'RSS kB': sum(rss),
		sessions: status.sessions.total, subscriptions: status.subscriptions,
		listening: status.sessions.listening, 'segment bytes': status.bytes };
}

/* Nobody is in the segment any more but workers that live. */
async function buried(site) {
	const problems = [];
	const status = await until('the dead to be noticed', async () => {
		const s = await site.lab.status();
		return s.workers.every((w) => w.alive) && s.sessions.total === 0
			&& s.subscriptions === 0 && s;
	}, SETTLES).catch((error) => problems.push(error.message));
	const { stdout } = await site.lab.ctl('check');

	if (status.counts)
		console.log(`after the storm: ${status.sessions.total} sessions, ${
			status.subscriptions} subscriptions, ${status.workers.length} workers, all `
			+ `alive; ${status.counts.workers_reaped} dead ones were reaped, ${
				status.counts.repairs} repairs, ${status.counts.lost} events lost; check: `
			+ stdout.trim());
	return problems;
}

async function reload({ service, nginx }, i) {
	const logged = service.says(/^(?:[^]*?properties reloaded){4}/);

	process.kill(service.masters[0], 'SIGHUP');
	await logged;
	if (i % 10 === 9) {
		const gone = nginx.says(/exited with code 0/);
		nginx.signal('SIGHUP');
		await gone;
	}
}

export async function leaks(site, reloads) {
	const problems = await buried(site);

	await until('all workers', () => site.service.workerPids.length === site.workers);
	for (let i = 0; i < 10; i++)	/* what is allocated once is there then */
		await reload(site, i);
	const before = await figures(site);
	for (let i = 0; i < reloads; i++)
		await reload(site, i);
	const after = await figures(site);
	console.log(`\n${reloads} reloads        before     after`);
	for (const [name, value] of Object.entries(before)) {
		console.log(name.padEnd(16) + String(value).padStart(10)
			+ String(after[name]).padStart(10));
		const allowed = name === 'RSS kB' ? value * 1.05 + 1024 : value;
		if (after[name] > allowed)
			problems.push(`${name}: ${value} before ${reloads} reloads, ${after[name]} after`);
	}
	return problems;
}

/* Creators that are killed while they make a segment: the next one serves. */
export async function halfMade(site, n) {
	const name = `${site.lab.segment}-half`;
	const file = `/dev/shm${name}`;
	const address = site.lab.path('half.sock');
	const problems = [];
	let found = 0;

	for (let i = 0; i < n; i++) {
		const child = spawn(binary('pushletd'), ['-f', '-n', name, '-s', `unix:${address}`],
			{ stdio: 'ignore' });
		const ended = new Promise((done) => { child.on('close', done); });
		const delay = site.weather.roll(2_000_000);	/* turns of a loop, once it is there */
		await until('a segment', () => existsSync(file));
		for (let turn = 0; turn < delay; turn++);
		child.kill('SIGKILL');
		await ended;
		found += (await tool('pushletctl', ['-n', name, 'status'])).status === 0 ? 0 : 1;
		const next = new Guarded('pushletd', binary('pushletd'),
			['-f', '-n', name, '-s', `unix:${address}`]);
		await next.line(/^pushletd: ready: /m).catch((e) => problems.push(e.message));
		await next.stop();
		const { status, stdout } = await tool('pushletctl', ['-n', name, 'check']);
		if (status !== 0)
			problems.push(`after a creator was killed: ${stdout}`);
		await tool('pushletctl', ['-n', name, 'destroy', '--force']);
		rmSync(address, { force: true });
	}
	console.log(`\n${n} creators killed, ${found} of them half way: ${
		problems.length} segments did not come up again`);
	return problems;
}
