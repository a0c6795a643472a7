// SPDX-License-Identifier: MIT
//
// errors.mjs - what cannot be understood, and who is not known

import { differ, group, hold, ours } from '../case.mjs';
import { empty, nacked, refused } from '../scene.mjs';
import { check, ensure } from '../words.mjs';

const NEEDS_ID = ['hb', 'listen', 'refresh', 'subscribe', 'unsubscribe', 'publish', 'leave'];

/* A request with this id is answered with 400 and such a text. */
const unknown = (p_id, text) => async (s) => {
	for (const p_event of NEEDS_ID) {
		const reply = await s.open({ p_event, p_id, p_subject: s.subject() });
		ensure(reply.status === 400, `${p_event} is answered with status ${
			reply.status} and should be with 400`);
		await reply.rest();
		refused(reply, 400, text);
	}
};

export default group('Errors',
	hold('a request without p_event is a 400: No eventType specified', 'recording 30 AE',
		async (s) => {
			refused(await s.whole({ p_id: 'x' }), 400, /No eventType specified/);
			refused(await s.whole({ p_event: '' }), 400, /No eventType specified/);
			refused(await s.whole(''), 400, /No eventType specified/);
		}),

	hold('all commands but join need p_id: 400, No id specified', 'recording 30 AH AM AO',
		unknown(undefined, /No id specified/)),

	hold('an unknown p_id is a 400: Invalid or expired id', 'recording 30 AJ AN AP',
		unknown('nosuchid12', /Invalid or expired id/)),

	hold('an empty p_id is a 400: Invalid or expired id', 'recording 30 AI',
		unknown('', /Invalid or expired id/)),

	hold('an id with line ends and markup gets no header and no markup into the answer',
		'recording 30 AK AL', async (s) => {
			const reply = await s.whole({ p_event: 'hb', p_id: 'x\r\nX-Evil: 1<script>y' });

			refused(reply, 400, /Invalid or expired id/);
			ensure(reply.header('x-evil').length === 0, 'the id became a header');
			ensure(!reply.text.includes('<script>y'), 'the id stands there as markup');
		}),

	hold('a nack has p_reason and the p_id of the session', 'recording 18 D', async (s) => {
		const ann = await s.join();

		check(await ann.ask('nack', 'subscribe'), { p_reason: /./, p_id: ann.id,
			p_time: /^\d+$/ });
	}),

	hold('after a nack the session lives', 'recording 18', async (s) => {
		const ann = await s.join();
		await ann.ask('nack', 'unsubscribe', { p_sid: 'nosuch' });

		ensure(await ann.alive(), 'the session is gone');
	}),

	...[['bytes that are not UTF-8 are', '25 S', '%e9%ff'],
		['a % without two digits is', '25 T', '%zz']].map(([what, where, value]) =>
		hold(`${what} a 400`, `recording ${where}`, async (s) => {
			const ann = await s.join();

			refused(await s.whole(`p_event=publish&p_id=${ann.id}&p_subject=${
				encodeURIComponent(s.subject())}&v=${value}`), 400, /^/);
		})),

	differ('the text of an error', 'recording 25 S', {
		rows: 'status 400 with an empty body for what cannot be read',
		original: async (s) => refused(await s.whole('p_event=hb&p_id=%ff'), 400, /^$/),
		here: async (s) => refused(await s.whole('p_event=hb&p_id=%ff'), 400, /^\S.{5,}/),
	}),

	differ('an unknown p_id', 'recording 30 AJ', {
		rows: 'an unknown id is repeated in the error',
		says: 'the error does not repeat it',
		original: async (s) => refused(await s.whole({ p_event: 'hb', p_id: 'nosuchid12' }),
			400, /Invalid or expired id: nosuchid12/),
		here: async (s) => refused(await s.whole({ p_event: 'hb', p_id: 'nosuchid12' }),
			400, /^(?!.*nosuchid12).*Invalid or expired id/),
	}),

	differ('which parameter is missing', 'recording 30 AE AH', {
		rows: 'No eventType specified; No id specified',
		says: 'the error names it',
		original: async (s) => {
			refused(await s.whole({ p_id: 'x' }), 400,
				/No eventType specified(?!: p_event)/);
			refused(await s.whole({ p_event: 'hb' }), 400, /No id specified(?!: p_id)/);
		},
		here: async (s) => {
			refused(await s.whole({ p_id: 'x' }), 400, /p_event is missing/);
			refused(await s.whole({ p_event: 'hb' }), 400, /p_id is missing/);
		},
	}),

	differ('an unknown p_event', 'recording 30 T U AB', {
		rows: ['unknown p_event: empty answer, and the session is destroyed',
			'the session is gone after that'],
		original: async (s) => {
			for (const p_event of ['frobnicate', 'HB']) {
				const ann = await s.join();
				empty(await s.whole({ p_event, p_id: ann.id }));
				ensure(!await ann.alive(), 'the session lives');
			}
		},
		here: async (s) => {
			const ann = await s.join();
			for (const p_event of ['frobnicate', 'HB', 'data', 'abort'])
				await nacked(ann, p_event, {}, /p_event/);
			ensure(await ann.alive(), 'the session is gone');
		},
	}),

	differ('the method HEAD', 'recording 31 E', {
		rows: 'methods: GET, HEAD, POST, OPTIONS, TRACE; others 405 or 501',
		original: async (s) => {
			const ann = await s.join();
			const reply = await s.whole({ p_event: 'hb', p_id: ann.id },
				{ method: 'HEAD', format: 'text' });
			ensure(reply.status === 200, `the status is ${reply.status}`);
		},
		here: async (s) => {
			const ann = await s.join();
			for (const method of ['HEAD', 'PUT', 'DELETE']) {
				const reply = await s.whole({ p_event: 'hb', p_id: ann.id },
					{ method, format: 'text' });
				ensure(reply.status === 405,
					`${method} is answered with ${reply.status}`);
			}
		},
	}),

	ours('the id may come in the header X-Pushlet-Id', 'Errors', async (s) => {
		const ann = await s.join();
		const reply = await s.whole({ p_event: 'hb' }, { headers: { 'X-Pushlet-Id': ann.id } });

		await reply.event('hb-ack');
	}),

	ours('clients cannot publish below /meta', 'Subjects', async (s) =>
		nacked(await s.join(), 'publish', { p_subject: '/meta/joins' }, /meta/)),
);
