// SPDX-License-Identifier: MIT
//
// bridge.test.mjs - one node's bridge, and a Redis in which the test plays the
// other nodes

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { Guarded, tool } from '../lib/process.mjs';
import { Redis } from '../lib/redis.mjs';
import { LIMIT, until, within } from '../lib/wait.mjs';

/* A node "a": a segment, a listener at it, a Redis. */
class World {
	constructor({ props = {}, redis = {} } = {}) {
		this.lab = new Lab();
		this.redis = this.lab.guard(new Redis(this.lab, redis));
		this.props = { node: 'a', 'bridge.redis': `unix:${this.redis.socket}`,
			'bridge.exclude': '/here', ...props };
	}

	async start() {
		await this.redis.start();
		this.server = await this.lab.pushletd({ props: this.props });
		return this;
	}

	/* A bridge; options: more -o. */
	async bridge(options = [], { statuses } = {}) {
		await this.bridgeStarted?.stop();
		this.bridgeStarted = this.lab.guard(new Guarded('pushlet-bridge',
			binary('pushlet-bridge'), ['-c', this.lab.path('pushlet.properties'),
				...options.flatMap((pair) => ['-o', pair])], { statuses }));
		return this.bridgeStarted;
	}

	async connected(options) {
		const bridge = await this.bridge(options);

		await bridge.line(/node a: connected with Redis/);
		return bridge;
	}

	/* Somebody who hears all there is. */
	async listener() {
		this.web = (await this.lab.nginx(this.server)).client();
		const ann = await this.web.joinListen({ subject: '/', p_reliable: 1 });

		this.channel = ann.channel;
		return ann.channel;
	}

	publish(subject, attributes) { return this.lab.publish(subject, attributes); }

	/* What another node would do. */
	async meet(name) {
		await this.redis.ask('SADD', 'pushlet:nodes', name);
		await this.redis.ask('SET', `pushlet:node:${name}`, `elsewhere/${name}`);
	}

	async add(name, id, ...fields) {
		assert.match(await this.redis.ask('XADD', `pushlet:events:${name}`, id,
			...fields.map(String)), /^\$/);
	}

	event(name, id, attributes) {
		return this.add(name, id, 'p_subject', '/x', 'p_time', '1000000000',
			...Object.entries(attributes).flat());
	}

	/* What is in the stream of a, on the wire. */
	stream() { return this.redis.ask('XRANGE', 'pushlet:events:a', '-', '+'); }

	async length() {
		return Number((await this.redis.ask('XLEN', 'pushlet:events:a'))
			.match(/^:(\d+)/)?.[1]);
	}

	async node(name) {
		return (await this.lab.status()).nodes.find((n) => n.name === name);
	}

	/* The values of n that the listener got. */
	heard() {
		return this.channel.events.map((e) => e.get('n')).filter((n) => n !== undefined);
	}

	hears(n) {
		return until(`n=${n}`, () => this.heard().includes(String(n)), LIMIT);
	}

	close() { return this.lab.close(); }
}

const said = (bridge, pattern) =>
	(bridge.output.match(new RegExp(pattern, 'g')) ?? []).length;

/* An epoch of a node that began after us. */
const LATER = Date.now() * 10;

