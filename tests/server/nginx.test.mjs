// SPDX-License-Identifier: MIT
//
// nginx.test.mjs - sessions, subscriptions and data channels, behind nginx
//
// "calm" has long timeouts, so that whatever arrives does not come from one;
// "brisk" has short ones, for tests about timeouts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { plain } from '../lib/formats.mjs';
import { clockReaches, until } from '../lib/wait.mjs';

/* Those of sse sessions are reliable: reliable.test.mjs. */
const FORMATS = ['xml', 'xml-strict', 'js', 'json', 'multipart'];
const WAITS = { 'pull.refresh.wait.min.millis': 20, 'pull.refresh.wait.max.millis': 60,
	'poll.refresh.wait.min.millis': 70, 'poll.refresh.wait.max.millis': 90 };

class Site {
	constructor(props, args) { Object.assign(this, { props, args }); }

	async open() {
		this.lab = new Lab();
		this.pushletd = await this.lab.pushletd({ props: { ...WAITS, ...this.props },
			args: this.args });
		this.nginx = await this.lab.nginx(this.pushletd);
		this.web = this.nginx.client();
	}

	close() { return this.lab.close(); }
}

/* A site for one test alone. */
async function withSite(props, test) {
	const site = new Site(props);

	try {
		await site.open();
		await test(site);
	} finally {
		await site.close();
	}
}

const calm = new Site({ 'queue.read.timeout.millis': 30000, 'log.max.bytes': 16777216 });
const brisk = new Site({ 'queue.read.timeout.millis': 300, 'session.timeout.mins': 0.05 });

before(() => Promise.all([calm.open(), brisk.open()]));
after(() => Promise.all([calm.close(), brisk.close()]));

