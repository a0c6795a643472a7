// SPDX-License-Identifier: MIT
//
// start.test.mjs - how others start pushletd: on descriptor 0, or as a daemon

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { Daemon, isAlive, listening } from '../lib/daemon.mjs';
import { Lab } from '../lib/lab.mjs';
import { FcgiClient } from '../lib/fcgi.mjs';
import { binary, program } from '../lib/paths.mjs';
import { Guarded, run, tool } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

class At extends FcgiClient {
	constructor(where) { super(); this.where = where; }
	connect() { return connect(this.where); }
}

async function withLab(test) {
	const lab = new Lab();

	try {
		await test(lab);
	} finally {
		await lab.close();
	}
}

const joins = async (server) => {
	const answer = await server.fcgi({ query: 'p_event=join&p_format=xml' });

	assert.equal(answer.status, 200);
	assert.match(answer.text, /p_event="join-ack"/);
};

describe('pushletd', () => {
	/* As systemd (StandardInput=socket), mod_fcgid and lighttpd do. */
	for (const where of ['unix', 'tcp'])
		it(`serves a listening ${where} socket on descriptor 0, in the foreground`, () =>
			withLab(async (lab) => {
				const { socket, address } = await listening(lab, where);
				const pushletd = lab.guard(new Guarded('pushletd', binary('pushletd'),
					['-n', lab.segment], { stdin: socket._handle.fd }));

				await pushletd.line(/^pushletd: ready: segment \S+, .*, pid \d+/m);
				socket.close();	/* ours would accept as well */
				await joins(new At(address));
				assert.ok(isAlive(pushletd.pid));
				await pushletd.stop();
			}));

	/* As systemd does, for who runs ExecReload: node makes the standard input
	 * of its children blocking, and the socket is the same one. */
	it('goes on when somebody else makes its socket block', () => withLab(async (lab) => {
		const { socket, address } = await listening(lab, 'unix');
		const { fd } = socket._handle;
		const pushletd = lab.guard(new Guarded('pushletd', binary('pushletd'),
			['-n', lab.segment], { stdin: fd }));

		await pushletd.line(/^pushletd: ready/m);
		assert.equal(spawnSync('true', { stdio: [fd, 'ignore', 'ignore'] }).status, 0);
		socket.close();
		assert.doesNotMatch(readFileSync(`/proc/${pushletd.pid}/fdinfo/0`, 'utf8'),
			/^flags:\s+\d*[4-7]\d{3}$/m, 'O_NONBLOCK is 04000');
		await joins(new At(address));
		pushletd.child.kill('SIGHUP');	/* the loop, not a thread, answers that */
		await pushletd.line(/properties reloaded/);
		await pushletd.stop();
	}));

	it('refuses a descriptor 0 that is no listening socket', () => withLab(async (lab) => {
		const fd = openSync('/dev/null', 'r');
		const pushletd = new Guarded('pushletd', binary('pushletd'), ['-n', lab.segment], { stdin: fd });

		closeSync(fd);
		assert.equal(await pushletd.exited, 1);
		assert.match(pushletd.output, /-s|socket/);
		assert.ok(!existsSync(lab.shmFile));
	}));

	it('can gain no privileges any more', () => withLab(async (lab) => {
		const pushletd = await lab.pushletd();

		assert.match(readFileSync(`/proc/${pushletd.pid}/status`, 'utf8'), /^NoNewPrivs:\s+1$/m);
	}));

	it('is started by spawn-fcgi', () => withLab(async (lab) => {
		const socket = lab.path('spawn.sock');
		const { status, stdout, stderr } = await run(program('spawn-fcgi'), ['-s', socket,
			'-P', lab.path('pid'), '--', binary('pushletd'), '-n', lab.segment]);

		assert.equal(status, 0, stdout + stderr);
		lab.guard(new Daemon(Number(readFileSync(lab.path('pid'), 'utf8'))));
		await joins(new At(socket));
	}));

	it('with -s and without -f is a daemon, ready when its start returns', () => withLab(async (lab) => {
		const socket = lab.path('daemon.sock');
		const log = lab.path('daemon.log');
		/* The daemon goes on logging to its standard error. */
		const { status, stdout } = await run('/bin/sh', ['-c', '"$@" 2>"$0"', log,
			binary('pushletd'), '-n', lab.segment, '-s', `unix:${socket}`]);
		const said = readFileSync(log, 'utf8');
		const [, pid] = /ready: .*, pid (\d+)/.exec(said) ?? [];

		if (pid)
			lab.guard(new Daemon(Number(pid)));
		assert.equal(status, 0, said);
		assert.equal(stdout, '');
		await joins(new At(socket));
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
		assert.notEqual(Number(stat[3]), Number(readFileSync('/proc/self/stat', 'utf8')
			.replace(/^.*\) /, '').split(' ')[3]), 'a session of its own');
	}));

	it('that cannot become a daemon says why, and with what status', () => withLab(async (lab) => {
		const { status, stderr } = await tool('pushletd',
			['-n', lab.segment, '-s', 'unix:/nonexistent/x.sock']);

		assert.equal(status, 1);
		assert.match(stderr, /\/nonexistent\/x\.sock/);
	}));

	it('with -w 2 is a master and two workers on one socket', () => withLab(async (lab) => {
		const pushletd = await lab.pushletd({ args: ['-w', '2', '-t', '1'] });

		await until('two workers', async () => (await lab.status()).workers.length === 2);
		await Promise.all(Array.from({ length: 20 }, () => joins(pushletd)));
	}));
});