describe('pushlet-bridge', () => {
	let world;

	before(async () => {
		world = await new World().start();
		await world.connected();
		await world.listener();
	});
	after(() => world.close());

	it('appends what is published, under its number', async () => {
		await world.publish('/news', { text: 'hello', n: 'out1' });
		await world.publish('/here', { text: 'stays', n: 'out2' });
		await world.publish('/news', { text: 'ünd', n: 'out3' });
		await until('two entries', async () => await world.length() === 2);
		const wire = await world.stream();
		assert.match(wire, /\d{13}-1\r\n\*\d+\r\n\$9\r\np_subject\r\n\$5\r\n\/news\r\n\$6\r\np_time/);
		assert.match(wire, /-2\r\n/);
		assert.match(wire, /ünd/);
		assert.doesNotMatch(wire, /stays|p_event/);
	});

	it('publishes what another node appended, once and in order', async () => {
		await world.meet('b');
		await world.event('b', `${LATER}-1`, { n: 'b1' });
		await world.hears('b1');
		for (let n = 2; n <= 40; n++)
			await world.event('b', `${LATER}-${n}`, { n: `b${n}` });
		await world.hears('b40');
		await world.bridgeStarted.killed('SIGKILL');
		await world.event('b', `${LATER}-41`, { n: 'b41' });
		await world.connected();
		await world.hears('b41');
		assert.deepEqual(world.heard().filter((n) => n.startsWith('b')),
			Array.from({ length: 41 }, (_, i) => `b${i + 1}`));
		const node = await world.node('b');
		assert.equal(node.number, 41);
		assert.equal(node.missed, 0);
		assert.ok(node.seen > 0);
	});

	it('does not send back what came from elsewhere', async () => {
		const before = await world.length();
		await world.event('b', `${LATER}-42`, { n: 'b42' });
		await world.hears('b42');
		await world.publish('/news', { n: 'own' });
		await until('the own one', async () => await world.length() === before + 1);
	});

	it('counts what is missing, and says so once', async () => {
		await world.meet('gap');
		await world.event('gap', `${LATER}-3`, { n: 'g3' });
		await world.event('gap', `${LATER}-4`, { n: 'g4' });
		await world.hears('g4');
		await world.event('gap', `${LATER + 1}-2`, { n: 'g2' });
		await world.hears('g2');
		await world.bridgeStarted.line(/node gap: 1 of its events up to \d+-2 are nowhere/);
		assert.equal((await world.node('gap')).missed, 3);
		assert.equal(said(world.bridgeStarted, 'node gap: 2 of its events'), 1);
	});

	it('leaves out what is no event, says why, and goes on', async () => {
		const bad = [
			[['p_time', 1], /no p_subject/],
			[['p_subject', '/x'], /no p_time/],
			[['p_subject', '/x', 'p_time', 'now'], /p_time/],
			[['p_subject', '/x', 'p_time', 1, 'a b', 1], /no XML name/],
			[['p_subject', `/${'x'.repeat(300)}`, 'p_time', 1], /subject\.max\.bytes/],
			[['p_subject', '/x', 'p_time', 1, 'a', 'x'.repeat(70000)], /event\.max\.bytes/],
			[['p_subject', '/x', 'p_time', 1, 'a', 1, 'a', 2], /twice/],
		];
		await world.meet('bad');
		for (const [i, [fields]] of bad.entries())
			await world.add('bad', `${LATER}-${i + 1}`, ...fields);
		await world.event('bad', `${LATER}-${bad.length + 1}`, { n: 'good' });
		await world.hears('good');
		for (const [i, [, why]] of bad.entries())
			await world.bridgeStarted.line(
				new RegExp(`node bad: event \\d+-${i + 1} is left out: .*${why.source}`));
		assert.equal((await world.node('bad')).bad, bad.length);
		assert.equal((await world.node('bad')).missed, 0);
	});

	it('passes over an entry with an id that no bridge gives', async () => {
		await world.meet('hand');
		await world.event('hand', `${LATER}-0`, { n: 'h0' });
		await world.event('hand', `${LATER}-1`, { n: 'h1' });
		await world.hears('h1');
		assert.ok(!world.heard().includes('h0'));
		assert.equal((await world.node('hand')).bad, 1);
		assert.equal((await world.node('hand')).missed, 0);
	});

	it('is not stopped by a node whose keys are something else', async () => {
		for (const what of ['events', 'counts'])
			await world.redis.ask('SET', `pushlet:${what}:odd`, 'text');
		await world.redis.ask('SADD', 'pushlet:node:odd', 'a set');
		await world.redis.ask('SADD', 'pushlet:nodes', 'odd');
		await world.meet('fair');
		await world.event('fair', `${LATER}-1`, { n: 'fair' });
		await world.hears('fair');
		await world.redis.ask('DEL', 'pushlet:events:odd', 'pushlet:counts:odd',
			'pushlet:node:odd');
	});

	it('puts what is older than its segment into the history alone', async () => {
		await world.event('old', '1000-1', { n: 'old1' });
		await world.event('old', '1000-2', { n: 'old2' });
		await world.meet('old');
		await until('both', async () => (await world.node('old'))?.number === 2);
		await world.event('old', '1000-3', { n: 'old3' });
		await world.hears('old3');
		assert.deepEqual(world.heard().filter((n) => n.startsWith('old')), ['old3']);
		const late = await world.web.joinListen({ subject: '/x', p_last: 3 });
		for (const n of ['old1', 'old2', 'old3'])
			await late.channel.next({ n });
		late.channel.close();
	});

	it('pays no heed to what is no node', async () => {
		const before = (await world.lab.status()).nodes.length;
		for (const name of ['A', 'x:y', 'toolongtobeone', '', '\xff'])
			await world.meet(name);
		await world.meet('last');
		await world.event('last', `${LATER}-1`, { n: 'last' });
		await world.hears('last');
		assert.equal((await world.lab.status()).nodes.length, before + 1);
	});

	it('forgets a name that has neither a sign of life nor a stream', async () => {
		await world.redis.ask('SADD', 'pushlet:nodes', 'ghost');
		await until('it to go', async () =>
			/^:0/.test(await world.redis.ask('SISMEMBER', 'pushlet:nodes', 'ghost')));
	});

	it('is shown by pushletctl', async () => {
		const status = await world.lab.status();
		assert.equal(status.node, 'a');
		assert.equal(status.bridge.pid, world.bridgeStarted.pid);
		assert.equal(status.bridge.alive, true);
		assert.equal(status.bridge.connected, true);
		assert.equal(status.bridge.behind, 0);
		assert.equal(status.counts.sent, await world.length());
		assert.equal(status.counts.missed, 3);
		const { stdout } = await world.lab.ctl('status');
		assert.match(stdout, /^node a, bridge \d+ connected since /m);
		assert.match(stdout, /^gap +2 +3 +0 {2}/m);
		const metrics = (await world.lab.ctl('metrics')).stdout;
		assert.match(metrics, /^pushlet_bridge_connected 1$/m);
		assert.match(metrics, /^pushlet_node_missed_total\{node="gap"\} 3$/m);
	});

	it('refuses a second one', async () => {
		const { status, stderr } = await tool('pushlet-bridge',
			['-c', world.lab.path('pushlet.properties')]);
		assert.equal(status, 1);
		assert.match(stderr, new RegExp(`has a bridge already: process ${world.bridgeStarted.pid}`));
	});

	it('ends within a second, though Redis hangs', async () => {
		world.redis.guarded.child.kill('SIGSTOP');
		try {
			await world.publish('/news', { n: 'while it hangs' });
			const began = Date.now();
			await world.bridgeStarted.stop();
			assert.ok(Date.now() - began < 1500, `${Date.now() - began} ms`);
		} finally {
			world.redis.guarded.child.kill('SIGCONT');
		}
		assert.equal((await world.lab.status()).bridge.pid, 0);
	});

	it('sends what was published while it was away', async () => {
		const before = await world.length();
		await world.publish('/news', { n: 'away' });
		await world.connected();
		await until('both', async () => await world.length() >= before + 1
			&& (await world.lab.status()).bridge.behind === 0);
		assert.equal(said({ output: await world.stream() }, 'while it hangs'), 1);
	});

	it('goes on with the next segment of that name', async () => {
		await world.server.stop();
		assert.equal((await world.lab.ctl('destroy', '--force')).status, 0);
		await world.bridgeStarted.line(/waiting for segment/);
		await world.server.start();
		await until('its bridge', async () => (await world.lab.status()).bridge.connected);
		await world.publish('/news', { n: 'new segment' });
		await until('the event', async () =>
			/-1\r\n[^]*new segment/.test(await world.stream()));
	});
});

