// SPDX-License-Identifier: MIT
//
// top.test.mjs - pushletctl top, on a terminal that script(1) makes

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { rows } from '../lib/rows.mjs';
import { Terminal } from '../lib/terminal.mjs';

describe('pushletctl top', () => {
	const lab = new Lab();
	const top = (...options) => lab.guard(new Terminal(
		[binary('pushletctl'), '-n', lab.segment, 'top', ...options]));
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
	after(() => lab.close());

	rows('pushletctl', [
		['top without a terminal', () => ['-n', lab.segment, 'top'], 1, /needs a terminal/],
		['top as JSON', () => ['-n', lab.segment, 'top', '--json'], 1, /--json goes with/],
	]);

	it('draws what is there, the fullest queue first, until q', async () => {
		const screen = top();

		await screen.shows(/sessions 2 of 500.*HANDLE.*WAITING\*.*\/many.*\/few.*q quit/s);
		await lab.publish('/few', { n: 1 });
		await screen.shows(/^waiting 4, fullest queue 3 of/m);
		screen.type('q');
		assert.equal(await screen.ended(), 0);
	});

	it('sorts by another count, and filters by subject', async () => {
		const screen = top();

		await screen.shows(/WAITING\*/);
		screen.type('l');
		await screen.shows(/LOST\*/);
		screen.type('/');
		await screen.shows(/^subject:$/m);
		screen.type('/few');
		await screen.shows(/^subject: \/few$/m);
		screen.type('\r');
		await screen.shows(/q quit.*: \/few$/m);
		assert.ok(!screen.text.includes('/many'));
		screen.type('q');
		assert.equal(await screen.ended(), 0);
	});

	it('--subject filters from the start', async () => {
		const screen = top('--subject', '/few');

		await screen.shows(/HANDLE.*\/few.*q quit.*: \/few/s);
		assert.ok(!screen.text.includes('/many'));
		screen.type('q');
		assert.equal(await screen.ended(), 0);
	});

	it('ends with the segment', async () => {
		const screen = top();

		await screen.shows(/q quit/);
		await lab.ctl('destroy', '--force');
		assert.equal(await screen.ended(), 2);
		assert.match(screen.output, /was destroyed/);
	});
});
