// SPDX-License-Identifier: MIT
//
// site.mjs - a responder behind an nginx worker of its own, a load driver in
// front, a feed of events behind: ours, and the null responder the same way

import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Lab } from '../lib/lab.mjs';
import { Nginx } from '../lib/fronts.mjs';
import { Guarded } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';
import { binary, BUILD } from '../lib/paths.mjs';
import { Load } from './load.mjs';
import { childrenOf, cpu, ended } from './meter.mjs';

export const SPARE = 300;	/* descriptors for other things */
const WINDOW = 1024;		/* bytes of a feed that may be unread */
const EVENT_LIMIT = 30000;	/* ms for all events of a run to arrive */
export const SUBJECT = '/bench';

/* nginx takes two connections for a stream, and cuts old ones when it has no
 * sixteenth of them free. */
const connectionsFor = (n) => Math.ceil(2 * n * 16 / 15) + SPARE;

/* As many streams as are wanted, or as nginx may have descriptors for. */
export function possible(wanted) {
	const line = /^Max open files +\d+ +(\d+)/m
		.exec(readFileSync('/proc/self/limits', 'latin1'));
	const most = Math.floor((Number(line[1]) - 2 * SPARE) / 2 * 15 / 16);

	return Math.min(wanted, most);
}

function fifo(lab, name) {
	const path = lab.path(name);
	const { status, stderr } = spawnSync('mkfifo', [path], { encoding: 'utf8' });

	if (status !== 0)
		throw new Error(`mkfifo: ${stderr}`);
	return path;
}

export class Site {
	static async open(options) {
		const site = new this();

		site.lab = new Lab();
		try {
			await site.start(options);
		} catch (error) {
			await site.close().catch(() => {});
			throw error;
		}
		return site;
	}

	server() { return new Nginx(this.lab, [this]); }

	async front(streams) {
		this.nginx = this.lab.guard(this.server());
		this.nginx.connections = connectionsFor(streams);
		await this.nginx.start();
		this.worker = await until('the worker of nginx',
			() => childrenOf(this.nginx.pid)[0]);
		this.load = this.lab.guard(new Load(this.nginx.port));
	}

	/* Processor seconds so far, of the responder and of nginx's worker. */
	cpu() { return { responder: cpu(...this.pids()), front: cpu(this.worker) }; }

	/* Writes events; options: rate, count, bytes, window. */
	feed(kind, out, { rate = 0, count, bytes = 0, window = WINDOW }) {
		return spawn(join(BUILD, 'bench/feed'), [kind, rate, count, bytes,
			window].map(String), { stdio: ['ignore', out, 'inherit'] });
	}

	/* What the processors do for this work: seconds. */
	async spent(work) {
		const before = this.cpu();
		const result = await work();
		const after = this.cpu();

		return { ...result, responder: after.responder - before.responder,
			front: after.front - before.front };
	}

	/* Publishes count events and waits for them; none may be missing. */
	async run(options) {
		let publisher;

		await this.load.ask('mark');
		const result = await this.spent(async () => {
			publisher = this.publish(options);
			return this.load.ask(`events ${options.count} ${EVENT_LIMIT}`,
				EVENT_LIMIT);
		});
		const publishing = publisher.cpu();
		await publisher.finish();
		this.complete(result, options.count);
		return { ...result, publisher: publishing };
	}

	complete(result, count) {
		const { clients, deliveries, lost, wrong } = result;

		if (deliveries === clients * count && lost === 0 && wrong === 0)
			return;
		throw new Error(`${this.name}: ${deliveries} of ${clients * count} `
			+ `events arrived, ${lost} were lost, ${wrong} were wrong`);
	}

	async close() { await this.lab.close(); }
}

export class Ours extends Site {
	name = 'pushletd';

	async start({ streams, props = {}, args = [] }) {
		const n = streams + SPARE;

		this.pushletd = await this.lab.pushletd({ small: false, args, props: {
			'sessionmanager.maxsessions': n, 'subscriptions.max': n, ...props } });
		this.path = '/pushlet/pushlet.srv';
		this.stream = `${this.path}?p_event=join-listen&p_format=xml`
			+ `&p_mode=stream&p_subject=${SUBJECT}`;
		await this.front(streams);
	}

	get address() { return this.pushletd.address; }
	pids() { return [this.pushletd.pid, ...childrenOf(this.pushletd.pid)]; }

	streams(n) { return this.load.clients(n, 0, this.stream); }

	/* pushlet-publish at the other end of a fifo; it stays until finish().
	 * It takes a line at a time: more of them would only wait in the fifo. */
	publish({ pace = false, subject = SUBJECT, ...options }) {
		this.fifo ??= fifo(this.lab, 'lines');
		const both = openSync(this.fifo, 'r+');
		const input = openSync(this.fifo, 'r'), output = openSync(this.fifo, 'w');
		closeSync(both);
		const publisher = spawn(binary('pushlet-publish'), ['-n',
			this.lab.segment, ...(pace ? ['--pace'] : []), '--lines', 'b',
			subject], { stdio: [input, 'ignore', 'inherit'] });
		const feed = this.feed('lines', output, { window: 1, ...options });

		closeSync(input);
		return {
			cpu: () => cpu(publisher.pid),
			finish: async () => {
				closeSync(output);
				await ended(feed, 'feed');
				const status = await ended(publisher, 'pushlet-publish');
				if (status !== 0)
					throw new Error(`pushlet-publish: ${status}`);
			},
		};
	}
}

export class Null extends Site {
	name = 'null';

	async start({ streams }) {
		const socket = this.lab.path('null.sock');

		this.fifo = fifo(this.lab, 'events');
		this.guarded = new Guarded('null', join(BUILD, 'bench/null'),
			[socket, this.fifo], { statuses: [0, 'SIGTERM'] });
		this.lab.guard(this.guarded);
		await this.guarded.line(/^ready/m);
		this.address = `unix:${socket}`;
		this.path = this.stream = '/pushlet/pushlet.srv';
		await this.front(streams);
	}

	pids() { return [this.guarded.pid]; }
	streams(n) { return this.load.clients(n, 0, this.stream); }

	publish(options) {
		const output = openSync(this.fifo, 'w');
		const feed = this.feed('events', output, options);

		closeSync(output);
		return { cpu: () => 0, finish: () => ended(feed, 'feed') };
	}
}

/* Both, with as many streams each, for as long as work() takes. */
export async function both(options, work) {
	const ours = await Ours.open(options);
	let other;

	try {
		other = await Null.open(options);
		return await work(ours, other);
	} finally {
		await other?.close();
		await ours.close();
	}
}
