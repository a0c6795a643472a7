// SPDX-License-Identifier: MIT
//
// tabs.mjs - pages with pushlet.js, and a proxy that misbehaves on request
//
//	const tabs = await Tabs.open();
//	after(() => tabs.close());
//	const tab = await tabs.tab({ transports: ['sse'] });
//	const box = await tab.subscribe('/a');
//	await tab.heard(box, 3);
//
// The pages come from the proxy, which passes requests for pushlet.srv on to a
// web server of the Lab.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { Browser } from './site.mjs';
import { Lab } from '../lib/lab.mjs';
import { binary, ROOT, SLOW } from '../lib/paths.mjs';
import { LIMIT, until } from '../lib/wait.mjs';

const PROPS = {
	'queue.read.timeout.millis': 3000 * SLOW,
	'pull.refresh.wait.min.millis': 10,
	'pull.refresh.wait.max.millis': 60,
	'poll.refresh.wait.min.millis': 20,
	'poll.refresh.wait.max.millis': 100,
};

const PAGE = `<!DOCTYPE html><meta charset="utf-8"><title>tab</title>
<link rel="icon" href="data:,">
<script src="pushlet.js"></script>
<script>
const boxes = [], log = [];
let p;
function start(url, options) {
	p = new Pushlet(url, options);
	for (const name of ['open', 'close', 'reconnect', 'rejoin', 'gap',
		'fallback', 'error', 'state'])
		p.on(name, (d) => log.push({ ...d, message: d.message, name }));
}
function subscribe(subject, options) {
	const box = { events: [] };
	box.sub = p.subscribe(subject, (e) => box.events.push(e), options);
	return boxes.push(box) - 1;
}
</script>`;

/* buffer: responses are passed on when they are whole; cut(): all that are
 * under way end in the middle. */
class Proxy {
	constructor(target) {
		this.target = target;
		this.buffer = false;
		this.sockets = new Set();
		this.requests = 0;
		this.server = http.createServer((request, answer) =>
			this.#serve(request, answer));
		this.server.on('connection', (socket) => {
			this.sockets.add(socket);
			socket.on('close', () => this.sockets.delete(socket));
			socket.on('error', () => {});
		});
	}

	listen() {
		return new Promise((done) => {
			this.server.listen(0, '127.0.0.1', () => {
				this.port = this.server.address().port;
				done(this);
			});
		});
	}

	#serve(request, answer) {
		const path = new URL(request.url, 'http://x').pathname;

		if (path.endsWith('/pushlet.srv'))
			return this.#pass(request, answer);
		const file = basename(path);
		const text = file === 'tab.html' ? PAGE
			: readFileSync(join(ROOT, 'pushlet-js', file));
		answer.writeHead(200, { 'Content-Type': file.endsWith('.html')
			? 'text/html' : 'text/javascript', 'Cache-Control': 'no-store' });
		return answer.end(text);
	}

	#pass(request, answer) {
		const { hostname, port } = new URL(this.target);
		const onward = http.request({ hostname, port, path: request.url,
			method: request.method, headers: request.headers, agent: false });

		this.requests++;
		onward.on('response', (response) => {
			const { buffer } = this;
			answer.writeHead(response.statusCode, response.headers);
			if (!buffer)
				answer.flushHeaders();
			const held = [];
			response.on('data', (bytes) => (buffer ? held.push(bytes)
				: answer.write(bytes)));
			response.on('end', () => answer.end(Buffer.concat(held)));
			response.on('error', () => answer.destroy());
			answer.on('close', () => onward.destroy());
		});
		onward.on('error', () => {
			if (answer.headersSent)
				answer.destroy();
			else
				answer.writeHead(502, { 'Content-Type': 'text/html' })
					.end('<h1>Bad gateway</h1>');
		});
		answer.on('close', () => onward.destroy());
		request.pipe(onward);
	}

	cut() {
		for (const socket of this.sockets)
			socket.destroy();
	}

	close() {
		this.cut();
		return new Promise((done) => { this.server.close(done); });
	}
}

export class Tabs {
	/* front: starts a web server in the lab; by default nginx with a pushletd */
	static async open({ props, front } = {}) {
		const tabs = new Tabs();

		tabs.lab = new Lab();
		try {
			const all = { ...PROPS, ...props };
			if (front) {
				tabs.front = await front(tabs.lab, all);
			} else {
				tabs.pushletd = await tabs.lab.pushletd({ props: all });
				tabs.front = await tabs.lab.nginx(tabs.pushletd);
			}
			tabs.proxy = await new Proxy(tabs.front.url).listen();
			tabs.browser = await Browser.launch();
		} catch (error) {
			await tabs.lab.close().catch(() => {});
			throw error;
		}
		return tabs;
	}

