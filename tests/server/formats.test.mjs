// SPDX-License-Identifier: MIT
//
// formats.test.mjs - any text arrives exactly, in every format, from every source

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { formEncode } from '../lib/client.mjs';
import { program } from '../lib/paths.mjs';
import { run, tool } from '../lib/process.mjs';

const XML = ['xml', 'xml-strict'];
const JSONS = ['json', 'sse', 'multipart'];
const FORMATS = [...XML, 'js', ...JSONS];

const VALUES = {
	markup: '<b>&amp;</b>',
	script: '</script><script>alert(1)</script>',
	hostile: '</script><script>alert(1)</script>"\'\\\u2028',
	comment: '<!-- <script> -->',
	boundary: '\r\n--pushlet-event--\r\n',
	call: '");alert(1);//',
	line: '\n\ndata: {}\nid: 1000\n\n',
	cdata: ']]>',
	quotes: `say "hi", it's 'fine' and \`so\``,
	backslash: 'c:\\dir\\new\\u0041',
	newline: 'one\ntwo\r\nthree\rfour',
	tab: 'a\tb',
	blanks: '  two  blanks  ',
	chinese: '中文消息',
	latin: 'é€ß',
	emoji: '😀 👩‍👩‍👧',
	separators: 'a\u2028b\u2029c',
	bom: '\uFEFFx',
	percent: '100% %41 + 1+1',
	template: '${x} #{y} {{z}}',
	long: 'x€'.repeat(500),
	empty: '',
};

const encode = (values) => Object.entries(values).map(([k, v]) => `${k}=${v}`);

const xmlEscape = (text) => text.replace(/[&<"\n\r\t]/g, (c) => `&#${c.charCodeAt(0)};`);

const xmlElement = (values) => `<event ${Object.entries(values)
	.map(([k, v]) => `${k}="${xmlEscape(v)}"`).join(' ')}/>`;

describe('special characters', () => {
	const lab = new Lab();
	let web, publisher;

	before(async () => {
		web = (await lab.nginx(await lab.pushletd())).client();
		publisher = await web.join('xml');
	});
	after(() => lab.close());

	/* Each puts an event with all values on a subject. */
	const SOURCES = {
		'a GET request': (subject) => web.ask({ p_event: 'publish', p_id: publisher.id,
			p_subject: subject, ...VALUES }),
		'a form': (subject) => web.form({ p_event: 'publish', p_id: publisher.id,
			p_subject: subject, ...VALUES }),
		'an XML body': (subject) => web.xml(xmlElement({ p_event: 'publish',
			p_id: publisher.id, p_subject: subject, ...VALUES })),
		'pushlet-publish': (subject) => tool('pushlet-publish',
			['-n', lab.segment, subject, ...encode(VALUES)]),
		'pushlet-publish --xml': (subject) => tool('pushlet-publish',
			['-n', lab.segment, '--xml'],
			{ input: xmlElement({ p_subject: subject, ...VALUES }) }),
	};

	for (const [source, publish] of Object.entries(SOURCES))
		for (const format of FORMATS)
			it(`from ${source} arrive unchanged in ${format}`, async () => {
				const subject = `/special/${source.replace(/\W/g, '')}/${format}`;
				const ann = await web.joinListen({ format, mode: 'pull', subject });

				const { status } = await publish(subject);
				assert.ok(status === 0 || status === 200, `status ${status}`);
				const refresh = await ann.refresh();
				await refresh.next({ p_event: 'refresh-ack' });
				const event = await refresh.next({ p_event: 'data' });
				for (const [name, value] of Object.entries(VALUES))
					assert.equal(event.get(name), value, name);
				await refresh.rest();
				if (format === 'xml-strict')
					await isXml(refresh.text);
			});

	/* By a parser that is not ours. */
	async function isXml(text) {
		const { status, stderr } = await run(program('xmllint'),
			['--noout', '--nonet', '-'], { input: text });

		assert.equal(status, 0, stderr);
	}

	it('in a line of standard input arrive unchanged', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/lines' });
		const lines = Object.values(VALUES).filter((v) => !/[\n\r]/.test(v));

		await tool('pushlet-publish', ['-n', lab.segment, '--lines', 'line', '/lines'],
			{ input: lines.map((line) => `${line}\n`).join('') });
		for (const line of lines)
			assert.equal((await ann.channel.next({ p_event: 'data' })).get('line'), line);
		ann.channel.close();
	});

	it('that XML does not know become U+FFFD there, and arrive elsewhere', async () => {
		const value = 'a\x01b\x0b\x7f';
		const all = await Promise.all(FORMATS.map((format) =>
			web.joinListen({ format, mode: 'stream', subject: '/ctl' })));

		await publisher.publish('/ctl', { v: value });
		for (const { ack, channel } of all)
			await channel.next({ p_event: 'data',
				v: XML.includes(ack.get('p_format')) ? 'a\uFFFDb\uFFFD\x7f' : value });
		all.forEach((s) => s.channel.close());
	});

	it('arrive in a call of a function', async () => {
		const ann = await web.joinListen({ format: 'json', mode: 'pull', subject: '/call',
			p_callback: 'page.push' });

		await publisher.publish('/call', VALUES);
		const refresh = await ann.refresh({ p_callback: 'page.push' });
		await refresh.next({ p_event: 'refresh-ack' });
		const event = await refresh.next({ p_event: 'data' });
		for (const [name, value] of Object.entries(VALUES))
			assert.equal(event.get(name), value, name);
		await refresh.rest();
		assert.equal(refresh.reader.callback, 'page.push');
	});

	it('are escaped in acks and in reasons as well', async () => {
		for (const format of FORMATS) {
			const ann = await web.join(format);
			const subject = '/a&"<x>\'\\</script>\n中';

			const answer = await ann.ask('subscribe', { p_subject: subject, p_label: subject });
			assert.equal(answer.get('p_subject'), subject);
			assert.equal(answer.get('p_label'), subject);
			const refused = await ann.ask('unsubscribe', { p_sid: '<"&\'></script>' });
			assert.equal(refused.get('p_reason'), 'no subscription for sid=<"&\'></script>');
		}
	});

	it('in a subject match byte by byte', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/中' });

		await publisher.publish('/中文/x', { n: 1 });
		await publisher.publish('/\u4e0d', { n: 2 });	/* shares its first bytes */
		await publisher.publish('/中', { n: 3 });
		await ann.channel.next({ p_event: 'data', n: 1, p_subject: '/中文/x' });
		await ann.channel.next({ p_event: 'data', n: 3 });
		ann.channel.close();
	});

	it('may be names, as far as XML has them', async () => {
		const ann = await web.joinListen({ mode: 'stream', subject: '/names' });
		const names = { 'a-b.c_1': '1', été: '2', 名: '3' };

		await web.ask(`p_event=publish&p_id=${publisher.id}&p_subject=/names&${formEncode(names)}`);
		const event = await ann.channel.next({ p_event: 'data' });
		for (const [name, value] of Object.entries(names))
			assert.equal(event.get(name), value);
		ann.channel.close();
	});
});
