// SPDX-License-Identifier: MIT
//
// publishing.mjs - publish by GET, by XML and by form, p_to, what data carries

import { differ, group, hold, ours } from '../case.mjs';
import { nacked, refused } from '../scene.mjs';
import { check, ensure, same } from '../words.mjs';

/* A data event of a publication with these parameters. */
async function delivered(s, params) {
	const ann = await s.listener();

	await s.publish(ann.subject, params);
	return ann.channel.event('data');
}

/* What a listener gets of a body with these attributes; @ID, @S stand for the
 * publisher's id and the subject. */
async function posted(s, body) {
	const ann = await s.listener();
	const bob = await s.join();
	const reply = await s.xml(body.replace('@ID', bob.id).replace('@S', ann.subject));

	return { ann, bob, reply, next: () => ann.channel.event('data') };
}

const BODY = 'p_event="publish" p_id="@ID" p_subject="@S"';

/* A body that is refused, and whose event nobody gets. */
async function unread(s, body) {
	const { ann, reply, next } = await posted(s, body);

	refused(reply, 400, /^/);
	await s.publish(ann.subject, { n: 'after' });
	check(await next(), { n: 'after' });
}

async function read(s, body, names) {
	const { reply, next } = await posted(s, body);

	await reply.event('publish-ack');
	check(await next(), names);
}

const GET = [
	hold('publish is answered with publish-ack, which has no p_id', 'recording 23 D',
		async (s) => {
			const ann = await s.join();

			check(await ann.publish(s.subject()), { p_id: undefined });
		}),

	hold('a data event has p_subject as it was published, and its attributes', 'recording 03 A',
		async (s) => check(await delivered(s, { x: 1, y: 'two', z: '' }),
			{ p_subject: s.subject(), x: 1, y: 'two', z: '' })),

	hold('a data event has p_sid, that of the subscription it matches', 'recording 03 A',
		async (s) => {
			const ann = await s.listener();
			ensure(ann.ack.has('p_sid'), 'p_sid is missing in join-listen-ack');
			await s.publish(ann.subject);

			check(await ann.channel.event('data'), { p_sid: ann.ack.get('p_sid') });
		}),

	hold('a data event has p_from, the same in all events of a publisher', 'recording 03 A',
		async (s) => {
			const ann = await s.listener();
			await s.publish(ann.subject);
			await s.publish(ann.subject);
			const [one, two] = [await ann.channel.event('data'),
				await ann.channel.event('data')];

			check(one, { p_from: /./ });
			check(two, { p_from: one.get('p_from') });
		}),

	hold('a data event has p_time', 'recording 03 A', async (s) =>
		check(await delivered(s, {}), { p_time: /^\d{9,11}$/ })),

	hold('p_from, p_sid and p_seq of the publisher count for nothing', 'recording 23 H I J',
		async (s) => {
			const event = await delivered(s, { p_from: 'forged', p_sid: 'forged', p_seq: 99 });

			for (const name of ['p_from', 'p_sid', 'p_seq'])
				ensure(!['forged', '99'].includes(event.get(name)), `${name} is the publisher's`);
		}),

	hold('30 attributes and a value of 2000 letters arrive', 'recording 23 R S', async (s) => {
		const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, i]));

		check(await delivered(s, { ...many, big: 'x'.repeat(2000) }),
			{ ...many, big: /^x{2000}$/ });
	}),

	hold('of an attribute given twice the first counts', 'recording 23 N', async (s) => {
		const ann = await s.listener();
		const bob = await s.join();
		await s.whole(`p_event=publish&p_id=${bob.id}&p_subject=${
			encodeURIComponent(ann.subject)}&x=1&x=2`);

		check(await ann.channel.event('data'), { x: 1 });
	}),

	hold('the publisher gets its own event if it is subscribed', 'recording 23 Q', async (s) => {
		const ann = await s.listener();
		await ann.publish(ann.subject, { self: 1 });

		check(await ann.channel.event('data'), { self: 1 });
	}),

	hold('each of two listeners gets it', 'recording 22', async (s) => {
		const [ann, bob] = [await s.listener(), await s.listener()];
		await s.publish(ann.subject, { n: 1 });

		for (const one of [ann, bob])
			check(await one.channel.event('data'), { n: 1 });
	}),

	hold('publish is acknowledged when nobody listens', 'recording 23 U', async (s) => {
		const ann = await s.join();
		await ann.publish(s.subject('/nobody'));
	}),

	hold('publish without p_subject is a nack: no subject', 'recording 23 E', async (s) =>
		nacked(await s.join(), 'publish', {}, /no subject provided/)),
];

