// SPDX-License-Identifier: MIT
//
// cluster.bench.mjs - an event that crosses to another node, against the same
// event at its own
//
// Two nodes, each behind an nginx of its own, and as many streams at either.
// What is published at the first is measured at both in the same run, medians
// of three; the reference is the node of the publisher.  All of it, Redis too,
// shares the processors of one machine.

import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { Guarded } from '../lib/process.mjs';
import { Redis } from '../lib/redis.mjs';
import { cpu, median } from './meter.mjs';
import { Ours } from './site.mjs';
import { row } from './results.mjs';

const TURNS = 3;
const LIMIT = 60000;		/* ms for all events of a run to arrive */

class Pair {
	async open(streams, props) {
		this.lab = new Lab();
		this.redis = this.lab.guard(new Redis(this.lab));
		await this.redis.start();
		this.sites = [];
		this.bridges = [];
		for (const node of ['here', 'there'])
			await this.#node(node, streams, { ...props, node,
				'bridge.redis': `unix:${this.redis.socket}` });
		await this.#joined();
	}

	async #node(node, streams, props) {
		const site = await Ours.open({ streams, props });
		const bridge = new Guarded(`bridge ${node}`, binary('pushlet-bridge'),
			['-c', site.lab.path('pushlet.properties')]);

		this.sites.push(site);
		this.bridges.push(site.lab.guard(bridge));
		await site.streams(streams);
	}

	/* The second one has met the first when an event of that arrives. */
	async #joined() {
		const [here, there] = this.sites;
		const client = await there.nginx.client().joinListen({ subject: '/joined' });
		const timer = setInterval(() => here.lab.publish('/joined'), 200);

		await client.channel.next({ p_event: 'data' });
		clearInterval(timer);
		client.channel.close();
		await client.leave();
	}

	/* Publishes at the first, waits at both. */
	async run(options) {
		const bridges = this.bridges.map((b) => b.pid);
		const wait = `events ${options.count} ${LIMIT}`;

		await Promise.all(this.sites.map((s) => s.load.ask('mark')));
		const before = [cpu(...bridges), cpu(this.redis.guarded.pid)];
		const publisher = this.sites[0].publish(options);
		const [here, there] = await Promise.all(this.sites.map((s) =>
			s.load.ask(wait, LIMIT)));
		const [bridge, redis] = [cpu(...bridges) - before[0],
			cpu(this.redis.guarded.pid) - before[1]];
		await publisher.finish();
		this.sites.forEach((s, i) => s.complete([here, there][i], options.count));
		return { here, there, bridge: bridge / options.count, redis: redis / options.count };
	}

	/* Medians of some runs: of what pick() gives. */
	async runs(options) {
		const list = [];

		for (let turn = 0; turn < TURNS; turn++)
			list.push(await this.run(options));
		return (pick) => median(list.map(pick));
	}

	async close() {
		for (const site of this.sites ?? [])
			await site.close();
		await this.lab.close();
	}
}

async function measure(streams, props, work) {
	const pair = new Pair();

	try {
		await pair.open(streams, props);
		await work(pair);
	} finally {
		await pair.close();
	}
}

function cost(name, figures) {
	row(`CPU of both bridges per event, ${name}`, 'us', figures((r) => 1e6 * r.bridge));
	row('  of Redis, which syncs to disk each time', 'us', figures((r) => 1e6 * r.redis));
}

await measure(100, {}, async (pair) => {
	const name = '100 streams x 100/s';
	const figures = await pair.runs({ rate: 100, count: 300, bytes: 30 });

	for (const key of ['p50', 'p99'])
		row(`latency ${key} across nodes, ${name}`, 'ms',
			figures((r) => r.there[key] / 1000), figures((r) => r.here[key] / 1000));
	cost(name, figures);
});
await measure(1, { 'log.max.bytes': 268435456, 'queue.size': 65536,
	'bridge.maxlen': 1000000 }, async (pair) => {
	const figures = await pair.runs({ rate: 0, count: 60000, bytes: 30, pace: true });
	const rate = (r) => r.deliveries / r.span;

	row('events across nodes, one stream, --pace', '1/s', figures((r) => rate(r.there)),
		figures((r) => rate(r.here)));
	cost('saturated', figures);
});
