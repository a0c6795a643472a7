// SPDX-License-Identifier: MIT
//
// restart.test.mjs - signals, restarts and crashes lose nothing

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Counter } from '../lib/counter.mjs';
import { Lab } from '../lib/lab.mjs';
import { SLOW } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';

const PROPS = { 'pull.refresh.wait.min.millis': 0, 'pull.refresh.wait.max.millis': 20 };

async function withServer(options, test) {
	const lab = new Lab();

	try {
		const pushletd = await lab.pushletd(options);
		const nginx = await lab.nginx(pushletd);
		await test({ lab, pushletd, nginx, web: nginx.client() });
	} finally {
		await lab.close();
	}
}

/* A browser: takes refreshes, and asks again when the server is away.  Collects
 * the numbers it sees, and counts the times it came back (trips). */
class Browser {
	constructor(session) {
		Object.assign(this, { session, numbers: [], trips: 0, stopped: false });
	}

	async run() {
		let stream = this.session.channel;

		while (!this.stopped) {
			await this.#read(stream).catch(() => {});
			stream = await until('the server to be back', () => this.stopped
				|| this.session.refresh().then((s) => (s.status === 200 ? s : null), () => null));
			this.trips++;
		}
		stream?.close?.();
	}

	async #read(stream) {
		this.stream = stream;
		for (;;) {
			const event = await stream.next();
			if (event.get('p_event') === 'data')
				this.numbers.push(Number(event.get('n')));
		}
	}

	sees(n) {
		return until(`event ${n} (seen ${this.numbers.length}, last ${this.numbers.at(-1)})`,
			() => this.numbers.at(-1) === n);
	}

	stop() {
		this.stopped = true;
		this.stream.close();
	}
}

const numbersTo = (n) => Array.from({ length: n }, (_, i) => i + 1);

/* Runs what() while events are published to a stream and a pull client, and
 * checks that both get all of them in order. */
async function nothingIsLost({ web, lab }, what, { repeats = false } = {}) {
	const browsers = await Promise.all(['stream', 'pull'].map(async (mode) =>
		new Browser(await web.joinListen({ mode, subject: '/count' }))));
	const running = browsers.map((browser) => browser.run());
	const counter = new Counter(lab);

	try {
		await countedThrough(counter, browsers, what, repeats);
	} finally {
		counter.kill();
		browsers.forEach((browser) => browser.stop());
	}
	await Promise.all(running);
}

async function countedThrough(counter, browsers, what, repeats) {
	counter.start();
	await Promise.all(browsers.map((b) => until('some events', () => b.numbers.length > 10)));
	await what(browsers);
	const seen = Math.max(...browsers.map((b) => b.numbers.length));
	await Promise.all(browsers.map((b) => until('more events', () => b.numbers.length > seen + 10)));
	const total = await counter.stop();
	await Promise.all(browsers.map((b) => b.sees(total)));
	for (const browser of browsers) {
		const got = repeats ? [...new Set(browser.numbers)] : browser.numbers;
		assert.deepEqual(got, numbersTo(total));
	}
}

describe('SIGTERM', () => {
	it('ends each channel with a refresh, and the process within a second', () =>
		withServer({}, async ({ web, pushletd, lab }) => {
			const streams = await Promise.all(['xml', 'xml-strict', 'js'].map((format) =>
				web.joinListen({ format, mode: 'stream', subject: '/a' })));
			const puller = await web.joinListen({ mode: 'pull', subject: '/a' });
			const pull = await puller.refresh();
			await pull.next({ p_event: 'refresh-ack' });

			const start = Date.now();
			await pushletd.stop();
			const took = Date.now() - start;
			assert.ok(took < 1000 * SLOW, `${took} ms`);
			for (const s of streams) {
				await s.channel.next({ p_event: 'refresh',
					p_url: `/pushlet/pushlet.srv?p_id=${s.id}&p_event=refresh&p_ack=0` });
				await s.channel.rest();
			}
			await pull.next({ p_event: 'refresh' });
			await pull.rest();

			await lab.publish('/a', { n: 1 });
			await pushletd.start();
			for (const s of [...streams, puller]) {
				const back = await s.refresh();
				await back.next({ p_event: 'refresh-ack' });
				await back.next({ p_event: 'data', n: 1 });
				back.close();
			}
		}));

	it('and a new process lose no event for stream and pull clients', () =>
		withServer({ props: PROPS }, (site) => nothingIsLost(site, async (browsers) => {
			for (let i = 0; i < 3; i++) {
				const trips = browsers[0].trips;
				await site.pushletd.stop();
				await site.pushletd.start();
				await until('the stream client to be back', () => browsers[0].trips > trips);
			}
		})));

	it('under streams that are being written to loses no event', () =>
		withServer({ props: PROPS, args: ['-w', '2'] }, (site) => nothingIsLost(site, async () => {
			await site.pushletd.stop();
			await site.pushletd.start();
		})));
});

