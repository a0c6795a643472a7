// SPDX-License-Identifier: MIT
//
// shortage.test.mjs - no descriptors, no shared memory, no threads
//
// Memory is unit/test_memory.c.

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { answer, begin, FcgiClient, params, requestParams } from '../lib/fcgi.mjs';
import { binary, IS_ROOT } from '../lib/paths.mjs';
import { Guarded, run } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

const AS_ROOT = { skip: IS_ROOT ? false : 'only root can make the shortage' };

async function withLab(test) {
	const lab = new Lab();

	try {
		await test(lab);
	} finally {
		await lab.close();
	}
}

describe('Without descriptors', () => {
	class Server extends FcgiClient {
		constructor(path) { super(); this.path = path; }
		connect() { return connect(this.path); }
	}

	const STREAM = Buffer.concat([begin(), params(requestParams({ query:
		'p_event=join-listen&p_mode=stream&p_format=xml&p_subject=/fd' })),
	Buffer.from([1, 5, 0, 1, 0, 0, 0, 0])]);
	const text = (stream) => answer(stream.received).text;
	const open = (streams) => streams.filter((s) => text(s).includes('p_event="hb"'));

	it('it waits with new connections, serves the old, and then the new', () => withLab(async (lab) => {
		const path = lab.path('few.sock');
		const pushletd = lab.guard(new Guarded('pushletd', 'sh', ['-c',
			'ulimit -n 48; exec "$@"', 'sh', binary('pushletd'), '-f', '-t', '1',
			'-c', lab.properties({ 'sessionmanager.maxsessions': 100 }),
			'-s', `unix:${path}`]));
		await pushletd.line(/^pushletd: ready/m);
		const server = new Server(path);
		const streams = await Promise.all(Array.from({ length: 60 },
			() => server.fcgiOpen(STREAM)));

		await pushletd.line(/not accepting for a second: Too many open files/);
		await until('most to be served', () => open(streams).length >= 20);
		const served = open(streams);
		assert.ok(served.length < 48, `${served.length}`);
		await lab.publish('/fd', { n: 1 });
		await until('all of those to have it',
			() => served.every((s) => text(s).includes(' n="1"')));
		const [gone, rest] = [served.slice(0, 15),
			streams.filter((s) => !served.slice(0, 15).includes(s))];
		for (const { socket } of gone)
			socket.destroy();
		await until('others to be served in their place',
			() => open(rest).length + rest.filter((s) => s.closed).length >
				served.length - gone.length + 10);
		await lab.publish('/fd', { n: 2 });
		await until('all to have the next', () => open(rest).every(
			(s) => s.closed || text(s).includes(' n="2"')));
		for (const { socket } of streams)
			socket.destroy();
	}));
});

describe('Without shared memory', () => {
	it('it says so, ends, and leaves nothing', AS_ROOT, () => withLab(async (lab) => {
		const { stdout, stderr } = await run('unshare', ['-m', 'sh', '-c',
			'mount -t tmpfs -o size=1m tmpfs /dev/shm; "$@"; '
			+ 'echo "status $?, left $(ls /dev/shm | wc -l)"', 'sh',
			binary('pushletd'), '-f', '-n', lab.segment, '-s',
			`unix:${lab.path('none.sock')}`]);

		assert.match(stderr, /segment .*: not enough shared memory; make .dev.shm larger/);
		assert.equal(stdout, 'status 1, left 0\n');
	}));
});

describe('Without threads', () => {
	for (const most of [1, 2, 4])
		it(`of which there may be ${most}, it says so and ends`, AS_ROOT, () => withLab(async (lab) => {
			const program = lab.path('pushletd');
			const file = lab.properties({ 'sessionmanager.maxsessions': 10 });
			const nobody = String(1_900_000_000 + process.pid);

			copyFileSync(binary('pushletd'), program);
			chmodSync(program, 0o755);
			const { status, stderr } = await run('setpriv', [`--reuid=${nobody}`,
				`--regid=${nobody}`, '--clear-groups', 'prlimit', `--nproc=${most}`,
				program, '-f', '-t', '8', '-c', file, '-s', '127.0.0.1:0'],
			/* who looks for leaks is a process, too */
			{ env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` } });

			assert.equal(status, 1, stderr);
			assert.match(stderr, /cannot start: Resource temporarily unavailable/);
			const { stdout } = await lab.ctl('status', '--json');
			assert.deepEqual(JSON.parse(stdout).workers, []);
		}));
});
