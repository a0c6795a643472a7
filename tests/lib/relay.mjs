// SPDX-License-Identifier: MIT
//
// relay.mjs - a guarded pushlet-relay, and those who live behind relays

import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, readlinkSync,
	} from 'node:fs';
import { connect } from 'node:net';
import { Guarded } from './process.mjs';
import { FcgiClient } from './fcgi.mjs';
import { isAlive, listening } from './daemon.mjs';
import { binary, SLOW } from './paths.mjs';
import { until } from './wait.mjs';

/* A copy of one of our programs that any user may run, and that no other test
 * has. */
export function ownProgram(lab, name) {
	const path = lab.path(name);

	if (!existsSync(path)) {
		copyFileSync(binary(name), path);
		chmodSync(path, 0o755);
	}
	return path;
}

/* The pids that run a program, by its path; children of others of them too. */
export function pidsOf(path) {
	return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
		.filter((pid) => {
			try {
				return readlinkSync(`/proc/${pid}/exe`) === path && isAlive(pid);
			} catch {
				return false;
			}
		});
}

/* What a relay has started has no guard: it is found by its program. */
export class Started {
	constructor(path) { this.path = path; }

	get pids() { return pidsOf(this.path); }
	get running() { return this.pids.length > 0; }
	check() {}
	kill(signal) { this.pids.forEach((pid) => process.kill(pid, signal)); }

	/* The pid of the only one, once those that helped to start it are gone. */
	async only() {
		await until(`a single process of ${this.path}`, () => this.pids.length === 1);
		return this.pids[0];
	}

	/* Gives its pid. */
	async killed(signal) {
		const pid = await this.only();

		process.kill(pid, signal);
		await until(`${this.path} to end`, () => !isAlive(pid));
		return pid;
	}

	async stop() {
		this.kill('SIGTERM');
		await until(`${this.path} to end`, () => !this.running);
	}
}

/* Kilobytes that a process has for itself. */
export function memory(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
	const of = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)[1]);

	return { dirty: of('Private_Dirty'), anonymous: of('Anonymous'), pss: of('Pss') };
}

let count = 0;

/* A relay with a listening socket of its own; a request to that is one through
 * it.  options: uid, args (all of them) */
export class Relay extends FcgiClient {
	constructor(lab, { args, uid } = {}) {
		super();
		Object.assign(this, { lab, args, uid, number: ++count });
	}

	get pid() { return this.guarded.pid; }
	get output() { return this.guarded.output; }
	get running() { return this.guarded?.running; }

	async start() {
		const { socket, address } = await listening(this.lab, 'unix',
			`relayed-${this.number}.sock`);

		this.address = address;
		this.guarded = new Guarded(`relay ${this.number}`,
			ownProgram(this.lab, 'pushlet-relay'), this.args,
			{ stdin: socket._handle.fd, uid: this.uid });
		socket.close();
	}

	connect() { return connect(this.address); }
	says(pattern) { return this.guarded.line(pattern, { from: this.output.length }); }
	check() { this.guarded?.check(); }
	kill(signal) { this.guarded?.kill(signal); }
	async stop(signal) { await this.guarded?.stop(signal, 5000 * SLOW); }
}
