/* SPDX-License-Identifier: MIT */
/*
 * connection.js - a session of its own, and a log of all it saw
 *
 * host: what the connections share.  request(fields) makes a request as the form
 * says, url is the server's; changed(), remove(connection) and suggest(p_sid)
 * are called.
 */
import { $, amount, bytes, duration, size } from './elements.js';
import { Log, pairs } from './log.js';
import * as wire from './wire.js';

const JOINS = ['join', 'join-listen'];
const CHANNELS = ['join-listen', 'listen', 'refresh'];

const published = [];			/* {what, at} of late, for latencies */

export class Connection {
	constructor(name, settings, host) {
		const part = $('connection').content.cloneNode(true);

		Object.assign(this, { name, host });
		this.box = part.firstElementChild;
		this.box.querySelector('h2').textContent = name;
		this.log = new Log(this.box.querySelector('.log'));
		this.log.list.ariaLabel = `Log of connection ${name}`;
		this.cuts = new Set();		/* one for each request under way */
		this.channel = null;
		this.events = this.bytes = 0;
		this.set(settings);
		this.box.addEventListener('change', () => host.changed());
		this.control('cut').onclick = () => this.cut();
		this.control('remove').onclick = () => host.remove(this);
		$('connections').append(part);
		this.forget('No session');
	}

	control(name) { return this.box.querySelector(`[name=${name}]`); }
	value(name) { return this.control(name).value; }
	find(selector) { return this.box.querySelector(selector); }

	get settings() {
		return ['format', 'mode', 'transport'].map((n) => this.value(n));
	}

	set([format, mode, transport]) {
		for (const [name, value] of Object.entries({ format, mode, transport }))
			if ([...this.control(name)].some((o) => o.value === value))
				this.control(name).value = value;
	}

	/* state: of .status in style.css */
	show(state, text) {
		const status = this.find('.status');

		status.dataset.state = state;
		status.textContent = text;
		this.find('.id').textContent = this.id || '';
		this.control('cut').disabled = !this.channel;
	}

	forget(why, state) {
		this.id = '';
		this.eid = 0;
		clearTimeout(this.timer);
		this.show(state || '', why);
		this.host.changed();
	}

	/* Closes what is open. */
	cut() {
		clearTimeout(this.timer);
		for (const cut of this.cuts)
			cut();
	}

	fieldsFor(command, own) {
		if (command === 'other')
			return own;
		return { p_event: command,
			...!JOINS.includes(command) && this.id && { p_id: this.id },
			...JOINS.includes(command) && { p_format: this.value('format') },
			...command.includes('listen') && { p_mode: this.value('mode') },
			...own };
	}

	requestFor(fields) {
		return this.host.request(fields);
	}

	command(command, own) {
		const fields = this.fieldsFor(command, own);

		if (command === 'publish')
			remember(fields);
		this.send(this.requestFor(fields), fields);
	}

	/* Sends a request and takes care of its answer. */
	send(req, fields) {
		const exchange = { began: performance.now(), req, events: 0,
			bytes: 0, command: fields.p_event || '(no p_event)',
			isChannel: CHANNELS.includes(fields.p_event) };

		this.log.add({ kind: 'sent', way: '→', name: exchange.command,
			words: pairs(fields, ['p_event', 'p_id']), aside: req.method,
			raw: `${req.method} ${req.url}${req.body ?
				`\nContent-Type: ${req.type}\n\n${req.body}` : ''}`,
			curl: wire.curl(req), fields });
		if (exchange.isChannel) {
			clearTimeout(this.timer);
			this.channel = exchange;
		}
		const cut = wire.send(req, this.value('transport'), {
			head: (status, type) => this.head(exchange, status, type),
			text: (text) => this.text(exchange, text),
			end: (reason) => { this.cuts.delete(cut); this.end(exchange, reason); },
		});
		this.cuts.add(cut);
	}

	head(exchange, status, type) {
		exchange.status = status;
		exchange.reader = wire.reader(type);
		this.log.add({ kind: status === 200 ? 'http' : 'http fault', way: '←',
			name: `HTTP ${status}`, words: [type],
			aside: duration(performance.now() - exchange.began) });
	}

