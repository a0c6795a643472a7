// SPDX-License-Identifier: MIT
//
// input.test.mjs - malformed, hostile and interrupted requests
//
// Each costs its sender an answer that says what is wrong, and nobody else
// anything: a bystander's stream goes on through all of it.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { begin, params, requestParams } from '../lib/fcgi.mjs';
import { hostile } from '../lib/hostile.mjs';
import { until } from '../lib/wait.mjs';

const PUBLISH = 'p_event=publish&p_id=ID&p_subject=/a';
const EXPIRED = /^Invalid or expired id: join again$/;
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const XML = { 'Content-Type': 'text/xml' };
const element = (more) => `<event p_event="publish" p_id="ID" p_subject="/a"${more}`;

/* [what, request, status, text or reason]; ID stands for a living session.  A
 * status 200 means a nack with that reason. */
const TABLE = [
	['no query at all', {}, 400, /^No eventType specified: p_event/],
	['no command', { query: 'p_id=ID' }, 400, /^No eventType specified: p_event/],
	['an empty command', { query: 'p_event=&p_id=ID' }, 400, /^No eventType specified: p_event/],
	['no id', { query: 'p_event=hb' }, 400, /^No id specified: p_id/],
	['an empty id', { query: 'p_event=hb&p_id=' }, 400, EXPIRED],
	['an unknown id', { query: 'p_event=hb&p_id=nosuch' }, 400, EXPIRED],
	['an id with control characters', { query: 'p_event=hb&p_id=%0d%0aX%3A+y' }, 400,
		EXPIRED],
	['an id of 60 KB', { query: `p_event=hb&p_id=${'0'.repeat(60_000)}` }, 400,
		EXPIRED],
	['a handle for an id', { query: 'p_event=hb&p_id=HANDLE' }, 400, EXPIRED],
	['an unknown command', { query: 'p_event=frobnicate&p_id=ID' }, 200, /p_event.*frobnicate/],
	['a command in capitals', { query: 'p_event=HB&p_id=ID' }, 200, /p_event/],
	['an event as a command', { query: 'p_event=abort&p_id=ID' }, 200, /p_event/],
	['an unknown format', { query: 'p_event=join&p_format=bogus' }, 200, /p_format.*bogus.*xml/],
	['the Java format', { query: 'p_event=join&p_format=ser' }, 200, /ser/],
	['an unknown mode', { query: 'p_event=listen&p_id=ID&p_mode=bogus' }, 200,
		/p_mode.*bogus.*stream.*pull.*poll/],
	['a refresh before any listen', { query: 'p_event=refresh&p_id=ID' }, 200, /listen/],
	['an empty subject to listen to', { query: 'p_event=listen&p_id=ID&p_subject=' }, 200, /subject/],
	['a list without a subject', { query: 'p_event=subscribe&p_id=ID&p_subject=,,' }, 200, /subject/],
	['no subject to subscribe', { query: 'p_event=subscribe&p_id=ID' }, 200, /no subject/],
	['no subject to publish', { query: 'p_event=publish&p_id=ID&x=1' }, 200, /no subject/],
	['too long a subject', { query: `p_event=publish&p_id=ID&p_subject=/${'a'.repeat(256)}` }, 200,
		/subject\.max\.bytes/],
	['too long a subscription', { query: `p_event=subscribe&p_id=ID&p_subject=/${'a'.repeat(256)}` },
		200, /subject\.max\.bytes/],
	['another session\'s subscription', { query: 'p_event=unsubscribe&p_id=ID&p_sid=zzz' }, 200,
		/^no subscription for sid=zzz$/],
	['broken UTF-8', { query: `${PUBLISH}&v=%e9%ff` }, 400, /'v'.*UTF-8/],
	['an overlong sequence', { query: `${PUBLISH}&v=%c0%af` }, 400, /'v'.*UTF-8/],
	['a surrogate', { query: `${PUBLISH}&v=%ed%a0%80` }, 400, /'v'.*UTF-8/],
	['broken UTF-8 in a name', { query: `${PUBLISH}&%ff=v` }, 400, /UTF-8/],
	['a % cut short', { query: `${PUBLISH}&v=%4` }, 400, /%4/],
	['a % at the end', { query: `${PUBLISH}&v=%` }, 400, /%/],
	['a % before no digits', { query: `${PUBLISH}&v=%zz` }, 400, /%zz/],
	['a NUL', { query: `${PUBLISH}&v=a%00b` }, 400, /'v'.*NUL/],
	['a name that is none', { query: `${PUBLISH}&a%20b=1` }, 200, /'a b'/],
	['a name with markup', { query: `${PUBLISH}&%3Ce%3E=1` }, 200, /'<e>'/],
	['a name that begins with a digit', { query: `${PUBLISH}&1a=1` }, 200, /'1a'/],
	['a name with a colon', { query: `${PUBLISH}&a:b=1` }, 200, /'a:b'/],
	['too many attributes', { query: PUBLISH + Array.from({ length: 65 }, (_, i) => `&a${i}=`).join('') },
		200, /event\.max\.attributes/],
	['too many p_ attributes', { query: PUBLISH + Array.from({ length: 99 }, (_, i) => `&p_${i}=`).join('') },
		200, /event\.max\.attributes/],
	['too large an event', { query: `${PUBLISH}&v=${'x'.repeat(65_537)}` }, 200, /event\.max\.bytes/],
	['a query of 10 MB', { query: `${PUBLISH}&v=${'x'.repeat(10_000_000)}` }, 414, /request\.max\.bytes/],
	['a body of 10 MB', { body: 'x'.repeat(10_000_000), headers: FORM }, 413, /request\.max\.bytes/],
	['an empty body', { body: '', headers: XML }, 400, /./],
	['an empty form', { body: '', headers: FORM }, 400, /^No eventType specified: p_event/],
	['a body that is no XML', { body: 'hello', headers: XML }, 400, /^POST body, line 1/],
	['a tag that never ends', { body: '<event p_event="join" ', headers: XML }, 400, /^POST body, line 1/],
	['an element that never ends', { body: '<event p_event="join">', headers: XML }, 400, /^POST body, line 1/],
	['no quotes', { body: element(' v=1/>'), headers: XML }, 400, /^POST body, line 1, column/],
	['raw < in a value', { body: element(' v="a<b"/>'), headers: XML }, 400, /^POST body, line 1/],
	['an attribute twice', { body: element(' v="1" v="2"/>'), headers: XML }, 400, /^POST body, line 1/],
	['two elements', { body: element('/><event/>'), headers: XML }, 400, /^POST body, line 1/],
	['an unknown entity', { body: element(' v="&nbsp;"/>'), headers: XML }, 400, /^POST body, line 1/],
	['NUL by reference', { body: element(' v="&#0;"/>'), headers: XML }, 400, /^POST body, line 1/],
	['a body in broken UTF-8', { body: Buffer.from(element(' v="\xe9"/>'), 'latin1'), headers: XML }, 400,
		/^POST body, line 1/],
	['a prefix', { body: element(' x:v="1" xmlns:x="y"/>'), headers: XML }, 200, /xmlns:x/],
	['a document type', { body: `<!DOCTYPE e>${element('/>')}`, headers: XML }, 400, /DOCTYPE/],
	['an external entity', { body: '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
		+ element(' v="&x;"/>'), headers: XML }, 400, /DOCTYPE/],
	['a billion laughs', { body: `<!DOCTYPE e [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) =>
		`<!ENTITY a${i} "${`&a${i || ''};`.repeat(10)}">`).join('')}]>${element(' v="&a19;"/>')}`,
	headers: XML }, 400, /DOCTYPE/],
	['deep nesting', { body: element('>') + '<a>'.repeat(5000) + '</a>'.repeat(5000) + '</event>',
		headers: XML }, 400, /^POST body, line 1.*deep/],
	['too many attributes in XML', { body: element(`${Array.from({ length: 5000 }, (_, i) => ` a${i}=""`)
		.join('')}/>`), headers: XML }, 400, /event\.max\.attributes/],
	['PUT', { method: 'PUT', query: 'p_event=join' }, 405, /GET.*POST/],
	['DELETE', { method: 'DELETE', query: 'p_event=join' }, 405, /GET.*POST/],
	['an invented method', { method: 'FROB', query: 'p_event=join' }, 405, /GET.*POST/],
];

