// SPDX-License-Identifier: MIT
//
// cutter.mjs - a bad network: passes connections on, and cuts the answers
//
//	const cutter = lab.guard(new Cutter(nginx.port));
//	await cutter.start();
//	cutter.limit = 700;	(bytes that the next connections may bring)

import { connect, createServer } from 'node:net';

export class Cutter {
	constructor(port) {
		this.target = port;
		this.limit = Infinity;
		this.cuts = 0;
		this.sockets = new Set();
		this.server = createServer((client) => this.#pass(client));
	}

	async start() {
		await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
		this.port = this.server.address().port;
	}

	#pass(client) {
		const front = connect(this.target, '127.0.0.1');
		let left = this.limit;
		const end = () => {
			client.destroy();
			front.destroy();
		};

		for (const socket of [client, front]) {
			this.sockets.add(socket);
			socket.on('error', end);
			socket.on('close', () => {
				this.sockets.delete(socket);
				end();
			});
		}
		client.pipe(front);
		front.on('data', (bytes) => {
			if (bytes.length < left) {
				left -= bytes.length;
				client.write(bytes);
				return;
			}
			/* The server believes that all has arrived. */
			this.cuts++;
			client.end(bytes.subarray(0, left));
			front.removeAllListeners('data');
			front.resume();
		});
		front.on('end', () => client.end());
	}

	check() {}
	kill() { this.stop(); }
	get running() { return false; }

	stop() {
		for (const socket of this.sockets)
			socket.destroy();
		this.server.close();
	}
}
