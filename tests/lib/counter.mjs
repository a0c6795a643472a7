// SPDX-License-Identifier: MIT
//
// counter.mjs - pushlet-publish --lines on /count, one number at a time, each
// so many milliseconds after the last

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { binary } from './paths.mjs';

export class Counter {
	constructor(lab, { every = 5 } = {}) {
		this.every = every;
		this.child = spawn(binary('pushlet-publish'),
			['-n', lab.segment, '--lines', 'n', '/count'], { stdio: ['pipe', 'ignore', 'inherit'] });
		this.count = 0;
	}

	start() {
		this.timer = setInterval(() => this.child.stdin.write(`${++this.count}\n`), this.every);
	}

	kill() {
		clearInterval(this.timer);
		this.child.kill('SIGKILL');
	}

	/* Stops; the number of events published. */
	async stop() {
		clearInterval(this.timer);
		this.child.stdin.end();
		const status = await new Promise((done) => { this.child.on('close', done); });
		assert.equal(status, 0, 'pushlet-publish');
		return this.count;
	}
}