describe('a stream', () => {
	for (const format of [...FORMATS, 'sse'])
		it(`in ${format} begins with a heartbeat and brings events as they come`, async () => {
			const ann = await calm.web.joinListen({ format, mode: 'stream', subject: `/s/${format}` });

			assert.equal(ann.ack.get('p_mode'), 'stream');
			assert.equal(ann.ack.get('p_format'), format);
			await ann.channel.next({ p_event: 'hb', p_seq: 1 });
			await calm.lab.publish(`/s/${format}`, { n: 1 });
			await ann.channel.next({ p_event: 'data', n: 1, p_seq: 2,
				p_sid: ann.ack.get('p_sid') });
			await calm.lab.publish(`/s/${format}/below`, { n: 2 });
			await ann.channel.next({ p_event: 'data', n: 2, p_seq: 3 });
			await ann.leave();
			assert.deepEqual(await ann.channel.rest(), []);
		});

	for (const format of [...FORMATS, 'sse'])
		it(`in ${format} may be padded, which means nothing`, () =>
			withSite({ 'stream.padding.bytes': 3000 }, async ({ web, lab }) => {
				const ann = await web.joinListen({ format, mode: 'stream', subject: '/pad' });

				await ann.channel.next({ p_event: 'hb', p_seq: 1 });
				await ann.channel.when('the padding', () => ann.channel.text.length > 3000);
				assert.match(ann.channel.text, format === 'sse' ? /(:\n){1500}$/ : / {3000}$/);
				await lab.publish('/pad', { n: 1 });
				await ann.channel.next({ p_event: 'data', n: 1 });
				await ann.leave();
				await ann.channel.rest();

				const pull = await web.joinListen({ format, mode: 'pull' });
				await pull.channel.next({ p_event: 'refresh' });
				await pull.channel.rest();
				assert.ok(pull.channel.text.length < 1000);
			}));

	it('ends with a refresh after stream.max.bytes, and loses nothing', () =>
		withSite({ 'stream.max.bytes': 2000, ...WAITS }, async ({ web, lab }) => {
			const ann = await web.joinListen({ mode: 'stream', subject: '/max' });
			const text = 'x'.repeat(500);
			let stream = ann.channel;
			const lengths = [];

			for (let n = 1; n <= 20; n++)
				await lab.publish('/max', { n, text });
			for (let n = 1; n <= 20;) {
				const event = await stream.next({ p_event: /^(data|refresh|refresh-ack)$/ });
				if (event.get('p_event') === 'data')
					assert.equal(event.get('n'), String(n++));
				if (event.get('p_event') !== 'refresh')
					continue;
				await stream.rest();
				lengths.push(stream.text.length);
				stream = await ann.follow(event);
			}
			stream.close();
			assert.ok(lengths.length >= 1 && lengths.every((n) => n > 2000), `${lengths}`);
		}));

	it('to a slow client ends after stream.max.bytes as well', () =>
		withSite({ 'stream.max.bytes': 1000000, 'log.max.bytes': 16777216 }, async ({ web, lab }) => {
			const slow = await web.joinListen({ mode: 'stream', subject: '/slow' });
			const text = 'x'.repeat(50_000);

			slow.channel.request.socket.pause();
			for (let n = 1; n <= 200; n++)
				await web.xml(`<event p_event="publish" p_id="${slow.id}" `
					+ `p_subject="/slow" n="${n}" text="${text}"/>`);
			slow.channel.request.socket.resume();
			for (let n = 1; ; n++) {
				const event = await slow.channel.next({ p_event: /^(data|refresh)$/ });
				if (event.get('p_event') === 'refresh')
					break;
				assert.equal(event.get('n'), String(n));
			}
			await slow.channel.rest();
			assert.ok(slow.channel.text.length < 10_000_000);
			assert.equal(await lab.listening(), 0);
		}));

	it('gets a heartbeat after each read timeout without an event', async () => {
		const ann = await brisk.web.joinListen({ mode: 'stream', subject: '/hb' });

		for (const seq of [1, 2, 3])
			await ann.channel.next({ p_event: 'hb', p_seq: seq });
		const [, , second, third] = ann.channel.times;
		/* Half of it is enough: the one before may have been late. */
		assert.ok(third - second >= 150, `${third - second} ms between heartbeats`);
		ann.channel.close();
	});

	it('ends at once when its session leaves', async () => {
		const ann = await calm.web.joinListen({ mode: 'stream' });

		assert.equal((await ann.leave()).get('p_event'), 'leave-ack');
		await ann.channel.rest();
		assert.equal((await ann.ask('hb')).status, 400);
	});

	it('is replaced by a newer one, which gets everything', async () => {
		const ann = await calm.web.joinListen({ mode: 'stream', subject: '/twice' });
		await ann.channel.next({ p_event: 'hb' });
		const second = await ann.listen({ mode: 'stream' });

		await second.next({ p_event: 'listen-ack' });
		assert.deepEqual(await ann.channel.rest(), []);
		await calm.lab.publish('/twice', { n: 1 });
		await second.next({ p_event: 'data', n: 1 });
		second.close();
	});

	it('ends with a refresh after stream.max.seconds', () =>
		withSite({ 'stream.max.seconds': 1 }, async ({ web, lab }) => {
			const ann = await web.joinListen({ mode: 'stream', subject: '/max' });

			await ann.channel.next({ p_event: 'refresh' });
			await ann.channel.rest();
			await lab.publish('/max', { n: 1 });
			const again = await ann.refresh();
			await again.next({ p_event: 'refresh-ack' });
			await again.next({ p_event: 'data', n: 1 });
			again.close();
		}));

	it('is one of many: more than a thread each could carry', async () => {
		const streams = [];
		for (let i = 0; i < 230; i++)
			streams.push(await calm.web.joinListen({ mode: 'stream', subject: '/many' }));

		await calm.lab.publish('/many', { n: 1 });
		await Promise.all(streams.map((s) => s.channel.next({ p_event: 'data', n: 1 })));
		assert.ok(await calm.lab.listening() >= 230);
		streams.forEach((s) => s.channel.close());
		await until('the server to notice 230 hang-ups', async () =>
			await calm.lab.listening() < 230);
	});

	it('of a client that does not read delays nobody, and keeps its session', async () => {
		const slow = await calm.web.joinListen({ mode: 'stream', subject: '/slow' });
		const quick = await calm.web.joinListen({ mode: 'stream', subject: '/slow' });
		const text = 'x'.repeat(50_000);

		slow.channel.request.socket.pause();
		for (let n = 0; n < 100; n++)
			await quick.client.xml(`<event p_event="publish" p_id="${quick.id}" `
				+ `p_subject="/slow" n="${n}" text="${text}"/>`);
		for (let n = 0; n < 100; n++)
			await quick.channel.next({ p_event: 'data', n });
		assert.ok(await slow.alive());
		slow.channel.close();
		quick.channel.close();
	});
});

