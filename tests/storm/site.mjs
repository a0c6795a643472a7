// SPDX-License-Identifier: MIT
//
// site.mjs - one segment behind nginx with pushletd -w 4 and behind Apache
// with mod_fcgid, listeners of every kind, publishers of every kind

import { Lab } from '../lib/lab.mjs';
import { until } from '../lib/wait.mjs';
import { SLOW } from '../lib/paths.mjs';
import { Ledger } from './ledger.mjs';
import { Listener } from './listeners.mjs';
import { Lines, Web } from './publishers.mjs';
import { Service } from '../lib/service.mjs';
import { Weather } from './weather.mjs';

const ENDING = 30_000 * SLOW;	/* ms for Apache to stop */
const ARRIVAL = 30_000 * SLOW;	/* ms for what was published to arrive */

/* Leases and timeouts that no storm reaches, and queues that none fills. */
export const PROPS = { 'queue.size': 20000, 'log.max.bytes': 33554432,
	'sessionmanager.maxsessions': 200, 'subscriptions.max': 1000,
	'workers.max': 512, 'shm.mode': '0666',
	'queue.read.timeout.millis': 2000,
	'pull.refresh.timeout.millis': 600000, 'poll.refresh.timeout.millis': 600000,
	'pull.refresh.wait.min.millis': 20, 'pull.refresh.wait.max.millis': 60,
	'poll.refresh.wait.min.millis': 50, 'poll.refresh.wait.max.millis': 150 };

const MODES = ['stream', 'pull', 'poll'];
const FORMATS = ['xml', 'json'];

/* Each kind there is; a stream that is not reliable may lose by its nature. */
function kinds(fronts) {
	return fronts.flatMap((front) => MODES.flatMap((mode) => FORMATS.flatMap((format) =>
		[true, false].filter((reliable) => reliable || mode !== 'stream')
			.map((reliable) => ({ front, mode, format, reliable })))));
}

export class Site {
	/* options: seed, workers, apache (is there one?) */
	constructor({ seed, workers = 4, apache = true }) {
		Object.assign(this, { workers, withApache: apache });
		this.lab = new Lab();
		this.weatherSeed = seed;
	}

	async start() {
		const { lab } = this;
		const props = { 'shm.name': lab.segment, ...PROPS };

		this.service = lab.guard(new Service(lab, { workers: this.workers, props }));
		await this.service.start();
		this.nginx = await lab.nginx(this.service);
		if (this.withApache)
			this.apache = await lab.apacheFcgid({ props });
		this.fronts = [this.nginx, this.apache].filter(Boolean);
		this.weather = new Weather(this, this.weatherSeed);
	}

	/* A ledger, its publishers and its listeners: one row of the matrix. */
	async #open() {
		this.ledger = new Ledger();
		this.listeners = kinds(this.fronts).map((kind) => this.#listener(kind));
		await Promise.all(this.listeners.map((l) => l.join()));
		this.lines = ['line', 'word'].map((name) =>
			this.lab.guard(new Lines(this.lab, this.ledger, name)));
		this.webs = this.fronts.map((front, i) => this.lab.guard(
			new Web(front.client(), this.ledger, `web${i}`)));
		await Promise.all(this.webs.map((web) => web.start()));
	}

	/* The plain ones hear one publisher only. */
	#listener({ front, mode, format, reliable }) {
		const listener = new Listener({ client: front.client(), mode, format, reliable,
			name: `${reliable ? 'reliable' : 'plain'} ${mode} ${format} by ${front.name}`,
			subject: reliable ? '/storm' : '/storm/line',
			hears: reliable ? () => true : (who) => who.startsWith('line') });

		return this.lab.guard(listener);
	}

	/* Publishers and listeners, and the weather as weather() makes it; gives
	 * the accounts. */
	async row(name, weather) {
		await this.#open();
		const blows = await weather(this.weather);
		await Promise.all([...this.lines, ...this.webs].map((p) => p.stop()));
		const late = await this.#arrive();
		const accounts = this.listeners.map((listener) => ({ listener,
			...this.ledger.judge(listener) }));
		const problems = [...late, ...accounts.flatMap((a) => a.problems),
			...this.ledger.disagreement(this.listeners.filter((l) => l.reliable)),
			...this.ledger.disagreement(this.listeners.filter((l) => !l.reliable))];
		await Promise.all(this.listeners.map((l) => l.leave()));
		this.#forget();
		return { name, blows, accounts, problems, perhaps: this.ledger.perhaps.size };
	}

	/* What has arrived can only be repeated now: each comes back once more. */
	async #arrive() {
		const complete = (l) => this.ledger.complete(l);

		await until('all events', () => this.listeners.every(complete), ARRIVAL)
			.catch(() => {});
		return (await Promise.allSettled(this.listeners.map((l) => l.comeBack())))
			.filter((r) => r.status === 'rejected').map((r) => r.reason.message);
	}

	#forget() {
		const over = new Set([...this.listeners, ...this.lines, ...this.webs]);

		this.lab.running = this.lab.running.filter((thing) => !over.has(thing));
	}

	/* Apache lets the children of earlier restarts wait until it kills them. */
	async close() {
		await this.apache?.guarded?.stop('SIGTERM', ENDING);
		await this.lab.close();
	}
}

/* The accounts of one mode and format, added up. */
export function cell(row, mode, format) {
	const sum = { published: 0, received: 0, perhaps: 0, lost: 0, repeated: 0, broken: 0 };

	for (const account of row.accounts) {
		const { listener } = account;
		if (listener.mode !== mode || listener.format !== format)
			continue;
		for (const name of ['published', 'received', 'perhaps', 'lost', 'repeated'])
			sum[name] += account[name];
		sum.broken += listener.failures;
	}
	return sum;
}

export const cells = MODES.flatMap((mode) => FORMATS.map((format) => [mode, format]));
