// SPDX-License-Identifier: MIT
//
// front-tests.mjs - what every front must do, whatever it is

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { until } from './wait.mjs';

export const PROPS = { 'queue.read.timeout.millis': 500,
	'pull.refresh.wait.min.millis': 10, 'pull.refresh.wait.max.millis': 20 };

/* Milliseconds from the return of pushlet-publish to the arrival of the event;
 * negative when the event was faster. */
async function latency(lab, stream, n) {
	await lab.publish('/speed', { n });
	const published = Date.now();

	await stream.next({ p_event: 'data', n });
	return stream.times[stream.events.findIndex((e) => e.get('n') === String(n))] - published;
}

/* With locks of files the kernel sees deadlocks where there are none, and a
 * process of Apache ends amid its streams: about one start in 25 with 50 of them
 * at once. */
export function lockTest(front) {
	it('keeps the locks of mod_fcgid out of files', () => {
		const configuration = front().configuration();

		for (const lock of ['fcgid-proctbl', 'fcgid-pipe'])
			assert.match(configuration, new RegExp(`^Mutex ${lock}: .*=pthread`, 'm'));
	});
}

/* site() gives { lab, front, web } once they run. */
export function frontTests(site) {
	it('streams events and heartbeats as they come', async (t) => {
		const { lab, web } = site();
		const ann = await web.joinListen({ mode: 'stream', subject: '/speed' });

		await ann.channel.next({ p_event: 'hb', p_seq: 1 });
		const times = [];
		for (let n = 1; n <= 10; n++)
			times.push(await latency(lab, ann.channel, n));
		t.diagnostic(`event after pushlet-publish returned: median ${
			times.sort((a, b) => a - b)[5]} ms, worst ${times[9]} ms`);
		const last = ann.channel.times.at(-1);
		await ann.channel.next({ p_event: 'hb' });
		const silence = ann.channel.times.at(-1) - last;
		t.diagnostic(`heartbeat after ${silence} ms (read timeout 500)`);
		assert.ok(silence >= 450);
		await ann.leave();
		await ann.channel.rest();
	});

	it('serves pull, and publishing by GET and POST', async () => {
		const { web } = site();
		const ann = await web.joinListen({ format: 'xml-strict', mode: 'pull', subject: '/p' });

		await ann.channel.next({ p_event: 'refresh' });
		await ann.channel.rest();
		await ann.publish('/p', { n: 1, text: 'a b&c=d' });
		await web.form({ p_event: 'publish', p_id: ann.id, p_subject: '/p', n: 2 });
		await web.xml(`<event p_event="publish" p_id="${ann.id}" p_subject="/p" n="3"/>`);
		const refresh = await ann.refresh();
		await refresh.next({ p_event: 'refresh-ack' });
		await refresh.next({ p_event: 'data', n: 1, text: 'a b&c=d' });
		await refresh.next({ p_event: 'data', n: 2 });
		await refresh.next({ p_event: 'data', n: 3 });
		await refresh.next({ p_event: 'refresh' });
		await refresh.rest();
	});

	it('passes an id on that comes as a header', async () => {
		const { web } = site();
		const { id } = await web.join();

		for (const method of ['GET', 'POST'])
			assert.equal((await web.ask({ p_event: 'hb' },
				{ method, headers: { 'X-Pushlet-Id': id, 'Content-Length': 0,
					'Content-Type': 'application/x-www-form-urlencoded' } }))
				.get('p_event'), 'hb-ack');
	});

	it('passes errors on with status and text', async () => {
		const { web } = site();
		const answer = await web.ask({ p_event: 'hb', p_id: 'nosuch' });

		assert.equal(answer.status, 400);
		assert.equal(answer.text, 'Invalid or expired id: join again\n');
	});

	it('keeps the path parameter of a Java client', async () => {
		const { web } = site();
		const answer = await web.ask('', { path:
			'/pushlet/pushlet.srv;jsessionid=x?p_event=join-listen&p_mode=pull&p_format=xml' });

		assert.match(answer.events[1].get('p_url'), /^\/pushlet\/pushlet\.srv;jsessionid=x\?p_id=/);
	});

	it('notices a client that is gone within a few heartbeats', async () => {
		const { lab, web } = site();
		const ann = await web.joinListen({ mode: 'stream' });
		const listening = await lab.listening();

		ann.channel.close();
		await until('the hang-up to be noticed', async () =>
			await lab.listening() < listening);
		assert.ok(await ann.alive());
	});

	it('keeps session ids out of the access log', async () => {
		const { front, web } = site();
		const ann = await web.join();

		await ann.ask('hb');
		/* lighttpd writes its log every few seconds. */
		const log = await until('a request in the log', () => {
			const text = readFileSync(front.accessLog, 'utf8');
			return text.includes('GET /pushlet/pushlet.srv') && text;
		});
		assert.ok(!log.includes(ann.id) && !log.includes('p_id'), log.slice(-500));
	});
}