describe('bad input', () => {
	const lab = new Lab();
	let pushletd, nginx, web, ann, handle, bystander, round = 0;

	before(async () => {
		pushletd = await lab.pushletd({ args: ['-v'],
			props: { 'request.timeout.millis': 500 } });
		nginx = await lab.nginx(pushletd);
		web = nginx.client();
		ann = await web.join('xml');
		bystander = await web.joinListen({ mode: 'stream', subject: '/bystander' });
		await ann.publish('/bystander', { n: 0 });
		handle = (await bystander.channel.next({ p_event: 'data' })).get('p_from');
	});
	after(() => lab.close());

	/* The request as FastCGI brings it, without nginx's own opinion. */
	function send({ query = '', body, headers = {}, method }) {
		const fill = (text) => (typeof text === 'string'
			? text.replace('ID', ann.id).replace('HANDLE', handle) : text);
		const type = headers['Content-Type'];

		return pushletd.fcgi({ method: method ?? (body === undefined ? 'GET' : 'POST'),
			query: fill(query), body: body instanceof Buffer
				? Buffer.from(body.toString('latin1').replace('ID', ann.id), 'latin1')
				: fill(body), ...(type ? { CONTENT_TYPE: type } : {}) });
	}

	async function nobodyElseIsHarmed() {
		await ann.publish('/bystander', { n: ++round });
		await bystander.channel.next({ p_event: 'data', n: round });
	}

	const unescape = (text) => text.replace(/&#0*(\d+);/g, (_, n) => String.fromCharCode(n))
		.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"');

	for (const [what, request, status, text] of TABLE)
		it(`${what} is answered ${status}`, async (t) => {
			const answer = await send(request);

			assert.equal(answer.status, status, JSON.stringify(answer).slice(0, 500));
			assert.ok(answer.ended);
			if (status === 200)
				assert.match(answer.text, /"nack"/);
			const [, reason = answer.text.trim()] = status === 200
				? /p_reason(?:="|', ")([^"]*)"/.exec(answer.text) ?? [] : [];
			const said = unescape(reason).replaceAll("\\'", "'");

			hostile(t, request.headers === XML ? 'XML' : 'HTTP', what,
				`${answer.status} ${said}`);
			assert.match(said, text);
			assert.ok(answer.text.length < 2000, 'a short answer');
			if (status !== 200)
				assert.match(answer.head, /^Content-Type: text\/plain/mi);
			await nobodyElseIsHarmed();
			assert.ok(await ann.alive(), 'the session lives');
		});

	it('a listen on a dead session is answered 400', async () => {
		const dead = await web.join();

		await dead.leave();
		const stream = await dead.listen({ mode: 'stream' });
		assert.equal(stream.status, 400);
		await stream.rest();
		assert.match(stream.text, /^Invalid or expired id/);
	});

	it('a session survives whatever nonsense comes with its id', async () => {
		assert.ok(await ann.alive());
	});

	it('nginx itself refuses a line of 10 MB, and goes on', async () => {
		const answer = await web.open(`p_event=join&x=${'y'.repeat(10_000_000)}`)
			.catch((error) => error);

		assert.ok(answer.status === 414 || answer.code, String(answer));
		await nobodyElseIsHarmed();
	});

	it('a body that ends early harms nobody', async () => {
		const socket = connect(nginx.port, '127.0.0.1');

		socket.write('POST /pushlet/pushlet.srv HTTP/1.1\r\nHost: x\r\n'
			+ 'Content-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<event p_event="join"');
		await new Promise((done) => { socket.on('connect', done); });
		socket.destroy();
		await nobodyElseIsHarmed();
	});

	it('a body shorter than promised is a 400', async () => {
		const answer = await pushletd.fcgi({ method: 'POST', body: '<event p_event="join"/>',
			CONTENT_LENGTH: '1000', CONTENT_TYPE: 'text/xml' });

		assert.equal(answer.status, 400);
		assert.match(answer.text, /CONTENT_LENGTH|cut short|Content-Length/i);
		await nobodyElseIsHarmed();
	});

	/* What stalls, and where it stops. */
	const STALLED = {
		'that sends nothing': Buffer.alloc(0),
		'that sends half a record': begin().subarray(0, 5),
		'that begins a request and sends no parameters': begin(),
		'that never ends its parameters': Buffer.concat([begin(),
			params(requestParams({ query: 'p_event=join' })).subarray(0, -8)]),
		'that never sends the body': Buffer.concat([begin(), params(requestParams({
			method: 'POST', body: '<event p_event="join"/>', CONTENT_TYPE: 'text/xml' }))]),
		'that announces more than it sends': Buffer.concat([begin(),
			Buffer.from([1, 4, 0, 1, 255, 255, 0, 0]), Buffer.from('abc')]),
	};

	for (const [what, bytes] of Object.entries(STALLED))
		it(`a front ${what} is closed after request.timeout.millis`, async (t) => {
			const { joins } = (await lab.status()).counts;
			const front = await pushletd.fcgiOpen(bytes);

			await nobodyElseIsHarmed();
			await front.end;
			await nobodyElseIsHarmed();
			assert.equal((await lab.status()).counts.joins, joins, 'half a request is carried out');
			hostile(t, 'FastCGI', `a front ${what}`, 'closed after request.timeout.millis');
		});

	it('a stalled front is logged', async () => {
		const logged = pushletd.says(/stalled.*request\.timeout\.millis/);
		const front = await pushletd.fcgiOpen(begin());

		await logged;
		front.socket.destroy();
	});

	it('more stalled fronts than servlet threads delay a request, not more', async () => {
		const fronts = await Promise.all(Array.from({ length: 10 }, () =>
			pushletd.fcgiOpen(begin())));

		await nobodyElseIsHarmed();
		fronts.forEach((front) => front.socket.destroy());
	});

	/* Where a browser may vanish. */
	const VANISHING = {
		'in the middle of its head': 'GET /pushlet/pushlet.srv?p_event=jo',
		'right after its request': 'GET /pushlet/pushlet.srv?p_event=join&p_format=xml HTTP/1.1\r\nHost: x\r\n\r\n',
		'right after asking for a stream': 'GET /pushlet/pushlet.srv?p_event=join-listen&p_format=xml HTTP/1.1\r\nHost: x\r\n\r\n',
	};

	for (const [when, bytes] of Object.entries(VANISHING))
		it(`a client that vanishes ${when} harms nobody`, async () => {
			for (let i = 0; i < 5; i++) {
				const socket = connect(nginx.port, '127.0.0.1');
				await new Promise((done) => { socket.on('connect', done); });
				await new Promise((done) => { socket.write(bytes, done); });
				socket.resetAndDestroy?.() ?? socket.destroy();
			}
			await nobodyElseIsHarmed();
		});

	it('a client that vanishes from its stream is noticed at once', async () => {
		const bob = await web.joinListen({ mode: 'stream', subject: '/vanish' });
		const listening = await lab.listening();

		bob.channel.close();
		await until('the hang-up', async () => await lab.listening() < listening);
		await ann.publish('/vanish', { n: 1 });
		const again = await bob.listen({ mode: 'stream' });
		await again.next({ p_event: 'listen-ack' });
		await again.next({ p_event: 'data', n: 1 });
		again.close();
	});

	/* Bytes that no web server sends.  (Some records end any program that
	 * uses libfcgi, which is why its socket is for the web server alone.) */
	const HOSTILE = {
		'HTTP': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
		'zeros': Buffer.alloc(4096),
		'a wrong version': Buffer.concat([Buffer.from([9]), begin().subarray(1)]),
		'an unknown role': Buffer.concat([begin(77), params(requestParams({}))]),
	};

	for (const [what, bytes] of Object.entries(HOSTILE))
		it(`${what} on the FastCGI socket does not stop the server`, async (t) => {
			const front = await pushletd.fcgiOpen(bytes);

			front.socket.end();
			await front.end;
			await nobodyElseIsHarmed();
			hostile(t, 'FastCGI', what, `closed after an answer of ${front.received.length} bytes`);
		});
});