	text(exchange, text) {
		exchange.bytes += size(text);
		this.bytes += size(text);
		if (exchange.status !== 200) {
			this.log.add({ kind: 'event fault', way: '←', name: 'answer',
				words: [text.trim()], raw: text });
			if (exchange.status === 400 && /expired id/i.test(text))
				this.forget('Session unknown', 'failed');
		}
		this.log.add({ kind: 'piece', way: '←', chunk: text });
		try {
			for (const { fields, raw } of exchange.reader.push(text))
				this.event(exchange, fields, raw);
		} catch (error) {
			this.log.add({ kind: 'event fault', way: '!', name: 'unreadable',
				words: [error.message], raw: text });
		}
		this.count();
	}

	event(exchange, fields, raw) {
		const type = fields.p_event || '';
		const { p_subject: subject = '', p_time: time, ...rest } = fields;

		exchange.events++;
		this.events++;
		this.log.add({ kind: 'event', type, way: '←', name: type || '?',
			words: [subject && `${subject} `, ...pairs(rest, ['p_event'])],
			alarm: this.alarm(fields), aside: latency(fields), fields, raw });
		this.take(exchange, type, fields);
	}

	/* What the numbers of a reliable session reveal. */
	alarm({ p_eid: eid, p_lost: lost }) {
		const before = this.eid, gap = eid - before - 1;

		this.eid = Math.max(before, eid || 0);
		return lost ? `${lost} lost` : !eid || !gap ? '' :
			gap < 0 ? 'sent again' : before ? `${gap} missing` : '';
	}

	take(exchange, type, fields) {
		if (type === 'join-ack' || type === 'join-listen-ack') {
			this.id = fields.p_id || '';
			this.eid = 0;
			this.show('', 'Joined');
			this.host.changed();
		}
		if (type === 'leave-ack')
			this.forget('Left');
		else if (type === 'abort')
			this.forget('Ended by the server', 'failed');
		else if (type === 'refresh')
			exchange.refresh = fields;
		else if (exchange.isChannel && exchange === this.channel && this.id)
			this.show('live', 'Listening');
		if (/^(listen|join-listen|subscribe)-ack$/.test(type) && fields.p_sid)
			this.host.suggest(fields.p_sid);
	}

	end(exchange, reason) {
		const words = `${exchange.command} after ${duration(performance.now() -
			exchange.began)}: ${amount(exchange.events)}, ${
			bytes(exchange.bytes)}`;

		this.log.add({ kind: reason ? 'end fault' : 'end', way: reason ? '!' : '·',
			name: reason || 'end', words: [words] });
		if (exchange !== this.channel)
			return;
		this.channel = null;
		if (!this.id)
			this.show(this.find('.status').dataset.state,
				this.find('.status').textContent);
		else if (exchange.refresh && this.control('follow').checked)
			this.follow(exchange);
		else
			this.show(reason ? 'failed' : '', reason ? 'Broken' : 'Joined');
	}

	/* Comes back as the server said; acknowledges as an EventSource does. */
	follow({ req, refresh }) {
		const wait = Number(refresh.p_wait) || 0;
		let url = new URL(refresh.p_url, req.url).href;

		if (this.eid && !/[?&]p_ack=/.test(url))
			url = wire.withQuery(url, `p_ack=${this.eid}`);
		this.show('connecting', 'Waiting');
		this.timer = setTimeout(() => this.send({ method: 'GET', url },
			Object.fromEntries(new URL(url).searchParams)), wait);
	}

	count() {
		this.find('.totals').textContent =
			`${amount(this.events)}, ${bytes(this.bytes)}`;
	}

	/* Called when the page goes: nobody waits for an answer. */
	leave() {
		if (this.id)
			navigator.sendBeacon(this.host.url, new Blob(
				[`p_event=leave&p_id=${this.id}`],
				{ type: 'application/x-www-form-urlencoded' }));
	}
}

/* -- latencies: from a publish of this page to its events ------------------ */

const application = (fields) => JSON.stringify(Object.entries(fields)
	.filter(([name]) => name === 'p_subject' || !name.startsWith('p_')).sort());

function remember(fields) {
	published.unshift({ what: application(fields), at: performance.now() });
	published.length = Math.min(published.length, 20);
}

function latency(fields) {
	const what = fields.p_event === 'data' && application(fields);
	const cause = published.find((one) => one.what === what);
	const ms = cause ? performance.now() - cause.at : Infinity;

	return ms < 30000 ? `${duration(ms)} after publish` : '';
}
