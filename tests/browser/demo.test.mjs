// SPDX-License-Identifier: MIT
//
// demo.test.mjs - conf/demo/run from its first line to nothing left

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { Browser } from './place.mjs';
import { BUILD, ROOT, SLOW } from '../lib/paths.mjs';
import { Guarded, run, tool } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

const RUN = join(ROOT, 'conf/demo/run');

function listener() {
	return new Promise((done, fail) => {
		const server = createServer();

		server.on('error', fail);
		server.listen(0, '127.0.0.1', () => done(server));
	});
}

async function freePort() {
	const server = await listener();
	const { port } = server.address();

	await new Promise((done) => { server.close(done); });
	return port;
}

const demos = () => readdirSync(tmpdir()).filter((n) => n.startsWith('pushlet-demo.'));

/* { name, parent } of a process that runs. */
function stat(pid) {
	try {
		const [, name, state, parent] = /\((.*)\) (\S) (\d+)/s.exec(
			readFileSync(`/proc/${pid}/stat`, 'utf8'));

		return state === 'Z' ? undefined : { name, parent };
	} catch {
		return undefined;
	}
}

class Demo {
	static async start() {
		const demo = new Demo();
		const port = await freePort();

		demo.before = demos();
		demo.guarded = new Guarded('demo', RUN, [], { env: {
			PORT: String(port), PUSHLET_BUILD: BUILD, HOST: '' } });
		try {
			await demo.guarded.line(/Ctrl-C stops all of it/,
				{ limit: 30000 * SLOW });
		} catch (error) {
			await demo.sweep();
			throw error;
		}
		return demo;
	}

	/* What it printed after a word. */
	said(pattern) { return this.guarded.output.match(pattern)[1]; }
	get monitor() { return this.said(/Monitor[^\n]*?(http\S+)/); }
	get chat() { return this.said(/Chat[^\n]*?(http\S+)/); }
	get segment() { return this.said(/-n (\/pushlet-demo-\d+)/); }

	/* All processes below the demo: { pid: name }, zombies left out. */
	processes() {
		const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
			.map((pid) => [pid, stat(pid)]).filter(([, s]) => s);
		const ours = new Map([[String(this.guarded.pid), 'run']]);

		for (let before = 0; ours.size > before;) {
			before = ours.size;
			for (const [pid, { parent, name }] of all)
				if (ours.has(parent))
					ours.set(pid, name);
		}
		return Object.fromEntries(ours);
	}

	/* The process id of the first that has this name. */
	process(name) {
		return Number(Object.entries(this.processes())
			.find(([, other]) => other === name)[0]);
	}

	/* Ends it in some way; then nothing of it is there any more.  (A killed
	 * process takes a moment to go.) */
	async leavesNothing(end) {
		const names = ['nginx', 'pushlet-publish', 'pushletd', 'quotes', 'sensors',
			'vmstat'];

		await until(`${names} to run`, () => {
			this.known = this.processes();
			return names.every((n) => Object.values(this.known).includes(n));
		});
		await end();
		await until(`the end of ${JSON.stringify(this.survivors())}`,
			() => this.survivors().length === 0, 500 * SLOW);
		assert.deepEqual(demos(), this.before);
		assert.ok(!existsSync(`/dev/shm${this.segment}`));
	}

	survivors() {
		return Object.keys(this.known ?? this.processes())
			.filter((pid) => stat(pid)?.name === this.known?.[pid]);
	}

	/* After a failed test: nothing must survive that either. */
	async sweep() {
		this.known ??= this.processes();
		if (this.guarded.alive)
			await this.guarded.killed('SIGTERM').catch(() => {});
		for (const pid of this.survivors())
			process.kill(Number(pid), 'SIGKILL');
		for (const name of demos().filter((n) => !this.before.includes(n)))
			rmSync(join(tmpdir(), name), { recursive: true });
	}
}

describe('conf/demo/run', () => {
	let demo;
	let browser;

	before(async () => { browser = await Browser.launch(); });
	after(() => browser?.close());
	afterEach(() => demo?.sweep());

	it('shows this machine live, and Ctrl-C leaves nothing', async () => {
		demo = await Demo.start();
		const page = await browser.page(demo.monitor,
			{ viewport: { width: 1280, height: 960 } });
		const count = () => page.locator('#count').textContent().then(Number);

		await page.locator('#status[data-state=live]').waitFor();
		for (const id of ['load1', 'busy', 'used', 'rx'])
			await page.waitForFunction((name) =>
				/\d/.test(document.getElementById(name).textContent), id);
		assert.match(await page.locator('#about').textContent(), /^Linux .* up \d/);

		const charts = () => page.locator('canvas').evaluateAll((all) =>
			all.map((canvas) => canvas.toDataURL()));
		const [n, drawn] = [await count(), await charts()];
		assert.equal(drawn.length, 4);
		await until('ten more events',
			async () => await count() > n + 10, 20000 * SLOW);
		assert.notDeepEqual(await charts(), drawn);

		mkdirSync(join(BUILD, 'test-logs'), { recursive: true });
		await page.screenshot({ path: join(BUILD, 'test-logs/monitor.png') });
		await page.close();
		await demo.leavesNothing(() => demo.guarded.stop('SIGINT'));
	});

	it('has a chat that hears the command line it prints', async () => {
		demo = await Demo.start();
		const page = await browser.page(demo.chat);

		await page.locator('#status[data-state=live]').waitFor();
		const { status } = await tool('pushlet-publish', ['-n', demo.segment,
			'/chat/lobby', 'nick=shell', 'text=hello there']);
		assert.equal(status, 0);
		await page.getByText('hello there').waitFor();

		const lines = await browser.page(demo.monitor.replace('monitor', 'vmstat'));
		await lines.locator('#rows tr td').nth(20).waitFor();
		for (const window of [page, lines])
			await window.close();
		await demo.leavesNothing(() => demo.guarded.stop('SIGTERM'));
	});

	it('stops when its terminal closes', async () => {
		demo = await Demo.start();
		await demo.leavesNothing(() => demo.guarded.killed('SIGHUP'));
	});

	for (const name of ['pushletd', 'nginx', 'pushlet-publish'])
		it(`says so when ${name} dies`, async () => {
			demo = await Demo.start();
			await demo.leavesNothing(async () => {
				demo.guarded.stopping = true;
				process.kill(demo.process(name), 'SIGKILL');
				assert.equal(await demo.guarded.exited, 1);
			});
			const known = { 'pushlet-publish': '(sensors|quotes|vmstat)-publisher' };
			assert.match(demo.guarded.output, new RegExp(
				`run: ${known[name] ?? name} has ended; its last lines:`));
		});

	it('refuses a port that is taken', async () => {
		const server = await listener();
		const { port } = server.address();
		const { status, stderr } = await run(RUN, [],
			{ env: { PORT: String(port), PUSHLET_BUILD: BUILD } });

		server.close();
		assert.equal(status, 1);
		assert.match(stderr, new RegExp(`port ${port} is in use`));
	});

	it('says what is missing', async () => {
		const { status, stderr } = await run(RUN, [],
			{ env: { PUSHLET_BUILD: '/nonexistent' } });

		assert.equal(status, 1);
		assert.match(stderr, /no \/nonexistent\/pushletd: run make first/);
	});
});