describe('pull', () => {
	for (const format of FORMATS)
		it(`in ${format} brings what is queued, else waits for the first event`, async () => {
			const subject = `/pull/${format}`;
			const ann = await calm.web.joinListen({ format, mode: 'pull', subject });
			const first = await ann.channel.next({ p_event: 'refresh' });

			assert.ok(first.get('p_wait') >= 20 && first.get('p_wait') <= 60);
			assert.equal(first.get('p_url'), `/pushlet/pushlet.srv?p_id=${ann.id}&p_event=refresh&p_ack=0`);
			assert.deepEqual(await ann.channel.rest(), []);

			await calm.lab.publish(subject, { n: 1 });
			await calm.lab.publish(subject, { n: 2 });
			const queued = await ann.refresh();
			await queued.next({ p_event: 'refresh-ack', p_seq: undefined });
			await queued.next({ p_event: 'data', n: 1, p_seq: 1 });
			await queued.next({ p_event: 'data', n: 2, p_seq: 2 });
			await queued.next({ p_event: 'refresh' });
			await queued.rest();

			const waiting = await ann.refresh();
			await waiting.next({ p_event: 'refresh-ack' });
			await calm.lab.publish(subject, { n: 3 });
			await waiting.next({ p_event: 'data', n: 3, p_seq: 1 });
			await waiting.next({ p_event: 'refresh' });
			await waiting.rest();
			await ann.leave();
		});

	it('gets a heartbeat and ends after a read timeout', async () => {
		const ann = await brisk.web.joinListen({ mode: 'pull' });
		const waiting = await ann.refresh();

		await waiting.next({ p_event: 'refresh-ack' });
		await waiting.next({ p_event: 'hb', p_seq: 1 });
		await waiting.next({ p_event: 'refresh' });
		await waiting.rest();
	});

	it('is what every listen gets with listen.force.pull.all', () =>
		withSite({ 'listen.force.pull.all': true }, async ({ web }) => {
			const ann = await web.joinListen({ mode: 'stream' });

			assert.equal(ann.ack.get('p_mode'), 'pull');
			await ann.channel.next({ p_event: 'refresh' });
		}));

	it('is not forced on any browser by default', async () => {
		const safari = calm.nginx.client({ headers: { 'User-Agent': 'X Safari/537.36' } });
		const ann = await safari.joinListen({ mode: 'stream' });

		assert.equal(ann.ack.get('p_mode'), 'stream');
		ann.channel.close();
	});
});

describe('poll', () => {
	for (const format of FORMATS)
		it(`in ${format} never waits`, async () => {
			const subject = `/poll/${format}`;
			const ann = await calm.web.joinListen({ format, mode: 'poll', subject });
			const first = await ann.channel.next({ p_event: 'refresh' });

			assert.ok(first.get('p_wait') >= 70 && first.get('p_wait') <= 90);
			await ann.channel.rest();
			const empty = await ann.refresh();
			await empty.next({ p_event: 'refresh-ack' });
			await empty.next({ p_event: 'hb', p_seq: 1 });
			await empty.next({ p_event: 'refresh' });
			await empty.rest();

			await calm.lab.publish(subject, { n: 1 });
			const full = await ann.refresh();
			await full.next({ p_event: 'refresh-ack' });
			await full.next({ p_event: 'data', n: 1, p_seq: 1 });
			await full.next({ p_event: 'refresh' });
			await full.rest();
		});
});

