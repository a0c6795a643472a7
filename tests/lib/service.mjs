// SPDX-License-Identifier: MIT
//
// service.mjs - pushletd as systemd runs it: a socket that outlives it, and
// another master as soon as one has died

import { chmodSync, linkSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { Guarded } from './process.mjs';
import { binary } from './paths.mjs';

/* Standard input is the socket.  A master that ended with status 0 was told
 * to. */
const SYSTEMD = `
exec 3<&0 </dev/null
trap 'stop=1; kill -TERM $child' TERM
stop=
while test -z "$stop"; do
	"$@" <&3 3<&- &
	child=$!
	while wait "$child"; status=$?; kill -0 "$child" 2>/dev/null; do :; done
	test -n "$stop" || sleep 0.1
done
exit "$status"`;

/* Pids of the children of a process; none when it is gone. */
export function children(pid) {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
			.trim().split(' ').filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

export const descendants = (pid) => children(pid).flatMap((c) => [c, ...descendants(c)]);

/* The name of the program it runs, also of one that is deleted. */
export function programOf(pid) {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
	} catch {
		return undefined;
	}
}

export class Service {
	/* options: workers, props, socket (its path) */
	constructor(lab, { workers, props, socket = lab.path('service.sock') }) {
		Object.assign(this, { lab, workers, socket });
		this.address = `unix:${this.socket}`;
		lab.properties(props);
	}

	async start() {
		const path = this.lab.path('systemd.sock');
		const server = createServer();

		rmSync(this.socket, { force: true });
		server.listen(path);
		await new Promise((done) => { server.on('listening', done); });
		linkSync(path, this.socket);
		chmodSync(this.socket, 0o666);
		this.guarded = new Guarded('pushletd', 'sh', ['-c', SYSTEMD, 'sh', binary('pushletd'),
			'-f', '-w', String(this.workers), '-c', this.lab.path('pushlet.properties')],
		{ stdin: server._handle.fd });
		await this.guarded.line(/^pushletd: ready: /m);
		server.close();		/* it would accept as well */
		this.down = false;
	}

	get masters() { return children(this.guarded.pid); }
	get workerPids() { return this.masters.flatMap(children); }
	says(pattern) { return this.guarded.line(pattern, { from: this.guarded.output.length }); }

	/* How often this was logged. */
	said(pattern) { return this.guarded.output.match(new RegExp(pattern, 'g'))?.length ?? 0; }

	check() { this.guarded?.check(); }
	kill(signal) { this.guarded?.kill(signal); }
	get running() { return this.guarded?.running; }
	async stop() { await this.guarded?.stop(); }
}
