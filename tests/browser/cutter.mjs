// SPDX-License-Identifier: MIT
//
// cutter.mjs - a bad network: answers are cut in the middle, or never arrive
//
//	const cutter = await Cutter.start(site);	pages now come through it
//	cutter.every = 7;	of the pieces of answers; 0: a good network
//
// The web server has sent what is lost here, so only acknowledgements can tell.

import { connect, createServer } from 'node:net';

export class Cutter {
	static async start(site) {
		const cutter = new Cutter();
		const url = new URL(site.url);

		cutter.every = 0;
		cutter.pieces = 0;
		cutter.cuts = 0;
		cutter.target = Number(url.port);
		cutter.sockets = new Set();
		cutter.server = createServer((client) => cutter.#pass(client));
		await new Promise((done) => {
			cutter.server.listen(0, '127.0.0.1', done);
		});
		url.port = cutter.server.address().port;
		site.url = url.href;
		site.lab.guard({ running: false, check() {}, kill() {},
			stop: () => cutter.stop() });
		return cutter;
	}

	#pass(client) {
		const server = connect(this.target, '127.0.0.1');
		const both = [client, server];

		for (const socket of both) {
			this.sockets.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => {
				this.sockets.delete(socket);
				both.forEach((one) => one.destroy());
			});
		}
		client.pipe(server);
		server.on('data', (piece) => this.#answer(client, server, piece));
		server.on('end', () => client.end());
	}

	/* By turns the whole piece is lost, and the latter half of it. */
	#answer(client, server, piece) {
		this.pieces++;
		if (!this.every || this.pieces % this.every > 0) {
			client.write(piece);
			return;
		}
		this.cuts++;
		client.end(piece.subarray(0, this.cuts % 2 ? 0 : piece.length / 2));
		server.destroy();
	}

	/* Cuts all connections of this moment. */
	drop() {
		this.sockets.forEach((socket) => socket.destroy());
	}

	async stop() {
		const closed = new Promise((done) => { this.server.close(done); });

		this.drop();
		await closed;
	}
}
