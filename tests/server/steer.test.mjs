// SPDX-License-Identifier: MIT
//
// steer.test.mjs - pushletctl kick, drain, metrics, and the rates of status

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseExposition } from '../lib/exposition.mjs';
import { Lab } from '../lib/lab.mjs';
import { rows } from '../lib/rows.mjs';
import { until } from '../lib/wait.mjs';

describe('pushletctl steers', () => {
	const lab = new Lab();
	let web;
	const handleOf = async (subject) => {
		const { stdout } = await lab.ctl('sessions', '--subject', subject, '--json');

		return JSON.parse(stdout)[0].handle;
	};

	before(async () => {
		web = (await lab.nginx(await lab.pushletd(), await lab.pushletd())).client();
	});
	after(() => lab.close());

	rows('pushletctl', [
		['kick without a handle', () => ['-n', lab.segment, 'kick'], 1, /kick needs HANDLE/],
		['kick of nobody', () => ['-n', lab.segment, 'kick', 'nobody'], 1, /'nobody': there is no session/],
		['kick for too long a reason', () => ['-n', lab.segment, 'kick', 'x', 'y'.repeat(80)], 1, /80 bytes.*1 to 79/],
		['kick for an empty reason', () => ['-n', lab.segment, 'kick', 'x', ''], 1, /0 bytes/],
		['a drain of no time', () => ['-n', lab.segment, 'drain', 'soon'], 1, /'soon'.*0 to 86400/],
		['a drain of less than none', () => ['-n', lab.segment, 'drain', '--', '-1'], 1, /'-1'.*seconds/],
		['metrics as JSON', () => ['-n', lab.segment, 'metrics', '--json'], 1, /--json goes with/],
	]);

	it('kick tells a listener the reason, and its session is gone', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/kick' });
		const handle = await handleOf('/kick');
		const { status, stdout, stderr } = await lab.ctl('kick', handle, 'Zu laut: "ä" & <b>');

		assert.equal(status, 0, stderr);
		assert.equal(stdout, `${handle}: ended\n`);
		await ann.channel.next({ p_event: 'abort', p_reason: 'Zu laut: "ä" & <b>' });
		assert.equal(await ann.alive(), false);
		assert.equal((await lab.ctl('kick', handle)).status, 1);
	});

	it('kick without a reason gives one', async () => {
		const bob = await web.joinListen({ mode: 'stream', subject: '/kick2' });
		const { stdout } = await lab.ctl('kick', await handleOf('/kick2'), '--json');

		assert.match(JSON.parse(stdout).reason, /operator/);
		await bob.channel.next({ p_event: 'abort', p_reason: JSON.parse(stdout).reason });
	});

	it('kick ends a session that nothing serves', async () => {
		const eve = await web.join();

		await eve.subscribe('/kick3');
		assert.equal((await lab.ctl('kick', await handleOf('/kick3'))).status, 0);
		assert.equal(await eve.alive(), false);
	});

	it('drain sends everybody back, spread over a time; who comes stays', async () => {
		const all = [];
		for (let i = 0; i < 6; i++)
			all.push(await web.joinListen({ mode: 'stream', subject: '/drain' }));
		const begun = Date.now();
		const { stdout } = await lab.ctl('drain', '3', '--json');
		assert.deepEqual(JSON.parse(stdout), { channels: 6, seconds: 3 });
		const late = await web.joinListen({ mode: 'stream', subject: '/drain' });

		const ends = await Promise.all(all.map(async (session) => {
			const end = await session.channel.next({ p_event: 'refresh' });
			await session.follow(end);
			return Date.now() - begun;
		}));
		assert.ok(Math.max(...ends) - Math.min(...ends) >= 500, `all at once: ${ends}`);
		await lab.publish('/drain', { n: 1 });
		await late.channel.next({ p_event: 'data', n: 1 });
		assert.equal(await lab.listening(), 7);
	});

	it('drain sends back a pull that waits, and loses no event', async () => {
		const eve = await web.joinListen({ mode: 'pull', subject: '/pulled' });
		await eve.channel.rest();
		const waiting = await eve.refresh();
		await waiting.next({ p_event: 'refresh-ack' });

		await lab.ctl('drain', '0');
		const end = await waiting.next({ p_event: 'refresh' });
		await waiting.rest();
		await lab.publish('/pulled', { n: 1 });
		const again = await eve.follow(end);
		await again.next({ p_event: 'refresh-ack' });
		await again.next({ p_event: 'data', n: 1 });
	});

	it('metrics are what status says, in a text Prometheus takes', async () => {
		const { status, stdout } = await lab.ctl('metrics');
		const metrics = parseExposition(stdout);
		const now = await lab.status();

		assert.equal(status, 0);
		for (const [name, count] of Object.entries(now.counts))
			assert.equal(metrics.get(`pushlet_${name}_total`), count, name);
		assert.equal(metrics.get('pushlet_sessions'), now.sessions.total);
		assert.equal(metrics.get('pushlet_channels{mode="stream"}'), now.channels.stream);
		assert.equal(metrics.get('pushlet_workers'), 2);
		assert.equal(metrics.get('pushlet_queue_limit'), now.limits.queue);
		assert.equal(metrics.get('pushlet_created_timestamp_seconds'), now.created);
	});

	it('status knows the rates of the last second and minute', async () => {
		await until('a sample', async () => (await lab.status()).rates.minute);
		const before = await lab.status();
		for (let i = 0; i < 5; i++)
			await lab.publish('/nobody', { n: i });
		const { rates, counts } = await until('a sample before the events',
			async () => {
				const now = await lab.status();

				return now.rates.second?.published > 0 && now;
			});

		assert.equal(counts.published - before.counts.published, 5);
		/* A period has at least a second, and others published before. */
		assert.ok(rates.second.published <= counts.published, JSON.stringify(rates));
		assert.ok(rates.minute.published > 0);
		assert.match((await lab.ctl('status')).stdout, /^published +\d+ +[\d.]+ +[\d.]+$/m);
	});
});
