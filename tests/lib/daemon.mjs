// SPDX-License-Identifier: MIT
//
// daemon.mjs - programs that others start: what they inherit, and their end

import assert from 'node:assert/strict';
import { linkSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { until } from './wait.mjs';

export const isAlive = (pid) => {
	try {
		process.kill(pid, 0);
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
};

/* Something that runs on its own: stopped by pid. */
export class Daemon {
	constructor(pid) { this.pid = pid; }
	check() { assert.ok(this.stopped || isAlive(this.pid), 'the daemon died'); }
	get running() { return isAlive(this.pid); }
	kill(signal) { if (this.running) process.kill(this.pid, signal); }

	async stop() {
		this.stopped = true;
		this.kill('SIGTERM');
		await until('the daemon to end', () => !isAlive(this.pid));
	}
}

/* A listening socket, and where it stays reachable when we close it: node
 * removes the name of a unix socket then. */
export async function listening(lab, kind, name = 'fd0.sock') {
	const socket = createServer();
	const path = lab.path(name);

	socket.listen(kind === 'unix' ? path : { port: 0, host: '127.0.0.1' });
	await new Promise((done) => { socket.on('listening', done); });
	if (kind === 'unix')
		linkSync(path, `${path}2`);
	return { socket, address: kind === 'unix' ? `${path}2` : socket.address().port };
}
