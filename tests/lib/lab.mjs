// SPDX-License-Identifier: MIT
//
// lab.mjs - one test's private world: directory, segment, servers
//
//	const lab = new Lab();
//	after(() => lab.close());
//	const pushletd = await lab.pushletd();
//	const nginx = await lab.nginx(pushletd);
//	const ann = await nginx.client().join('xml');
//
// close() stops everything, newest first, destroys the segment, removes the
// directory, and throws if anything did not behave.  When the test is
// interrupted or dies, the same is done as well as it can be at once.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD } from './paths.mjs';
import { tool } from './process.mjs';
import { Pushletd, properties } from './pushletd.mjs';
import { Relay } from './relay.mjs';
import { ApacheFcgid, ApacheProxy, ApacheRelay, Lighttpd, Nginx } from './fronts.mjs';

const open = new Set();

function sweep() {
	for (const lab of open)
		lab.sweep();
}

process.on('exit', sweep);
/* A second signal while we sweep must not end us half way. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => {
		sweep();
		process.removeAllListeners(signal);
		process.kill(process.pid, signal);
	});

export class Lab {
	constructor() {
		this.dir = mkdtempSync(join(tmpdir(), 'pushlet-test-'));
		chmodSync(this.dir, 0o755);	/* Apache changes its user */
		this.segment = `/pushlet-test-${randomBytes(6).toString('hex')}`;
		this.running = [];
		open.add(this);
	}

	path(name) { return join(this.dir, name); }

	write(name, text, mode = 0o644) {
		writeFileSync(this.path(name), text);
		chmodSync(this.path(name), mode);
		return this.path(name);
	}

	get shmFile() { return `/dev/shm${this.segment}`; }

	/* Takes over the stopping of something with stop() and check(). */
	guard(thing) {
		this.running.push(thing);
		return thing;
	}

	async #front(Front, ...args) {
		const front = this.guard(new Front(this, ...args));

		await front.start();
		return front;
	}

	pushletd(options) { return this.#front(Pushletd, options); }
	nginx(...servers) { return this.#front(Nginx, servers); }
	apacheFcgid(options) { return this.#front(ApacheFcgid, options); }
	apacheRelay(options) { return this.#front(ApacheRelay, options); }
	apacheProxy(server, options) { return this.#front(ApacheProxy, server, options); }
	relay(options) { return this.#front(Relay, options); }
	lighttpd(server, options) { return this.#front(Lighttpd, server, options); }

	/* The segment's name is all the tools need to know. */
	ctl(...args) { return tool('pushletctl', ['-n', this.segment, ...args]); }

	async status() {
		const { stdout } = await this.ctl('status', '--json');

		return JSON.parse(stdout);
	}

	/* What it knows of each session. */
	async sessions() {
		const { stdout } = await this.ctl('sessions', '--json');

		return JSON.parse(stdout);
	}

	/* How many sessions have an open channel. */
	async listening() { return (await this.status()).sessions.listening; }

	/* One event from the command line; throws unless it was published. */
	async publish(subject, attributes = {}, ...options) {
		const pairs = Object.entries(attributes).map(([k, v]) => `${k}=${v}`);
		const { status, stdout, stderr } = await tool('pushlet-publish',
			['-n', this.segment, ...options, subject, ...pairs]);

		if (status !== 0)
			throw new Error(`pushlet-publish: ${status}: ${stderr}`);
		return stdout;
	}

	properties(values) {
		return this.write('pushlet.properties',
			properties({ 'shm.name': this.segment, ...values }));
	}

	check() {
		for (const thing of this.running)
			thing.check();
	}

	async close() {
		const failures = [];
		const attempt = async (work) => {
			try {
				await work();
			} catch (error) {
				failures.push(error);
			}
		};

		if (existsSync(this.shmFile))
			await attempt(() => this.#intact());
		for (const thing of this.running.reverse())
			await attempt(() => thing.stop());
		this.sweep();
		if (failures.length > 0)
			throw failures[0];
	}

	/* Whatever the test did, the segment's invariants must hold after it. */
	async #intact() {
		if (this.damaged)
			return;
		const { status, stdout, stderr } = await this.ctl('check');

		if (status !== 0)
			throw new Error(`pushletctl check: ${status}: ${stdout}${stderr}`);
	}

	/* Synchronous, for the last moment of the process.  Apache must be asked
	 * to end, or it leaves children and shared memory. */
	sweep() {
		for (const thing of this.running)
			thing.kill('SIGTERM');
		for (let i = 0; i < 100 && this.running.some((t) => t.running); i++)
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
		for (const thing of this.running)
			thing.kill('SIGKILL');
		if (existsSync(this.shmFile)) {
			spawnSync(join(BUILD, 'pushletctl'),
				['-n', this.segment, 'destroy', '--force']);
			rmSync(this.shmFile, { force: true });
		}
		rmSync(this.dir, { recursive: true, force: true });
		open.delete(this);
	}
}
