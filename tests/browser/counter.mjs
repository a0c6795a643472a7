// SPDX-License-Identifier: MIT
//
// counter.mjs - counts in public while servers restart
//
//	const counter = await Counter.start(site, page, '/subject');
//	await counter.restarts();
//	await counter.complete();
//
// Publishes n = 1, 2, ... every 50 ms with one pushlet-publish --lines, which
// writes to the segment and so needs neither pushletd nor a web server.  complete()
// fails unless the page was given each number once, in order.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { binary } from '../lib/paths.mjs';
import { LIMIT, until, within } from '../lib/wait.mjs';

const PERIOD = 50;	/* ms */

export class Counter {
	static async start(site, page, subject) {
		const counter = new Counter();

		counter.site = site;
		counter.page = page;
		counter.n = 0;
		counter.child = spawn(binary('pushlet-publish'), ['-n', site.lab.segment,
			'--lines', 'n', subject], { stdio: ['pipe', 'inherit', 'inherit'] });
		site.lab.guard({ running: false, check() {}, stop: () => counter.stop(),
			kill: () => counter.child.kill() });
		counter.timer = setInterval(() =>
			counter.child.stdin.write(`${++counter.n}\n`), PERIOD);
		await counter.shown(5);
		return counter;
	}

	/* Numbers the page was given. */
	numbers() {
		return this.page.page.evaluate(() => events.filter((event) =>
			event.p_event === 'data').map((event) => Number(event.n))
			.filter((n) => n > 0));
	}

	/* Waits until the page has seen so many more than now. */
	shown(more) {
		const { n } = this;

		return this.page.until(`events.some(function (event) {
			return Number(event.n) >= ${n + more}; })`);
	}

	/* Waits until so many more are published. */
	counted(more) {
		const { n } = this;

		return until('the counter', () => this.n >= n + more);
	}

	/* pushletd ends and comes back, then the web server, then pushletd dies.
	 * What the web server has started ends with it, and by its restart. */
	async restarts() {
		const { pushletd } = this.site;

		if (pushletd)
			await this.#restarted(() => pushletd.stop());
		else
			await this.#passed(() => this.site.restartGracefully());
		await this.#passed(() => this.site.restartFront(() => this.counted(20)));
		if (pushletd)
			await this.#restarted(() => pushletd.guarded.killed('SIGKILL'));
	}

	/* It arrives again, after this. */
	async #passed(trouble) {
		await trouble();
		await this.shown(5);
	}

	#restarted(end) {
		return this.#passed(async () => {
			await end();
			await this.counted(20);
			await this.site.pushletd.start();
		});
	}

	/* Answers are lost, until the network is good again. */
	async cuts(cutter) {
		cutter.every = 5;
		await this.shown(60);
		await until('some cuts', () => cutter.cuts >= 5);
		cutter.every = 0;
	}

	async complete() {
		await this.stop();
		await this.page.until(`events.some(function (event) {
			return Number(event.n) === ${this.n}; })`);
		assert.deepEqual(await this.numbers(),
			Array.from({ length: this.n }, (unused, i) => i + 1));
	}

	async stop() {
		clearInterval(this.timer);
		if (this.child.exitCode !== null || this.child.signalCode !== null)
			return;
		const exit = once(this.child, 'exit');
		this.child.stdin.end();
		await within(exit, LIMIT, () => 'pushlet-publish does not end');
	}
}
