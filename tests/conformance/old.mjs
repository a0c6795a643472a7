// SPDX-License-Identifier: MIT
//
// old.mjs - a server that answers as the recorded original did, faults and all
//
// Made from the recordings, so that the profile original can be seen to hold
// somewhere.  Its two faults that stop a server are left out: a POST that would
// spin for ever is cut, and there are no threads to run out of.

import http from 'node:http';
import { randomBytes } from 'node:crypto';

const HEADERS = [['Expires', 'Sat, 6 May 1995 12:00:00 GMT'],
	['Cache-Control', ['no-store, no-cache, must-revalidate', 'post-check=0, pre-check=0']],
	['Pragma', 'no-cache']];
const SCRIPT = '<script language="JavaScript">';
const PAGE = `<html><head></head><body>\n${SCRIPT} var url=" "; \n`
	+ 'function refresh() { document.location.href=url; }</script>';
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#039;',
	'\\': '&#092;' };

const strict = (text) => text.replace(/[&<>"'\\]/g, (c) => ENTITIES[c]);
const element = (event, value) => `<event ${Object.entries(event).map(([n, v]) =>
	`${n}="${value(v)}"`).join(' ')} />`;
const script = (event) => (event.p_event === 'refresh'
	? `\n${SCRIPT}url='${event.p_url}';\n setTimeout("refresh()", ${event.p_wait});\n</script>`
		+ '</body></html>'
	: `${SCRIPT}parent.push(${Object.entries(event).map(([n, v]) =>
		`'${n}', "${v}"`).join(',')});</script>`);

const FORMATS = {
	xml: { type: 'text/plain;charset=utf-8', open: '', close: '',
		event: (e) => element(e, String) },
	'xml-strict': { type: 'text/xml;charset=utf-8', open: '<pushlet>', close: '</pushlet>',
		event: (e) => element(e, (v) => strict(String(v))) },
	js: { type: 'text/html;charset=utf-8', open: PAGE, close: '', event: script },
	ser: { type: 'application/x-java-serialized-object', open: '', close: '',
		event: (e) => `\xac\xedt\0\x04p_idt\0\n${e.p_id ?? ''}t\0` },
};

const now = () => String(Math.floor(Date.now() / 1000));
const token = (n) => Array.from(randomBytes(n), (b) => 'abcdefghijklmnopqrstuvwxyz'[b % 26])
	.join('');

class Refused extends Error {}

/* One answer.  A closed connection is noticed at the second write after it. */
class Channel {
	constructor(answer, session) {
		Object.assign(this, { answer, session, format: FORMATS[session.format], seq: 0,
			late: 0 });
		for (const [name, value] of HEADERS)
			answer.setHeader(name, value);
		answer.setHeader('Content-Type', this.format.type);
		answer.write(Buffer.from(this.format.open, 'latin1'));
		answer.on('close', () => { this.closed = !this.ended; });
	}

	send(event) {
		const counted = ['hb', 'data', 'abort'].includes(event.p_event);
		const text = this.format.event({ ...event,
			...(counted ? { p_seq: String(++this.seq) } : {}) });

		if (this.closed && ++this.late > 1)
			this.session.end();
		this.answer.write(Buffer.from(text, this.session.format === 'ser' ? 'latin1' : 'utf8'));
	}

	end(close = this.format.close) {
		this.ended = true;
		this.answer.end(close);
	}
}

class Session {
	constructor(server, format) {
		Object.assign(this, { server, format, id: token(10), subscriptions: new Map(),
			queue: [], waiting: [], live: true });
		server.sessions.set(this.id, this);
	}

	end() {
		this.live = false;
		this.server.sessions.delete(this.id);
	}

	put(event) {
		if (!this.mode || !this.live)
			return;
		if (this.queue.length >= this.server.queue - 1)
			this.end();
		else
			this.queue.push(event);
		this.waiting.splice(0).forEach((wake) => wake());
	}

	/* The next event; undefined when there was none, or another got it. */
	async take() {
		if (this.queue.length === 0)
			await new Promise((done) => {
				const limit = this.polled ? 0x7fffffff : this.server.timeout;
				const timer = setTimeout(done, limit).unref();
				this.waiting.push(() => { clearTimeout(timer); done(); });
			});
		return this.queue.shift();
	}

	subscribe(subject, label) {
		const sid = token(5);

		this.subscriptions.set(sid, { subject, label,
			parts: subject.replace(/,+$/, '').split(',').filter((p, i, all) =>
				p !== '' || all.length > 1) });
		return { p_sid: sid, ...(label === undefined ? {} : { p_label: label }) };
	}
}

const heartbeat = () => ({ p_event: 'hb', p_time: now() });

export class OldServer {
	/* timeout: milliseconds to the next heartbeat; queue: its size */
	constructor({ timeout = 500, queue = 24 } = {}) {
		Object.assign(this, { timeout, queue, sessions: new Map() });
		this.server = http.createServer((request, answer) =>
			this.#answer(request, answer).catch((error) => this.#refuse(answer, error)));
	}

	async start() {
		await new Promise((done) => { this.server.listen(0, '127.0.0.1', done); });
		this.url = `http://127.0.0.1:${this.server.address().port}/pushlet/pushlet.srv`;
	}

	#refuse(answer, { message }) {
		answer.statusCode = 400;
		answer.end(message && `<title>Error 400 ${strict(message)}</title>`);
	}

	async #answer(request, answer) {
		const [path, query = ''] = request.url.split('?');

		if (!/^\/pushlet\/pushlet\.srv(;.*)?$/.test(path))
			answer.writeHead(404).end();
		else if (!['GET', 'HEAD', 'POST'].includes(request.method))
			answer.writeHead(405).end();
		else if (request.method === 'POST')
			await this.#command(await this.#body(request), path, answer);
		else
			await this.#command({ p_time: now(), ...this.#query(query) }, path, answer);
	}

	#query(query) {
		const decode = (text) => {
			try {
				return decodeURIComponent(text.replaceAll('+', ' '));
			} catch {
				throw new Refused('');
			}
		};
		const pairs = query.split('&').filter(Boolean).map((pair) =>
			[...pair.split('='), ''].slice(0, 2).map(decode));

		return Object.fromEntries(pairs.reverse());
	}

	async #body(request) {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		const text = Buffer.concat(chunks).toString();
		if (!/<[^]*>/.test(text))
			request.destroy();
		const inside = /^[^<]*<\s*[^\s>]+([^>]*)\/>/.exec(text)?.[1];
		const shape = /\s*([^\s=]+)\s*=\s*"((?:\\[^]|[^"\\])*)"/g;
		if (inside === undefined || inside.replace(shape, '').trim() !== '')
			throw new Refused('');
		const fields = Object.fromEntries([...inside.matchAll(shape)].map(([, n, v]) =>
			[n, v.replace(/\\([^])/g, '$1')]));
		if (!fields.p_event)
			throw new Refused('');
		return fields;
	}

	async #command(fields, path, answer) {
		const command = fields.p_event;

		if (!command)
			throw new Refused('No eventType specified');
		if (command.startsWith('join'))
			return this.#join(fields, path, answer);
		if (fields.p_id === undefined)
			throw new Refused('No id specified');
		const session = this.sessions.get(fields.p_id);
		if (!session)
			throw new Refused(`Invalid or expired id: ${fields.p_id}`);
		if (command === 'listen' || command === 'refresh')
			return this.#listen(session, fields, path, answer);
		return this.#control(session, fields, answer);
	}

	async #join(fields, path, answer) {
		const { p_event, p_format = 'js' } = fields;

		if (!FORMATS[p_format] || !['join', 'join-listen'].includes(p_event)) {
			answer.end();
			return;
		}
		const session = new Session(this, p_format);
		if (p_event === 'join')
			this.#reply(session, answer,
				{ p_event: 'join-ack', p_format, p_id: session.id });
		else
			await this.#listen(session, fields, path, answer);
	}

	#reply(session, answer, event) {
		const channel = new Channel(answer, session);

		channel.send({ ...event, p_time: now() });
		channel.end();
	}

	#control(session, fields, answer) {
		const { p_event: command, p_subject: subject, p_sid: sid } = fields;
		const reply = (event) => this.#reply(session, answer, event);
		const nack = (p_reason) => reply({ p_event: 'nack', p_id: session.id, p_reason });
		const own = { p_event: `${command}-ack`, p_id: session.id };
		const one = session.subscriptions.get(sid);

		if (['subscribe', 'publish'].includes(command) && subject === undefined)
			return nack('no subject provided');
		switch (command) {
		case 'subscribe':
			return subject === ''
				? nack('unexpected error: java.lang.IllegalArgumentException: Null')
				: reply({ ...own, p_subject: subject,
					...session.subscribe(subject, fields.p_label) });
		case 'unsubscribe':
			if (sid !== undefined && !one)
				return nack(`no subscription for sid=${sid}`);
			(sid === undefined ? [...session.subscriptions.keys()] : [sid])
				.forEach((key) => session.subscriptions.delete(key));
			return reply({ ...own, ...(one ? { p_sid: sid, p_subject: one.subject,
				...(one.label === undefined ? {} : { p_label: one.label }) } : {}) });
		case 'publish':
			this.#publish(session, fields);
			return reply({ p_event: 'publish-ack' });
		case 'hb':
			return reply({ p_event: 'hb-ack' });
		case 'leave':
			session.end();
			return reply(own);
		default:
			session.end();
			return answer.end();
		}
	}

	#publish(session, fields) {
		const event = { ...fields, p_event: 'data', p_from: session.id };

		delete event.p_seq;
		delete event.p_sid;
		if (fields.p_to !== undefined) {
			this.sessions.get(fields.p_to)?.put(event);
			return;
		}
		for (const other of [...this.sessions.values()]) {
			const [sid, { label } = {}] = [...other.subscriptions].find(([, { parts }]) =>
				fields.p_subject !== '' && parts.some((p) =>
					fields.p_subject.startsWith(p))) ?? [];
			if (sid)
				other.put({ ...event, p_sid: sid });
			/* It goes to the ones after it. */
			if (sid && label !== undefined)
				event.p_label = label;
		}
	}

	async #listen(session, fields, path, answer) {
		const { p_event: command, p_subject: subject, p_mode: mode = 'stream' } = fields;
		const refresh = command === 'refresh';

		if (subject === '' || refresh && !session.mode) {
			answer.end();
			return;
		}
		const subscribed = subject === undefined ? {}
			: session.subscribe(subject, fields.p_label);
		session.mode = refresh ? session.mode : mode;
		session.polled ||= mode === 'poll';
		const channel = new Channel(answer, session);
		channel.send({ p_event: `${command}-ack`, p_time: now(), ...(refresh ? {}
			: { p_id: session.id, p_mode: mode, p_format: session.format,
				...subscribed }) });
		if (session.mode === 'stream')
			channel.send(heartbeat());
		await this.#events(session, channel, path, refresh);
	}

	async #events(session, channel, path, refresh) {
		const stays = () => !['pull', 'poll'].includes(session.mode);

		if (stays() || refresh)
			do {
				channel.send(await session.take() ?? heartbeat());
				while (!stays() && session.queue.length > 0)
					channel.send(session.queue.shift());
			} while (stays() && session.live);
		if (!stays())
			channel.send({ p_event: 'refresh', p_time: now(), p_wait: '300',
				p_url: `${path}?p_id=${session.id}&p_event=refresh` });
		channel.end(stays() ? '' : undefined);
	}

	check() {}
	kill() { this.stop(); }
	get running() { return false; }

	stop() {
		this.server.close();
		this.server.closeAllConnections();
	}
}
