// SPDX-License-Identifier: MIT
//
// time.mjs - what comes when the server's clock says so
//
// How long that takes nobody knows: these cases play beside all others, and if
// nothing comes within the wait they tell nothing.

import { differ, group, hold } from '../case.mjs';
import { check, ensure, same, Silence, Unseen } from '../words.mjs';

const kinds = (events) => events.map((e) => e.get('p_event')).join(', ');

/* Something that comes within the wait, or is not seen. */
async function seen(s, what, work) {
	try {
		return await work({ limit: s.wait });
	} catch (error) {
		if (!(error instanceof Silence) || s.demand)
			throw error;
		throw new Unseen(`no ${what} within ${s.wait / 1000} s; a longer WAIT may show one`);
	}
}

const heartbeat = (s, channel) => seen(s, 'heartbeat', (options) =>
	channel.event('hb', options));

const waits = { waits: true };

export default group('Heartbeats and other matters of time',
	hold('a silent stream has heartbeats, with p_seq going on', 'recordings 32 33',
		async (s) => {
			const ann = await s.joinListen('stream');
			await ann.channel.any({ hb: true });
			const from = Date.now();
			check(await heartbeat(s, ann.channel), { p_seq: 2, p_time: /^\d+$/ });
			s.measured.heartbeat = Date.now() - from;
		}, waits),

	hold('a stream without subscriptions has them, too', 'recording 42', async (s) => {
		const ann = await s.listener('stream');
		await ann.ask('unsubscribe-ack', 'unsubscribe');
		await ann.channel.any({ hb: true });

		check(await heartbeat(s, ann.channel), { p_seq: 2 });
	}, waits),

	hold('a pull refresh that nothing came for ends with hb and refresh', 'recording 12 J',
		async (s) => {
			const ann = await s.listener('pull');
			const channel = await ann.refresh();
			await channel.event('refresh-ack');
			const came = await seen(s, 'end of a refresh', (options) => channel.rest(options));

			same('what came', kinds(came), 'hb, refresh');
		}, waits),

	differ('a stream after mode poll', 'recording 11 K', {
		rows: 'after poll a stream has no heartbeats',
		says: 'it has heartbeats',
		waits: true,
		original: async (s) => {
			const ann = await s.listener('poll');
			const channel = await ann.listen({ p_mode: 'stream' });
			await channel.event('listen-ack');
			await channel.event('hb');
			const next = await channel.any({ hb: true, limit: s.wait }).catch((error) => {
				if (!(error instanceof Silence))
					throw error;
			});
			ensure(!next, 'a heartbeat came');
		},
		here: async (s) => {
			const ann = await s.listener('poll');
			const channel = await ann.listen({ p_mode: 'stream' });
			await channel.event('listen-ack');
			await channel.event('hb');
			await heartbeat(s, channel);
		},
	}),

	differ('an open stream when its session leaves', 'recording 41 A', {
		rows: 'leave ends an open stream at the next read timeout, after a heartbeat',
		says: 'it ends at once',
		waits: true,
		original: async (s) => {
			const ann = await s.listener('stream');
			await ann.channel.any({ hb: true });
			await ann.leave();
			ann.channel.taken = ann.channel.events.length;
			const came = await seen(s, 'end of the stream', (options) =>
				ann.channel.rest(options));
			same('what came after the leave', kinds(came), 'hb');
		},
		here: async (s) => {
			const ann = await s.listener('stream');
			await ann.channel.any({ hb: true });
			await ann.leave();
			const left = Date.now();
			await ann.channel.done();
			/* One may have been on its way. */
			const late = ann.channel.times.filter((at) => at > left + 100);
			same('how many heartbeats came after the leave', late.length, 0);
		},
	}),

	differ('a waiting refresh when its session leaves', 'recording 17 M', {
		rows: 'leave during a refresh: heartbeat and refresh after the read timeout',
		says: 'it ends at once',
		waits: true,
		original: async (s) => {
			const ann = await s.listener('pull');
			const channel = await ann.refresh();
			await channel.event('refresh-ack');
			await ann.leave();
			const came = await seen(s, 'end of a refresh', (options) => channel.rest(options));
			same('what came', kinds(came), 'hb, refresh');
		},
		here: async (s) => {
			const ann = await s.listener('pull');
			const channel = await ann.refresh();
			await channel.event('refresh-ack');
			await ann.leave();
			same('what came', kinds(await channel.rest()), '');
		},
	}),

	differ('the end of an xml-strict stream', 'recording 04', {
		rows: 'an xml-strict stream never closes its root',
		waits: true,
		original: async (s) => {
			const ann = await s.listener('stream', { format: 'xml-strict' });
			await ann.leave();
			ann.channel.reader.end = () => {};
			await seen(s, 'end of the stream', (options) => ann.channel.rest(options));
			ensure(!ann.channel.text.includes('</pushlet>'), 'it has </pushlet>');
		},
		here: async (s) => {
			const ann = await s.listener('stream', { format: 'xml-strict' });
			await ann.leave();
			await ann.channel.rest();
			ensure(ann.channel.text.trimEnd().endsWith('</pushlet>'),
				'it does not end with </pushlet>');
		},
	}),
);