const POST = [
	hold('publish can be posted as an XML element of any name', 'recording 28 D G', (s) =>
		read(s, `  \n<foo\n ${BODY} a = "b"/>`, { a: 'b' })),

	hold('an XML body may have any letters', 'recording 28 K', (s) =>
		read(s, `<event ${BODY} v="中文é"/>`, { v: '中文é' })),

	hold('an XML body that is not well-formed is a 400', 'recording 28 O', (s) =>
		unread(s, `<event ${BODY} v=1/>`)),

	differ('an XML declaration, single quotes, a closing tag, > in a value',
		'recording 28 F J L Q', {
			rows: 'no XML declaration, single quotes, > in values, or closing tags in a body',
			original: async (s) => {
				await unread(s, `<?xml version="1.0"?><event ${BODY} n="1"/>`);
				await unread(s, `<event ${BODY.replaceAll('"', '\'')} n='1'/>`);
				await unread(s, `<event ${BODY} n="a>b"/>`);
				await unread(s, `<event ${BODY} n="1"></event>`);
			},
			here: async (s) => {
				await read(s, `<?xml version="1.0"?><event ${BODY} n="1"/>`, { n: 1 });
				await read(s, `<event ${BODY.replaceAll('"', '\'')} n='2'/>`, { n: 2 });
				await read(s, `<event ${BODY} n="a>b"/>`, { n: 'a>b' });
				await read(s, `<event ${BODY} n="4"></event>`, { n: 4 });
			},
		}),

	differ('a raw < in a value of a body', 'recording 28 M', {
		rows: 'a body may have < in values, backslashes before quotes, a second element',
		original: async (s) => {
			const { reply } = await posted(s, `<event ${BODY} v="a<b"/>`);
			await reply.event('publish-ack');
		},
		here: (s) => unread(s, `<event ${BODY} v="a<b"/>`),
	}),

	differ('entities in a body', 'recording 28 H', {
		rows: 'entities and line ends in a body are passed on as they are',
		original: async (s) => {
			const ann = await s.listener('stream', { format: 'xml-strict' });
			const bob = await s.join();
			await s.xml(`<event p_event="publish" p_id="${bob.id}" p_subject="${
				ann.subject}" v="a&amp;b &lt;"/>`);
			check(await ann.channel.event('data'), { v: 'a&amp;b &lt;' });
		},
		here: (s) => read(s, `<event ${BODY} v="a&amp;b &lt;"/>`, { v: 'a&b <' }),
	}),

	differ('a body without p_event', 'recording 28 T', {
		rows: 'a body without p_event: an empty 400',
		original: async (s) => refused(await s.xml('<event p_id="x"/>'), 400, /^$/),
		here: async (s) => refused(await s.xml('<event p_id="x"/>'), 400,
			/^No eventType specified: p_event is missing/),
	}),

	differ('POST with a form', 'recording 29a; Requests', {
		rows: 'a POST without <, without >, or without a body spins for ever',
		original: 'it would take a processor of the server for ever',
		here: async (s) => {
			const ann = await s.listener();
			const reply = await s.form({ p_event: 'publish', p_id: ann.id,
				p_subject: ann.subject, v: 'a b&c=d é' });
			await reply.event('publish-ack');
			check(await ann.channel.event('data'), { v: 'a b&c=d é' });
		},
	}),

	ours('a POST without a body is a 400', 'Errors', async (s) =>
		refused(await s.xml(''), 400, /./)),
];

const TO = [
	hold('p_to: only that session gets the event, without a subscription and without p_sid',
		'recording 24 F', async (s) => {
			const ann = await s.joinListen('stream');
			const bob = await s.listener();
			await s.publish(bob.subject, { p_to: ann.id, n: 1 });
			await s.publish(bob.subject, { n: 2 });

			check(await ann.channel.event('data'), { n: 1, p_sid: undefined });
			check(await bob.channel.event('data'), { n: 2 });
		}),

	hold('p_to of nobody is acknowledged', 'recording 24 I', async (s) =>
		s.publish(s.subject(), { p_to: 'nosuchsess' })),

	hold('p_to without p_subject is a nack', 'recording 24 K', async (s) => {
		const ann = await s.join();
		await nacked(ann, 'publish', { p_to: ann.id }, /no subject provided/);
	}),

	ours('p_to may be a handle, as it is in p_from', 'publish', async (s) => {
		const [ann, bob] = [await s.listener(), await s.joinListen('stream')];
		await bob.publish(ann.subject, { hello: 1 });
		const from = (await ann.channel.event('data')).get('p_from');
		await ann.publish(s.subject('/reply'), { p_to: from, n: 1 });

		check(await bob.channel.event('data'), { n: 1, p_from: /./ });
	}),

	differ('p_to in the event', 'recording 24 B', {
		rows: 'p_to of a data event is the receiver\'s id',
		original: async (s) => {
			const ann = await s.joinListen('stream');
			await s.publish(s.subject(), { p_to: ann.id });
			check(await ann.channel.event('data'), { p_to: ann.id });
		},
		here: async (s) => {
			const ann = await s.joinListen('stream');
			await s.publish(s.subject(), { p_to: ann.id });
			const to = (await ann.channel.event('data')).get('p_to');
			ensure(to && to !== ann.id, `p_to is ${to ? 'the id' : 'missing'}`);
		},
	}),
];

