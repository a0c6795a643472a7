// SPDX-License-Identifier: MIT
//
// joining.mjs - join, hb, leave

import { differ, group, hold, ours } from '../case.mjs';
import { empty, refused } from '../scene.mjs';
import { check, ensure, same } from '../words.mjs';

const FORMATS = ['xml', 'xml-strict', 'js'];

export default group('Joining and leaving',
	...FORMATS.map((format) => hold(`join with p_format=${format} is answered with join-ack, `
		+ 'p_id and p_format', 'recording 01', async (s) => {
		const ann = await s.join(format);

		check(ann.ack, { p_id: /^\S+$/, p_format: format });
	})),

	...['json', 'sse', 'multipart'].map((format) => ours(`join with p_format=${format} is `
		+ 'answered with join-ack, p_id and p_format', 'Formats', async (s) => {
		const ann = await s.join(format);

		check(ann.ack, { p_id: /^\S+$/, p_format: format });
	})),

	hold('who asks for no format gets js', 'recording 01 G', async (s) => {
		const reply = await s.whole({ p_event: 'join' }, { format: 'js' });
		const ack = await reply.event('join-ack');

		check(ack, { p_id: /./, p_format: 'js' });
		await s.whole({ p_event: 'leave', p_id: ack.get('p_id') }, { format: 'js' });
	}),

	hold('join can be posted as an XML element', 'recording 02 A', async (s) => {
		const reply = await s.xml('<event p_event="join" p_format="xml" />');
		const ack = await reply.event('join-ack');

		check(ack, { p_id: /./, p_format: 'xml' });
		await s.whole({ p_event: 'leave', p_id: ack.get('p_id') });
	}),

	hold('of a body and a query string the XML body counts', 'recording 02 C', async (s) => {
		const reply = await s.open({ p_event: 'join', p_format: 'js' }, { method: 'POST',
			format: 'xml', body: '<event p_event="join" p_format="xml" />',
			headers: { 'Content-Type': 'text/xml' } });
		const ack = await reply.event('join-ack');

		check(ack, { p_format: 'xml' });
		await s.whole({ p_event: 'leave', p_id: ack.get('p_id') });
	}),

	hold('of a parameter given twice the first counts', 'recording 01 N', async (s) => {
		const reply = await s.whole('p_event=join&p_format=xml&p_format=js');
		const ack = await reply.event('join-ack');

		check(ack, { p_format: 'xml' });
		await s.whole({ p_event: 'leave', p_id: ack.get('p_id') });
	}),

	hold('a client cannot choose its p_id', 'recording 01 M', async (s) => {
		const ann = await s.join('xml', { p_id: 'mychoice' });

		ensure(ann.id !== 'mychoice', 'p_id is the one that the client sent');
	}),

	hold('two sessions have different p_id', 'recording 43', async (s) => {
		const [ann, bob] = [await s.join(), await s.join()];

		ensure(ann.id !== bob.id, `both have the p_id ${ann.id}`);
	}),

	hold('acks carry p_time, the seconds since 1970', 'recording 01 A', async (s) => {
		const { ack } = await s.join();
		check(ack, { p_time: /^\d{9,11}$/ });
	}),

	hold('hb is answered with hb-ack', 'recording 01 B', async (s) => {
		const ann = await s.join();
		const ack = await ann.ask('hb-ack', 'hb');

		check(ack, { p_id: undefined });
	}),

	hold('leave is answered with leave-ack and the p_id', 'recording 03 F', async (s) => {
		const ann = await s.join();

		check(await ann.leave(), { p_id: ann.id });
	}),

	hold('who has left is not known any more: status 400', 'recording 41 E', async (s) => {
		const ann = await s.join();

		await ann.leave();
		const reply = await s.whole({ p_event: 'hb', p_id: ann.id });
		refused(reply, 400, /Invalid or expired id/);
	}),

	hold('p_format counts at join only', 'recording 09 AI', async (s) => {
		const ann = await s.join('xml');
		const channel = await ann.listen({ p_mode: 'pull', p_format: 'js' });

		check(await channel.event('listen-ack'), { p_format: 'xml' });
	}),

	hold('a path with a parameter (;jsessionid=) is the same URL', 'recording 31 R',
		async (s) => {
			const path = `${s.talk.url.pathname};jsessionid=x?p_event=join&p_format=xml`;
			const ack = await (await s.whole('', { path })).event('join-ack');

			check(ack, { p_id: /./ });
			await s.whole({ p_event: 'leave', p_id: ack.get('p_id') });
		}),

	differ('join with a p_format that there is not', 'recording 01 K L', {
		rows: 'p_format unknown or empty: empty answer',
		original: async (s) => {
			empty(await s.whole({ p_event: 'join', p_format: 'bogus' }));
			empty(await s.whole({ p_event: 'join', p_format: '' }));
		},
		here: async (s) => {
			for (const format of ['bogus', '']) {
				const reply = await s.whole({ p_event: 'join', p_format: format });
				check(await reply.event('nack'), { p_reason: /p_format/ });
			}
		},
	}),

	differ('join with p_format=ser', 'recording 01 I J', {
		rows: ['ser: serialized Java objects', 'answers to a session with format ser'],
		original: async (s) => {
			const ask = (params) => s.whole(params, { format: 'text' });
			const joined = await ask({ p_event: 'join', p_format: 'ser' });
			same('the content type', joined.type, 'application/x-java-serialized-object');
			const bytes = Buffer.concat(joined.bytes).toString('latin1');
			const [, id] = /p_idt[^]{2}(\w+)t/.exec(bytes) ?? [];
			const hb = await ask({ p_event: 'hb', p_id: id });
			same('the content type of hb-ack', hb.type, joined.type);
			await ask({ p_event: 'leave', p_id: id });
		},
		here: async (s) => {
			const reply = await s.whole({ p_event: 'join', p_format: 'ser' });
			check(await reply.event('nack'), { p_reason: /ser/ });
		},
	}),
);
