// SPDX-License-Identifier: MIT
//
// cluster.mjs - several nodes on this machine, and what joins them
//
//	const cluster = await new Cluster(['n1', 'n2', 'n3']).start();
//	after(() => cluster.close());
//	const nginx = await cluster.nginx();
//	const ann = await cluster.node('n1').client().join('xml');
//
// Each node has a lab of its own with segment and pushletd, and a bridge; all
// share one Redis.  The socket of a node's pushletd outlives it, as with
// systemd, unless the node is down.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ApacheCluster, NginxCluster } from './cluster-fronts.mjs';
import { Lab } from './lab.mjs';
import { binary } from './paths.mjs';
import { Guarded } from './process.mjs';
import { Redis } from './redis.mjs';
import { Service } from './service.mjs';
import { until } from './wait.mjs';

const SMALL = { 'sessionmanager.maxsessions': 500, 'subscriptions.max': 1000,
	'log.max.bytes': 2097152, 'workers.max': 64 };

export class Node {
	constructor(cluster, name) {
		Object.assign(this, { cluster, name, lab: new Lab() });
		this.socket = cluster.socketOf(name);
		this.props = { 'shm.name': this.lab.segment, node: name, ...SMALL,
			...cluster.bridging, ...cluster.props };
	}

	async start() {
		this.service = this.lab.guard(new Service(this.lab, { workers: 1,
			props: this.props, socket: this.socket }));
		await this.service.start();
		if (this.cluster.redis)
			await this.bridge();
		return this;
	}

	/* Starts its bridge, also again after it was killed. */
	async bridge() {
		this.lab.running = this.lab.running.filter((thing) => thing !== this.carrier);
		this.carrier = this.lab.guard(new Guarded(`bridge of ${this.name}`,
			binary('pushlet-bridge'), ['-c', this.lab.path('pushlet.properties')]));
		return this.carrier;
	}

	/* The whole node goes: nobody answers at its socket any more. */
	async down() {
		await this.carrier?.stop();
		await this.service.stop();
		rmSync(this.socket, { force: true });
	}

	status() { return this.lab.status(); }
	publish(...args) { return this.lab.publish(...args); }
	check() { this.lab.check(); }
}

export class Cluster {
	/* options: props (of all nodes), redis (false: nothing joins the nodes) */
	constructor(names, { props = {}, redis = true } = {}) {
		this.lab = new Lab();
		this.props = props;
		this.names = names;
		this.nodes = [];
		this.redis = redis && this.lab.guard(new Redis(this.lab));
		this.bridging = redis ? { 'bridge.redis': `unix:${this.redis.socket}` } : {};
	}

	socketOf(name) { return join(this.lab.dir, `${name}.sock`); }
	node(name) { return this.nodes.find((n) => n.name === name); }

	async start() {
		await this.redis?.start?.();
		for (const name of [...this.names])
			await this.add(name);
		return this;
	}

	/* One more node, while the others run. */
	async add(name) {
		const node = new Node(this, name);

		if (!this.names.includes(name))
			this.names.push(name);
		this.nodes.push(node);
		return node.start();
	}

	async #front(Front) {
		const front = this.lab.guard(new Front(this.lab, this));

		await front.start();
		return front;
	}

	nginx() { return this.#front(NginxCluster); }
	apache() { return this.#front(ApacheCluster); }

	/* Until each node hears what each publishes.  What was published before a
	 * node met another is past. */
	async joined(front) {
		const ears = await Promise.all(this.names.map((name) => front.client()
			.joinListen({ subject: '/joined', p_node: name })));
		const heard = ({ channel }) => new Set(channel.events.map((e) => e.get('at')));

		await until('all nodes to hear each other', async () => {
			await Promise.all(this.nodes.map((n) => n.publish('/joined', { at: n.name })));
			return ears.every((ear) => this.names.every((n) => heard(ear).has(n)));
		});
		for (const ear of ears) {
			ear.channel.close();
			await ear.leave();
		}
	}

	async close() {
		const failures = [];
		const attempt = (work) => work.catch((error) => failures.push(error));

		for (const node of this.nodes)
			await attempt(node.lab.close());
		await attempt(this.lab.close());
		if (failures.length > 0)
			throw failures[0];
	}
}
