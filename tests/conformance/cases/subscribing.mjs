// SPDX-License-Identifier: MIT
//
// subscribing.mjs - subscribe, unsubscribe, labels, and which subjects match

import { differ, group, hold } from '../case.mjs';
import { nacked } from '../scene.mjs';
import { check, ensure, same } from '../words.mjs';

/* Which of these subjects, published in order, reach a subscription.  The last
 * publication is one that does, so that nothing needs to be waited for. */
async function reached(s, subscription, subjects) {
	const ann = await s.listener('stream', { subject: subscription });
	const last = s.subject('-last');

	await ann.subscribe(last);
	for (const subject of subjects)
		await s.publish(subject);
	await s.publish(last);
	const came = [];
	for (;;) {
		const subject = (await ann.channel.event('data')).get('p_subject');
		if (subject === last)
			return came;
		came.push(subject);
	}
}

const matches = (what, source, subscription, hits, misses) => hold(what, source, async (s) => {
	const at = (text) => text.replaceAll('@', s.subject());
	const came = await reached(s, at(subscription), [...hits, ...misses].map(at));

	same('what arrived', came.join(' | '), hits.map(at).join(' | '));
});

const SUBJECTS = [
	matches('a subject matches itself, what is below it, and what begins with it',
		'recording 20 C', '@/a', ['@/a', '@/a/b', '@/ab', '@/abc/d'], ['@/b', '@']),
	matches('subjects are compared letter by letter: /A is not /a', 'recording 20 V',
		'@/A', ['@/A'], ['@/a']),
	matches('a * is a letter like others', 'recording 20 X', '@/a*', ['@/a*'], ['@/a', '@/ab']),
	matches('a list with commas subscribes to each of its subjects', 'recording 20 M',
		'@/a,@/b', ['@/a', '@/b', '@/b/c'], ['@/c']),
	matches('blanks in a list belong to its subjects', 'recording 20 O',
		'@/a, @/b', ['@/a', ' @/b'], ['@/b']),
	matches('a subject may have any letters', 'recording 25 U', '@/中/é', ['@/中/é/1'], ['@/中']),

	hold('a subject needs no slash in front', 'recording 20 K', async (s) => {
		const name = s.subject().replaceAll('/', '-').slice(1);

		same('what arrived', (await reached(s, name, [name, `${name}/x`])).join(' '),
			`${name} ${name}/x`);
	}),

	hold('of several matching subscriptions an event has the p_sid of one, and comes once',
		'recording 21', async (s) => {
			const ann = await s.listener('stream', { subject: s.subject() });
			const sids = [ann.ack.get('p_sid'),
				(await ann.subscribe(s.subject('/b'))).get('p_sid')];
			for (const n of [1, 2])
				await s.publish(s.subject('/b/c'), { n });
			const event = check(await ann.channel.event('data'), { n: 1 });

			ensure(sids.includes(event.get('p_sid')), `p_sid is ${event.get('p_sid')}`);
			check(await ann.channel.event('data'), { n: 2 });
		}),

	differ('an empty part of a list', 'recording 20 R', {
		rows: 'an empty part of a list subscribes to everything',
		original: async (s) => {
			const other = s.subject().replace('/', '/other-');
			same('what arrived', (await reached(s, `${s.subject('/x')},,${s.subject('/y')}`,
				[other])).filter((name) => name === other).length, 1);
		},
		here: async (s) => same('what arrived', (await reached(s,
			`${s.subject('/x')},,${s.subject('/y')}`, [s.subject('/z'), s.subject('/y')]))
			.join(), s.subject('/y')),
	}),

	differ('a list of no subjects', 'recording 20 U', {
		rows: 'a list of no subjects is a subscription that matches nothing',
		original: async (s) => {
			const ann = await s.join();
			check(await ann.subscribe(','), { p_sid: /./ });
		},
		here: async (s) => nacked(await s.join(), 'subscribe', { p_subject: ',' }, /subject/),
	}),
];