const DIFFERENCES = [
	differ('who published an event', 'recording 03 A', {
		rows: 'data events carry the publisher\'s p_id, and p_from is the same',
		original: async (s) => {
			const event = await delivered(s, {});
			check(event, { p_id: s.publisher.id, p_from: s.publisher.id });
		},
		here: async (s) => {
			const event = await delivered(s, {});
			check(event, { p_id: undefined, p_from: /./ });
			ensure(event.get('p_from') !== s.publisher.id, 'p_from is the publisher\'s p_id');
		},
	}),

	differ('who knows p_from', 'recording 45', {
		rows: ['the one who knows p_from acts as that session', 'and its session is gone'],
		original: async (s) => {
			const p_id = (await delivered(s, {})).get('p_from');
			await (await s.whole({ p_event: 'leave', p_id })).event('leave-ack');
			refused(await s.whole({ p_event: 'hb', p_id: s.publisher.id }), 400, /./);
			s.publisher.gone = true;
		},
		here: async (s) => {
			const p_id = (await delivered(s, {})).get('p_from');
			refused(await s.whole({ p_event: 'leave', p_id }), 400, /./);
			ensure(await s.publisher.alive(), 'the session is gone');
		},
	}),

	differ('p_time of the publisher', 'recording 23 G', {
		rows: 'p_time of a data event: none by POST, any by GET',
		original: async (s) => {
			check(await delivered(s, { p_time: 123 }), { p_time: 123 });
			const { next } = await posted(s, `<event ${BODY} />`);
			check(await next(), { p_time: undefined });
		},
		here: async (s) => {
			check(await delivered(s, { p_time: 123 }), { p_time: /^\d{9,11}$/ });
			const { next } = await posted(s, `<event ${BODY} />`);
			check(await next(), { p_time: /^\d{9,11}$/ });
		},
	}),

	differ('other p_ fields of the publisher', 'recording 23 K', {
		rows: 'p_label, p_format, p_mode, p_wait, p_url, p_reason come from the publisher',
		original: async (s) => check(await delivered(s, { p_label: 'l', p_wait: 5,
			p_url: '/x', p_reason: 'r' }), { p_label: 'l', p_wait: 5, p_url: '/x', p_reason: 'r' }),
		here: async (s) => check(await delivered(s, { p_label: 'l', p_wait: 5,
			p_url: '/x', p_reason: 'r', p_eid: 5, p_any: 1 }), { p_label: undefined,
			p_wait: undefined, p_url: undefined, p_reason: undefined, p_eid: undefined,
			p_any: undefined }),
	}),

	differ('publish with an empty p_subject', 'recording 23 F', {
		rows: 'empty p_subject at publish: acknowledged, and reaches nobody',
		original: async (s) => s.publish(''),
		here: async (s) => nacked(await s.join(), 'publish', { p_subject: '' }, /subject/),
	}),

	differ('an attribute without a name', 'recording 23 O', {
		rows: 'an attribute without a name is published',
		original: (s) => raw(s, '=v', (text) => text.includes(' ="v"')),
		here: (s) => raw(s, '=v', (text) => !text.includes('"v"')),
	}),

	differ('attributes whose names are no names', 'recording 23 P', {
		rows: 'names that are no names are published, and break the markup',
		original: (s) => raw(s, 'a%20b=1', (text) => text.includes('a b="1"')),
		here: async (s) => nacked(await s.join(), 'publish',
			{ p_subject: s.subject(), 'a b': 1 }, /a b/),
	}),
];

/* The text of a refresh after a publish with this query. */
async function raw(s, query, right) {
	const ann = await s.listener('pull');
	const bob = await s.join();

	await (await s.whole(`p_event=publish&p_id=${bob.id}&p_subject=${
		encodeURIComponent(ann.subject)}&${query}`)).event('publish-ack');
	const reply = await ann.open('refresh', {}, { format: 'text' });
	await reply.rest();
	same('the event', right(reply.text) ? 'right' : reply.text, 'right');
}

export default group('Publishing', ...GET, ...POST, ...TO, ...DIFFERENCES);
