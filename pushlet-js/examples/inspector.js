/* SPDX-License-Identifier: MIT */
/*
 * inspector.js - the protocol inspector: a form for commands, and connections
 * side by side, each with a session of its own and a log of all it saw
 *
 * The setting of the connections is kept in the page's #fragment, to be shared.
 */
'use strict';

const KEPT = 800; 			/* rows of a log */
const MOST = 5;				/* connections; a browser has six */
const JOINS = ['join', 'join-listen'];
const CHANNELS = ['join-listen', 'listen', 'refresh'];

/* What to ask for each command; ids, format and mode come by themselves. */
const COMMANDS = {
	'join-listen': { p_subject: '/', p_label: '', p_reliable: '' },
	'join': { p_reliable: '' },
	'listen': { p_subject: '/', p_label: '', p_ack: '' },
	'refresh': { p_ack: '' },
	'subscribe': { p_subject: '/demo', p_label: '' },
	'unsubscribe': { p_sid: '' },
	'publish': { p_subject: '/demo/hello', p_to: '' },
	'hb': { p_ack: '' },
	'leave': {},
	'other': { p_event: '', p_id: '' },
};
const HINTS = {
	p_label: 'comes back with events',
	p_reliable: '1: until acknowledged',
	p_ack: 'p_eid of the last event',
	p_sid: 'empty: all',
	p_to: 'empty: all who listen',
	p_event: 'any word',
	p_id: 'empty: none',
};

const $ = (id) => document.getElementById(id);
const connections = [];
const published = [];			/* {fields, at} of late, for latencies */
let paused = false;
let words = [];				/* of the filter */

/* -- elements -------------------------------------------------------------- */

function make(name, className, text) {
	const element = document.createElement(name);

	element.className = className || '';
	if (text !== undefined)
		element.textContent = text;
	return element;
}

/* Makes box a group of radio buttons. */
function chips(box, names, selected, change) {
	box.replaceChildren(...names.map((name) => {
		const label = make('label');
		const input = make('input');

		input.type = 'radio';
		input.name = box.id;
		input.value = name;
		input.checked = name === selected;
		input.addEventListener('change', change);
		label.append(input, make('span', '', name));
		return label;
	}));
}

function chosen(id) {
	return $(id).querySelector(':checked')?.value;
}

function amount(events) {
	return `${events} ${events === 1 ? 'event' : 'events'}`;
}

function bytes(n) {
	return n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(1)} kB` :
		`${(n / 1e6).toFixed(1)} MB`;
}

function duration(ms) {
	return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` :
		`${(ms / 1000).toFixed(1)} s`;
}

/* 14:03:07.042, local */
function clock(date) {
	return new Date(date - date.getTimezoneOffset() * 60000).toISOString()
		.slice(11, 23);
}

async function copy(text, button) {
	const before = button.textContent;

	try {
		await navigator.clipboard.writeText(text);
		button.textContent = 'Copied';
	} catch {		/* plain http of another host: no clipboard */
		prompt('Copy this:', text);
	}
	setTimeout(() => { button.textContent = before; }, 1200);
}

/* -- logs ------------------------------------------------------------------ */

/* Name=value pairs: what the page's own fields say stands out. */
function pairs(fields, skip) {
	const list = Object.entries(fields).filter(([name]) =>
		!skip.includes(name));

	list.sort(([a], [b]) => a.startsWith('p_') - b.startsWith('p_'));
	return list.map(([name, value]) => [make('i', '', `${name}=`),
		name.startsWith('p_') ? make('i', '', value) : value, ' ']).flat();
}

/*
 * The rows of one connection.  An entry: kind (class names), way (an arrow),
 * and what there is of name, type (of the event), words (text and elements),
 * aside, alarm, fields, raw, curl; of a piece of text as it came, chunk.
 */
class Log {
	constructor(list) {
		this.list = list;
		this.waiting = [];
		this.atEnd = true;		/* and is to stay there */
		this.top = 0;
		list.addEventListener('scroll', () => this.scrolled());
		list.addEventListener('toggle', (event) => {
			if (!event.target.open)
				return;
			this.atEnd = false;	/* somebody reads here */
			Log.open(event.target, event.target.parentNode.entry);
		}, true);
	}

	/* Rows that came since are no reason to leave the end. */
	scrolled() {
		const { scrollTop, scrollHeight, clientHeight } = this.list;

		if (scrollHeight - scrollTop - clientHeight < 30)
			this.atEnd = true;
		else if (scrollTop < this.top)
			this.atEnd = false;
		this.top = scrollTop;
	}

	add(entry) {
		entry.at = new Date();
		this.waiting.push(entry);
		if (this.waiting.length > KEPT)
			this.waiting.shift();
		if (paused)
			showPause();
		else if (this.waiting.length === 1)
			requestAnimationFrame(() => this.flush());
	}

