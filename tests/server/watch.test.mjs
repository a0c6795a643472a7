// SPDX-License-Identifier: MIT
//
// watch.test.mjs - pushletctl watch: events as they pass

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { Guarded } from '../lib/process.mjs';
import { rows } from '../lib/rows.mjs';
import { until } from '../lib/wait.mjs';

describe('pushletctl watch', () => {
	const lab = new Lab();
	const watch = async (subject, options = [], how = {}) => {
		const watcher = lab.guard(new Guarded('watch', binary('pushletctl'),
			['-n', lab.segment, 'watch', subject, ...options], how));

		await until('its session', async () =>
			(await lab.sessions()).some((s) => s.pid === watcher.pid));
		return watcher;
	};

	before(() => lab.pushletd());
	after(() => lab.close());

	rows('pushletctl', [
		['watch without a subject', () => ['-n', lab.segment, 'watch'], 1, /watch needs SUBJECT/],
		['watch of an empty subject', () => ['-n', lab.segment, 'watch', ''], 1, /no subject/],
		['watch of too long a subject', () => ['-n', lab.segment, 'watch', `/${'x'.repeat(300)}`], 1, /subject\.max\.bytes/],
	]);

	it('prints a line for each event, and goes with its session on SIGINT', async () => {
		const watcher = await watch('/w');

		await lab.publish('/w/x', { n: 1, text: 'two words' });
		await watcher.line(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \/w\/x n=1 text="two words"$/m);
		await lab.publish('/elsewhere', { n: 2 });
		await lab.publish('/w', { n: 3, text: '\x1b[31m' });
		await watcher.line(/ \/w n=3 text=\\x1B\[31m$/m);
		assert.ok(!watcher.output.includes('elsewhere'));
		await watcher.stop('SIGINT');
		assert.deepEqual(await lab.sessions(), []);
		assert.equal((await lab.status()).workers.length, 1);
	});

	it('prints an object a line with --json', async () => {
		const watcher = await watch('/w', ['--json']);

		await lab.publish('/w', { n: 1, text: '"ä"\n' });
		const [line] = await watcher.line(/^\{.*\}$/m);
		const { p_time: time, ...event } = JSON.parse(line);
		assert.deepEqual(event, { p_event: 'data', p_subject: '/w', n: '1', text: '"ä"\n' });
		assert.match(time, /^\d+$/);
		await watcher.stop('SIGTERM');
	});

	it('all of a burst arrives, in order', async () => {
		const watcher = await watch('/burst');

		for (let n = 0; n < 50; n++)
			await lab.publish('/burst', { n });
		await watcher.line(/ n=49$/m);
		assert.deepEqual(watcher.output.match(/n=\d+/g),
			Array.from({ length: 50 }, (_, n) => `n=${n}`));
		await watcher.stop('SIGINT');
	});

	it('ends when its reader does', async () => {
		const child = spawn('/bin/sh', ['-c', '"$0" -n "$1" watch /w | head -n 1',
			binary('pushletctl'), lab.segment], { stdio: ['ignore', 'pipe', 'inherit'] });
		const exit = new Promise((done) => { child.on('close', done); });

		await until('its session', async () => (await lab.sessions()).length === 1);
		await lab.publish('/w', { n: 1 });
		assert.equal(await exit, 0);
		await until('its end', async () => (await lab.sessions()).length === 0);
	});

	it('kicked, it says why and ends with 1', async () => {
		const watcher = await watch('/w', [], { statuses: [1] });
		const [{ handle }] = await lab.sessions();

		await lab.ctl('kick', handle, 'enough seen');
		await watcher.line(/aborted: enough seen/);
		assert.equal(await watcher.exited, 1);
		watcher.stopping = true;
	});

	it('killed, its process is missed and its session has a lease', async () => {
		const watcher = await watch('/w');

		await watcher.killed('SIGKILL');
		await until('its funeral', async () => (await lab.status()).workers.length === 1);
		const [session] = await lab.sessions();
		assert.ok(session.lease > 0);
		await lab.ctl('kick', session.handle);
	});

	it('ends with 2 when the segment is destroyed', async () => {
		const watcher = await watch('/w', [], { statuses: [2] });

		await lab.ctl('destroy', '--force');
		await watcher.line(/was destroyed/);
		assert.equal(await watcher.exited, 2);
		watcher.stopping = true;
	});
});
