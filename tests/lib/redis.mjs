// SPDX-License-Identifier: MIT
//
// redis.mjs - a private redis-server on a unix socket, which may be killed and
// come back, with its data or without

import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { Guarded } from './process.mjs';
import { program } from './paths.mjs';
import { until } from './wait.mjs';

export class Redis {
	/* options: password */
	constructor(lab, { password } = {}) {
		Object.assign(this, { lab, password });
		this.socket = lab.path('redis.sock');
		this.dir = lab.path('redis');
	}

	async start() {
		mkdirSync(this.dir, { recursive: true });
		rmSync(this.socket, { force: true });
		this.guarded = new Guarded('redis-server', program('redis-server'), [
			'--port', '0', '--unixsocket', this.socket, '--dir', this.dir,
			/* What was answered is in the file. */
			'--save', '', '--appendonly', 'yes', '--appendfsync', 'always',
			...(this.password ? ['--requirepass', this.password] : [])]);
		await until('redis-server', () => this.ask('PING').then((answer) =>
			/^\+PONG|^-NOAUTH/.test(answer), () => false));
	}

	/* One command, and the answer as it stands on the wire. */
	ask(...words) {
		return new Promise((done, fail) => {
			const socket = connect(this.socket);
			let text = '';

			socket.on('error', fail);
			socket.on('close', () => done(text));
			socket.setEncoding('utf8').on('data', (more) => { text += more; });
			socket.end([words, ['QUIT']].map((w) => `*${w.length}\r\n${
				w.map((x) => `$${Buffer.byteLength(x)}\r\n${x}\r\n`).join('')}`)
				.join(''));
		});
	}

	/* data: is it to be there when it comes back? */
	async kill9({ data = true } = {}) {
		await this.guarded.killed('SIGKILL');
		if (!data)
			rmSync(this.dir, { recursive: true, force: true });
	}

	check() { this.guarded?.check(); }
	kill(signal) { this.guarded?.kill(signal); }
	get running() { return this.guarded?.running; }
	async stop() { await this.guarded?.stop(); }
}
