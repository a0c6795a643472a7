// SPDX-License-Identifier: MIT
//
// publishers.mjs - they publish without pause, and know what is published

import { spawn } from 'node:child_process';
import { binary } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';

const PACE = 25;		/* ms between two events of one publisher */
const BURST = 300;		/* events that a victim is at when it is killed */

/* pushlet-publish --lines -v: a line in is an event, a line out a report.  When
 * it is killed, the event behind the last report is the only one in doubt, and
 * another takes its place. */
export class Lines {
	/* pace: ms between two events */
	constructor(lab, ledger, name, pace = PACE) {
		Object.assign(this, { lab, ledger, name, pace });
		this.generation = 0;
		this.dead = 0;
		this.#start();
	}

	#start() {
		const who = `${this.name}-${++this.generation}`;
		const child = spawn(binary('pushlet-publish'), ['-n', this.lab.segment, '-v',
			'--lines', 'e', `/storm/${this.name}`], { stdio: ['pipe', 'pipe', 'inherit'] });
		let given = 0, reported = 0;

		this.child = child;
		child.stdin.on('error', () => {});
		child.stdout.setEncoding('latin1').on('data', (text) => {
			for (const _ of text.matchAll(/\n/g))
				this.ledger.report(who, ++reported);
			if (reported >= this.fatal)
				child.kill('SIGKILL');
		});
		this.fatal = Infinity;
		this.reported = () => reported;
		this.give = () => child.stdin.write(`${who}.${++given}\n`);
		this.timer = setInterval(this.give, this.pace);
		this.ended = new Promise((done) => {
			child.on('close', (status) => {
				clearInterval(this.timer);
				if (reported < given)
					this.ledger.doubt(who, reported + 1);
				this.dead += status === null;
				if (this.stopping)
					done(status);
				else
					done(this.#start());
			});
		});
	}

	/* In the midst of its work: behind one of the next reports, while it
	 * publishes as fast as it can. */
	strike() {
		const { child } = this;

		return new Promise((done) => {
			child.on('exit', done);
			this.fatal = this.reported() + 1;
			for (let i = 0; i < BURST; i++)
				this.give();
		});
	}

	async stop() {
		this.stopping = true;
		clearInterval(this.timer);
		this.child.stdin.end();
		await this.ended;
	}

	kill(signal) { this.stopping = true; this.child.kill(signal); }
	check() {}
}

/* Publishes over HTTP, the next event after the answer to the one before.  An
 * answer that is lost leaves a doubt. */
export class Web {
	constructor(client, ledger, name) {
		Object.assign(this, { client, ledger, name });
		this.lost = 0;
	}

	async start() {
		this.session = await this.client.join('xml');
		this.running = this.#run();
	}

	async #run() {
		for (let n = 1; !this.stopping; n++) {
			const answer = await this.session.ask('publish',
				{ p_subject: `/storm/${this.name}`, e: `${this.name}.${n}` }).catch(() => null);
			if (answer?.status === 200 && answer.events[0]?.get('p_event') === 'publish-ack') {
				this.ledger.report(this.name, n);
			} else {
				this.ledger.doubt(this.name, n);
				this.lost++;
			}
			await new Promise((done) => { setTimeout(done, PACE); });
		}
	}

	async stop() {
		this.stopping = true;
		await this.running;
		await until('the publisher to leave', () => this.session.leave()
			.then((a) => a.status < 500, () => false));
	}

	kill() { this.stopping = true; }
	check() {}
}
