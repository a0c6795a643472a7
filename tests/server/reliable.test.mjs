// SPDX-License-Identifier: MIT
//
// reliable.test.mjs - p_reliable, p_eid, p_ack: nothing is lost, nothing comes
// twice
//
// A client that says what arrived gets all the rest, whatever happened to the
// answers: they were cut, or never came, or came from another process.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Counter } from '../lib/counter.mjs';
import { Cutter } from '../lib/cutter.mjs';
import { Lab } from '../lib/lab.mjs';
import { until } from '../lib/wait.mjs';

const PROPS = { 'queue.read.timeout.millis': 30000, 'queue.size': 1000,
	'pull.refresh.wait.min.millis': 0, 'pull.refresh.wait.max.millis': 10,
	'poll.refresh.wait.min.millis': 0, 'poll.refresh.wait.max.millis': 10 };
const RELIABLE = { p_reliable: 1 };
const FORMATS = ['xml', 'xml-strict', 'js', 'json', 'sse', 'multipart'];
const numbersTo = (n) => Array.from({ length: n }, (_, i) => i + 1);

const lab = new Lab();
let pushletd, nginx, cutter, web, bad;

before(async () => {
	pushletd = await lab.pushletd({ props: PROPS });
	nginx = await lab.nginx(pushletd);
	web = nginx.client();
	cutter = lab.guard(new Cutter(nginx.port));
	await cutter.start();
	bad = new Client(`http://127.0.0.1:${cutter.port}/pushlet/pushlet.srv`, { lab });
});
after(() => lab.close());

async function publish(subject, from, to) {
	for (let n = from; n <= to; n++)
		await lab.publish(subject, { n });
}

/* Reads the data events n = from..to of a stream, with these p_eid. */
async function numbers(stream, from, to, shift = 0) {
	for (let n = from; n <= to; n++)
		await stream.next({ p_event: 'data', n, p_eid: n + shift });
}

/* The numbers of the data events in a pull answer. */
async function pulled(stream) {
	const events = await stream.rest();

	return events.filter((e) => e.get('p_event') === 'data').map((e) => Number(e.get('n')));
}