describe('SIGHUP', () => {
	it('reads the properties again', () =>
		withServer({ props: { 'queue.read.timeout.millis': 60000 } }, async ({ lab, web, pushletd }) => {
			lab.properties({ ...pushletd.options, 'queue.read.timeout.millis': 200 });
			pushletd.signal('SIGHUP');
			await until('a short read timeout', async () => {
				const ann = await web.joinListen({ mode: 'stream' });
				await ann.channel.next({ p_event: 'hb', p_seq: 1 });
				return ann.channel.next({ p_event: 'hb', p_seq: 2 }, { limit: 1000 * SLOW })
					.then(() => true, () => false).finally(() => ann.channel.close());
			});
		}));

	it('reports what needs a restart', () =>
		withServer({}, async ({ lab, pushletd }) => {
			const said = pushletd.says(/queue\.size.*restart/);

			lab.properties({ ...pushletd.options, 'queue.size': 99 });
			pushletd.signal('SIGHUP');
			await said;
		}));

	it('with a bad file keeps the old properties', () =>
		withServer({}, async ({ lab, web, pushletd }) => {
			const said = pushletd.says(/pushlet\.properties:1:.*nonsense/);

			lab.write('pushlet.properties', 'nonsense=1\n');
			pushletd.signal('SIGHUP');
			await said;
			await web.join();
		}));
});

/* Pids of the children of a process. */
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
	.trim().split(' ').filter(Boolean).map(Number);

/* The next event on that stream is the n-th; but what another worker had
 * written and not yet noted when its stream was taken over comes once more. */
async function receives(stream, n) {
	let got;

	do
		got = Number((await stream.next({ n: /^\d+$/ })).get('n'));
	while (got === n - 1);
	assert.equal(got, n);
}

describe('with -w 2', () => {
	it('a worker that is killed is replaced, and no event is lost', () =>
		withServer({ props: PROPS, args: ['-w', '2'] }, (site) =>
			nothingIsLost(site, async () => {
				for (let i = 0; i < 4; i++) {
					const before = await until('two workers', () => {
						const pids = children(site.pushletd.pid);
						return pids.length === 2 && pids;
					});
					process.kill(before[i % 2], 'SIGKILL');
					await until('a new worker', () => {
						const now = children(site.pushletd.pid);
						return now.length === 2 && !now.includes(before[i % 2]);
					});
				}
			}, { repeats: true })));

	it('streams of one session move between the workers', () =>
		withServer({ args: ['-w', '2'] }, async ({ web, lab }) => {
			const ann = await web.join();
			let last;

			await ann.subscribe('/move');
			for (let n = 1; n <= 10; n++) {
				const stream = await ann.listen({ mode: 'stream' });
				await stream.next({ p_event: 'listen-ack' });
				await lab.publish('/move', { n });
				await receives(stream, n);
				await last?.rest();
				last = stream;
			}
			last.close();
			assert.ok((await lab.status()).workers.length >= 2);
		}));
});

describe('pushletctl destroy', () => {
	it('aborts the sessions of a running server, which goes on with a new segment', () =>
		withServer({}, async ({ web, lab }) => {
			const ann = await web.joinListen({ mode: 'stream', subject: '/a' });

			assert.equal((await lab.ctl('destroy', '--force')).status, 0);
			await ann.channel.next({ p_event: 'abort', p_reason: /./ });
			await ann.channel.rest();
			const bob = await until('a new segment', () => web.join().catch(() => undefined));
			assert.notEqual(bob.id, ann.id);
			assert.equal((await ann.ask('hb')).status, 400);
		}));
});
