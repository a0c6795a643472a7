// SPDX-License-Identifier: MIT
//
// listening.mjs - data channels: each mode in each format, refresh, p_seq

import { differ, group, hold, ours } from '../case.mjs';
import { empty, nacked } from '../scene.mjs';
import { check, ensure, same } from '../words.mjs';

const MODES = { stream: '03 04 05', pull: '06', poll: '07' };
const OLD = ['xml', 'xml-strict', 'js'];
const NEW = ['json', 'sse', 'multipart'];

const kinds = (events) => events.map((e) => e.get('p_event')).join(', ');

/* join-listen in this mode and format, and an event that arrives. */
function arrives(mode, format) {
	return async (s) => {
		const ann = await s.listener(mode, { format });

		check(ann.ack, { p_mode: mode, p_format: format });
		await s.publish(ann.subject, { text: 'one' });
		const channel = mode === 'stream' ? ann.channel : await ann.refresh();
		if (mode !== 'stream')
			await channel.event('refresh-ack');
		check(await channel.event('data'), { p_subject: ann.subject, text: 'one' });
		if (mode === 'stream')
			return;
		await channel.event('refresh');
		await channel.rest();
	};
}

const everywhere = (make, formats, source) => Object.keys(MODES).flatMap((mode) =>
	formats.map((format) => make(`join-listen in mode ${mode} and format ${format}: the ack, `
		+ 'and an event arrives', source(mode), arrives(mode, format))));

/* After listen or join-listen in this mode: the ack, and what follows. */
const afterListen = (mode) => hold(`listen in mode ${mode} is answered with listen-ack: p_id, `
	+ 'p_mode, p_format, and p_sid and p_label if it subscribes', 'recording 09', async (s) => {
	const ann = await s.join();
	const channel = await ann.listen({ p_mode: mode, p_subject: s.subject(), p_label: 'lab' });
	const ack = await channel.event('listen-ack');

	check(ack, { p_id: ann.id, p_mode: mode, p_format: 'xml', p_sid: /./, p_label: 'lab',
		p_seq: undefined });
});

const turnedBack = (mode) => hold(`the answer to a listen in mode ${mode} is its ack and a `
	+ 'refresh, and ends', `recording ${MODES[mode]} A`, async (s) => {
	const ann = await s.join();
	const channel = await ann.listen({ p_mode: mode });

	same('what came', kinds(await channel.rest()), 'listen-ack, refresh');
});

/* A refresh, with its ack taken. */
async function refreshed(session) {
	const channel = await session.refresh();

	await channel.event('refresh-ack');
	return channel;
}

const MISTAKES = [
	differ('listen with an unknown p_mode', 'recording 08 C', {
		rows: 'unknown p_mode: echoed, and streams without a heartbeat',
		original: async (s) => {
			const ann = await s.joinListen('bogus', { subject: s.subject() });
			check(ann.ack, { p_mode: 'bogus' });
			await s.publish(ann.subject);
			const event = await ann.channel.any({ hb: true });
			check(event, { p_event: 'data' });
		},
		here: async (s) => {
			const ann = await s.join();
			await nacked(ann, 'listen', { p_mode: 'bogus' }, /p_mode/);
		},
	}),

	differ('listen with an empty p_subject', 'recording 09 AF', {
		rows: 'empty p_subject at listen: empty answer; at subscribe: a Java exception',
		original: async (s) => {
			const ann = await s.join();
			const reply = await ann.listen({ p_mode: 'pull', p_subject: '' });
			await reply.rest();
			empty(reply);
		},
		here: async (s) => {
			const ann = await s.join();
			await nacked(ann, 'listen', { p_mode: 'pull', p_subject: '' }, /subject/);
		},
	}),

	differ('refresh before the first listen', 'recording 17 B', {
		rows: 'refresh before any listen: empty answer',
		original: async (s) => {
			const ann = await s.join();
			const reply = await ann.refresh();
			await reply.rest();
			empty(reply);
		},
		here: async (s) => nacked(await s.join(), 'refresh', {}, /listen/),
	}),
];

