// SPDX-License-Identifier: MIT
//
// cluster.test.mjs - a web server in front of several nodes sends each request
// to the node that its session is of

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { tool } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

const formed = (name) => new RegExp(`^${name}-[0-9a-f]{38}$`);

/* Everything a client can do to show whose session it is. */
const shows = {
	'p_id in the query': (client, id) => client.ask({ p_event: 'hb', p_id: id }),
	'the header X-Pushlet-Id': (client, id) => client.ask({ p_event: 'hb' },
		{ headers: { 'X-Pushlet-Id': id } }),
	'p_node beside a form': (client, id) => client.form({ p_event: 'hb', p_id: id },
		{ path: `${client.url.pathname}?p_node=${id.split('-')[0]}` }),
	'p_node beside an element': (client, id) => client.xml(
		`<event p_event="hb" p_id="${id}"/>`,
		{ path: `${client.url.pathname}?p_node=${id.split('-')[0]}` }),
};

/* An open stream of what is below /a. */
async function listen(session) {
	const channel = await session.listen({ subject: '/a' });

	await channel.next({ p_event: 'listen-ack' });
	await channel.next({ p_event: 'hb' });
	return channel;
}

for (const kind of ['apache', 'nginx']) {
	describe(`${kind} in front of three nodes`, () => {
		let cluster, front, client;

		before(async () => {
			cluster = await new Cluster(['n1', 'n2', 'n3'], { redis: false,
				props: { 'queue.read.timeout.millis': 1000, 'metrics.http': 'on' } }).start();
			front = await cluster[kind]();
			client = front.client();
		});
		after(() => cluster.close());

		/* p_node means one node for a join, too. */
		const joinAt = (name) => client.join('xml', { p_node: name });

		it('has a join answered by some node, or by the one it names', async () => {
			const ann = await client.join();
			assert.match(ann.id, formed('n[123]'));
			await ann.leave();
			for (const name of cluster.names) {
				const bob = await joinAt(name);
				assert.match(bob.id, formed(name));
				await bob.leave();
			}
		});

		for (const [how, ask] of Object.entries(shows))
			it(`finds the node of a session by ${how}`, async () => {
				for (const name of cluster.names) {
					const ann = await joinAt(name);
					assert.equal((await ask(client, ann.id)).get('p_event'), 'hb-ack');
					await ann.leave();
				}
			});

		it('leads a stream to the node its session is of', async () => {
			for (const name of cluster.names) {
				const ann = await joinAt(name);
				const channel = await listen(ann);
				await cluster.node(name).publish('/a', { text: name });
				await channel.next({ p_event: 'data', text: name });
				channel.close();
				await ann.leave();
			}
		});

		it('passes on what a wrong node says of an id it cannot see', async () => {
			const ann = await joinAt('n1');
			const answer = await client.form({ p_event: 'hb', p_id: ann.id },
				{ path: `${front.path}?p_node=n2` });
			assert.equal(answer.status, 400);
			assert.match(answer.text, /expired id: join again \(it is of node 'n1', this is 'n2'\)/);
			await ann.leave();
		});

		it('shows the doctor nothing that is wrong', async () => {
			for (let i = 0; i < 3; i++) {
				const { status, stdout } = await tool('pushletctl',
					['doctor', '--seconds', '3', front.url]);
				assert.equal(status, 0, stdout);
			}
		});

		if (kind === 'nginx')
			it('has the metrics of each node', async () => {
				const bob = await joinAt('n2');
				for (const [name, n] of [['n1', 0], ['n2', 1]]) {
					const answer = await fetch(new URL(`/pushlet/metrics?p_node=${name}`,
						front.url));
					assert.equal(answer.status, 200);
					assert.match(await answer.text(), new RegExp(`^pushlet_sessions ${n}$`, 'm'));
				}
				await bob.leave();
			});

		it('keeps a session whose pushletd was killed and came back', async () => {
			const node = cluster.node('n2');
			const ann = await joinAt('n2');
			const channel = await listen(ann);
			process.kill(node.service.masters[0], 'SIGKILL');
			await channel.rest().catch(() => {});
			await until('the session to be answered again', async () => {
				const { status } = await ann.ask('hb');
				assert.notEqual(status, 400);
				return status === 200;
			});
			await ann.leave();
		});

		it('gains a node by one line, and cuts no stream', async () => {
			const ann = await joinAt('n1');
			const channel = await listen(ann);
			await cluster.add('n4');
			await front.reload();
			const bob = await until('the new node', () => joinAt('n4').then((s) =>
				s.id.startsWith('n4-') ? s : s.leave().then(() => undefined)));
			assert.equal(await bob.alive(), true);
			await bob.leave();
			await cluster.node('n1').publish('/a', { text: 'still' });
			await channel.next({ p_event: 'data', text: 'still' });
			channel.close();
			await ann.leave();
		});

		it('has another node answer for one that is gone, which tells to rejoin', async () => {
			const ann = await joinAt('n3');
			await cluster.node('n3').down();
			const answer = await ann.ask('hb');
			assert.equal(answer.status, 400);
			assert.match(answer.text, /expired id: join again \(it is of node 'n3', this is 'n[124]'\)/);
			for (let i = 0; i < 8; i++) {
				const bob = await client.join();
				assert.match(bob.id, formed('n[124]'));
				await bob.leave();
			}
		});
	});
}
