// SPDX-License-Identifier: MIT
//
// load.mjs - the load driver (load.c), asked line by line

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { within, LIMIT } from '../lib/wait.mjs';
import { BUILD } from '../lib/paths.mjs';

export class Load {
	constructor(port) {
		this.child = spawn(join(BUILD, 'bench/load'), [String(port)],
			{ stdio: ['pipe', 'pipe', 'inherit'] });
		this.waiting = [];
		this.child.on('error', (error) => this.#lost(error.message));
		this.child.on('exit', (status) => this.#lost(`ended with ${status}`));
		createInterface({ input: this.child.stdout })
			.on('line', (line) => this.waiting.shift()?.done(JSON.parse(line)));
	}

	get pid() { return this.child.pid; }

	#lost(why) {
		for (const { fail } of this.waiting)
			fail(new Error(`the load driver: ${why}`));
		this.waiting = [];
	}

	/* What it answers to a command that may take so many ms. */
	async ask(command, ms = 0) {
		const answer = new Promise((done, fail) => {
			this.waiting.push({ done, fail });
			this.child.stdin.write(`${command}\n`);
		});
		const report = await within(answer, 6 * LIMIT + ms,
			() => `the load driver does not answer to ${command}`);

		if (report.error)
			throw new Error(`${command}: ${report.error}`);
		return report;
	}

	/* n more clients that work through these targets, from the loop-th on
	 * again and again. */
	async clients(n, loop, ...targets) {
		const { clients, ready } = await this.ask(
			`clients ${n} ${loop} ${targets.join(' ')}`);

		if (ready !== clients)
			throw new Error(`${ready} of ${clients} clients got an answer`);
	}

	close() { return this.ask('close'); }
	check() {}
	kill(signal) { this.child.kill(signal); }
	get running() { return this.child.exitCode === null && !this.child.signalCode; }
	async stop() { this.child.stdin.end(); }
}