	get url() { return `http://127.0.0.1:${this.proxy.port}/pushlet/pushlet.srv`; }

	/* Our own context unless one is given: tabs of one are one browser. */
	async tab(options = {}, { context, url = '/pushlet/pushlet.srv', init } = {}) {
		const own = context ?? await this.browser.chromium.newContext();
		const page = await own.newPage();

		page.setDefaultTimeout(LIMIT);
		page.on('pageerror', (error) => this.browser.errors.push(error.stack));
		page.on('dialog', (dialog) => {
			this.browser.errors.push(`dialog ${dialog.message()}`);
			dialog.dismiss();
		});
		page.on('console', (message) => {
			if (message.type() === 'error' && !(this.browser.outages
			    && /Failed to load resource|ERR_/.test(message.text())))
				this.browser.errors.push(message.text());
		});
		if (init)
			await page.addInitScript(init);
		await page.goto(new URL('tab.html', this.url).href);
		await page.evaluate(([to, o]) => start(to, o), [url, options]);
		return new Tab(page);
	}

	/* The web server goes and comes back where it was. */
	async restartFront(meanwhile) {
		const { front } = this;

		await front.guarded.stop();
		await meanwhile?.();
		front.guarded = front.spawn();
		await until('the web server', () => new Promise((done) => {
			const socket = connect(front.port, '127.0.0.1');
			socket.on('connect', () => { socket.destroy(); done(true); });
			socket.on('error', () => done(false));
		}));
	}

	/* Publishes 1, 2, 3, ... as n, one every so many milliseconds (0: when
	 * write() is called). */
	counter(subject, ms) {
		const child = spawn(binary('pushlet-publish'), ['-n', this.lab.segment,
			'--lines', 'n', subject], { stdio: ['pipe', 'inherit', 'inherit'] });
		const exited = new Promise((done) => { child.on('exit', done); });
		const counter = { n: 0 };

		counter.write = () => child.stdin.write(`${++counter.n}\n`);
		const timer = ms ? setInterval(counter.write, ms) : undefined;
		counter.stop = async () => {
			clearInterval(timer);
			child.stdin.end();
			assert.equal(await exited, 0);
			return counter.n;
		};
		return counter;
	}

	async close() {
		try {
			await this.browser.close();
		} finally {
			await this.proxy.close();
			await this.lab.close();
		}
	}
}

class Tab {
	constructor(page) { this.page = page; }

	/* f runs in the page: evaluate() of playwright */
	run(f, arg) { return this.page.evaluate(f, arg); }

	until(f, arg, limit = LIMIT) {
		return this.page.waitForFunction(f, arg, { polling: 20, timeout: limit });
	}

	async subscribe(subject, options) {
		return this.run(async ([s, o]) => {
			const n = subscribe(s, o);
			await boxes[n].sub.ready;
			return n;
		}, [subject, options]);
	}

	publish(subject, values, options) {
		return this.run(([s, v, o]) => p.publish(s, v, o),
			[subject, values, options]);
	}

	live() { return this.until(() => p.state === 'live'); }
	get log() { return this.run(() => log); }

	/* An event of the Pushlet object. */
	async logged(name) {
		await this.until((n) => log.some((e) => e.name === n), name);
		return this.run((n) => log.find((e) => e.name === n), name);
	}

	/* The events of a subscription, once there are n of them. */
	async heard(box, n) {
		await this.until(([b, k]) => boxes[b].events.length >= k, [box, n])
			.catch(async (error) => {
				const { events, log: all } = await this.run((b) =>
					({ events: boxes[b].events.slice(-5), log }), box);
				throw new Error(`${n} events: ${error.message}\n${
					JSON.stringify(events)}\n${JSON.stringify(all)}`);
			});
		return this.run((b) => boxes[b].events, box);
	}

	/* Every number from the first it heard to last, in order. */
	async counted(box, last) {
		await this.until(([b, k]) => boxes[b].events.some((e) => e.n === k),
			[box, String(last)]).catch(async (error) => {
			const state = await this.run((b) => ({ log, last: p.state,
				transport: p.transport,
				n: boxes[b].events.map((e) => Number(e.n)).slice(-3) }), box);
			throw new Error(`${last}: ${error.message} ${JSON.stringify(state)}`);
		});
		const numbers = (await this.run((b) => boxes[b].events, box))
			.map((e) => Number(e.n));
		const [first] = numbers;

		assert.deepEqual(numbers, Array.from({ length: last - first + 1 },
			(_, i) => first + i));
		return numbers.length;
	}
}