describe('a reliable session', () => {
	for (const format of FORMATS)
		it(`in ${format} numbers its events, across all its responses`, async () => {
			const subject = `/eid/${format}`;
			const ann = await web.joinListen({ format, mode: 'stream', subject, ...RELIABLE });

			assert.equal(ann.ack.get('p_reliable'), '1');
			assert.equal(ann.ack.has('p_eid'), false);
			await publish(subject, 1, 2);
			await numbers(ann.channel, 1, 2);
			const again = await ann.listen({ mode: 'stream', p_ack: 2 });
			await again.next({ p_event: 'listen-ack' });
			await publish(subject, 3, 4);
			await numbers(again, 3, 4);
			assert.ok(again.events.every((e) => e.has('p_eid') === (e.get('p_event') === 'data')));
			again.close();
		});

	it('is asked for by join as well, and by p_reliable=1 only', async () => {
		const ann = await web.join('xml', RELIABLE);
		const bob = await web.join('xml', { p_reliable: 0 });
		const eve = await web.join('xml');

		assert.equal(ann.ack.get('p_reliable'), '1');
		assert.equal(bob.ack.has('p_reliable'), false);
		assert.equal(eve.ack.has('p_reliable'), false);
		for (const [session, eid] of [[ann, '1'], [bob, undefined], [eve, undefined]]) {
			const stream = await session.listen({ mode: 'stream', subject: '/asked' });
			await stream.next({ p_event: 'listen-ack' });
			session.channel = stream;
			session.eid = eid;
		}
		await publish('/asked', 1, 1);
		for (const session of [ann, bob, eve]) {
			await session.channel.next({ p_event: 'data', p_eid: session.eid });
			session.channel.close();
		}
	});

	it('gets again what it does not acknowledge, with the same numbers', async () => {
		for (const mode of ['stream', 'pull', 'poll']) {
			const subject = `/again/${mode}`;
			const ann = await web.joinListen({ mode, subject, ...RELIABLE });

			ann.channel.close();
			await publish(subject, 1, 3);
			for (let i = 0; i < 3; i++) {
				const stream = await ann.refresh();
				await stream.next({ p_event: 'refresh-ack' });
				await numbers(stream, 1, 3);
				stream.close();
			}
			await ann.leave();
		}
	});

	const COMMANDS = {
		refresh: (ann, p_ack) => ann.refresh({ p_ack }),
		listen: (ann, p_ack) => ann.listen({ mode: 'stream', p_ack }),
		async hb(ann, p_ack) {
			assert.equal((await ann.ask('hb', { p_ack })).get('p_event'), 'hb-ack');
			return ann.refresh();
		},
	};

	for (const [command, acknowledge] of Object.entries(COMMANDS))
		it(`acknowledges by p_ack of ${command}`, async () => {
			const subject = `/ack/${command}`;
			const ann = await web.joinListen({ mode: 'stream', subject, ...RELIABLE });

			await publish(subject, 1, 5);
			await numbers(ann.channel, 1, 5);
			const second = await acknowledge(ann, 2);
			await second.next({ p_event: /^(refresh|listen)-ack$/ });
			await numbers(second, 3, 5);
			const third = await acknowledge(ann, 5);
			await third.next({ p_event: /^(refresh|listen)-ack$/ });
			await publish(subject, 6, 6);
			await numbers(third, 6, 6);
			third.close();
		});

	it('acknowledges while its stream is open', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/open', ...RELIABLE });

		await publish('/open', 1, 4);
		await numbers(ann.channel, 1, 4);
		await ann.ask('hb', { p_ack: 3 });
		const [{ queued }] = (await lab.sessions()).filter((s) => s.subjects.includes('/open'));
		assert.equal(queued, 1);
		await publish('/open', 5, 5);
		await numbers(ann.channel, 5, 5);
		ann.channel.close();
	});

	it('is told of each lost event once: by a gap and by p_lost', async () => {
		const small = new Lab();

		try {
			const server = await small.pushletd({ props: { ...PROPS, 'queue.size': 4 } });
			const ann = await (await small.nginx(server)).client()
				.joinListen({ mode: 'pull', subject: '/gap', ...RELIABLE });
			await ann.channel.rest();
			for (let n = 1; n <= 4; n++)
				await small.publish('/gap', { n });
			assert.deepEqual(await pulled(await ann.refresh()), [1, 2, 3, 4]);
			/* Let us say that this did not arrive. */
			for (let n = 5; n <= 7; n++)
				await small.publish('/gap', { n });
			const stream = await ann.refresh({ p_ack: 0 });
			await stream.next({ p_event: 'refresh-ack' });
			await stream.next({ p_event: 'data', n: 4, p_eid: 4, p_lost: 3 });
			for (const n of [5, 6, 7])
				await stream.next({ p_event: 'data', n, p_eid: n, p_lost: undefined });
			await stream.rest();
			const again = await ann.refresh({ p_ack: 7 });
			await small.publish('/gap', { n: 8 });
			await again.next({ p_event: 'refresh-ack' });
			await again.next({ p_event: 'data', n: 8, p_eid: 8, p_lost: undefined });
			await again.rest();
		} finally {
			await small.close();
		}
	});

	it('keeps its subscription when it listens to the same again', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/same', label: 'l', ...RELIABLE });
		const again = await ann.listen({ mode: 'stream', subject: '/same', label: 'l' });

		await again.next({ p_event: 'listen-ack', p_sid: ann.ack.get('p_sid') });
		await publish('/same', 1, 1);
		await numbers(again, 1, 1);
		again.close();
	});

	it('that acknowledges what was never sent misses nothing later', async () => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/future', ...RELIABLE });

		await ann.channel.rest();
		await ann.ask('hb', { p_ack: 999999 });
		await publish('/future', 1, 2);
		assert.deepEqual(await pulled(await ann.refresh()), [1, 2]);
	});
});

