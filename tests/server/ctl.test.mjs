// SPDX-License-Identifier: MIT
//
// ctl.test.mjs - pushletctl: looking at sessions and subjects, repairing

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { rows } from '../lib/rows.mjs';

describe('pushletctl looks', () => {
	const lab = new Lab();
	let web, ann, bob;
	const json = async (...args) => {
		const { status, stdout, stderr } = await lab.ctl(...args, '--json');

		assert.equal(status, 0, stderr);
		assert.ok(!stdout.includes(ann.id) && !stdout.includes(bob.id), 'an id');
		return JSON.parse(stdout);
	};
	const handleOf = async (subject) => {
		const [session] = await json('sessions', '--subject', subject);

		return session.handle;
	};

	before(async () => {
		web = (await lab.nginx(await lab.pushletd())).client();
		ann = await web.joinListen({ mode: 'stream', subject: '/a,/a2', label: 'mine' });
		bob = await web.join();
		await bob.subscribe('/b');
		await bob.subscribe('/a');
	});
	after(() => lab.close());

	rows('pushletctl', [
		['show without a handle', () => ['-n', lab.segment, 'show'], 1, /show needs HANDLE/],
		['show with two words', () => ['-n', lab.segment, 'show', 'x', 'y'], 1, /'y'.*show HANDLE/],
		['show of nobody', () => ['-n', lab.segment, 'show', '0123456789ab000000'], 1, /'0123456789ab000000': there is no session/],
		['show of an id', () => ['-n', lab.segment, 'show', ann.id], 1, /no handle/],
		['--subject where it has no meaning', () => ['-n', lab.segment, '--subject', '/a', 'status'], 1, /--subject goes with sessions and top/],
	]);

	it('show never repeats an id that it was given', async () => {
		const { stderr } = await lab.ctl('show', ann.id);

		assert.ok(!stderr.includes(ann.id), stderr);
	});

	it('show tells all that is known of a session', async () => {
		const handle = await handleOf('/a2');
		await lab.publish('/a', { n: 1 });
		await ann.channel.next({ p_event: 'data', n: 1 });
		const shown = await json('show', handle);

		assert.equal(shown.handle, handle);
		assert.equal(shown.mode, 'stream');
		assert.equal(shown.listening, true);
		assert.equal(shown.lease, null);
		assert.equal(shown.address, '127.0.0.1');
		assert.deepEqual([shown.reliable, shown.yielded, shown.aborted], [false, false, false]);
		assert.deepEqual(shown.subscriptions.map(({ subjects, label }) => [subjects, label]),
			[[['/a', '/a2'], 'mine']]);
		assert.match(shown.subscriptions[0].sid, /^[0-9a-f]+$/);
		const { stdout } = await lab.ctl('show', handle);
		for (const word of [handle, '127.0.0.1', 'stream', 'xml', 'mine', '/a,/a2', 'delivered'])
			assert.ok(stdout.includes(word), stdout);
		assert.ok(!stdout.includes(ann.id));
	});

	it('show tells what waits for a session without a channel', async () => {
		const shown = await json('show', await handleOf('/b'));

		assert.equal(shown.queued, 1, 'of the test before');
		assert.equal(shown.listening, false);
		assert.ok(shown.lease > 0);
		assert.equal(shown.subscriptions.length, 2);
		assert.equal(shown.subscriptions[0].label, null);
	});

	it('subjects are counted by session, in order', async () => {
		await bob.subscribe('/a');	/* once more */
		assert.deepEqual(await json('subjects'), [
			{ subject: '/a', sessions: 2 },
			{ subject: '/a2', sessions: 1 },
			{ subject: '/b', sessions: 1 },
		]);
		const { stdout } = await lab.ctl('subjects');
		assert.match(stdout, /^ +2 {2}\/a\n +1 {2}\/a2\n +1 {2}\/b\n$/m);
	});

	it('sessions --subject are those that would get its events', async () => {
		const who = async (subject) => (await json('sessions', '--subject', subject)).length;

		assert.equal(await who('/a'), 2);
		assert.equal(await who('/a/below'), 2);
		assert.equal(await who('/a2'), 2, '/a is a beginning of it');
		assert.equal(await who('/b'), 1);
		assert.equal(await who('/'), 0);
		const { stdout } = await lab.ctl('sessions', '--subject', '/b');
		assert.equal(stdout.trim().split('\n').length, 2);
	});

	it('check --json lists what is broken', async () => {
		assert.deepEqual(await json('check'), { broken: [] });
	});

	it('repair makes all anew and harms nobody', async () => {
		assert.deepEqual(await json('repair'), { found: [], left: [] });
		const { status, stdout } = await lab.ctl('repair');
		assert.equal(status, 0);
		assert.match(stdout, /nothing was broken/);
		assert.equal((await lab.status()).counts.repairs, 2);
		await lab.publish('/a', { n: 2 });
		await ann.channel.next({ p_event: 'data', n: 2 });
	});
});
