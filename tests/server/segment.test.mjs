// SPDX-License-Identifier: MIT
//
// segment.test.mjs - a segment that is damaged or not ours is refused, unchanged

import assert from 'node:assert/strict';
import { chownSync, closeSync, ftruncateSync, openSync, readFileSync, statSync,
	writeSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { IS_ROOT } from '../lib/paths.mjs';
import { tool } from '../lib/process.mjs';

describe('a segment that is not ours', () => {
	const lab = new Lab();

	lab.damaged = true;	/* on purpose */
	before(async () => {
		await (await lab.pushletd()).stop();
		lab.running.length = 0;
	});
	after(() => lab.close());

	/* Every program must refuse it, and none may change it. */
	async function refused(message) {
		const before_ = readFileSync(lab.shmFile);

		for (const [name, ...args] of [['pushletctl', 'status'], ['pushlet-publish', '/a'],
			['pushletd', '-f', '-s', `unix:${lab.path('r.sock')}`]]) {
			const { status, stderr } = await tool(name, ['-n', lab.segment, ...args]);
			assert.notEqual(status, 0, `${name} accepts it`);
			assert.match(stderr, message);
			assert.ok(stderr.includes(lab.segment), stderr);
		}
		assert.ok(readFileSync(lab.shmFile).equals(before_), 'unchanged');
	}

	/* Does change to the file, and undoes it. */
	async function changed(change, message) {
		const whole = readFileSync(lab.shmFile);

		change();
		try {
			await refused(message);
		} finally {
			const fd = openSync(lab.shmFile, 'r+');
			ftruncateSync(fd, whole.length);
			writeSync(fd, whole, 0, whole.length, 0);
			closeSync(fd);
		}
		assert.equal((await lab.ctl('check')).status, 0);
	}

	const write = (bytes, at) => () => {
		const fd = openSync(lab.shmFile, 'r+');
		writeSync(fd, Buffer.from(bytes), 0, bytes.length, at);
		closeSync(fd);
	};

	it('because of another layout version is refused', () =>
		changed(write([0xff], 8), /another version/));

	it('because of its size is refused', () => changed(() => {
		const fd = openSync(lab.shmFile, 'r+');
		ftruncateSync(fd, statSync(lab.shmFile).size - 4096);
		closeSync(fd);
	}, /damaged.*size/));

	it('because it has no head is refused by the tools', async () => {
		const whole = readFileSync(lab.shmFile);

		write('hello, world', 0)();
		for (const [name, ...args] of [['pushletctl', 'status'], ['pushlet-publish', '/a']]) {
			const { status, stderr } = await tool(name, ['-n', lab.segment, ...args]);
			assert.equal(status, 4, stderr);
			assert.match(stderr, /not a pushlet segment/);
		}
		write(whole.subarray(0, 12), 0)();
	});

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