describe('pull and poll', () => {
	for (const mode of ['pull', 'poll'])
		for (const format of ['xml', 'js', 'json'])
			it(`in ${format}, ${mode}: p_url says what arrived`, async () => {
				const subject = `/url/${mode}/${format}`;
				const ann = await web.joinListen({ format, mode, subject });
				const first = await ann.channel.next({ p_event: 'refresh' });

				await ann.channel.rest();
				await publish(subject, 1, 2);
				const second = await ann.follow(first);
				await second.next({ p_event: 'refresh-ack' });
				await second.next({ p_event: 'data', n: 1, p_eid: undefined });
				await second.next({ p_event: 'data', n: 2 });
				const refresh = await second.next({ p_event: 'refresh', p_url:
					`/pushlet/pushlet.srv?p_id=${ann.id}&p_event=refresh&p_ack=2` });
				await second.rest();

				/* The answer to that is lost as often as it may be. */
				await publish(subject, 3, 4);
				for (let i = 0; i < 3; i++)
					assert.deepEqual(await pulled(await ann.follow(refresh)), [3, 4]);
			});

	for (const mode of ['pull', 'poll'])
		it(`in ${mode}: p_url before any event says so, and a lost answer comes again`, async () => {
			const subject = `/first/${mode}`;
			const ann = await web.joinListen({ mode, subject });
			const first = await ann.channel.next({ p_event: 'refresh', p_url: /&p_ack=0$/ });

			await ann.channel.rest();
			await publish(subject, 1, 2);
			for (let i = 0; i < 3; i++)
				assert.deepEqual(await pulled(await ann.follow(first)), [1, 2]);
		});

	it('a listen says in p_url what its session has', async () => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/later' });

		await ann.channel.rest();
		await publish('/later', 1, 2);
		assert.deepEqual(await pulled(await ann.refresh()), [1, 2]);
		const again = await ann.listen({ mode: 'poll' });
		const refresh = await again.next({ p_event: 'listen-ack' })
			.then(() => again.next({ p_event: 'refresh', p_url: /&p_ack=2$/ }));
		await again.rest();
		const empty = await ann.follow(refresh);
		await empty.next({ p_event: 'refresh-ack' });
		await empty.next({ p_event: 'refresh', p_url: /&p_ack=2$/ });
		await empty.rest();
	});

	it('a plain refresh acknowledges what was carried', async () => {
		for (const mode of ['pull', 'poll']) {
			const subject = `/plain/${mode}`;
			const ann = await web.joinListen({ mode, subject });

			await ann.channel.rest();
			for (let n = 1; n <= 5; n++) {
				await publish(subject, n, n);
				assert.deepEqual(await pulled(await ann.refresh()), [n]);
			}
		}
	});

	it('a plain listen acknowledges what was carried', async () => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/relisten' });

		await ann.channel.rest();
		await publish('/relisten', 1, 2);
		assert.deepEqual(await pulled(await ann.refresh()), [1, 2]);
		const stream = await ann.listen({ mode: 'stream' });
		await stream.next({ p_event: 'listen-ack' });
		await publish('/relisten', 3, 3);
		await stream.next({ p_event: 'data', n: 3 });
		stream.close();
	});
});

describe('nonsense', () => {
	const ACKS = ['', 'x', '-1', '+1', '1.0', '1e3', '0x1', ' 1', '1 ', '1,2',
		'9999999999999999999', '٣'];

	it('as p_ack is refused, and acknowledges nothing', async () => {
		const ann = await web.joinListen({ mode: 'pull', subject: '/nonsense', ...RELIABLE });
		const reason = /^p_ack must be the p_eid/;

		await ann.channel.rest();
		await publish('/nonsense', 1, 2);
		for (const p_ack of ACKS)
			for (const command of ['refresh', 'listen', 'hb']) {
				const answer = await ann.ask(command, { p_ack });
				assert.equal(answer.get('p_event'), 'nack', `${command} p_ack='${p_ack}'`);
				assert.match(answer.get('p_reason'), reason);
			}
		assert.deepEqual(await pulled(await ann.refresh()), [1, 2]);
	});

	it('as Last-Event-ID likewise', async () => {
		const ann = await web.joinListen({ format: 'sse', mode: 'pull', subject: '/x' });
		const answer = await web.ask({ p_event: 'refresh', p_id: ann.id },
			{ headers: { 'Last-Event-ID': 'abc' } });

		assert.equal(answer.get('p_event'), 'nack');
	});

	it('as p_reliable is refused, and joins nobody', async () => {
		const before = (await lab.sessions()).length;

		for (const p_reliable of ['', '2', 'yes', 'true', '01'])
			for (const p_event of ['join', 'join-listen']) {
				const answer = await web.ask({ p_event, p_format: 'xml', p_reliable });
				assert.equal(answer.get('p_event'), 'nack');
				assert.match(answer.get('p_reason'), /^p_reliable must be 0 or 1/);
			}
		assert.equal((await lab.sessions()).length, before);
	});
});