describe('without Redis', () => {
	let world, bridge;

	before(async () => {
		world = await new World().start();
		bridge = await world.connected();
		await world.listener();
	});
	after(() => world.close());

	it('what is published here is delivered here', async () => {
		await world.publish('/news', { n: 1 });
		await until('one entry', async () => await world.length() === 1);
		await world.redis.kill9({ data: true });
		await bridge.line(/is out of reach/);
		for (const n of [2, 3])
			await world.publish('/news', { n });
		await world.hears(3);
		const status = await world.lab.status();
		assert.equal(status.bridge.connected, false);
		assert.equal(status.bridge.behind, 2);
	});

	it('one line is logged when it goes, and one when it is back', async () => {
		await world.redis.start();
		await bridge.line(/connected with Redis[^]*connected with Redis/);
		await until('all three', async () => await world.length() === 3);
		assert.ok(said(bridge, 'out of reach') <= 2, bridge.output);
		assert.equal(said(bridge, 'connected with'), 2);
	});

	it('and with its data gone, all of the log is sent again', async () => {
		await world.redis.kill9({ data: false });
		await world.publish('/news', { n: 4 });
		await world.redis.start();
		await until('all four', async () => await world.length() === 4);
		assert.equal((await world.lab.status()).bridge.unsent, 0);
	});

	it('what the log has let go meanwhile is counted and said', async () => {
		await world.redis.kill9();
		const { status } = await tool('pushlet-publish', ['-n', world.lab.segment,
			'--lines', 'line', '/flood'], { input: 'x\n'.repeat(30000) });
		assert.equal(status, 0);
		await world.redis.start();
		await until('it to catch up', async () => (await world.lab.status()).bridge.behind === 0);
		await bridge.line(/events before number \d+ are lost to others: .*log\.max\.bytes/);
		const { unsent } = (await world.lab.status()).bridge;
		assert.ok(unsent > 0);
		assert.equal(await world.length() + unsent, 30004);
	});
});

