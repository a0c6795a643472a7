// SPDX-License-Identifier: MIT
//
// segment.test.mjs - a segment that is damaged or not ours is refused, unchanged

import assert from 'node:assert/strict';
import { chownSync, closeSync, ftruncateSync, openSync, readFileSync, truncateSync,
	writeSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { hostile } from '../lib/hostile.mjs';
import { Lab } from '../lib/lab.mjs';
import { IS_ROOT } from '../lib/paths.mjs';
import { tool } from '../lib/process.mjs';

describe('a segment that is not ours', () => {
	const lab = new Lab();

	lab.damaged = true;	/* on purpose */
	before(async () => {
		await (await lab.pushletd({ props: { 'sessionmanager.maxsessions': 1000,
			'subscriptions.max': 2000, 'workers.max': 3 } })).stop();
		lab.running.length = 0;
	});
	after(() => lab.close());

	/* Every program must refuse it, and none may change it. */
	async function refused(message, programs) {
		const before_ = readFileSync(lab.shmFile);
		let said;

		for (const [name, ...args] of programs) {
			const { status, stderr } = await tool(name, ['-n', lab.segment, ...args]);
			assert.notEqual(status, 0, `${name} accepts it`);
			assert.match(stderr, message);
			assert.ok(stderr.includes(lab.segment), stderr);
			said ??= `${status} ${stderr.replace(`pushletctl: ${lab.segment}: `, '')}`;
		}
		assert.ok(readFileSync(lab.shmFile).equals(before_), 'unchanged');
		return said;
	}

	/* Does change to the file, and undoes it. */
	async function changed(change, look) {
		const whole = readFileSync(lab.shmFile);

		change(whole);
		try {
			return await look();
		} finally {
			const fd = openSync(lab.shmFile, 'r+');
			ftruncateSync(fd, whole.length);
			writeSync(fd, whole, 0, whole.length, 0);
			closeSync(fd);
			assert.equal((await lab.ctl('check')).status, 0);
		}
	}

	const write = (bytes, at) => () => {
		const fd = openSync(lab.shmFile, 'r+');
		writeSync(fd, Buffer.from(bytes), 0, bytes.length, at);
		closeSync(fd);
	};
	const resize = (size) => (whole) => truncateSync(lab.shmFile, size(whole.length));
	const TOOLS = [['pushletctl', 'status'], ['pushlet-publish', '/a']];
	const ALL = [...TOOLS, ['pushletd', '-f', '-s', `unix:${lab.path('r.sock')}`]];

	/* What pushletd finds without a head, it makes anew. */
	for (const [what, change, message, programs = ALL] of [
		['another layout version', write([0xff], 8), /another version/],
		['a size that it does not have', write([1], 16), /damaged.*size/],
		['a page cut off', resize((n) => n - 4096), /damaged.*size/],
		['all but its first page cut off', resize(() => 4096), /damaged.*size/],
		['a page too much', resize((n) => n + 4096), /damaged.*size/],
		['half a head', resize(() => 12), /damaged.*size/],
		['another magic', write('hello, world', 0), /not a pushlet segment/, TOOLS],
		['a geometry of too many sessions', (whole) =>
			write([0xff, 0xff, 0xff, 0x7f], geometry(whole))(), /damaged/],
		['a geometry of no sessions', (whole) => write([0, 0, 0, 0], geometry(whole))(), /damaged/],
	])
		it(`because of ${what} is refused`, async (t) => {
			hostile(t, 'segment', what,
				await changed(change, () => refused(message, programs)));
		});

	/* The geometry begins with the most sessions, subscriptions, workers. */
	function geometry(whole) {
		const most = Buffer.alloc(12);

		[1000, 2000, 3].forEach((n, i) => most.writeUInt32LE(n, 4 * i));
		const at = whole.indexOf(most);
		assert.ok(at > 0);
		return at;
	}

	it('and was never finished is made anew by pushletd', async () => {
		write('hello, world', 0)();
		const pushletd = await lab.pushletd();

		assert.equal((await pushletd.fcgi({ query: 'p_event=join' })).status, 200);
		await pushletd.stop();
	});

	it('because it belongs to another user is refused', {
		skip: !IS_ROOT && 'needs root' }, async () => {
		chownSync(lab.shmFile, 65534, 65534);
		const { status, stderr } = await tool('pushletd', ['-f', '-n', lab.segment,
			'-s', `unix:${lab.path('r.sock')}`]);

		assert.equal(status, 1);
		assert.match(stderr, /belongs to another user/);
		chownSync(lab.shmFile, 0, 0);
	});
});