describe('sse', () => {
	const open = (client, params, last) => client.open(params,
		{ headers: last === undefined ? {} : { 'Last-Event-ID': last } });

	it('goes on behind Last-Event-ID, as EventSource sends it', async () => {
		const ann = await web.join('sse');
		const url = { p_event: 'listen', p_id: ann.id, p_mode: 'stream', p_subject: '/sse' };
		let last, sid;

		for (let n = 1; n <= 9; n += 3) {
			const source = await open(web, url, last);
			const ack = await source.next({ p_event: 'listen-ack' });
			sid ??= ack.get('p_sid');
			assert.equal(ack.get('p_sid'), sid);
			await publish('/sse', n, n + 2);
			await numbers(source, n, n + 1);	/* the third was not seen */
			await source.when('the third', () => source.reader.lastEventId === String(n + 2));
			last = n + 2;
			source.close();
		}
		const source = await open(web, url, 4);
		await source.next({ p_event: 'listen-ack' });
		await publish('/sse', 10, 10);
		/* 5 and 6 were acknowledged by 6 before. */
		await numbers(source, 7, 10);
		source.close();
	});

	it('believes Last-Event-ID more than its URL, which stays as it was', async () => {
		const ann = await web.joinListen({ format: 'sse', mode: 'stream', subject: '/both' });

		await publish('/both', 1, 5);
		await numbers(ann.channel, 1, 5);
		const source = await open(web, { p_event: 'refresh', p_id: ann.id, p_ack: 2 }, 4);
		await source.next({ p_event: 'refresh-ack' });
		await numbers(source, 5, 5);
		source.close();
	});

	it('says when to come back, and what EventSource does of itself is right', async () => {
		const ann = await web.joinListen({ format: 'sse', mode: 'pull', subject: '/back' });
		let last;

		await ann.channel.rest();
		assert.match(ann.channel.text, /^retry: \d+$/m);
		for (let n = 1; n <= 5; n++) {
			await publish('/back', n, n);
			const source = await open(web, { p_event: 'refresh', p_id: ann.id }, last);
			assert.deepEqual(await pulled(source), [n]);
			last = source.reader.lastEventId;
		}
	});
});

/* A client that says what arrived.  Collects the numbers it sees; comes back
 * whenever an answer ends, however it ends. */
class Careful {
	constructor(session, client) {
		Object.assign(this, { session, client, numbers: [], eid: 0, stopped: false });
	}

	async run() {
		while (!this.stopped) {
			this.before?.();
			const stream = await this.client.open({ p_event: 'refresh', p_id: this.session.id,
				p_ack: this.eid }).catch(() => undefined);
			if (stream?.status === 200)
				await this.#read(stream).catch(() => {});
			else
				await until('the server to be back', () => this.stopped
					|| web.ask({ p_event: 'hb', p_id: this.session.id })
						.then((a) => a.status === 200, () => false));
		}
	}

	async #read(stream) {
		this.stream = stream;
		if (this.stopped)
			stream.close();
		for (;;) {
			const event = await stream.next();
			if (event.get('p_event') !== 'data')
				continue;
			this.numbers.push(Number(event.get('n')));
			this.eid = Number(event.get('p_eid'));
		}
	}

	stop() {
		this.stopped = true;
		this.stream?.close();
	}
}

