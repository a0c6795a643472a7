// SPDX-License-Identifier: MIT
//
// nodes.mjs - three nodes and their Redis in a storm: a counter published at
// each, listeners of each mode at each, and what is killed meanwhile

import { Cluster } from '../lib/cluster.mjs';
import { SLOW } from '../lib/paths.mjs';
import { until, within } from '../lib/wait.mjs';
import { Ledger } from './ledger.mjs';
import { Listener } from './listeners.mjs';
import { Lines } from './publishers.mjs';
import { dice } from './weather.mjs';

export const NAMES = ['n1', 'n2', 'n3'];
const PACE = 10;		/* ms between two events of a publisher */
const MODES = [['stream', 'xml'], ['pull', 'json'], ['poll', 'xml']];
const DOWN = 20_000 * SLOW;	/* ms without any event published */
const ARRIVAL = 60_000 * SLOW;	/* ms for what was published to arrive */

/* Queues and logs that hold what a storm keeps back, and streams that end now
 * and then, since their readers keep all they have read. */
const PROPS = { 'queue.size': 65536, 'log.max.bytes': 67108864,
	'queue.read.timeout.millis': 2000, 'stream.max.seconds': 20,
	'pull.refresh.timeout.millis': 600000, 'poll.refresh.timeout.millis': 600000,
	'pull.refresh.wait.min.millis': 20, 'pull.refresh.wait.max.millis': 60,
	'poll.refresh.wait.min.millis': 50, 'poll.refresh.wait.max.millis': 150 };

function kill(pid) {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		/* it ended by itself meanwhile */
	}
}

/* The node that a publisher of the ledger is at. */
const nodeOf = (who) => who.split('-')[0];

export class Nodes {
	constructor({ seed }) {
		this.roll = dice(seed);
		this.cluster = new Cluster([...NAMES], { props: PROPS });
		this.ledger = new Ledger();
		this.blows = new Map();
	}

	async start() {
		this.front = await (await this.cluster.start()).nginx();
		await this.cluster.joined(this.front);
		this.listeners = NAMES.flatMap((name) => MODES.map((mode) => this.#listener(name, mode)));
		await Promise.all(this.listeners.map((l) => l.join()));
		this.publishers = this.cluster.nodes.map((node) => this.cluster.lab.guard(
			new Lines(node.lab, this.ledger, node.name, PACE)));
	}

	#listener(node, [mode, format]) {
		return this.cluster.lab.guard(new Listener({ client: this.front.client(), mode, format,
			node, name: `${mode} at ${node}`, reliable: true, subject: '/storm',
			hears: () => true, more: { p_node: node } }));
	}

	/* Until so many more events are published. */
	#calm(n) {
		const end = this.ledger.count + n;
		let watcher;
		const reached = new Promise((done) => {
			watcher = () => this.ledger.count >= end && done();
			this.ledger.watchers.add(watcher);
		});

		return within(reached, DOWN, () => 'nothing is published any more')
			.finally(() => this.ledger.watchers.delete(watcher));
	}

	/* Away for some events: most times a few, so that all of it happens often. */
	#while() { return this.#calm(this.roll(4) ? this.roll(30) : this.roll(600)); }

	async #bridge(node) {
		await node.carrier.killed('SIGKILL');
		await this.#while();
		await node.bridge();
	}

	/* Its master, and what holds its streams.  Another master comes when one
	 * has died: see Service. */
	async #pushletd(node) {
		const { service } = node;
		const workers = await until('a worker', () => service.workerPids.length > 0
			&& service.workerPids);

		for (const pid of [...service.masters, ...workers])
			kill(pid);
	}

	async #node(node) {
		await Promise.all([this.#pushletd(node), this.#bridge(node)]);
	}

	async #redis(data) {
		await this.cluster.redis.kill9({ data });
		await this.#while();
		await this.cluster.redis.start();
	}

	/* What may happen: its name, how likely of all the shares, what it does. */
	#kinds() {
		const node = this.cluster.nodes[this.roll(NAMES.length)];

		return [
			['bridge', 4, () => this.#bridge(node)],
			['pushletd', 3, () => this.#pushletd(node)],
			['node', 2, () => this.#node(node)],
			['Redis', 2, () => this.#redis(true)],
			['Redis and its data', 1, () => this.#redis(false)],
		];
	}

	#choose() {
		const kinds = this.#kinds();
		let at = this.roll(kinds.reduce((sum, [, share]) => sum + share, 0));

		return kinds.find(([, share]) => (at -= share) < 0);
	}

	async #strike([name, , strike], most) {
		await this.#calm(30 + this.roll(most));
		await strike();
		this.blows.set(name, (this.blows.get(name) ?? 0) + 1);
	}

	/* Kills until that is true, asked before each blow. */
	async storm(over) {
		while (!over())
			await this.#strike(this.#choose(), 600);
		await this.#calm(100);
	}

	/* One blow of each kind. */
	async each() {
		for (let i = 0; i < this.#kinds().length; i++)
			await this.#strike(this.#kinds()[i], 60);
		await this.#calm(100);
	}

	/* Gives the account of each pair of nodes, and the problems. */
	async settle() {
		await Promise.all(this.publishers.map((p) => p.stop()));
		await until('all events', () => this.listeners.every((l) =>
			this.ledger.complete(l)), ARRIVAL).catch(() => {});
		const back = await Promise.allSettled(this.listeners.map((l) => l.comeBack()));
		const accounts = this.listeners.map((l) => this.ledger.judge(l));

		this.problems = [...back.filter((r) => r.status === 'rejected')
			.map((r) => r.reason.message), ...accounts.flatMap((a) => a.problems)];
		this.gaps = await Promise.all(this.cluster.nodes.map(async (node) =>
			[node.name, (await node.status()).counts.missed]));
		this.problems.push(...this.gaps.filter(([, n]) => n > 0).map(([name, n]) =>
			`${name} reports a gap of ${n} events`));
		this.pairs = NAMES.flatMap((from) => NAMES.map((to) => this.#pair(from, to)));
		await Promise.all(this.listeners.map((l) => l.leave()));
	}

	/* What went from one node to the listeners of another. */
	#pair(from, to) {
		const sum = { from, to, published: 0, received: 0, lost: 0, repeated: 0 };
		const due = this.ledger.due((who) => nodeOf(who) === from);

		for (const listener of this.listeners.filter((l) => l.node === to)) {
			const received = due.filter((event) => listener.has.has(event)).length;
			sum.published += due.length;
			sum.received += received;
			sum.lost += due.length - received;
			sum.repeated += listener.repeated.filter((e) => nodeOf(e) === from).length;
		}
		return sum;
	}

	close() { return this.cluster.close(); }
}
