// SPDX-License-Identifier: MIT
//
// evasion.test.mjs - nobody gets around the rules
//
// Each row is an attempt, through nginx, in a session of each format.  What the
// answer says is one thing; a witness who sees every event, and what the server
// knows of the subscriptions, say what happened: nothing outside of /open.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readerFor } from '../lib/formats.mjs';
import { Lab } from '../lib/lab.mjs';

const RULES = [
	'deny unicast',
	'allow publish below /open',
	'deny publish',
	'allow subscribe below /open',
	'allow subscribe user root',
	'deny subscribe',
	'deny join from 10.0.0.0/8',
];
const FORMATS = ['xml', 'xml-strict', 'js', 'json', 'sse', 'multipart'];
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const XML = { 'Content-Type': 'text/xml' };

const PUBLISH = 'p_event=publish&p_id=ID';
const SUBSCRIBE = 'p_event=subscribe&p_id=ID';
const publish = (subject) => `${PUBLISH}&p_subject=${subject}`;
const subscribe = (subject) => `${SUBSCRIBE}&p_subject=${subject}`;
const element = (attributes) => `<e p_event="publish" p_id="ID" ${attributes}/>`;

/* [what, query, what is answered, more]; ID is our own session, OTHER and
 * HANDLE are that of somebody else.  more: body, headers.  What is answered: a
 * status, or an event, by name. */