const REFRESH = [
	hold('refresh has p_wait in milliseconds, and p_url of this server with p_id and '
		+ 'p_event=refresh', 'recording 06 A', async (s) => {
		const ann = await s.join();
		const channel = await ann.listen({ p_mode: 'pull' });
		await channel.event('listen-ack');
		const event = check(await channel.event('refresh'), { p_wait: /^\d+$/, p_url: /./ });
		const url = new URL(event.get('p_url'), s.talk.url);

		s.talk.target(event.get('p_url'));
		same('the path of p_url', url.pathname, s.talk.url.pathname);
		same('p_id in p_url', url.searchParams.get('p_id'), ann.id);
		same('p_event in p_url', url.searchParams.get('p_event'), 'refresh');
	}),

	hold('what p_url names brings the next events', 'recording 12 D', async (s) => {
		const ann = await s.join();
		const first = await ann.listen({ p_mode: 'pull', p_subject: s.subject() });
		await first.event('listen-ack');
		const refresh = await first.event('refresh');
		await s.publish(s.subject(), { n: 1 });
		const next = await ann.follow(refresh);

		await next.event('refresh-ack');
		check(await next.event('data'), { n: 1 });
	}),

	hold('p_url repeats the path of the request, with its parameter', 'recording 31 W',
		async (s) => {
			const path = `${s.talk.url.pathname};x=1`;
			const reply = await s.whole('', { path: `${path}?p_event=join-listen&p_mode=pull`
				+ '&p_format=xml' });
			const ack = await reply.event('join-listen-ack');
			const refresh = await reply.event('refresh');

			ensure(refresh.get('p_url')?.includes(`${path}?`),
				`p_url is ${refresh.get('p_url')} and should contain ${path}?`);
			await s.whole({ p_event: 'leave', p_id: ack.get('p_id') });
		}),

	differ('the p_url of a refresh', 'recording 06; Reliable delivery', {
		rows: 'p_url of a refresh is always the same',
		original: async (s) => {
			const ann = await s.listener('pull');
			check(ann.channel.events.at(-1), { p_url: /p_event=refresh$/ });
		},
		here: async (s) => {
			const ann = await s.listener('pull');
			check(ann.channel.events.at(-1), { p_url: /[?&]p_ack=0(?:&|$)/ });
			await s.publish(ann.subject);
			const events = await (await ann.refresh()).rest();
			check(events.at(-1), { p_url: /[?&]p_ack=1(?:&|$)/ });
		},
	}),

	hold('a pull refresh brings all that is queued, in order, then refresh, and ends',
		'recording 12 G', async (s) => {
			const ann = await s.listener('pull');
			for (const n of [1, 2, 3])
				await s.publish(ann.subject, { n });
			const events = await (await ann.refresh()).rest();

			same('what came', kinds(events), 'refresh-ack, data, data, data, refresh');
			same('n', events.map((e) => e.get('n') ?? '').join(''), '123');
		}),

	hold('a pull refresh without anything queued waits for the next event', 'recording 12 H',
		async (s) => {
			const ann = await s.listener('pull');
			const channel = await refreshed(ann);
			await s.publish(ann.subject, { n: 1 });

			check(await channel.event('data'), { n: 1 });
			same('what followed', kinds(await channel.rest()), 'refresh');
		}),

	differ('a poll refresh without anything queued', 'recording 15 E G', {
		rows: ['a poll refresh with an empty queue waits without limit',
			'the next poll refresh waits as well'],
		original: async (s) => {
			const ann = await s.listener('poll');
			const channel = await refreshed(ann);
			await s.publish(ann.subject, { n: 1 });
			check(await channel.any({ hb: true }), { p_event: 'data', n: 1 });
		},
		here: async (s) => {
			const ann = await s.listener('poll');
			same('what came', kinds(await (await ann.refresh()).rest()),
				'refresh-ack, hb, refresh');
			await s.publish(ann.subject, { n: 2 });
			same('what the next brought', kinds(await (await ann.refresh()).rest()),
				'refresh-ack, data, refresh');
		},
	}),
];

const SEQUENCE = [
	hold('a stream begins with its ack and a heartbeat with p_seq 1', 'recording 03 A',
		async (s) => {
			const ann = await s.listener('stream');
			const hb = await ann.channel.any({ hb: true });

			check(hb, { p_event: 'hb', p_seq: 1 });
		}),

	hold('p_seq counts the events of a stream: 1, 2, 3 ...', 'recording 37', async (s) => {
		const ann = await s.listener('stream');
		for (let n = 1; n <= 5; n++)
			await s.publish(ann.subject, { n });
		for (let n = 1; n <= 5; n++)
			await ann.channel.event('data');
		const counted = ann.channel.events.slice(1);

		counted.forEach((event, i) => check(event, { p_seq: i + 1 }));
	}),

	hold('p_seq begins anew with each answer', 'recording 37', async (s) => {
		const ann = await s.listener('pull');
		for (const n of [1, 2]) {
			await s.publish(ann.subject, { n });
			const channel = await refreshed(ann);
			check(await channel.event('data'), { n, p_seq: 1 });
			await channel.rest();
		}
	}),

	hold('acks and refresh have no p_seq', 'recording 37', async (s) => {
		const ann = await s.listener('pull');

		ann.channel.events.forEach((event) => check(event, { p_seq: undefined }));
	}),

	hold('20 events arrive in the order they were published in, each once', 'recording 37',
		async (s) => {
			const ann = await s.listener('stream');
			const sent = Array.from({ length: 20 }, (_, i) => i + 1);
			for (const n of sent)
				await s.publish(ann.subject, { n });
			const came = [];
			while (came.length < 20)
				came.push((await ann.channel.event('data')).get('n'));

			same('the order', came.join(' '), sent.join(' '));
			await s.publish(ann.subject, { n: 'last' });
			check(await ann.channel.event('data'), { n: 'last' });
		}),

	hold('and so in a pull', 'recording 12 G', async (s) => {
		const ann = await s.listener('pull');
		for (let n = 1; n <= 15; n++)
			await s.publish(ann.subject, { n });
		const events = (await (await ann.refresh()).rest()).slice(1, -1);

		same('the order', events.map((e) => e.get('n')).join(' '),
			events.map((_, i) => i + 1).join(' '));
		same('how many came', events.length, 15);
	}),
];

export default group('Listening',
	...everywhere(hold, OLD, (mode) => `recording ${MODES[mode]}`),
	...everywhere(ours, NEW, () => 'Formats'),
	...Object.keys(MODES).map(afterListen),
	turnedBack('pull'), turnedBack('poll'),

	hold('who asks for no mode gets stream', 'recording 09 H', async (s) => {
		const ann = await s.join();
		const channel = await ann.listen({});

		check(await channel.event('listen-ack'), { p_mode: 'stream' });
	}),

	hold('listen without p_subject subscribes to nothing: no p_sid, and p_label is ignored',
		'recording 06 B D', async (s) => {
			const ann = await s.join();
			const channel = await ann.listen({ p_mode: 'pull', p_label: 'lab' });

			check(await channel.event('listen-ack'), { p_sid: undefined, p_label: undefined });
		}),

	...REFRESH, ...SEQUENCE, ...MISTAKES,
);