describe('a subscription', () => {
	it('queues events from its beginning, before any listen', async () => {
		const ann = await calm.web.join();

		await ann.subscribe('/early');
		await calm.lab.publish('/early', { n: 1 });
		const stream = await ann.listen({ mode: 'stream' });
		await stream.next({ p_event: 'listen-ack', p_sid: undefined });
		await stream.next({ p_event: 'data', n: 1 });
		stream.close();
	});

	it('may hold several subjects, and has one p_sid', async () => {
		const ann = await calm.web.joinListen({ mode: 'stream', subject: '/one,/two' });
		const sid = ann.ack.get('p_sid');

		await calm.lab.publish('/one', { n: 1 });
		await calm.lab.publish('/two/x', { n: 2 });
		await calm.lab.publish('/three', { n: 3 });
		await calm.lab.publish('/one', { n: 4 });
		for (const n of [1, 2, 4])
			await ann.channel.next({ p_event: 'data', n, p_sid: sid });
		const answer = await ann.ask('unsubscribe', { p_sid: sid });
		assert.equal(answer.get('p_subject'), '/one,/two');
		ann.channel.close();
	});

	it('that matches besides another gives the event once', async () => {
		const ann = await calm.web.joinListen({ mode: 'stream', subject: '/once' });

		await ann.subscribe('/once/a,/once');
		await calm.lab.publish('/once/a', { n: 1 });
		await calm.lab.publish('/once/a', { n: 2 });
		await ann.channel.next({ p_event: 'data', n: 1 });
		await ann.channel.next({ p_event: 'data', n: 2 });
		ann.channel.close();
	});

	it('ends with unsubscribe, while the stream goes on', async () => {
		const ann = await calm.web.joinListen({ mode: 'stream', subject: '/a' });
		const other = await ann.subscribe('/b');

		await ann.ask('unsubscribe', { p_sid: ann.ack.get('p_sid') });
		await calm.lab.publish('/a', { n: 1 });
		await calm.lab.publish('/b', { n: 2 });
		await ann.channel.next({ p_event: 'data', n: 2, p_sid: other });
		const answer = await ann.ask('unsubscribe');
		assert.deepEqual([...answer.event.keys()].sort(), ['p_event', 'p_id', 'p_time']);
		await calm.lab.publish('/b', { n: 3 });
		await ann.subscribe('/c');
		await calm.lab.publish('/c', { n: 4 });
		await ann.channel.next({ p_event: 'data', n: 4 });
		ann.channel.close();
	});

	it('puts its label on its own events and on no others', async () => {
		const ann = await calm.web.joinListen({ mode: 'stream', subject: '/lab/a', label: 'A' });
		const bob = await calm.web.joinListen({ mode: 'stream', subject: '/lab' });

		assert.equal(ann.ack.get('p_label'), 'A');
		await ann.subscribe('/lab/b', 'B & "b"');
		await bob.publish('/lab/a', { n: 1, p_label: 'forged' });
		await bob.publish('/lab/b', { n: 2 });
		await ann.channel.next({ p_event: 'data', n: 1, p_label: 'A' });
		await ann.channel.next({ p_event: 'data', n: 2, p_label: 'B & "b"' });
		await bob.channel.next({ p_event: 'data', n: 1, p_label: undefined });
		await bob.channel.next({ p_event: 'data', n: 2, p_label: undefined });
		ann.channel.close();
		bob.channel.close();
	});

	it('is limited per session', () =>
		withSite({ 'session.max.subscriptions': 2 }, async ({ web }) => {
			const ann = await web.join();

			await ann.subscribe('/1');
			await ann.subscribe('/2');
			const refused = await ann.ask('subscribe', { p_subject: '/3' });
			assert.equal(refused.get('p_event'), 'nack');
			assert.match(refused.get('p_reason'), /session\.max\.subscriptions/);
			await ann.ask('unsubscribe');
			await ann.subscribe('/3');
		}));
});

describe('publishing', () => {
	it('to one session reaches it by id and by handle, without a p_sid', async () => {
		const ann = await calm.web.joinListen({ mode: 'stream' });
		const bob = await calm.web.joinListen({ mode: 'stream', subject: '/uni' });

		await ann.publish('/uni', { n: 1 });
		const handle = (await bob.channel.next({ p_event: 'data', n: 1 })).get('p_from');
		assert.notEqual(handle, ann.id);
		await bob.publish('/private', { n: 2 }, handle);
		await ann.channel.next({ p_event: 'data', n: 2, p_sid: undefined, p_subject: '/private' });
		await calm.lab.publish('/private', { n: 3 }, '--to', ann.id);
		await ann.channel.next({ p_event: 'data', n: 3, p_sid: undefined });
		await bob.publish('/uni', { n: 4 }, 'nosuch');
		await bob.publish('/uni', { n: 5 });
		await bob.channel.next({ p_event: 'data', n: 5 });
		ann.channel.close();
		bob.channel.close();
	});

	it('shows no session id to anybody, and believes no p_ field', async () => {
		const bob = await calm.web.joinListen({ mode: 'stream', subject: '/id' });
		const ann = await calm.web.join();
		const forged = { p_from: 'f', p_seq: 99, p_sid: 'f', p_time: 5, p_format: 'js',
			p_mode: 'pull', p_wait: 1, p_url: '/x', p_reason: 'r', p_lost: 7, p_other: 'o' };

		await ann.publish('/id', { n: 1, ...forged });
		const event = await bob.channel.next({ p_event: 'data', n: 1, p_seq: 2 });
		assert.deepEqual([...event.keys()].sort(), ['n', 'p_event', 'p_from', 'p_seq',
			'p_sid', 'p_subject', 'p_time']);
		assert.ok(!JSON.stringify(plain(event)).includes(ann.id));
		assert.ok(Math.abs(event.get('p_time') - Date.now() / 1000) < 10);
		assert.notEqual((await calm.web.ask({ p_event: 'hb',
			p_id: event.get('p_from') })).status, 200);
		bob.channel.close();
	});

	it('shows the id as p_from with publish.from=id', () =>
		withSite({ 'publish.from': 'id' }, async ({ web }) => {
			const bob = await web.joinListen({ mode: 'stream', subject: '/id' });

			await bob.publish('/id', { n: 1 });
			await bob.channel.next({ p_event: 'data', n: 1, p_from: bob.id, p_id: undefined });
			bob.channel.close();
		}));

	it('below /meta is refused', async () => {
		const ann = await calm.web.join();

		for (const subject of ['/meta', '/meta/x']) {
			const answer = await ann.ask('publish', { p_subject: subject });
			assert.equal(answer.get('p_event'), 'nack');
			assert.match(answer.get('p_reason'), /meta/);
		}
		await ann.publish('/metal', {});
	});
});