describe('who is at all nodes', () => {
	let world, watcher;
	const counts = () => world.redis.ask('HGETALL', 'pushlet:counts:a');

	before(async () => {
		world = await new World().start();
		await world.connected();
		await world.listener();
		await world.meet('b');
	});
	after(() => world.close());

	it('is told to the others, subject by subject', async () => {
		const ann = await world.web.joinListen({ subject: '/news,/chat' });
		await until('its counts', async () =>
			/sessions\r\n\$1\r\n2\r\n[^]*s:\/news\r\n\$1\r\n1\r\n/.test(await counts()));
		await ann.leave();
		await until('it to go', async () => !/s:\/news/.test(await counts()));
		ann.channel.close();
	});

	it('is counted in what is told here', async () => {
		await world.redis.ask('HSET', 'pushlet:counts:b', 'sessions', '40',
			'watchers', '0', 's:/news', '3');
		await until('the counts', async () =>
			(await world.lab.status()).sessions_elsewhere === 40);
		watcher = await world.web.joinListen({ subject: '/meta/joins,/meta/subs/news' });
		await watcher.channel.next({ action: 'status', online: 42,
			p_subject: '/meta/joins' });
		await watcher.channel.next({ action: 'status', online: 3,
			p_subject: '/meta/subs/news' });
		await until('the others to know of a watcher', async () =>
			/watchers\r\n\$1\r\n2\r\n/.test(await counts()));
	});

	it('crosses when somebody at another node hears of it', async () => {
		const before = await world.length();
		const bob = await world.web.join();
		await watcher.channel.next({ action: 'join', online: 43 });
		await bob.leave();
		await watcher.channel.next({ action: 'leave', online: 42 });
		assert.equal(await world.length(), before);
		await world.redis.ask('HSET', 'pushlet:counts:b', 'watchers', '1');
		await until('it to be known', async () => {
			await (await world.web.join()).leave();
			return /\/meta\/joins/.test(await world.stream());
		});
	});

	it('is heard of from another node', async () => {
		await world.add('b', `${LATER}-1`, 'p_subject', '/meta/joins', 'p_time', '1',
			'action', 'join', 'from', 'b-1234', 'online', '44');
		await watcher.channel.when('the join', () =>
			watcher.channel.events.find((e) => e.get('from') === 'b-1234'));
	});

	it('believes no number that is none', async () => {
		await world.redis.ask('HSET', 'pushlet:counts:b', 'sessions', '-4',
			's:/news', '99999999999', 'watchers', 'many');
		await until('nothing of it', async () =>
			(await world.lab.status()).sessions_elsewhere === 0);
	});

	it('goes with a node that tells nothing more', async () => {
		await world.redis.ask('HSET', 'pushlet:counts:b', 'sessions', '7');
		await until('the counts', async () =>
			(await world.lab.status()).sessions_elsewhere === 7);
		await world.redis.ask('DEL', 'pushlet:counts:b');
		await until('no counts', async () =>
			(await world.lab.status()).sessions_elsewhere === 0);
		watcher.channel.close();
	});
});

