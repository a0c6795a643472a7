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
import http from 'node:http';
import { file } from './files.mjs';
import { Place } from './place.mjs';
import { binary } from '../lib/paths.mjs';
import { LIMIT } from '../lib/wait.mjs';

/* buffer: responses are passed on when they are whole; cut(): all that are
 * under way end in the middle. */
class Proxy {
	constructor(target) {
		this.target = target;
		this.buffer = false;
		this.sockets = new Set();
		this.urls = [];
		this.lose = 0;		/* so many answers to publishes */
		this.server = http.createServer((request, answer) =>
			this.#serve(request, answer));
		this.server.on('connection', (socket) => {
			this.sockets.add(socket);
			socket.on('close', () => this.sockets.delete(socket));
			socket.on('error', () => {});
		});
	}

	get requests() { return this.urls.length; }

	listen() {
		return new Promise((done) => {
			this.server.listen(0, '127.0.0.1', () => {
				this.port = this.server.address().port;
				done(this);
			});
		});
	}

	#serve(request, answer) {
		const url = new URL(request.url, this.target);

		if (url.pathname.endsWith('/pushlet.srv'))
			return this.#pass(request, answer);
		const { type, body } = file(url);
		answer.writeHead(200, { 'Content-Type': type,
			'Cache-Control': 'no-store' });
		return answer.end(body);
	}

	#pass(request, answer) {
		const { hostname, port } = new URL(this.target);
		const onward = http.request({ hostname, port, path: request.url,
			method: request.method, headers: request.headers, agent: false });

		this.urls.push(request.url);
		let body = '';
		request.on('data', (bytes) => { body += bytes; });
		onward.on('response', (response) => {
			if (this.lose > 0 && /p_event=publish/.test(body)) {
				this.lose--;
				answer.destroy();
				return;
			}
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

export class Tabs extends Place {
	async prepare() {
		this.proxy = await new Proxy(this.front.url).listen();
	}

	get url() { return `http://127.0.0.1:${this.proxy.port}/pushlet/pushlet.srv`; }

	/* A page of files.mjs in a window of its own. */
	page(name) { return this.browser.page(new URL(name, this.url).href); }

	/* Our own context unless one is given: tabs of one are one browser. */
	async tab(options = {}, { context, url = '/pushlet/pushlet.srv', init } = {}) {
		const page = await this.browser.blank(context);

		if (init)
			await page.addInitScript(init);
		await page.goto(new URL('tab.html', this.url).href);
		await page.evaluate(([to, o]) => start(to, o), [url, options]);
		return new Tab(page);
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
			await super.close();
		} finally {
			await this.proxy?.close();
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