const CLIENTS = [['xml', 'stream'], ['xml', 'pull'], ['xml', 'poll'], ['json', 'stream'],
	['json', 'pull'], ['sse', 'stream'], ['multipart', 'stream'], ['js', 'pull']];

/* Runs what() while events are published to all kinds of clients; each must
 * see every event, once, in order. */
async function allArriveOnce(client, what, each = () => {}) {
	const careful = await Promise.all(CLIENTS.map(async ([format, mode]) => {
		const session = await web.joinListen({ format, mode, subject: '/count', ...RELIABLE });
		session.channel.close();
		return new Careful(session, client);
	}));
	careful.forEach(each);
	const running = careful.map((c) => c.run());
	const counter = new Counter(lab);

	try {
		counter.start();
		await what(careful);
		const total = await counter.stop();
		await Promise.all(careful.map((c, i) => until(`event ${total} for ${CLIENTS[i]}, at ${
			c.numbers.at(-1)}`, () => c.numbers.at(-1) === total)));
		careful.forEach((c, i) =>
			assert.deepEqual(c.numbers, numbersTo(total), `${CLIENTS[i]}`));
	} finally {
		counter.kill();
		careful.forEach((c) => c.stop());
	}
	await Promise.all(running);
	for (const { session } of careful)
		await session.leave();
}

const progress = (careful, n) => {
	const from = careful.map((c) => c.numbers.length);

	return Promise.all(careful.map((c, i) => until(`${n} more events for ${CLIENTS[i]}`,
		() => c.numbers.length >= from[i] + n)));
};

describe('nothing is lost and nothing comes twice', () => {
	it('when answers are cut at any place, or do not come at all', async () => {
		let turn = 0;
		const from = cutter.cuts;

		/* Heads of answers have about 500 bytes. */
		await allArriveOnce(bad, async (careful) => {
			await until('100 cuts', () => cutter.cuts >= from + 100);
			cutter.limit = Infinity;
			await progress(careful, 20);
		}, (c) => {
			c.before = () => {
				if (cutter.cuts < from + 100)
					cutter.limit = [0, 300, 900, 1500, 2500, 4000][turn++ % 6] + turn % 97;
			};
		});
	});

	it('when pushletd is restarted', () => allArriveOnce(web, async (careful) => {
		for (let i = 0; i < 3; i++) {
			await progress(careful, 10);
			await pushletd.stop();
			await pushletd.start();
		}
		await progress(careful, 10);
	}));

	it('when pushletd is killed', () => allArriveOnce(web, async (careful) => {
		for (let i = 0; i < 3; i++) {
			await progress(careful, 10);
			await pushletd.guarded.killed('SIGKILL');
			await pushletd.start();
		}
		await progress(careful, 10);
	}));

	it('when nginx is restarted', () => allArriveOnce(web, async (careful) => {
		for (let i = 0; i < 3; i++) {
			await progress(careful, 10);
			await nginx.stop();
			nginx.guarded = nginx.spawn();
		}
		await progress(careful, 10);
	}));
});

describe('a publish whose answer was lost', () => {
	it('and that comes again with its key is published once, whoever answers', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/key' });
		const ben = await web.join();
		const say = (session, n, p_key) => session.publish('/key', { n, p_key });

		await say(ann, 1, 'a');
		await say(ann, 1, 'a');
		await pushletd.guarded.killed('SIGKILL');
		await pushletd.start();
		const stream = await ann.listen();
		await stream.next({ p_event: 'listen-ack' });
		for (let i = 0; i < 2; i++) {
			await say(ann, 1, 'a');
			await say(ann, 2, 'b');
			await say(ben, 3, 'b');	/* another session's key */
		}
		await say(ann, 4);
		const got = [];
		while (got.at(-1) !== '4') {
			const event = await stream.next({ p_event: 'data', p_key: undefined });
			got.push(event.get('n'));
		}
		assert.deepEqual(got.filter((n) => n !== '1'), ['2', '3', '4']);
		assert.ok(got.filter((n) => n === '1').length <= 1, 'at most what the dead one had not told');
		stream.close();
	});
});
