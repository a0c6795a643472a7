// SPDX-License-Identifier: MIT
//
// formats.mjs - content types, headers, documents, hostile text, Unicode

import { differ, group, hold, ours } from '../case.mjs';
import { check, ensure, same } from '../words.mjs';

const TYPES = {
	xml: ['text/plain;charset=utf-8', '01 A'],
	'xml-strict': ['text/xml;charset=utf-8', '01 C'],
	js: ['text/html;charset=utf-8', '01 E'],
};
const NEW_TYPES = {
	json: 'application/json',
	sse: 'text/event-stream;charset=utf-8',
	multipart: 'multipart/x-mixed-replace',
};

const typeOf = (reply) => reply.type.toLowerCase().replace(/;\s+/g, ';');

/* Control answers and streams have the type of their format. */
const typed = (format, type) => async (s) => {
	const ann = await s.listener('stream', { format });
	const hb = await ann.open('hb');

	await hb.rest();
	for (const reply of [ann.channel, hb])
		ensure(typeOf(reply).startsWith(type), `the content type of the answer to ${
			reply.what} is ${reply.type || 'missing'} and should be ${type}`);
};

const UNICODE = 'Grüße 中文消息 é€ 😀';
const HOSTILE = 'a&b <b> "hi" it\'s c:\\dir\\n &lt; </script><!-- 1+1 %41';

/* What a listener in this format gets of a value. */
async function carried(s, format, value) {
	const ann = await s.listener('stream', { format });

	await s.publish(ann.subject, { v: value });
	return (await ann.channel.event('data')).get('v');
}

const carries = (make, what, value, formats, source) => formats.map((format) =>
	make(`${what} arrives as it was sent, in format ${format}`, source, async (s) =>
		same('the value', await carried(s, format, value), value)));

/* The raw text of a stream after an event with this value. */
async function raw(s, format, value, end) {
	const ann = await s.join(format);
	const channel = await ann.open('listen', { p_mode: 'pull', p_subject: s.subject() });
	await channel.rest();
	await s.publish(s.subject(), { v: value });
	const reply = await ann.open('refresh', {}, { format: 'text' });

	await reply.rest();
	ensure(reply.text.includes(end), `the text is ${JSON.stringify(reply.text.slice(-400))
	} and should contain ${end}`);
}

const CALLBACK = [
	ours('p_callback: the answer is text/javascript and calls that function with the array',
		'Answers by callback', async (s) => {
			const reply = await s.whole({ p_event: 'join', p_format: 'json',
				p_callback: 'a.b$1' }, { format: 'callback', callback: 'a.b$1' });
			const ack = await reply.event('join-ack');

			ensure(typeOf(reply).startsWith('text/javascript'),
				`the content type is ${reply.type}`);
			await s.whole({ p_event: 'leave', p_id: ack.get('p_id') }, { format: 'json' });
		}),

	ours('p_callback: mode stream is answered as pull', 'Answers by callback', async (s) => {
		const reply = await s.whole({ p_event: 'join-listen', p_format: 'json',
			p_mode: 'stream', p_callback: 'f' }, { format: 'callback', callback: 'f' });
		const ack = await reply.event('join-listen-ack');

		await reply.event('refresh');
		await s.whole({ p_event: 'leave', p_id: ack.get('p_id') }, { format: 'json' });
	}),

	ours('p_callback: an error of HTTP is a nack with p_status in an answer with status 200',
		'Answers by callback', async (s) => {
			const reply = await s.whole({ p_event: 'hb', p_id: 'nosuchid12', p_callback: 'f' },
				{ format: 'callback', callback: 'f' });

			check(await reply.event('nack'), { p_status: 400 });
		}),

	ours('a p_callback that is no name is refused', 'Answers by callback', async (s) => {
		const reply = await s.whole({ p_event: 'join', p_format: 'json',
			p_callback: 'alert(1)//' }, { format: 'json' });

		check(await reply.event('nack'), { p_reason: /p_callback/ });
	}),
];

