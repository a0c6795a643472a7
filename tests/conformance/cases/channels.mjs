// SPDX-License-Identifier: MIT
//
// channels.mjs - more than one channel of a session, other modes, hanging up

import { differ, group, hold } from '../case.mjs';
import { refused } from '../scene.mjs';
import { check, ensure, same } from '../words.mjs';

const kinds = (events) => events.map((e) => e.get('p_event')).join(', ');

/* A pull that waits, and its ack is taken. */
async function waiting(session) {
	const channel = await session.refresh();

	await channel.event('refresh-ack');
	return channel;
}

/* A stream whose client hung up; then events are published. */
async function hungUp(s) {
	const ann = await s.listener('stream');

	await s.publish(ann.subject, { n: 1 });
	await ann.channel.event('data');
	ann.channel.close();
	for (let n = 2; n <= 4; n++) {
		await new Promise((done) => { setTimeout(done, 200); });
		await s.publish(ann.subject, { n });
	}
	return ann;
}

export default group('Channels',
	hold('a listen in another mode changes the mode of the session', 'recording 11 C',
		async (s) => {
			const ann = await s.listener('stream');
			const channel = await ann.listen({ p_mode: 'pull' });

			check(await channel.event('listen-ack'), { p_mode: 'pull' });
			await channel.event('refresh');
			await channel.rest();
		}),

	differ('an open stream after a listen in mode pull', 'recording 11 B', {
		rows: 'after a change to pull the stream delivers one more event',
		original: async (s) => {
			const ann = await s.listener('stream');
			await (await ann.listen({ p_mode: 'pull' })).rest();
			await s.publish(ann.subject, { n: 1 });
			check(await ann.channel.event('data'), { n: 1 });
			await ann.channel.event('refresh');
		},
		here: async (s) => {
			const ann = await s.listener('stream');
			await (await ann.listen({ p_mode: 'pull' })).rest();
			await ann.channel.rest();
			await s.publish(ann.subject, { n: 1 });
			check(await (await waiting(ann)).event('data'), { n: 1 });
		},
	}),

	differ('a second stream of a session', 'recording 10 B E', {
		rows: ['two channels of a session share its events',
			'the newer of two channels gets its share of the events'],
		original: async (s) => {
			const ann = await s.listener('stream');
			await ann.listen({ p_mode: 'stream' });
			for (let n = 1; n <= 4; n++)
				await s.publish(ann.subject, { n });
			ensure(!ann.channel.ended, 'the first stream has ended');
			await s.publish(ann.subject, { n: 5 });
			const event = await ann.channel.any({ hb: true });
			ensure(event, 'the first stream has ended');
		},
		here: async (s) => {
			const ann = await s.listener('stream');
			const second = await ann.listen({ p_mode: 'stream' });
			await second.event('listen-ack');
			await ann.channel.rest();
			for (let n = 1; n <= 3; n++)
				await s.publish(ann.subject, { n });
			for (let n = 1; n <= 3; n++)
				check(await second.event('data'), { n });
		},
	}),

	differ('two refreshes of a session at a time', 'recording 17 I J', {
		rows: 'of two refreshes one gets the event, the other a heartbeat',
		original: async (s) => {
			const ann = await s.listener('pull');
			const both = [await waiting(ann), await waiting(ann)];
			await s.publish(ann.subject, { n: 1 });
			const came = (await Promise.all(both.map((one) => one.rest())))
				.map(kinds).sort();
			same('what came', came.join(' and '), 'data, refresh and hb, refresh');
		},
		here: async (s) => {
			const ann = await s.listener('pull');
			const [one, two] = [await waiting(ann), await waiting(ann)];
			await one.rest();
			await s.publish(ann.subject, { n: 1 });
			check(await two.event('data'), { n: 1 });
		},
	}),

	differ('events between subscribe and the first listen', 'recording 36 E', {
		rows: 'matching events before the first listen are dropped',
		original: async (s) => {
			const ann = await s.join();
			await ann.subscribe(s.subject());
			await s.publish(s.subject(), { n: 1 });
			const channel = await ann.listen({ p_mode: 'stream' });
			await channel.event('listen-ack');
			await s.publish(s.subject(), { n: 2 });
			check(await channel.event('data'), { n: 2 });
		},
		here: async (s) => {
			const ann = await s.join();
			await ann.subscribe(s.subject());
			await s.publish(s.subject(), { n: 1 });
			const channel = await ann.listen({ p_mode: 'stream' });
			await channel.event('listen-ack');
			check(await channel.event('data'), { n: 1 });
		},
	}),

	differ('a client that hangs up while its refresh waits', 'recording 17 P Q R S', {
		rows: ['a client that hangs up during its refresh loses the event and the session',
			'and the session is gone'],
		says: 'it loses neither the event nor the session',
		original: async (s) => {
			const ann = await s.listener('pull');
			(await waiting(ann)).close();
			await new Promise((done) => { setTimeout(done, 300); });
			await s.publish(ann.subject, { n: 1 });
			const next = await ann.refresh();
			await next.rest();
			refused(next, 400, /Invalid or expired id/);
		},
		here: async (s) => {
			const ann = await s.listener('pull');
			const refresh = ann.channel.events.at(-1);
			const first = await ann.follow(refresh);
			await first.event('refresh-ack');
			first.close();
			await s.publish(ann.subject, { n: 1 });
			const again = await ann.follow(refresh);
			await again.event('refresh-ack');
			check(await again.event('data'), { n: 1 });
		},
	}),

	differ('a session whose client hung up its stream', 'recordings 38 40', {
		rows: ['and the session is gone', 'the session dies when a replaced channel hangs up',
			'a new stream takes one event, and dies with the old connection'],
		original: async (s) => {
			const ann = await hungUp(s);
			ensure(!await ann.alive(), 'the session lives');
		},
		here: async (s) => {
			const ann = await hungUp(s);
			ensure(await ann.alive(), 'the session is gone');
			const channel = await ann.listen({ p_mode: 'stream' });
			await channel.event('listen-ack');
			await s.publish(ann.subject, { n: 'new' });
			for (;;)
				if ((await channel.event('data')).get('n') === 'new')
					return;
		},
	}),

	differ('a refresh in mode stream', 'recording 17 E', {
		rows: 'a refresh of a stream whose client hung up is taken for the dead stream',
		original: async (s) => {
			const ann = await s.listener('stream');
			ann.channel.close();
			await new Promise((done) => { setTimeout(done, 200); });
			const channel = await waiting(ann);
			for (let n = 1; n <= 3; n++)
				await s.publish(ann.subject, { n });
			const came = await channel.rest();
			ensure(came.length < 6, `it went on: ${kinds(came)}`);
		},
		here: async (s) => {
			const ann = await s.listener('stream');
			ann.channel.close();
			const channel = await waiting(ann);
			for (let n = 1; n <= 3; n++)
				await s.publish(ann.subject, { n });
			for (let n = 1; n <= 3; n++)
				check(await channel.event('data'), { n });
		},
	}),
);
