// SPDX-License-Identifier: MIT
//
// crossing.test.mjs - three nodes joined by bridges are one server: events,
// unicasts, and what becomes of them when something is away

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { until } from '../lib/wait.mjs';

const NAMES = ['n1', 'n2', 'n3'];

/* Numbers from a to b. */
const range = (a, b) => Array.from({ length: b - a + 1 }, (_, i) => a + i);

describe('three nodes joined by bridges', () => {
	let cluster, front, client;

	before(async () => {
		cluster = await new Cluster([...NAMES]).start();
		front = await cluster.nginx();
		client = front.client();
		await cluster.joined(front);
	});
	after(() => cluster.close());

	const node = (name) => cluster.node(name);

	/* Somebody at each node, for one subject. */
	const audience = (subject) => Promise.all(NAMES.map((name) =>
		client.joinListen({ subject, p_node: name, p_reliable: 1 })));

	const dismiss = (sessions) => Promise.all(sessions.map(async (s) => {
		s.channel.close();
		await s.leave();
	}));

	/* The values of n that came so far. */
	const numbers = ({ channel }) => channel.events.filter((e) => e.get('p_event') === 'data')
		.map((e) => Number(e.get('n')));

	const arrive = (sessions, last) => until(`number ${last} everywhere`, () =>
		sessions.every((s) => numbers(s).includes(last)), 20_000);

	const count = async (name, subject, from, to) => {
		for (const n of range(from, to))
			await node(name).publish(subject, { n });
	};

	it('bring an event of each to listeners at all of them', async () => {
		const all = await audience('/each');
		for (const name of NAMES)
			await node(name).publish('/each', { at: name, text: '<&">ü' });
		for (const { channel } of all)
			for (const name of NAMES)
				await channel.when(`an event of ${name}`, () => channel.events.find((e) =>
					e.get('at') === name && e.get('text') === '<&">ü'));
		await dismiss(all);
	});

	it('keep the order of a publisher', async () => {
		const all = await audience('/order');
		await count('n2', '/order', 1, 50);
		await arrive(all, 50);
		for (const one of all)
			assert.deepEqual(numbers(one), range(1, 50));
		await dismiss(all);
	});

	it('tell who published, and take an answer to that', async () => {
		const ann = await client.joinListen({ subject: '/question', p_node: 'n1' });
		const bob = await client.joinListen({ subject: '/question', p_node: 'n3' });
		await ann.publish('/question', { text: 'who?' });
		const asked = await bob.channel.when('the question', () =>
			bob.channel.events.find((e) => e.get('text') === 'who?'));
		assert.match(asked.get('p_from'), /^n1-[0-9a-f]{18}$/);
		await bob.publish('/question', { text: 'me' }, asked.get('p_from'));
		const answer = await ann.channel.when('the answer', () =>
			ann.channel.events.find((e) => e.get('text') === 'me'));
		assert.match(answer.get('p_from'), /^n3-[0-9a-f]{18}$/);
		assert.equal(answer.get('p_to'), asked.get('p_from'));
		await node('n2').publish('/else', { text: 'by hand' }, '-t', asked.get('p_from'));
		await ann.channel.when('what was sent by hand', () =>
			ann.channel.events.find((e) => e.get('text') === 'by hand'));
		/* Nobody else has it, though all of them want the subject. */
		await node('n2').publish('/question', { text: 'all' });
		await bob.channel.when('the last one', () =>
			bob.channel.events.find((e) => e.get('text') === 'all'));
		assert.equal(bob.channel.events.some((e) => e.get('text') === 'me'), false);
		await dismiss([ann, bob]);
	});

	/* Each node tells the others what it counts now and then. */
	it('count who is there over all of them', async () => {
		const room = await audience('/room');
		const online = async (name) => {
			const one = await client.joinListen({ subject: '/meta/subs/room', p_node: name });
			const first = await one.channel.when('how many there are', () =>
				one.channel.events.find((e) => e.get('action') === 'status'));
			await dismiss([one]);
			return Number(first.get('online'));
		};

		for (const name of NAMES)
			await until(`three at ${name}`, async () => await online(name) === 3);
		await dismiss([room.pop()]);
		for (const name of NAMES)
			await until(`two at ${name}`, async () => await online(name) === 2);
		await dismiss(room);
	});

	it('tell who comes to those who watch at another one', async () => {
		const watcher = await client.joinListen({ subject: '/meta/subs/door', p_node: 'n1' });
		const came = () => watcher.channel.events.filter((e) => e.get('action') === 'subscribe')
			.map((e) => e.get('from').split('-')[0]);

		await until('somebody at each node to be told of', async () => {
			await dismiss(await audience('/door'));
			return NAMES.every((name) => came().includes(name));
		});
		await dismiss([watcher]);
	});

	it('go on when a bridge was killed and came back', async () => {
		const all = await audience('/bridge');
		await count('n1', '/bridge', 1, 5);
		await node('n1').carrier.killed('SIGKILL');
		await count('n1', '/bridge', 6, 10);
		await node('n1').bridge();
		await count('n1', '/bridge', 11, 15);
		await arrive(all, 15);
		for (const one of all)
			assert.deepEqual(numbers(one), range(1, 15));
		await dismiss(all);
	});

	for (const data of [true, false])
		it(`go on when Redis was killed and came back with${data ? '' : 'out'} its data`,
			async () => {
				const subject = `/redis/${data}`;
				const all = await audience(subject);
				await count('n1', subject, 1, 5);
				await arrive(all, 5);
				await cluster.redis.kill9({ data });
				await count('n1', subject, 6, 10);
				await arrive([all[0]], 10);	/* at home it goes on */
				await cluster.redis.start();
				await count('n1', subject, 11, 15);
				await arrive(all, 15);
				for (const one of all)
					assert.deepEqual(numbers(one), range(1, 15));
				await dismiss(all);
			});

	it('go on when a pushletd was killed and came back', async () => {
		const all = await audience('/pushletd');
		await count('n1', '/pushletd', 1, 5);
		await arrive(all, 5);
		process.kill(node('n2').service.masters[0], 'SIGKILL');
		await count('n1', '/pushletd', 6, 10);
		const back = await until('n2 to answer', async () => {
			const channel = await all[1].refresh({ p_ack: 0 });
			return channel.status === 200 && channel;
		});
		await until('all of them', () => back.events.some((e) => e.get('n') === '10'));
		assert.deepEqual(numbers({ channel: back }), range(1, 10));
		back.close();
		await dismiss(all);
	});

	it('are not complete without one, and take up a fourth', async () => {
		const bob = await client.joinListen({ subject: '/fourth', p_node: 'n1' });
		await cluster.add('n4');
		await front.reload();
		await cluster.joined(front);
		await node('n4').publish('/fourth', { text: 'hello' });
		await bob.channel.when('its event', () =>
			bob.channel.events.find((e) => e.get('text') === 'hello'));
		await dismiss([bob]);
	});
});