const DOCUMENTS = [
	differ('the end of a control answer in format js', 'recording 01 E', {
		rows: 'control answers and streams in js never close their page',
		original: async (s) => {
			const reply = await (await s.join('js')).open('hb');
			await reply.rest();
			ensure(!reply.text.includes('</body>'), 'it has </body>');
		},
		here: async (s) => {
			const reply = await (await s.join('js')).open('hb');
			await reply.rest();
			ensure(/<\/body>\s*<\/html>\s*$/i.test(reply.text),
				'it does not end with </body></html>');
		},
	}),
];

const TEXT = [
	...carries(hold, 'text in any script', UNICODE, Object.keys(TYPES), 'recordings 25 26 27'),
	...carries(ours, 'text in any script', UNICODE, Object.keys(NEW_TYPES), 'Formats'),
	...carries(hold, 'markup', HOSTILE, ['xml-strict'], 'recording 26'),
	...carries(ours, 'markup', HOSTILE, Object.keys(NEW_TYPES), 'Formats'),

	...['xml', 'js'].map((format) => differ(`markup in format ${format}`,
		format === 'xml' ? 'recording 25' : 'recording 27', {
			rows: 'values are written raw in xml and js',
			original: (s) => raw(s, format, '<b> a&b "hi" </script>',
				'"<b> a&b "hi" </script>"'),
			here: async (s) => same('the value', await carried(s, format, HOSTILE), HOSTILE),
		})),

	...['js', 'json', 'sse', 'multipart'].map((format) => ours(`no value contains a < or `
		+ `U+2028 as such, in format ${format}`, 'Formats', async (s) => {
		const ann = await s.listener('stream', { format });
		await s.publish(ann.subject, { v: 'x</script>\u2028y' });
		await ann.channel.event('data');

		ensure(!/x<\/script>|\u2028/.test(ann.channel.text),
			'a raw < or U+2028 is in the answer');
	})),

	differ('line ends and tabs in xml-strict', 'recording 26', {
		rows: 'line ends in values of xml and xml-strict are raw, which a parser turns into blanks',
		original: async (s) => same('the value',
			await carried(s, 'xml-strict', 'l1\nl2\tx'), 'l1 l2 x'),
		here: async (s) => same('the value',
			await carried(s, 'xml-strict', 'l1\nl2\tx'), 'l1\nl2\tx'),
	}),

	differ('characters that XML does not know', 'recording 25', {
		rows: 'characters that XML does not know are sent as they are',
		original: (s) => raw(s, 'xml', 'a\x01b', 'v="a\x01b"'),
		here: (s) => raw(s, 'xml', 'a\x01b', 'v="a\uFFFDb"'),
	}),
];

export default group('Formats and headers',
	...Object.entries(TYPES).map(([format, [type, where]]) => hold(`answers in format ${format
	} are ${type}`, `recording ${where}`, typed(format, type))),
	...Object.entries(NEW_TYPES).map(([format, type]) => ours(`answers in format ${format
	} are ${type}`, 'Formats', typed(format, type))),

	hold('answers forbid caching: Cache-Control no-store, Pragma no-cache, Expires in the past',
		'all recordings', async (s) => {
			const reply = await (await s.join()).open('hb');

			ensure(/no-store/.test(reply.header('cache-control').join()),
				'Cache-Control without no-store');
			ensure(/no-cache/.test(reply.header('pragma').join()), 'no Pragma: no-cache');
			ensure(Date.parse(reply.header('expires')[0]) < Date.now(),
				`Expires is ${reply.header('expires')[0] ?? 'missing'}`);
		}),

	hold('a stream forbids caching, too', 'recording 03 A', async (s) => {
		const ann = await s.listener('stream');

		ensure(/no-store/.test(ann.channel.header('cache-control').join()),
			'Cache-Control without no-store');
	}),

	differ('how many lines Cache-Control has', 'all recordings', {
		rows: 'Cache-Control has a second line (post-check=0, pre-check=0)',
		original: async (s) => {
			const reply = await (await s.join()).open('hb');
			ensure(/post-check=0, pre-check=0/.test(reply.header('cache-control').join()),
				'Cache-Control has no post-check=0, pre-check=0');
		},
		here: async (s) => {
			const reply = await (await s.join()).open('hb');
			same('Cache-Control', reply.header('cache-control').join(' and '),
				'no-store, no-cache, must-revalidate');
		},
	}),

	...DOCUMENTS, ...TEXT, ...CALLBACK,
);