const TABLE = [
	['publish: plainly', publish('/closed'), 'nack'],
	['publish: below it', publish('/closed/x'), 'nack'],
	['publish: with a slash at the end', publish('/closed/'), 'nack'],
	['publish: encoded', publish('%2Fclosed'), 'nack'],
	['publish: encoded in small letters', publish('%2fclosed'), 'nack'],
	['publish: every letter encoded', publish('%2f%63%6c%6f%73%65%64'), 'nack'],
	['publish: encoded twice', publish('%252Fclosed'), 'nack'],
	['publish: encoded twice, below what is open', publish('/open%252f..%252fclosed'), 'publish-ack'],
	['publish: an overlong slash', publish('%c0%afclosed'), 400],
	['publish: an overlong letter', publish('/%c1%a3losed'), 400],
	['publish: an overlong slash of three bytes', publish('%e0%80%afclosed'), 400],
	['publish: a slash in full width', publish('%EF%BC%8Fclosed'), 'nack'],
	['publish: a surrogate pair', publish('/%ed%a0%80closed'), 400],
	['publish: %u', publish('%u002fclosed'), 400],
	['publish: an entity in a query', publish('%26%23x2f;closed'), 'nack'],
	['publish: in capitals', publish('/CLOSED'), 'nack'],
	['publish: what is open, in capitals', publish('/OPEN'), 'nack'],
	['publish: two slashes', publish('//open'), 'nack'],
	['publish: a dot', publish('/./open'), 'nack'],
	['publish: a way up stays what it is', publish('/open/../closed'), 'publish-ack'],
	['publish: a way up in front', publish('/closed/../open'), 'nack'],
	['publish: a backslash', publish('%5Copen'), 'nack'],
	['publish: a blank in front', publish('+/open'), 'nack'],
	['publish: a line break in front', publish('%0a/open'), 'nack'],
	['publish: a NUL in between', publish('/open%00/closed'), 400],
	['publish: a mark of order in front', publish('%EF%BB%BF/open'), 'nack'],
	['publish: a list is one subject', publish('/open,/closed'), 'publish-ack'],
	['publish: a list the other way round', publish('/closed,/open'), 'nack'],
	['publish: a semicolon is no separator', publish('/open;p_subject=/closed'), 'publish-ack'],
	['publish: twice, the open one last', `${publish('/closed')}&p_subject=/open`, 'nack'],
	['publish: twice, the open one first', `${publish('/open')}&p_subject=/closed`, 'publish-ack'],
	['publish: an empty one first', `${publish('')}&p_subject=/closed`, 'nack'],
	['publish: another name for it', `${PUBLISH}&P_SUBJECT=/open`, 'nack'],
	['publish: its name encoded', `${PUBLISH}&p%5fsubject=/closed&p_subject=/open`, 'nack'],
	['publish: an array of PHP', `${PUBLISH}&p_subject[]=/open`, 'nack'],
	['publish: the command twice', `p_event=hb&p_event=publish&p_id=ID&p_subject=/closed`, 'hb-ack'],
	['publish: the command in capitals', 'p_event=PUBLISH&p_id=ID&p_subject=/closed', 'nack'],
	['publish: in a form', '', 'nack', { body: publish('/closed'), headers: FORM }],
	['publish: a form against the query', 'p_subject=/open', 'nack',
		{ body: publish('/closed'), headers: FORM }],
	['publish: a query against the form', 'p_subject=/closed', 'publish-ack',
		{ body: publish('/open'), headers: FORM }],
	['publish: in XML', 'p_subject=/open', 'nack',
		{ body: element('p_subject="/closed"'), headers: XML }],
	['publish: XML with a reference', '', 'nack',
		{ body: element('p_subject="&#47;closed"'), headers: XML }],
	['publish: XML with an attribute twice', '', 400,
		{ body: element('p_subject="/open" p_subject="/closed"'), headers: XML }],
	['publish: XML with an entity of its own', '', 400, { headers: XML,
		body: `<!DOCTYPE e [<!ENTITY o "/open">]>${element('p_subject="&o;"')}` }],
	['publish: XML in UTF-7', '', 'nack', { headers: XML,
		body: `<?xml version="1.0" encoding="UTF-7"?>${element('p_subject="+AC8-closed"')}` }],
	['publish: XML said to be a form', '', 'nack',
		{ body: element('p_subject="/closed"'), headers: FORM }],
	['subscribe: plainly', subscribe('/closed'), 'nack'],
	['subscribe: to all', subscribe('/'), 'nack'],
	['subscribe: to what begins like it', subscribe('/ope'), 'nack'],
	['subscribe: to nothing', subscribe(''), 'nack'],
	['subscribe: in a list', subscribe('/open,/closed'), 'nack'],
	['subscribe: in a list, the comma encoded', subscribe('/open%2C/closed'), 'nack'],
	['subscribe: the comma encoded twice', subscribe('/open%252C/closed'), 'subscribe-ack'],
	['subscribe: behind empty parts', subscribe(',,/closed'), 'nack'],
	['subscribe: behind a blank', subscribe('/open,+/closed'), 'nack'],
	['subscribe: encoded', subscribe('%2fclosed'), 'nack'],
	['subscribe: an overlong slash', subscribe('%c0%afclosed'), 400],
	['subscribe: twice, the open one first', `${subscribe('/open')}&p_subject=/closed`,
		'subscribe-ack'],
	['subscribe: twice, the open one last', `${subscribe('/closed')}&p_subject=/open`, 'nack'],
	['subscribe: by a listen', 'p_event=listen&p_mode=pull&p_id=ID&p_subject=/closed', 'nack'],
	['subscribe: by a join-listen', 'p_event=join-listen&p_mode=pull&p_format=FORMAT&p_subject=/closed',
		'nack'],
	['subscribe: by a refresh', 'p_event=refresh&p_id=ID&p_subject=/closed', 'nack'],
	['subscribe: by a heartbeat', 'p_event=hb&p_id=ID&p_subject=/closed', 'hb-ack'],
	['subscribe: earlier events only', `${subscribe('/closed')}&p_last=10`, 'nack'],
	['another user: a header', subscribe('/closed'), 'nack', { headers: { 'Remote-User': 'root' } }],
	['another user: a header with _', subscribe('/closed'), 'nack', { headers: { REMOTE_USER: 'root' } }],
	['another user: a login nobody checked', subscribe('/closed'), 'nack',
		{ headers: { Authorization: `Basic ${Buffer.from('root:x').toString('base64')}` } }],
	['another user: an attribute', `${subscribe('/closed')}&REMOTE_USER=root`, 'nack'],
	['another address: X-Forwarded-For', publish('/closed'), 'nack',
		{ headers: { 'X-Forwarded-For': '127.0.0.1' } }],
	['another address: it is no harm either', 'p_event=join&p_format=FORMAT', 'join-ack',
		{ headers: { 'X-Forwarded-For': '10.1.1.1', 'X-Real-IP': '10.1.1.1', 'Client-IP': '10.1.1.1',
			Forwarded: 'for=10.1.1.1' } }],
	['another session: its handle for an id', 'p_event=hb&p_id=HANDLE', 400],
	['another session: its handle in the header', 'p_event=hb', 400,
		{ headers: { 'X-Pushlet-Id': 'HANDLE' } }],
	['another session: its handle and our id', `${publish('/open')}&p_from=HANDLE`, 'publish-ack'],
	['another session: an event for it', `${publish('/open')}&p_to=HANDLE`, 'nack'],
	['another session: an event for it, by its id', `${publish('/open')}&p_to=OTHER`, 'nack'],
	['another session: an event for all', `${publish('/open')}&p_to=`, 'nack'],
	['another session: two ids', `p_event=leave&p_id=ID0&p_id=OTHER`, 400],
	['another session: to leave by its handle', 'p_event=leave&p_id=HANDLE', 400],
	['another session: its subscription', 'p_event=unsubscribe&p_id=ID&p_sid=SID', 'nack'],
];