const UNSUBSCRIBING = [
	hold('unsubscribe with p_sid is answered with unsubscribe-ack: p_id, p_sid, p_subject, '
		+ 'p_label', 'recording 19 C', async (s) => {
		const ann = await s.join();
		const sid = (await ann.subscribe(s.subject(), 'lab')).get('p_sid');

		check(await ann.ask('unsubscribe-ack', 'unsubscribe', { p_sid: sid }),
			{ p_id: ann.id, p_sid: sid, p_subject: s.subject(), p_label: 'lab' });
	}),

	hold('after it no event of that subscription comes, but those of others', 'recording 19 AI',
		async (s) => {
			const ann = await s.listener('stream', { subject: s.subject('/a') });
			await ann.subscribe(s.subject('/b'));
			await ann.ask('unsubscribe-ack', 'unsubscribe', { p_sid: ann.ack.get('p_sid') });
			await s.publish(s.subject('/a'));
			await s.publish(s.subject('/b'));

			check(await ann.channel.event('data'), { p_subject: s.subject('/b') });
		}),

	hold('unsubscribe without p_sid ends all; its ack has p_id only', 'recording 19 AL',
		async (s) => {
			const ann = await s.listener('stream', { subject: s.subject('/a') });
			check(await ann.ask('unsubscribe-ack', 'unsubscribe'),
				{ p_id: ann.id, p_sid: undefined, p_subject: undefined });
			await s.publish(s.subject('/a'));
			await ann.subscribe(s.subject('/c'));
			await s.publish(s.subject('/c'));

			check(await ann.channel.event('data'), { p_subject: s.subject('/c') });
		}),

	hold('unsubscribe leaves an open stream open', 'recording 42', async (s) => {
		const ann = await s.listener();
		await ann.ask('unsubscribe-ack', 'unsubscribe');
		await ann.subscribe(s.subject('/b'));
		await s.publish(s.subject('/b'), { n: 1 });

		check(await ann.channel.event('data'), { n: 1 });
	}),

	hold('unsubscribe with an unknown p_sid is a nack that names it', 'recording 19 G',
		async (s) => nacked(await s.join(), 'unsubscribe', { p_sid: 'nosuch' },
			/no subscription for sid=nosuch/)),

	hold('nobody can end the subscription of another session', 'recording 19 AE', async (s) => {
		const [ann, bob] = [await s.listener(), await s.join()];
		await nacked(bob, 'unsubscribe', { p_sid: ann.ack.get('p_sid') }, /no subscription/);
		await s.publish(ann.subject, { n: 1 });

		check(await ann.channel.event('data'), { n: 1 });
	}),
];

export default group('Subscribing',
	hold('subscribe is answered with subscribe-ack: p_id, p_subject, p_sid', 'recording 18 B',
		async (s) => {
			const ann = await s.join();

			check(await ann.subscribe(s.subject()), { p_id: ann.id,
				p_subject: s.subject(), p_sid: /./, p_label: undefined });
		}),

	hold('its ack has the p_label that was given', 'recording 18 C', async (s) => {
		const ann = await s.join();

		check(await ann.subscribe(s.subject(), 'lab'), { p_label: 'lab', p_sid: /./ });
	}),

	hold('each subscription has another p_sid, a list has one', 'recordings 18 19', async (s) => {
		const ann = await s.join();
		const [one, two] = [await ann.subscribe(s.subject('/a')),
			await ann.subscribe(s.subject('/b,/c'))];

		ensure(one.get('p_sid') !== two.get('p_sid'), 'both have the same p_sid');
		check(two, { p_subject: s.subject('/b,/c'), p_sid: /./ });
	}),

	hold('subscribe without p_subject is a nack: no subject', 'recording 18 D', async (s) =>
		nacked(await s.join(), 'subscribe', {}, /no subject provided/)),

	hold('a subscription made while a stream is open gets events', 'recording 42 C',
		async (s) => {
			const ann = await s.joinListen('stream');
			const sid = (await ann.subscribe(s.subject())).get('p_sid');
			await s.publish(s.subject(), { n: 1 });

			check(await ann.channel.event('data'), { n: 1 });
			ensure(sid, 'no p_sid');
		}),

	differ('subscribe with an empty p_subject', 'recording 18 E', {
		rows: 'empty p_subject at listen: empty answer; at subscribe: a Java exception',
		original: async (s) => nacked(await s.join(), 'subscribe', { p_subject: '' },
			/IllegalArgumentException/),
		here: async (s) => nacked(await s.join(), 'subscribe', { p_subject: '' },
			/^(?!.*Exception).*subject/),
	}),

	differ('the label of a subscription', 'recording 22 C', {
		rows: 'the label of a subscription is lost, or put on others\' events',
		original: async (s) => {
			const ann = await s.listener('stream', { label: 'lab' });
			await s.publish(ann.subject);
			check(await ann.channel.event('data'), { p_label: undefined });
		},
		here: async (s) => {
			const ann = await s.listener('stream', { label: 'lab' });
			const bob = await s.listener('stream');
			await s.publish(ann.subject);
			check(await ann.channel.event('data'), { p_label: 'lab' });
			check(await bob.channel.event('data'), { p_label: undefined });
		},
	}),

	...UNSUBSCRIBING, ...SUBJECTS,
);
