// SPDX-License-Identifier: MIT
//
// rules.test.mjs - who may do what, asked by whom and from where

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { formEncode } from '../lib/client.mjs';

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

describe('a file with rules', () => {
	it('is read again on SIGHUP; one with a mistake is not', () =>
		withServer({ rule: ['deny publish'] }, async (pushletd, lab) => {
			const p_id = await joined(pushletd);
			const publish = async () =>
				(await send(pushletd, { p_event: 'publish', p_id, p_subject: '/a' })).text;
			const reread = async (props, pattern) => {
				const said = pushletd.says(pattern);
				lab.properties({ ...pushletd.options, ...props });
				pushletd.signal('SIGHUP');
				await said;
			};

			assert.match(await publish(), /rule 1/);
			await reread({ rule: ['deny join', 'allow all'] },
				/pushlet\.properties:\d+: rule: 'all' is none of join, subscribe, publish, unicast/);
			assert.match(await publish(), /rule 1/);
			await reread({ rule: ['allow publish', 'deny publish'] }, /properties reloaded/);
			assert.match(await publish(), /publish-ack/);
		}));
});

/* ann:secret, as both servers read it. */
const HTPASSWD = `ann:{SHA}${createHash('sha1').update('secret').digest('base64')}\n`;
const LOGIN = { headers: { Authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` } };

async function knowsAnn(lab, web) {
	const strangers = await web.ask({ p_event: 'join', p_format: 'xml' },
		{ headers: { Authorization: 'Basic YW5uOndyb25n' } });
	assert.equal(strangers.status, 401);

	const ann = await web.client(LOGIN).join();
	assert.equal((await ann.ask('subscribe', { p_subject: '/private' })).get('p_event'),
		'subscribe-ack');
	const nack = await ann.ask('subscribe', { p_subject: '/bob' });
	assert.match(nack.get('p_reason'), /not allowed to subscribe to '\/bob' \(rule 3\)/);
	assert.equal((await lab.status()).counts.refused, 1);
}

const USER_RULES = ['allow subscribe below /private user ann',
	'allow subscribe below /bob user bob', 'deny subscribe'];

describe('the user of a rule', () => {
	it('is whom nginx has checked', async () => {
		const lab = new Lab();

		try {
			lab.write('htpasswd', HTPASSWD);
			const pushletd = await lab.pushletd({ props: { rule: USER_RULES } });
			const nginx = await lab.nginx(pushletd, { replace: [
				['#auth_basic pushlet', 'auth_basic pushlet'],
				['#auth_basic_user_file /etc/nginx/pushlet.htpasswd', `auth_basic_user_file ${lab.path('htpasswd')}`],
				['#fastcgi_param REMOTE_USER', 'fastcgi_param REMOTE_USER']] });
			await knowsAnn(lab, { ask: (...args) => nginx.client().ask(...args),
				client: (options) => nginx.client(options) });
		} finally {
			await lab.close();
		}
	});

	it('is nobody behind nginx as it is shipped, whatever a browser says', async () => {
		const lab = new Lab();

		try {
			const pushletd = await lab.pushletd({ props: { rule: USER_RULES } });
			const nginx = await lab.nginx(pushletd);
			const ann = await nginx.client(LOGIN).join();
			for (const headers of [{}, { 'Remote-User': 'ann', Remote_User: 'ann' }])
				assert.match((await nginx.client({ headers: { ...LOGIN.headers, ...headers } }).ask(
					{ p_event: 'subscribe', p_id: ann.id, p_subject: '/private' })).get('p_reason'),
				/rule 3/);
		} finally {
			await lab.close();
		}
	});

	it('is whom Apache has checked, for each process of mod_fcgid', async () => {
		const lab = new Lab();

		try {
			lab.write('htpasswd', HTPASSWD);
			const apache = await lab.apacheFcgid({ props: { rule: USER_RULES },
				modules: ['auth_basic', 'authn_core', 'authn_file', 'authz_user'],
				replace: [['Require all granted', ['AuthType Basic', 'AuthName pushlet',
					`AuthUserFile ${lab.path('htpasswd')}`, 'Require valid-user'].join('\n')]] });
			await knowsAnn(lab, { ask: (...args) => apache.client().ask(...args),
				client: (options) => apache.client(options) });
		} finally {
			await lab.close();
		}
	});
});