describe('rules are not evaded', () => {
	const lab = new Lab();
	const mine = {};		/* sessions by format */
	let nginx, pushletd, witness, other, names;

	before(async () => {
		pushletd = await lab.pushletd({ props: { rule: RULES } });
		nginx = await lab.nginx(pushletd);
		/* Whom the web server would have checked. */
		const { text } = await pushletd.fcgi({ query: 'p_event=join&p_format=xml' });
		const [id] = /[0-9a-f]{38}/.exec(text);
		await pushletd.fcgi({ query: `p_event=subscribe&p_id=${id}&p_subject=/`, REMOTE_USER: 'root' });
		witness = await nginx.client().open({ p_event: 'listen', p_id: id, p_mode: 'stream' });
		await witness.next({ p_event: 'listen-ack' });
		other = await nginx.client().join();
		const sid = await other.subscribe('/open/other');
		const { handle } = (await lab.sessions()).find((s) => s.subjects.includes('/open/other'));
		names = { OTHER: other.id, HANDLE: handle, SID: sid };
		for (const format of FORMATS)
			mine[format] = await nginx.client().join(format);
	});
	after(() => lab.close());

	const fill = (text, format) => {
		const all = { ...names, FORMAT: format, ID: mine[format].id };

		return text.replace(/\b(OTHER|HANDLE|SID|FORMAT|ID)/g, (name) => all[name]);
	};
	/* The first event of the answer, as the page would read it, or the status. */
	const attempt = async (format, query, { body, headers = {} } = {}) => {
		const given = Object.fromEntries(Object.entries(headers)
			.map(([name, value]) => [name, fill(value, format)]));
		const response = await fetch(`${nginx.url}?${fill(query, format)}`,
			{ method: body ? 'POST' : 'GET', headers: given, body: body && fill(body, format) });
		const text = await response.text();

		if (response.status !== 200)
			return { outcome: response.status, reason: text.trim() };
		const reader = readerFor(200, response.headers.get('content-type'));
		const [event] = reader.push(text);
		reader.end();
		return { outcome: event.get('p_event'), reason: event.get('p_reason') ?? '' };
	};

	for (const [what, query, wanted, more] of TABLE)
		it(what, async (t) => {
			for (const format of FORMATS) {
				const { outcome, reason } = await attempt(format, query, more);

				assert.equal(outcome, wanted, `${format}: ${reason}`);
				if (format === 'xml')
					t.diagnostic(`${what} | ${outcome} | ${reason}`);
			}
		});

	it('left the other session alone', async () => {
		assert.ok(await other.alive());
		const [found] = (await lab.sessions()).filter((s) => s.handle === names.HANDLE);
		assert.deepEqual(found.subjects, ['/open/other']);
	});

	it('and nothing outside of /open was subscribed to', async () => {
		for (const { handle, subjects } of await lab.sessions())
			assert.ok(subjects.every((subject) => subject.startsWith('/open') || subject === '/'),
				`${handle}: ${subjects}`);
		assert.equal((await lab.sessions()).filter((s) => s.subjects.includes('/')).length, 1);
	});

	it('or published, or by anybody else', async () => {
		await lab.publish('/end');
		await witness.when('the last event', () => witness.events.some((e) =>
			e.get('p_subject') === '/end'));
		const data = witness.events.filter((e) => e.get('p_event') === 'data').slice(0, -1);
		assert.equal(data.length, FORMATS.length
			* TABLE.filter(([, , wanted]) => wanted === 'publish-ack').length);
		for (const event of data) {
			assert.match(event.get('p_subject'), /^\/open/);
			assert.notEqual(event.get('p_from'), names.HANDLE);
		}
	});
});