describe('a full queue', () => {
	const overflow = async ({ web, lab }, n) => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/full' });

		await ann.channel.rest();
		for (let i = 1; i <= n; i++)
			await lab.publish('/full', { n: i });
		return ann;
	};

	it('loses its oldest events, and says how many', () =>
		withSite({ 'queue.size': 4 }, async (site) => {
			const ann = await overflow(site, 7);
			const refresh = await ann.refresh();

			await refresh.next({ p_event: 'refresh-ack' });
			await refresh.next({ p_event: 'data', n: 4, p_lost: 3, p_seq: 1 });
			for (const n of [5, 6, 7])
				await refresh.next({ p_event: 'data', n, p_lost: undefined });
			await refresh.next({ p_event: 'refresh' });
			assert.equal((await site.lab.sessions())[0].lost, 3);
		}));

	it('ends the session with queue.overflow=abort', () =>
		withSite({ 'queue.size': 4, 'queue.overflow': 'abort' }, async (site) => {
			const ann = await overflow(site, 5);

			assert.equal((await ann.ask('hb')).status, 400);
		}));
});

describe('the lease', () => {
	it('is exact, and an open channel keeps its session', async () => {
		const start = Date.now();
		const [ann, bob, eve] = await Promise.all([brisk.web.join(), brisk.web.join(),
			brisk.web.joinListen({ mode: 'stream' })]);

		await clockReaches(start + 2500);
		assert.ok(await ann.alive(), 'half a second before its end');
		await clockReaches(start + 4000);
		assert.ok(!await bob.alive(), 'a second after its end');
		assert.ok(await ann.alive(), 'renewed by the heartbeat request');
		assert.ok(await eve.alive(), 'kept by its stream');
		eve.channel.close();
	});
});

describe('a session', () => {
	it('is refused when there are sessionmanager.maxsessions', () =>
		withSite({ 'sessionmanager.maxsessions': 2 }, async ({ web }) => {
			const ann = await web.join();

			await web.join();
			const refused = await web.ask({ p_event: 'join', p_format: 'xml' });
			assert.equal(refused.get('p_event'), 'nack');
			assert.match(refused.get('p_reason'), /full.*session/);
			await ann.leave();
			await web.join();
		}));

	it('keeps its id out of the access log', async () => {
		const ann = await calm.web.join();

		await ann.ask('hb');
		const log = await until('the request in the log', () => {
			const text = readFileSync(calm.nginx.accessLog, 'utf8');
			return text.includes('GET /pushlet/pushlet.srv HTTP') && text;
		});
		assert.ok(!log.includes(ann.id) && !log.includes('?'), log.slice(-500));
	});

	it('gets answers that nobody caches', async () => {
		const { headers } = await calm.web.ask({ p_event: 'join', p_format: 'xml' });

		assert.equal(headers['cache-control'], 'no-store, no-cache, must-revalidate');
		assert.equal(headers.pragma, 'no-cache');
		assert.equal(headers.expires, 'Sat, 6 May 1995 12:00:00 GMT');
		assert.equal(headers['content-type'], 'text/plain;charset=UTF-8');
	});
});