	flush() {
		const { list } = this;

		if (paused)
			return;
		list.append(...this.waiting.splice(0).map(Log.row));
		while (list.children.length > KEPT)
			list.firstChild.remove();
		if (this.atEnd)
			list.scrollTop = list.scrollHeight;
		this.top = list.scrollTop;
	}

	static row(entry) {
		const row = make('li', entry.kind);
		const line = make(entry.chunk ? 'div' : 'summary');
		const time = make('time', '', clock(entry.at));
		const details = make('details');

		row.entry = entry;
		row.dataset.type = entry.type || '';
		line.append(time, make('span', 'way', entry.way || ''));
		if (entry.chunk) {
			row.classList.add('chunk');
			row.append(...line.childNodes, make('pre', '', entry.chunk),
				make('span', 'aside', bytes(size(entry.chunk))));
		} else {
			const text = make('span', 'words');

			text.append(...entry.words || []);
			line.append(make('b', '', entry.name), text,
				make('span', `aside ${entry.alarm ? 'alarm' : ''}`,
					entry.alarm || entry.aside || ''));
			details.append(line);
			row.append(details);
		}
		entry.find = row.textContent.toLowerCase();
		row.hidden = !matches(entry);
		return row;
	}

	/* The rest of an entry is made when somebody wants to see it. */
	static open(details, entry) {
		const more = make('div', 'more');
		const table = make('table');

		if (details.children.length > 1)
			return;
		for (const [name, value] of Object.entries(entry.fields || {})) {
			const row = table.insertRow();

			row.insertCell().textContent = name;
			row.insertCell().textContent = value;
		}
		more.append(table);
		if (entry.raw)
			more.append(make('pre', '', entry.raw));
		if (entry.curl) {
			const button = make('button', 'quiet', 'Copy as curl');

			button.type = 'button';
			button.onclick = () => copy(entry.curl, button);
			more.append(button);
		}
		details.append(more);
	}

	get entries() {
		return [...this.list.children].map((row) => row.entry)
			.concat(this.waiting);
	}

	clear() {
		this.list.replaceChildren();
		this.waiting = [];
	}
}

function size(text) {
	return new TextEncoder().encode(text).length;
}

/* All words of the filter, and none of those behind a minus. */
function matches(entry) {
	return words.every((word) => word.startsWith('-') && word.length > 1 ?
		!entry.find.includes(word.slice(1)) : entry.find.includes(word));
}

/* -- connections ----------------------------------------------------------- */