describe('pushlet-bridge and who it is there', () => {
	const worlds = [];

	async function made(options) {
		const world = new World(options);

		worlds.push(world);
		return world.start();
	}

	after(async () => {
		for (const world of worlds)
			await world.close();
	});

	it('uses the password of a file, and never shows it', async () => {
		const world = await made({ redis: { password: 'sesame' } });
		const file = world.lab.write('password', 'wrong\n', 0o600);
		const option = `bridge.redis.password.file=${file}`;

		let bridge = await world.bridge();
		await bridge.line(/NOAUTH/);
		bridge = await world.bridge([option]);
		await bridge.line(/WRONGPASS/);
		world.lab.write('password', 'sesame\n', 0o600);
		await bridge.line(/connected with Redis/);
		assert.doesNotMatch(bridge.output, /sesame|everybody/);
		world.lab.write('password', 'sesame\n', 0o644);
		bridge = await world.connected([option]);
		await bridge.line(/everybody may read the password/);
	});

	it('says what is wrong next when the first is mended', async () => {
		const world = await made({ redis: { password: 'sesame' } });
		const file = world.lab.write('password', 'wrong\n', 0o600);
		const bridge = await world.bridge([`bridge.redis.password.file=${file}`]);

		await bridge.line(/out of reach: .*WRONGPASS/);
		await world.redis.kill9();
		await bridge.line(/out of reach: (?!.*WRONGPASS)/);
		await world.redis.start();
		world.lab.write('password', 'sesame\n', 0o600);
		await bridge.line(/connected with Redis/);
	});

	it('says so when the segment is no node', async () => {
		const world = await made({ props: { node: '' } });
		const bridge = await world.bridge([], { statuses: [1] });
		await bridge.line(/is no node of a cluster: set the property node/);
		await within(bridge.exited, LIMIT, () => 'it did not end');
		bridge.stopping = true;
		assert.equal(bridge.status, 1);
	});

	it('waits for a segment', async () => {
		const world = await made();
		await world.server.stop();
		await world.lab.ctl('destroy', '--force');
		const bridge = await world.bridge();
		await bridge.line(/waiting for segment/);
		await world.server.start();
		await bridge.line(/connected with Redis/);
	});

	it('stays away from the stream of another segment of its name', async () => {
		const world = await made();
		await world.redis.ask('SET', 'pushlet:node:a', 'elsewhere/segment', 'PX', '60000');
		const bridge = await world.bridge();
		await bridge.line(/node a is another segment there: elsewhere\/segment/);
		await world.publish('/news', { n: 1 });
		assert.equal(await world.length(), 0);
		await world.redis.ask('DEL', 'pushlet:node:a');
		await until('the entry', async () => await world.length() === 1);
	});

	it('goes on with a higher epoch when the stream is ahead', async () => {
		const world = await made();
		await world.add('a', '99999999999999-7', 'p_subject', '/x', 'p_time', '1');
		await world.publish('/news', { n: 1 });
		const bridge = await world.bridge();
		await bridge.line(/its stream is ahead of this segment/);
		await until('the entry', async () => await world.length() === 2);
		assert.match(await world.stream(), /100000000000000-1\r\n/);
	});

	it('loses nothing when somebody else writes to its stream', async () => {
		const world = await made();
		const bridge = await world.connected();
		await world.publish('/news', { n: 'first' });
		await until('one entry', async () => await world.length() === 1);
		await world.add('a', '99999999999999-0', 'p_subject', '/x', 'p_time', '1');
		await world.publish('/news', { n: 'second' });
		await until('the second', async () => /second/.test(await world.stream()));
		await bridge.line(/somebody else wrote to pushlet:events:a/);
		const wire = await world.stream();
		assert.match(wire, /100000000000000-2\r\n/);
		assert.equal(said({ output: wire }, 'first'), 1);
	});

	it('does not write where something else is', async () => {
		const world = await made();
		await world.redis.ask('SET', 'pushlet:events:a', 'mine');
		const bridge = await world.bridge();
		await bridge.line(/WRONGTYPE/);
		assert.match(await world.redis.ask('GET', 'pushlet:events:a'), /mine/);
		await world.redis.ask('DEL', 'pushlet:events:a');
		await bridge.line(/connected with Redis/);
	});

	for (const [pair, complaint] of [
		['bridge.redis=rediss://host', /no TLS/],
		['bridge.redis=redis://user:secret@host', /without user and password/],
		['bridge.redis.password.file=x', /path that begins with/],
	])
		it(`refuses ${pair.replace('secret', '...')}`, async () => {
			const { status, stderr } = await tool('pushlet-bridge',
				['-n', '/nothing', '-o', pair]);
			assert.equal(status, 1);
			assert.match(stderr, complaint);
			assert.doesNotMatch(stderr, /secret/);
		});
});
