// SPDX-License-Identifier: MIT
//
// top.test.mjs - pushletctl top, on a terminal that script(1) makes

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { rows } from '../lib/rows.mjs';
import { until, within, LIMIT } from '../lib/wait.mjs';

/* A program on a terminal: what it drew, without the terminal's commands. */
class Terminal {
	constructor(...command) {
		this.output = '';
		this.child = spawn('script', ['-qfec', command.join(' '), '/dev/null'],
			{ env: { ...process.env, TERM: 'xterm', COLUMNS: '160', LINES: '24' } });
		this.child.stdout.setEncoding('utf8').on('data', (text) => {
			/* eslint-disable-next-line no-control-regex */
			this.output += text.replace(/\x1b(\[[0-9;?]*[a-zA-Z]|[()][A-Z0-9]|[=>])/g, ' ');
		});
		this.exit = new Promise((done) => { this.child.on('close', done); });
	}

	type(keys) {
		this.output = '';
		this.child.stdin.write(keys);
	}

	shows(pattern) {
		return until(`${pattern} on the terminal`, () => this.output.match(pattern));
	}

	ended() { return within(this.exit, LIMIT, () => `it goes on:\n${this.output}`); }
}

describe('pushletctl top', () => {
	const lab = new Lab();
	const opened = [];
	const top = (...options) => {
		const terminal = new Terminal(binary('pushletctl'), '-n', lab.segment, 'top', ...options);

		opened.push(terminal);
		return terminal;
	};
	let web;

	before(async () => {
		web = (await lab.nginx(await lab.pushletd())).client();
		for (const subject of ['/few', '/many']) {
			const session = await web.join();
			await session.subscribe(subject);
		}
		for (let n = 0; n < 3; n++)
			await lab.publish('/many', { n });
	});
	after(async () => {
		for (const terminal of opened)
			terminal.child.kill('SIGKILL');
		await lab.close();
	});

	rows('pushletctl', [
		['top without a terminal', () => ['-n', lab.segment, 'top'], 1, /needs a terminal/],
		['top as JSON', () => ['-n', lab.segment, 'top', '--json'], 1, /--json goes with/],
	]);

	it('draws what is there, the fullest queue first, until q', async () => {
		const screen = top();

		await screen.shows(/sessions 2 of 500.*HANDLE.*QUEUED\*.*\/many.*\/few.*q quit/s);
		await lab.publish('/few', { n: 1 });
		await until('a fourth event that waits', () => {
			screen.child.stdin.write('\f');	/* draw all anew */
			return screen.output.includes('waiting 4, fullest queue 3 of');
		});
		screen.type('q');
		assert.equal(await screen.ended(), 0);
	});

	it('sorts by another count, and filters by subject', async () => {
		const screen = top();

		await screen.shows(/QUEUED\*/);
		screen.type('l');
		await screen.shows(/\*/);
		screen.type('/');
		await screen.shows(/subject:/);
		screen.type('/few');
		await screen.shows(/few/);
		screen.type('\r');
		await screen.shows(/q quit/);
		screen.type('q');
		assert.equal(await screen.ended(), 0);
	});

	it('--subject filters from the start', async () => {
		const screen = top('--subject', '/few');

		await screen.shows(/HANDLE.*\/few.*q quit.*: \/few/s);
		assert.ok(!screen.output.includes('/many'));
		screen.type('q');
		assert.equal(await screen.ended(), 0);
	});

	it('ends with the segment', async () => {
		const screen = top();

		await screen.shows(/q quit/);
		await lab.ctl('destroy', '--force');
		await screen.shows(/was destroyed/);
		assert.equal(await screen.ended(), 2);
	});
});