class Connection {
	constructor(name, settings) {
		const part = $('connection').content.cloneNode(true);

		this.name = name;
		this.box = part.firstElementChild;
		this.box.querySelector('h2').textContent = name;
		this.log = new Log(this.box.querySelector('.log'));
		this.log.list.ariaLabel = `Log of connection ${name}`;
		this.cuts = new Set();		/* one for each request under way */
		this.channel = null;
		this.events = this.bytes = 0;
		this.set(settings);
		this.box.addEventListener('change', changed);
		this.control('cut').onclick = () => this.cut();
		this.control('remove').onclick = () => remove(this);
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
		changed();
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
		return wire.request($('how').value, $('url').value, fields);
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
			changed();
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
			suggest(fields.p_sid);
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
			navigator.sendBeacon($('url').value, new Blob(
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

/* -- the set of connections ------------------------------------------------ */

function add(settings) {
	const name = ['A', 'B', 'C', 'D', 'E'].find((letter) =>
		!connections.some((one) => one.name === letter));

	connections.push(new Connection(name, settings));
	arrange();
}

function remove(connection) {
	connection.leave();
	connection.cut();
	connections.splice(connections.indexOf(connection), 1);
	connection.box.remove();
	arrange();
}

/* The connections are others now: offer them as targets. */
function arrange() {
	const names = connections.map((one) => one.name);
	const before = chosen('targets');
	const all = names.length > 1 ? ['all'] : [];
	const keep = $('targets').children.length > 1 && names.includes(before);

	chips($('targets'), [...all, ...names],
		keep ? before : all[0] || names[0], changed);
	$('add').disabled = names.length >= MOST;
	connections.forEach((one) => {
		one.control('remove').disabled = names.length === 1;
	});
	changed();
}

function targets() {
	const name = chosen('targets');

	return connections.filter((one) => name === 'all' || name === one.name);
}

/* -- the form -------------------------------------------------------------- */

const values = {};		/* what was typed, by command and field */
const own = { publish: [['text', 'Hello']] };	/* further fields, by command */
const sids = make('datalist');

function suggest(sid) {
	if (![...sids.children].some((option) => option.value === sid))
		sids.append(Object.assign(make('option'), { value: sid }));
}

function field(command, name, initial) {
	const label = make('label', 'field');
	const input = make('input');
	const key = `${command} ${name}`;

	input.name = name;
	input.value = values[key] ?? initial;
	input.placeholder = HINTS[name] || '';
	if (name === 'p_sid')
		input.setAttribute('list', sids.id);
	input.addEventListener('input', () => {
		values[key] = input.value;
		changed();
	});
	label.append(make('span', 'label', name), input);
	return label;
}

function ownField(command, pair) {
	const box = make('div', 'field own');
	const label = make('span', 'label', 'own field');
	const drop = make('button', '', '×');

	drop.type = 'button';
	drop.title = 'Remove this field';
	drop.onclick = () => {
		own[command] = own[command].filter((other) => other !== pair);
		drawFields();
	};
	label.append(drop);
	box.append(label, ...['name', 'value'].map((what, i) => {
		const input = make('input', what);

		input.value = pair[i];
		input.placeholder = what;
		input.ariaLabel = what;
		input.addEventListener('input', () => {
			pair[i] = input.value;
			changed();
		});
		return input;
	}));
	return box;
}

function drawFields() {
	const command = chosen('commands');
	const more = make('button', 'quiet', 'Add field');

	more.type = 'button';
	more.onclick = () => {
		own[command] = [...own[command] || [], ['', '']];
		drawFields();
		$('fields').querySelector('.own:last-of-type .name').focus();
	};
	$('fields').replaceChildren(
		...Object.entries(COMMANDS[command]).map(([name, initial]) =>
			field(command, name, initial)),
		...(own[command] || []).map((pair) => ownField(command, pair)), more);
	changed();
}

/* Empty fields of ours are left out; further ones are sent as they are. */
function formFields() {
	const command = chosen('commands');
	const fields = {};

	for (const [name, initial] of Object.entries(COMMANDS[command] || {})) {
		const value = values[`${command} ${name}`] ?? initial;
		if (value)
			fields[name] = value;
	}
	for (const [name, value] of own[command] || [])
		if (name)
			fields[name] = value;
	return fields;
}

/* Something that the next request depends on has changed. */
function changed() {
	const command = chosen('commands');

	if (!command || !connections.length)
		return;
	$('curl').textContent = targets().map((one) =>
		wire.curl(one.requestFor(one.fieldsFor(command, formFields())))).join('\n');
	$('send').textContent = targets().length > 1 ?
		`Send to ${targets().length}` : 'Send';
	history.replaceState(null, '', `#${connections.map((one) =>
		one.settings.join('.')).join(',')}`);
}

/* -- tools ----------------------------------------------------------------- */

function showPause() {
	const n = connections.reduce((sum, one) => sum + one.log.waiting.length, 0);

	$('pause').textContent = paused ? `Resume (${n} new)` : 'Pause';
	$('pause').ariaPressed = String(paused);
}

function save() {
	const text = connections.map((one) => `connection ${one.name}: ${
		one.settings.join(', ')}\n${one.log.entries.map((entry) =>
		[entry.at.toISOString(), entry.way || '', entry.name || 'text',
			JSON.stringify(entry.fields || entry.chunk || entry.words || ''),
			entry.alarm || entry.aside || ''].join('  ')).join('\n')}\n`)
		.join('\n');
	const link = make('a');

	link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
	link.download = 'pushlet-log.txt';
	link.click();
	URL.revokeObjectURL(link.href);
}

function filter() {
	words = $('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
	for (const { log } of connections)
		for (const row of log.list.children)
			row.hidden = !matches(row.entry);
}

$('form').addEventListener('submit', (event) => {
	event.preventDefault();
	for (const one of targets())
		one.command(chosen('commands'), formFields());
});
$('how').addEventListener('change', changed);
$('url').addEventListener('input', changed);
$('copy').onclick = () => copy($('curl').textContent, $('copy'));
$('filter').addEventListener('input', filter);
$('pause').onclick = () => {
	paused = !paused;
	showPause();
	connections.forEach((one) => one.log.flush());
};
$('clear').onclick = () => {
	connections.forEach((one) => one.log.clear());
	showPause();
};
$('save').onclick = save;
$('add').onclick = () => add(connections[connections.length - 1].settings);
window.addEventListener('pagehide', (event) => {
	if (!event.persisted)
		connections.forEach((one) => one.leave());
});

sids.id = 'sids';
document.body.append(sids);
$('url').value = new URL('../pushlet.srv', location).href;
chips($('commands'), Object.keys(COMMANDS), 'join-listen', drawFields);
chips($('views'), ['events', 'raw', 'both'], 'events', () => {
	$('connections').dataset.view = chosen('views');
});
$('connections').dataset.view = 'events';
(location.hash.slice(1) || 'xml.stream.fetch,json.pull.fetch').split(',')
	.slice(0, MOST).forEach((one) => add(one.split('.')));
drawFields();
