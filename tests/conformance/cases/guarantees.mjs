// SPDX-License-Identifier: MIT
//
// guarantees.mjs - full queues, reliable delivery, earlier events, who is there

import { differ, group, ours } from '../case.mjs';
import { nacked, refused } from '../scene.mjs';
import { check, ensure, same, Unseen } from '../words.mjs';

/* How many events are published in order to fill a queue: enough for that of
 * the original, of 24, and for our 256. */
const SENT = [64, 300];

/* The data events of a refresh. */
async function fetched(session, params) {
	const reply = await session.refresh(params);
	const events = await reply.rest();

	ensure(reply.status === 200, `refresh is answered with ${reply.status}: ${reply.text}`);
	return events.filter((e) => e.get('p_event') === 'data');
}

const list = (events, name) => events.map((e) => e.get(name)).join(' ');

const reliable = (s, options = {}) => s.listener('pull', { p_reliable: 1, ...options });

async function three(s, ann) {
	for (const n of [1, 2, 3])
		await s.publish(ann.subject, { n });
}

/* A pull that was sent more than its queue holds: how many, and the answer to
 * its refresh. */
async function filled(s) {
	for (const sent of SENT) {
		const ann = await s.listener('pull', { subject: s.subject(`/${sent}`) });
		for (let n = 1; n <= sent; n++)
			await s.publish(ann.subject, { n });
		const reply = await ann.refresh();
		await reply.done();
		const events = reply.events.filter((e) => e.get('p_event') === 'data');
		if (reply.status !== 200 || events.length < sent)
			return { sent, reply, events };
	}
	throw new Unseen(`the queue holds more than ${SENT.at(-1)} events`);
}

const FULL = differ('a queue that is full', 'recording 34a; Data channels', {
	rows: 'a full queue destroys its session',
	original: async (s) => refused((await filled(s)).reply, 400, /Invalid or expired id/),
	here: async (s) => {
		const { sent, reply, events } = await filled(s);
		same('the status of the refresh', reply.status, 200);
		const lost = sent - events.length;
		check(events[0], { p_lost: lost, n: lost + 1 });
		events.slice(1).forEach((e) => check(e, { p_lost: undefined }));
		same('the newest', events.at(-1).get('n'), String(sent));
	},
});

const RELIABLE = [
	ours('join with p_reliable=1 says so in its ack', 'Reliable delivery', async (s) => {
		const ann = await s.join('xml', { p_reliable: 1 });

		check(ann.ack, { p_reliable: 1 });
	}),

	ours('p_eid counts the data events of a session: 1, 2, 3, also in the next answer',
		'Reliable delivery', async (s) => {
			const ann = await reliable(s);
			await three(s, ann);
			same('p_eid', list(await fetched(ann, { p_ack: 0 }), 'p_eid'), '1 2 3');
			await s.publish(ann.subject, { n: 4 });

			same('p_eid', list(await fetched(ann, { p_ack: 3 }), 'p_eid'), '4');
		}),

	ours('without p_reliable there is no p_eid', 'Reliable delivery', async (s) => {
		const ann = await s.listener('pull');
		await s.publish(ann.subject);

		check((await fetched(ann))[0], { p_eid: undefined });
	}),

	ours('what is not acknowledged comes again, with the same p_eid', 'Reliable delivery',
		async (s) => {
			const ann = await reliable(s);
			await three(s, ann);
			await fetched(ann);
			const again = await fetched(ann, { p_ack: 1 });

			same('n and p_eid', `${list(again, 'n')} ${list(again, 'p_eid')}`, '2 3 2 3');
		}),

	ours('hb with p_ack acknowledges', 'Reliable delivery', async (s) => {
		const ann = await reliable(s);
		await three(s, ann);
		await fetched(ann);
		await ann.ask('hb-ack', 'hb', { p_ack: 2 });

		same('p_eid', list(await fetched(ann), 'p_eid'), '3');
	}),

	ours('a stream that was lost goes on behind p_ack', 'Reliable delivery', async (s) => {
		const ann = await s.listener('stream', { p_reliable: 1 });
		await three(s, ann);
		for (let n = 1; n <= 3; n++)
			await ann.channel.event('data');
		ann.channel.close();
		const channel = await ann.listen({ p_mode: 'stream', p_ack: 1 });
		await channel.event('listen-ack');

		for (const n of [2, 3])
			check(await channel.event('data'), { n, p_eid: n });
	}),

	ours('a p_ack that is no number is a nack', 'Reliable delivery', async (s) => {
		const ann = await reliable(s);
		await nacked(ann, 'hb', { p_ack: 'x' }, /p_ack/);
	}),

	ours('sse: id is p_eid, and Last-Event-ID goes on behind it', 'Formats', async (s) => {
		const ann = await s.listener('stream', { format: 'sse' });
		await three(s, ann);
		for (let n = 1; n <= 3; n++)
			check(await ann.channel.event('data'), { n, p_eid: n });
		ann.channel.close();
		const channel = await ann.open('listen', { p_mode: 'stream' },
			{ headers: { 'Last-Event-ID': '2' } });
		await channel.event('listen-ack');

		check(await channel.event('data'), { n: 3, p_eid: 3 });
	}),
];

const HISTORY = [
	ours('p_last=2 begins with the two newest earlier events, oldest first, with p_history=1',
		'Earlier events', async (s) => {
			await three(s, { subject: s.subject() });
			const ann = await s.listener('stream', { p_last: 2 });
			await s.publish(ann.subject, { n: 4 });

			for (const n of [2, 3])
				check(await ann.channel.event('data'), { n, p_history: 1 });
			check(await ann.channel.event('data'), { n: 4, p_history: undefined });
		}),

	ours('without p_last nothing earlier comes', 'Earlier events', async (s) => {
		await three(s, { subject: s.subject() });
		const ann = await s.listener('stream');
		await s.publish(ann.subject, { n: 4 });

		check(await ann.channel.event('data'), { n: 4, p_history: undefined });
	}),

	ours('what was published to one session alone is no history', 'Earlier events',
		async (s) => {
			const bob = await s.joinListen('stream');
			await s.publish(s.subject(), { n: 1 });
			await s.publish(s.subject(), { n: 2, p_to: bob.id });
			const ann = await s.listener('stream', { p_last: 5 });
			check(await ann.channel.event('data'), { n: 1 });
			await s.publish(ann.subject, { n: 3 });

			check(await ann.channel.event('data'), { n: 3 });
		}),

	ours('a p_last that is no number is a nack', 'Earlier events', async (s) =>
		nacked(await s.join(), 'subscribe', { p_subject: s.subject(), p_last: 'x' }, /p_last/)),
];

const META = ours('who subscribes below /meta/subs is told who is there, comes and goes',
	'Who is there', async (s) => {
		const meta = `/meta/subs${s.subject()}`;
		const ann = await s.joinListen('stream', { subject: meta });
		const bob = await s.join();
		await bob.subscribe(s.subject());
		await ann.ask('hb-ack', 'hb');
		const first = await ann.channel.any({ limit: s.talk.limit / 2 }).catch(() => undefined);
		if (!first)
			throw new Unseen('nothing came: meta.events may be off');
		check(first, { p_event: 'data', p_subject: meta, action: 'status', online: 0 });
		check(await ann.channel.event('data'), { action: 'subscribe', online: 1, from: /./ });
		await bob.leave();
		check(await ann.channel.event('data'), { action: 'unsubscribe', online: 0 });
	});

export default group('Guarantees', FULL, ...RELIABLE, ...HISTORY, META);
