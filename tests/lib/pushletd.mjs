// SPDX-License-Identifier: MIT
//
// pushletd.mjs - a guarded pushletd with a socket of its own

import { connect } from 'node:net';
import { Guarded } from './process.mjs';
import { FcgiClient } from './fcgi.mjs';
import { command, IS_ROOT, SLOW } from './paths.mjs';

/* The text of a properties file; a list of values is a line for each. */
export function properties(values) {
	return Object.entries(values).flatMap(([k, v]) =>
		[v].flat().map((one) => `${k}=${one}\n`)).join('');
}

/* Small enough that many can run at once. */
const SMALL = {
	'sessionmanager.maxsessions': 500,
	'subscriptions.max': 1000,
	'log.max.bytes': 2097152,
	'workers.max': 64,
};

let count = 0;

export class Pushletd extends FcgiClient {
	/* options: props, args (more options), small (false: all defaults) */
	constructor(lab, { props = {}, args = [], small = true } = {}) {
		super();
		this.lab = lab;
		this.number = ++count;
		this.address = `unix:${lab.path(`pushletd-${this.number}.sock`)}`;
		this.options = { ...(small ? SMALL : {}), ...props };
		this.args = args;
	}

	get socket() { return this.address.replace(/^unix:/, ''); }
	get pid() { return this.guarded.pid; }
	get output() { return this.guarded.output; }

	/* Starts it, or starts it again after stop(). */
	async start() {
		this.lab.properties(this.options);
		const [program, first] = command('pushletd');

		this.guarded = new Guarded(`pushletd ${this.number}`, program, [
			...first, '-f', '-c', this.lab.path('pushlet.properties'),
			/* Apache runs as another user when we are root. */
			'-m', IS_ROOT ? '0666' : '0600',
			'-s', this.address, ...this.args,
		]);
		const [, address] = await this.guarded.line(
			/^pushletd: ready: segment \S+, (\S+), (?:\S+ for relays, )?(?:\d+ workers of )?\d+ threads?, pid \d+/m);
		this.address = address.startsWith('/') ? `unix:${address}` : address;
	}

	/* A promise of the first log line that matches, from now on. */
	says(pattern) {
		return this.guarded.line(pattern, { from: this.output.length });
	}

	connect() { return connect(this.socket); }

	check() { this.guarded?.check(); }
	kill(signal) { this.guarded?.kill(signal); }
	get running() { return this.guarded?.running; }
	async stop(signal) { await this.guarded?.stop(signal, 5000 * SLOW); }
	signal(signal) { this.guarded.child.kill(signal); }
}
