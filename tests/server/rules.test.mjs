// SPDX-License-Identifier: MIT
//
// rules.test.mjs - who may do what, asked by whom and from where

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { formEncode } from '../lib/client.mjs';
import { readerFor } from '../lib/formats.mjs';
import { until } from '../lib/wait.mjs';

const RULES = [
	'deny join from 192.0.2.66,2001:db8:bad::/48',
	'allow publish below /quotes from 10.0.0.0/8,::1',
	'deny publish below /quotes',
	'deny unicast below /chat',
	'allow publish below /chat',
	'allow publish below /logged by POST',
	'deny publish',
	'allow subscribe below /private/open',
	'allow subscribe below /private user *',
	'deny subscribe below /private',
];
const FORMATS = ['xml', 'xml-strict', 'js', 'json', 'sse', 'multipart'];

async function withServer(props, test) {
	const lab = new Lab();

	try {
		await test(await lab.pushletd({ props }), lab);
	} finally {
		await lab.close();
	}
}

/* A request as a front would pass it on; quotes in its answer read easily. */
async function send(pushletd, fields, params = {}) {
	const answer = await pushletd.fcgi({ query: formEncode(fields),
		REMOTE_ADDR: '198.51.100.1', ...params });

	return { ...answer, text: answer.text.replaceAll(/&#0?39;|&apos;/g, "'") };
}

/* The events of an answer, whatever its status is. */
function read(head, text) {
	const reader = readerFor(200, /^Content-Type: (.*?)\r?$/mi.exec(head)[1]);
	const events = reader.push(text);

	reader.end();
	return events;
}

async function joined(pushletd, format = 'xml', params = {}) {
	const { text } = await send(pushletd, { p_event: 'join', p_format: format }, params);

	return /[0-9a-f]{38}/.exec(text)[0];
}

const bob = { REMOTE_USER: 'bob' };
const inside = { REMOTE_ADDR: '10.20.30.40' };

/* What is asked, by whom; and whether it is to be refused, by what reason. */
const TABLE = [
	['publish', '/quotes/a', {}, /not allowed to publish to '\/quotes\/a' \(rule 3\)/],
	['publish', '/quotes/a', inside, null],
	['publish', '/quotes/a', { REMOTE_ADDR: '::1' }, null],
	['publish', '/quotes/a', { REMOTE_ADDR: '::ffff:10.1.1.1' }, null],
	['publish', '/quotes/a', { REMOTE_ADDR: '' }, /rule 3/],
	['publish', '/quotes/a', { REMOTE_ADDR: 'nonsense' }, /rule 3/],
	['publish', '/quotes/a', { ...bob }, /rule 3/],
	['publish', '/quotes/a', { HTTP_X_FORWARDED_FOR: '10.1.1.1' }, /rule 3/],
	['publish', '/quotes/a', { HTTP_CLIENT_IP: '10.1.1.1' }, /rule 3/],
	['publish', '/quotes/a', { HTTP_REMOTE_ADDR: '10.1.1.1' }, /rule 3/],
	['publish', '/quotes', {}, /rule 3/],
	['publish', '/quotesque', {}, /rule 3/],
	['publish', '/chat', {}, null],
	['publish', '/chat/room', {}, null],
	['publish', '/Chat', {}, /rule 7/],
	['publish', '//chat', {}, /rule 7/],
	['publish', '/./chat', {}, /rule 7/],
	['publish', ' /chat', {}, /rule 7/],
	['publish', 'chat', {}, /rule 7/],
	['publish', '/chat,/quotes/a', {}, null],	/* one subject, below /chat */
	['publish', '/logged', { ...bob }, /rule 7/],
	['subscribe', '/private', {}, /not allowed to subscribe to '\/private' \(rule 10\)/],
	['subscribe', '/private', bob, null],
	['subscribe', '/private', { HTTP_REMOTE_USER: 'bob' }, /rule 10/],
	['subscribe', '/private', { HTTP_AUTHORIZATION: 'Basic Ym9iOg==' }, /rule 10/],
	['subscribe', '/private', { REMOTE_USER: '' }, /rule 10/],
	['subscribe', '/private/x', {}, /rule 10/],
	['subscribe', '/private/open/x', {}, null],
	['subscribe', '/private/ope', {}, /rule 10/],
	['subscribe', '/', {}, /subscribe to '\/': '\/private' is among that, and denied \(rule 10\)/],
	['subscribe', '/p', {}, /'\/private' is among that/],
	['subscribe', '/', bob, null],
	['subscribe', '/news,/private', {}, /to '\/private' \(rule 10\)/],
	['subscribe', ',,/private,', {}, /to '\/private' \(rule 10\)/],
	['subscribe', '/news,/priv', {}, /to '\/priv': '\/private'/],
	['subscribe', '/news,/chat', {}, null],
	['listen', '/private', {}, /rule 10/],
	['listen', '/news', {}, null],
	['listen', undefined, {}, null],
	['join-listen', '/private', {}, /rule 10/],
	['join-listen', '/news', {}, null],
	['join-listen', '/news', { REMOTE_ADDR: '192.0.2.66' }, /not allowed to join \(rule 1\)/],
	['join', undefined, { REMOTE_ADDR: '192.0.2.66' }, /not allowed to join \(rule 1\)/],
	['join', undefined, { REMOTE_ADDR: '2001:db8:bad:1::7' }, /rule 1/],
	['join', undefined, { REMOTE_ADDR: '192.0.2.67' }, null],
	['hb', undefined, { REMOTE_ADDR: '192.0.2.66' }, null],
];

describe('rules', () => {
	const lab = new Lab();
	let pushletd;

	before(async () => { pushletd = await lab.pushletd({ props: { rule: RULES } }); });
	after(() => lab.close());

	for (const [p_event, p_subject, params, reason] of TABLE)
		it(`${reason ? 'deny' : 'allow'} ${p_event} ${p_subject ?? ''} ${JSON.stringify(params)}`, async () => {
			const fields = { p_event, p_subject, p_mode: 'pull' };
			if (p_event.startsWith('join'))
				fields.p_format = 'xml';
			else
				fields.p_id = await joined(pushletd);
			const { status, text } = await send(pushletd, fields, params);
			assert.equal(status, 200);
			assert.match(text, reason ?? /-ack"/);
			assert.equal(/p_event="nack"/.test(text), Boolean(reason), text);
		});

	for (const format of FORMATS)
		it(`say so in ${format}`, async () => {
			const p_id = await joined(pushletd, format);
			const { status, text } = await send(pushletd,
				{ p_event: 'publish', p_id, p_subject: '/quotes/a' });
			assert.equal(status, 200);
			assert.match(text, /nack/);
			assert.match(text, /not allowed to publish to [^(]*quotes[^(]*\(rule 3\)/);
		});

	it('know one method from the other', async () => {
		const p_id = await joined(pushletd);
		const fields = formEncode({ p_event: 'publish', p_id, p_subject: '/logged/x' });
		const get = await pushletd.fcgi({ query: fields });
		const post = await pushletd.fcgi({ method: 'POST', body: fields,
			CONTENT_TYPE: 'application/x-www-form-urlencoded' });
		const odd = await pushletd.fcgi({ method: 'POST', query: fields, body: '<x/>' });

		assert.match(get.text, /rule 7/);
		assert.match(post.text, /publish-ack/);
		assert.doesNotMatch(odd.text, /publish-ack/);	/* XML is all that counts */
	});

	it('take the first of what is there twice, as the command does', async () => {
		const p_id = await joined(pushletd);
		const ask = (query, more) => pushletd.fcgi({ query: `p_event=publish&p_id=${p_id}&${query}`, ...more });

		assert.match((await ask('p_subject=/quotes/a&p_subject=/chat')).text, /rule 3/);
		assert.match((await ask('p_subject=%2fquotes%2fa')).text, /rule 3/);
		assert.match((await ask('p_subject=%2Fquote%73')).text, /rule 3/);
		assert.match((await ask('p_subject=/chat', { method: 'POST', body: 'p_subject=/quotes/a',
			CONTENT_TYPE: 'application/x-www-form-urlencoded' })).text, /rule 3/);
		assert.match((await pushletd.fcgi({ method: 'POST', body: `<e p_event="publish" p_id="${p_id}"
			p_subject="&#x2f;quotes" />` })).text, /rule 3/);
	});

	it('refuse to publish to one, and tell nobody by a handle', async () => {
		const [p_id, other] = [await joined(pushletd), await joined(pushletd)];
		const { handle } = (await lab.sessions())[0];

		for (const p_to of [other, handle, ''])
			assert.match((await send(pushletd, { p_event: 'publish', p_id, p_to,
				p_subject: '/chat' })).text, /to '\/chat', for one session \(rule 4\)/);
		assert.equal((await send(pushletd, { p_event: 'publish', p_id: handle,
			p_subject: '/chat' })).status, 400);
	});

	it('count and log refusals, a line a second, and never an id', async () => {
		const p_id = await joined(pushletd);
		const { refused } = (await lab.status()).counts;
		const said = pushletd.says(/warning: refused: publish of session ([0-9a-f]{18}) from 198\.51\.100\.1: not allowed to publish to '\/quotes\/a' \(rule 3\)(; \d+ more such messages)?$/m);
		let n = 0;
		let found;

		said.then((match) => { found = match; });
		while (!found) {
			await send(pushletd, { p_event: 'publish', p_id, p_subject: '/quotes/a' });
			n++;
		}
		const now = (await lab.status()).counts.refused;
		assert.equal(now, refused + n);
		assert.ok((await lab.sessions()).some((s) => s.handle === found[1]));
		assert.doesNotMatch(pushletd.output, /[0-9a-f]{38}/);
	});

	it('of a join-listen leave no session behind', async () => {
		const before = await lab.status();

		await send(pushletd, { p_event: 'join-listen', p_format: 'xml', p_subject: '/private' });
		assert.equal((await lab.status()).counts.joins, before.counts.joins);
	});
});

const SELF = { HTTP_HOST: 'push.example:8080', SERVER_PORT: '8080' };
const LIST = 'https://a.example,https://b.example:444, null';

/* origin.allow, what a browser says; whether it is let in, and told so. */
const ORIGINS = [
	['', { HTTP_ORIGIN: 'https://evil.example' }, true, undefined],
	['', {}, true, undefined],
	['*', { HTTP_ORIGIN: 'https://evil.example' }, true, '*'],
	['*', { HTTP_SEC_FETCH_SITE: 'cross-site' }, true, '*'],
	[LIST, {}, true, undefined],
	[LIST, { HTTP_ORIGIN: 'https://a.example' }, true, 'https://a.example'],
	[LIST, { HTTP_ORIGIN: 'https://b.example:444' }, true, 'https://b.example:444'],
	[LIST, { HTTP_ORIGIN: 'null' }, true, 'null'],
	[LIST, { HTTP_ORIGIN: 'https://b.example' }, false, undefined],
	[LIST, { HTTP_ORIGIN: 'http://a.example' }, false, undefined],
	[LIST, { HTTP_ORIGIN: 'https://a.example.evil' }, false, undefined],
	[LIST, { HTTP_ORIGIN: 'https://a.example, https://evil.example' }, false, undefined],
	[LIST, { HTTP_ORIGIN: `https://${'x'.repeat(5000)}` }, false, undefined],
	[LIST, { HTTP_ORIGIN: 'http://push.example:8080' }, true, undefined],
	[LIST, { HTTP_ORIGIN: 'http://push.example:8080', HTTP_HOST: 'push.example' }, true, undefined],
	[LIST, { HTTP_ORIGIN: 'http://push.example:8081', HTTP_HOST: 'push.example' }, false, undefined],
	[LIST, { HTTP_ORIGIN: 'http://push.example:8080', HTTP_HOST: '' }, false, undefined],
	[LIST, { HTTP_SEC_FETCH_SITE: 'cross-site' }, false, undefined],
	[LIST, { HTTP_SEC_FETCH_SITE: 'same-site' }, false, undefined],
	[LIST, { HTTP_SEC_FETCH_SITE: 'same-origin' }, true, undefined],
	[LIST, { HTTP_SEC_FETCH_SITE: 'none' }, true, undefined],
];

const allowOrigin = (answer) => /^Access-Control-Allow-Origin: (.*?)\r?$/mi.exec(answer.head)?.[1];

describe('origin.allow', () => {
	for (const allow of ['', '*', LIST])
		it(`${allow} lets in whom it names`, () =>
			withServer({ 'origin.allow': allow }, async (pushletd, lab) => {
				let refused = 0;

				for (const [, params, good, told] of ORIGINS.filter(([a]) => a === allow)) {
					const what = JSON.stringify(params);
					const answer = await send(pushletd, { p_event: 'join', p_format: 'xml' },
						{ ...SELF, ...params });
					assert.equal(answer.status, good ? 200 : 403, what);
					assert.equal(allowOrigin(answer), told, what);
					assert.equal(/^Vary: Origin/m.test(answer.head), allow === LIST, what);
					refused += !good;
					const preflight = await pushletd.fcgi({ method: 'OPTIONS', ...SELF, ...params,
						HTTP_ACCESS_CONTROL_REQUEST_METHOD: 'POST' });
					assert.equal(preflight.status, allow === '' ? 405 : good ? 204 : 403, what);
					assert.equal(allowOrigin(preflight), told, what);
					refused += !good;
				}
				assert.equal((await lab.status()).counts.refused, refused);
			}));

	it('lets pages read errors and streams, through nginx too', async () => {
		const lab = new Lab();

		try {
			const nginx = await lab.nginx(await lab.pushletd({ props: { 'origin.allow': LIST } }));
			const web = nginx.client({ headers: { Origin: 'https://a.example' } });
			const ann = await web.joinListen({ mode: 'stream', subject: '/a' });
			assert.equal(ann.channel.headers['access-control-allow-origin'], 'https://a.example');
			assert.equal(ann.channel.headers['access-control-allow-credentials'], 'true');
			ann.channel.close();
			const gone = await web.ask({ p_event: 'hb', p_id: 'x' });
			assert.equal(gone.status, 400);
			assert.equal(gone.headers['access-control-allow-origin'], 'https://a.example');
			const own = await nginx.client({ headers: { Origin: new URL(nginx.url).origin } }).join();
			assert.ok(own.id);
			const asked = await web.ask('', { method: 'OPTIONS',
				headers: { 'Access-Control-Request-Method': 'POST' } });
			assert.equal(asked.status, 204);
			assert.match(asked.headers['access-control-allow-headers'], /X-Pushlet-Id/);
		} finally {
			await lab.close();
		}
	});

	it('must be origins', () => withServer({}, async (pushletd, lab) => {
		for (const bad of ['https://a.example/', 'a.example', 'https://', '//a', 'https:/a.example']) {
			const said = pushletd.says(/origin\.allow must be \*, or origins like/);
			lab.properties({ ...pushletd.options, 'origin.allow': bad });
			pushletd.signal('SIGHUP');
			await said;
		}
	}));
});

describe('publish.get=off', () => {
	it('leaves POST', () => withServer({ 'publish.get': 'off' }, async (pushletd) => {
		const p_id = await joined(pushletd);
		const query = formEncode({ p_event: 'publish', p_id, p_subject: '/a' });

		assert.match((await pushletd.fcgi({ query })).text,
			/nack.*publishing by GET is switched off here \(publish\.get\); use POST/);
		assert.match((await pushletd.fcgi({ method: 'POST', body: query,
			CONTENT_TYPE: 'application/x-www-form-urlencoded' })).text, /publish-ack/);
	}));
});

describe('rates', () => {
	it('of requests are those of an address, and tell how long to wait', () =>
		withServer({ 'address.max.requests.second': 5 }, async (pushletd, lab) => {
			const from = (REMOTE_ADDR) => send(pushletd, { p_event: 'join', p_format: 'xml' },
				{ REMOTE_ADDR });
			let answer;

			for (let n = 1; (answer = await from('192.0.2.1')).status === 200; n++)
				assert.ok(n < 1000);
			assert.equal(answer.status, 429);
			assert.match(answer.head, /^Retry-After: 1\r?$/m);
			assert.match(answer.text, /p_event="nack" p_status="429" p_reason="an address may make 5 requests a second \(address\.max\.requests\.second\); wait (\d+) ms" p_wait="\1"/);
			assert.equal((await from('192.0.2.2')).status, 200);
			assert.equal((await lab.status()).counts.refused, 1);
			await until('another request to be allowed',
				async () => (await from('192.0.2.1')).status === 200);
		}));

	it('say so with the status, and in the format that the client reads', () =>
		withServer({ 'address.max.requests.second': 1 }, async (pushletd) => {
			const ask = (fields, params) => pushletd.fcgi({ query: formEncode(fields),
				REMOTE_ADDR: '192.0.2.1', ...params });
			/* The nack of the first request that is too many. */
			const tooMany = async (fields, params) => {
				const answer = await until('a refusal', async () => {
					const { head, text, status } = await ask(fields, params);
					const events = read(head, text);
					return events.at(-1)?.get('p_status') && { status, events };
				});
				assert.equal(answer.events.length, 1);
				const [nack] = answer.events;
				assert.equal(nack.get('p_event'), 'nack');
				assert.match(nack.get('p_reason'), /^an address may make 1 requests/);
				assert.ok(Number(nack.get('p_wait')) > 0);
				return { status: answer.status, nack };
			};

			for (const p_format of FORMATS) {
				const p_id = await joined(pushletd, p_format, { REMOTE_ADDR: '192.0.2.9' })
					.catch(() => null) ?? await until('a session', () =>
					joined(pushletd, p_format, { REMOTE_ADDR: '192.0.2.9' }).catch(() => null));
				assert.equal((await tooMany({ p_event: 'join', p_format })).status, 429);
				const { status, nack } = await tooMany({ p_event: 'hb', p_id });
				assert.equal(status, 429);
				assert.equal(nack.get('p_id'), p_id);
			}
			const p_id = await until('a session', () =>
				joined(pushletd, 'sse', { REMOTE_ADDR: '192.0.2.9' }).catch(() => null));
			/* Those that cannot see it. */
			assert.equal((await tooMany({ p_event: 'hb', p_id },
				{ HTTP_ACCEPT: 'text/event-stream' })).status, 200);
			assert.equal((await tooMany({ p_event: 'join', p_format: 'json',
				p_callback: 'f' })).status, 200);
			assert.match((await until('a refusal', async () => {
				const answer = await ask({ p_event: 'hb', p_id: 'x' });
				return answer.status === 429 && answer;
			})).text, /^an address may make/);
		}));

	it('of publishes are those of a session', () =>
		withServer({ 'session.max.publishes.second': 3 }, async (pushletd) => {
			const [p_id, other] = [await joined(pushletd), await joined(pushletd)];
			const publish = async (id) => (await send(pushletd,
				{ p_event: 'publish', p_id: id, p_subject: '/a' })).text;
			let text;

			for (let n = 1; /publish-ack/.test(text = await publish(p_id)); n++)
				assert.ok(n < 1000);
			assert.match(text, /p_reason="a session may publish 3 times a second \(session\.max\.publishes\.second\); wait (\d+) ms" p_wait="\1"/);
			assert.match(await publish(other), /publish-ack/);
			assert.match((await send(pushletd, { p_event: 'hb', p_id })).text, /hb-ack/);
			await until('another publish to be allowed',
				async () => /publish-ack/.test(await publish(p_id)));
		}));
});

/* session.bind; by whom a session may be used that bob has joined at home. */
const home = { REMOTE_ADDR: '192.0.2.1' };
const BINDS = [
	['none', { ...home }, true], ['none', { REMOTE_ADDR: '192.0.2.9', REMOTE_USER: 'eve' }, true],
	['user', { ...home, ...bob }, true], ['user', { REMOTE_ADDR: '192.0.2.9', ...bob }, true],
	['user', home, false], ['user', { ...home, REMOTE_USER: 'bobby' }, false],
	['user', { ...home, REMOTE_USER: 'bo' }, false], ['user', { ...home, HTTP_REMOTE_USER: 'bob' }, false],
	['user', { ...home, REMOTE_USER: 'b'.repeat(200) }, false],
	['address', { ...home }, true], ['address', { REMOTE_ADDR: '192.0.2.9', ...bob }, false],
	['address', { REMOTE_ADDR: '', ...bob }, false],
	['address', { REMOTE_ADDR: '192.0.2.9', HTTP_X_FORWARDED_FOR: '192.0.2.1' }, false],
	['both', { ...home, ...bob }, true], ['both', home, false],
	['both', { REMOTE_ADDR: '192.0.2.9', ...bob }, false],
];

describe('session.bind', () => {
	for (const bind of ['none', 'user', 'address', 'both'])
		it(`${bind} makes an id unknown to others`, () =>
			withServer({ 'session.bind': bind }, async (pushletd) => {
				const p_id = await joined(pushletd, 'xml', { ...home, ...bob });

				for (const [, params, good] of BINDS.filter(([b]) => b === bind)) {
					const answer = await send(pushletd, { p_event: 'hb', p_id }, params);
					const unknown = await send(pushletd, { p_event: 'hb',
						p_id: '0'.repeat(38) }, params);
					assert.equal(answer.status, good ? 200 : 400, JSON.stringify(params));
					if (!good)
						assert.deepEqual(answer, unknown);
				}
			}));

	it('user refuses a name that is too long to be kept', () =>
		withServer({ 'session.bind': 'user' }, async (pushletd) => {
			const { text } = await send(pushletd, { p_event: 'join', p_format: 'xml' },
				{ REMOTE_USER: 'b'.repeat(64) });

			assert.match(text, /nack.*a user's name may have 63 bytes \(session\.bind\)/);
			assert.ok(await joined(pushletd, 'xml', { REMOTE_USER: 'b'.repeat(63) }));
		}));
});

describe('X-Pushlet-Id', () => {
	it('says what p_id would, unless that is there', async () => {
		const lab = new Lab();

		try {
			const web = (await lab.nginx(await lab.pushletd())).client();
			const [ann, ben] = [await web.join(), await web.join()];
			const header = { headers: { 'X-Pushlet-Id': ann.id } };
			assert.equal((await web.ask({ p_event: 'subscribe', p_subject: '/a' }, header))
				.get('p_id'), ann.id);
			assert.equal((await web.ask({ p_event: 'subscribe', p_subject: '/a', p_id: ben.id },
				header)).get('p_id'), ben.id);
			assert.equal((await web.ask({ p_event: 'hb' })).status, 400);
			assert.equal((await web.ask({ p_event: 'hb' },
				{ headers: { 'X-Pushlet-Id': `${ann.id}x` } })).status, 400);
		} finally {
			await lab.close();
		}
	});
});

async function reread(pushletd, lab, props, pattern) {
	const said = pushletd.says(pattern);

	lab.properties({ ...pushletd.options, ...props });
	pushletd.signal('SIGHUP');
	return said;
}

describe('lists in files', () => {
	const say = (pushletd, p_id, text, params) => pushletd.fcgi({ method: 'POST',
		body: `<e p_event="publish" p_id="${p_id}" p_subject="/chat" text="${text}" more="1"/>`,
		REMOTE_ADDR: '198.51.100.1', ...params });

	it('keep addresses away, and are read again', async () => {
		const lab = new Lab();

		try {
			const file = lab.write('banned', '# trolls\n\n 192.0.2.66 \n2001:db8:bad::/48\r\n');
			const pushletd = await lab.pushletd({ props: { 'ban.addresses.file': file } });
			const p_id = await joined(pushletd);
			const bad = { REMOTE_ADDR: '192.0.2.66' };

			assert.match((await send(pushletd, { p_event: 'join', p_format: 'xml' }, bad)).text,
				/nack.*not allowed to join from this address \(ban\.addresses\.file\)/);
			assert.match((await send(pushletd, { p_event: 'join-listen', p_format: 'xml' },
				{ REMOTE_ADDR: '2001:db8:bad:2::1' })).text, /nack/);
			assert.match((await say(pushletd, p_id, 'x', bad)).text, /not allowed to publish from this address/);
			assert.match((await send(pushletd, { p_event: 'hb', p_id }, bad)).text, /hb-ack/);
			assert.match((await say(pushletd, p_id, 'x')).text, /publish-ack/);

			lab.write('banned', '10.0.0.0/8\nexample.org\n');
			await reread(pushletd, lab, {}, /ban\.addresses\.file: \S+banned:2: neither an address nor a network/);
			assert.match((await say(pushletd, p_id, 'x', bad)).text, /not allowed/);
			lab.write('banned', '198.51.100.0/24\n');
			await reread(pushletd, lab, {}, /properties reloaded/);
			assert.match((await say(pushletd, p_id, 'x', bad)).text, /publish-ack/);
			assert.match((await say(pushletd, p_id, 'x')).text, /not allowed/);
		} finally {
			await lab.close();
		}
	});

	it('refuse words, or mask them', async () => {
		const lab = new Lab();

		try {
			const file = lab.write('words', 'darn\n*\u00c4rger*\n');
			const pushletd = await lab.pushletd({ props: { 'filter.words.file': file } });
			const nginx = await lab.nginx(pushletd);
			const ann = await nginx.client().joinListen({ mode: 'stream', subject: '/chat' });
			const publish = async (text) => (await ann.ask('publish',
				{ p_subject: '/chat', text, more: '1' })).event;

			for (const text of ['darn', 'well, DARN!', 'Ver\u00e4rgert'])
				assert.match((await publish(text)).get('p_reason'),
					/^attribute 'text' holds a word that is not allowed here \(filter\.words\.file\)$/);
			assert.equal((await publish('darning')).get('p_event'), 'publish-ack');
			await ann.channel.next({ p_event: 'data', text: 'darning' });
			await reread(pushletd, lab, { 'filter.words': 'mask' }, /properties reloaded/);
			await publish('well, DARN! Ver\u00e4rgert \u20ac');
			await ann.channel.next({ p_event: 'data', text: 'well, ****! Ver*****t \u20ac', more: 1,
				p_subject: '/chat', p_id: undefined });
			await publish('clean');
			await ann.channel.next({ p_event: 'data', text: 'clean', more: 1 });
			ann.channel.close();
			assert.doesNotMatch(pushletd.output, /darn/i);
		} finally {
			await lab.close();
		}
	});

	it('that cannot be read keep a server from starting', async () => {
		const lab = new Lab();

		try {
			await assert.rejects(lab.pushletd({ props: { 'filter.words.file': '/nowhere/words' } }),
				/filter\.words\.file: \/nowhere\/words cannot be read: No such file/);
			lab.running.length = 0;
			await assert.rejects(lab.pushletd({ props: { 'ban.addresses.file': 'words' } }),
				/ban\.addresses\.file must be a path that begins with '\/'/);
			lab.running.length = 0;
		} finally {
			await lab.close();
		}
	});
});

describe('a file with rules', () => {
	it('is read again on SIGHUP; one with a mistake is not', () =>
		withServer({ rule: ['deny publish'] }, async (pushletd, lab) => {
			const p_id = await joined(pushletd);
			const publish = async () =>
				(await send(pushletd, { p_event: 'publish', p_id, p_subject: '/a' })).text;
			assert.match(await publish(), /rule 1/);
			await reread(pushletd, lab, { rule: ['deny join', 'allow all'] },
				/pushlet\.properties:\d+: rule: 'all' is none of join, subscribe, publish, unicast/);
			assert.match(await publish(), /rule 1/);
			await reread(pushletd, lab, { rule: ['allow publish', 'deny publish'] }, /properties reloaded/);
			assert.match(await publish(), /publish-ack/);
		}));
});
