// SPDX-License-Identifier: MIT
//
// callback.test.mjs - p_callback: answers that a page fetches as scripts
//
// The reader of such an answer runs it, in node:vm, and takes what it passed.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { begin, params, requestParams, stdin } from '../lib/fcgi.mjs';
import { Lab } from '../lib/lab.mjs';
import { until } from '../lib/wait.mjs';

const CALL = { p_callback: 'page.pushlet_1' };

describe('p_callback', () => {
	const lab = new Lab();
	let pushletd, web;

	before(async () => {
		pushletd = await lab.pushletd({ props: { 'queue.read.timeout.millis': 30000 } });
		web = (await lab.nginx(pushletd)).client();
	});
	after(() => lab.close());

	it('makes the answer to each command a call', async () => {
		const ann = await web.join('json', CALL);
		const commands = [
			['subscribe', { p_subject: '/a' }],
			['publish', { p_subject: '/a', n: 1 }],
			['hb', {}],
			['unsubscribe', {}],
			['leave', {}],
		];

		assert.equal(ann.ack.get('p_format'), 'json');
		for (const [command, params] of commands) {
			const answer = await ann.ask(command, { ...params, ...CALL });
			assert.equal(answer.get('p_event'), `${command}-ack`);
			assert.match(answer.text, /^\/\*\*\/page\.pushlet_1\(\[\{.*\}\]\);\n$/);
			assert.equal(answer.headers['content-type'], 'text/javascript;charset=UTF-8');
			assert.equal(answer.headers['x-content-type-options'], 'nosniff');
			assert.match(answer.headers['cache-control'], /no-store/);
		}
	});

	it('goes with POST as well', async () => {
		const answer = await web.form({ p_event: 'join', p_format: 'json', ...CALL });

		assert.equal(answer.get('p_event'), 'join-ack');
	});

	it('is for one request: the session speaks json', async () => {
		const ann = await web.join('json', CALL);

		assert.match((await ann.ask('hb')).text, /^\[\{"p_event":"hb-ack",/);
	});

	it('makes a stream a pull, whose refresh waits for an event', async () => {
		const ann = await web.joinListen({ format: 'json', mode: 'stream', subject: '/pull', ...CALL });

		assert.equal(ann.ack.get('p_mode'), 'pull');
		assert.deepEqual((await ann.channel.rest()).map((e) => e.get('p_event')), ['refresh']);
		const waiting = ann.refresh(CALL);
		await lab.publish('/pull', { n: 1 });
		const answer = await waiting;
		await answer.next({ p_event: 'refresh-ack' });
		await answer.next({ p_event: 'data', n: 1 });
		await answer.next({ p_event: 'refresh', p_url: /&p_ack=1$/ });
		await answer.rest();
	});

	it('makes one refresh of a stream a pull', async () => {
		const ann = await web.joinListen({ format: 'json', mode: 'stream', subject: '/once' });

		ann.channel.close();
		await lab.publish('/once', { n: 1 });
		const answer = await ann.refresh(CALL);
		await answer.next({ p_event: 'refresh-ack' });
		await answer.next({ p_event: 'data', n: 1 });
		await answer.next({ p_event: 'refresh' });
		await answer.rest();
		const stream = await ann.listen({ mode: 'stream' });
		await stream.next({ p_event: 'listen-ack', p_mode: 'stream' });
		stream.close();
	});

	it('is told of errors by the call, with their status', async () => {
		const errors = [
			[{}, 400, /^No eventType specified/],
			[{ p_event: 'hb' }, 400, /^No id specified/],
			[{ p_event: 'hb', p_id: 'x' }, 400, /^Invalid or expired id/],
		];

		for (const [params, status, text] of errors) {
			const answer = await web.ask({ ...params, ...CALL });
			assert.equal(answer.status, 200);
			assert.equal(answer.get('p_event'), 'nack');
			assert.equal(answer.get('p_status'), String(status));
			assert.match(answer.get('p_reason'), text);
			const plain = await web.ask(params);
			assert.equal(plain.status, status);
			assert.equal(plain.text, `${answer.get('p_reason')}\n`);
		}
	});

	it('is told of refusals by the call, also of other formats', async () => {
		const ann = await web.join('json');
		const bob = await web.join('xml');
		const refusals = [
			[{ p_event: 'nonsense', p_id: ann.id }, /p_event/],
			[{ p_event: 'subscribe', p_id: ann.id, p_subject: '' }, /subject/],
			[{ p_event: 'join', p_format: 'ser' }, /p_format/],
			[{ p_event: 'join' }, /p_callback goes with p_format=json, not with js/],
			[{ p_event: 'join', p_format: 'sse' }, /not with sse/],
			[{ p_event: 'hb', p_id: bob.id }, /not with xml/],
		];

		for (const [params, reason] of refusals) {
			const answer = await web.ask({ ...params, ...CALL });
			assert.equal(answer.get('p_event'), 'nack');
			assert.equal(answer.event.get('p_status'), undefined);
			assert.match(answer.get('p_reason'), reason);
		}
		assert.ok(await ann.alive());
	});

	it('that is no name of a function is refused, and not repeated as a script', async () => {
		const hostile = ['', 'a b', 'alert(1)', 'alert(1)//', '</script><script>alert(1)</script>',
			'a;b', 'a[0]', '1a', 'a.', '.a', 'é', 'a\u2028', 'a\n', 'x'.repeat(65), '*/alert(1)/*'];

		for (const name of hostile) {
			const ann = await web.join('json');
			const refused = await ann.ask('hb', { p_callback: name });
			assert.equal(refused.headers['content-type'], 'application/json');
			assert.equal(refused.get('p_event'), 'nack');
			assert.match(refused.get('p_reason'), /p_callback/);

			const joined = await web.ask({ p_event: 'join', p_format: 'json', p_callback: name });
			assert.equal(joined.get('p_event'), 'nack');
			assert.equal(joined.event.get('p_id'), undefined);

			const error = await web.ask({ p_event: 'hb', p_id: 'x', p_callback: name });
			assert.equal(error.status, 400);
			assert.match(error.headers['content-type'], /^text\/plain/);
		}
	});

	/* The request is under way when the segment goes. */
	it('is told that the server is being replaced', async () => {
		const own = new Lab();

		try {
			const server = await own.pushletd();
			const body = 'p_event=join&p_format=json&p_callback=page.pushlet_1';
			const half = await server.fcgiOpen(Buffer.concat([begin(),
				params(requestParams({ method: 'POST', body,
					CONTENT_TYPE: 'application/x-www-form-urlencoded' }))]));
			await until('a thread to have read the first half',
				() => half.socket.bytesWritten > 0 && half.socket.writableLength === 0);
			assert.equal((await own.ctl('destroy', '--force')).status, 0);
			half.socket.write(stdin(body));
			await half.end;
			assert.match(half.received.toString(),
				/page\.pushlet_1\(\[\{"p_event":"nack","p_status":"503","p_reason":/);
		} finally {
			await own.close();
		}
	});

	it('joins nobody when it is refused', async () => {
		const before = (await lab.sessions()).length;

		await web.ask({ p_event: 'join', ...CALL });
		await web.ask({ p_event: 'join-listen', p_format: 'json', p_mode: 'nonsense', ...CALL });
		await web.ask({ p_event: 'join', p_format: 'json', p_reliable: 'x', ...CALL });
		assert.equal((await lab.sessions()).length, before);
	});
});
