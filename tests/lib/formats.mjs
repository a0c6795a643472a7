// SPDX-License-Identifier: MIT
//
// formats.mjs - strict readers of what the server answers
//
// A reader takes text as it arrives and gives the events in it, each a Map of
// name -> value.  Anything that is not exactly the format is an error: raw
// markup in a value, a name twice, text between events, a document left open.

import vm from 'node:vm';

const S = /[ \t\r\n]/;
const NAME = /^[A-Za-z_\u00C0-\uFFFD][-.\w\u00B7\u00C0-\uFFFD]*$/u;
const NOT_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\uFFFE\uFFFF]/;
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const fail = (what, near) => {
	throw new Error(`${what} near ${JSON.stringify(near.slice(0, 300))}`);
};

function reference(whole, body) {
	const number = /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(body);
	const text = number
		? String.fromCodePoint(number[1] ? parseInt(number[1], 16) : Number(number[2]))
		: ENTITIES[body];

	if (text === undefined || NOT_XML.test(text))
		fail(`no XML reference: ${whole}`, whole);
	return text;
}

/* As an XML parser reports it: white space characters become blanks unless
 * they stand as references. */
function attributeValue(raw) {
	if (NOT_XML.test(raw))
		fail('a character that XML does not know', raw);
	if (raw.includes('<'))
		fail('raw < in a value', raw);
	const normal = raw.replace(/\r\n|[\t\r\n]/g, ' ');
	if (/&(?![#\w]+;)/.test(normal))
		fail('raw & in a value', raw);
	return normal.replace(/&([#\w]+);/g, reference);
}

/* Reads name="value" from text at position at: [position, name, value], or
 * undefined when there is not enough text yet. */
function attribute(text, at) {
	const equals = text.indexOf('=', at);
	const open = equals + 1;

	if (equals < 0 || open >= text.length)
		return undefined;
	if (text[open] !== '"' && text[open] !== "'")
		fail('a value without quotes', text.slice(at));
	const close = text.indexOf(text[open], open + 1);
	if (close < 0)
		return undefined;
	const name = text.slice(at, equals);
	if (!NAME.test(name))
		fail(`not a name: ${name}`, text.slice(at));
	return [close + 1, name, attributeValue(text.slice(open + 1, close))];
}

/* <event a="b" ... /> at the start of text: { event, rest } or undefined. */
function element(text) {
	const event = new Map();
	let at = '<event'.length;

	for (;;) {
		const before = at;
		while (at < text.length && S.test(text[at]))
			at++;
		if (at + 1 >= text.length)
			return undefined;
		if (text.startsWith('/>', at))
			return { event, rest: text.slice(at + 2) };
		if (before === at)
			fail('no blank before an attribute', text);
		const found = attribute(text, at);
		if (!found)
			return undefined;
		const [next, name, value] = found;
		if (event.has(name))
			fail(`the name ${name} twice`, text);
		event.set(name, value);
		at = next;
	}
}

/* p_format=xml: events one after another */
export class XmlReader {
	constructor() {
		this.rest = '';
	}

	push(text) {
		const events = [];

		this.rest += text;
		for (;;) {
			this.rest = this.rest.replace(/^[ \t\r\n]+/, '');
			this.prologue();
			if (!this.inside('<event'))
				break;
			const found = element(this.rest);
			if (!found)
				break;
			events.push(found.event);
			this.rest = found.rest;
		}
		return events;
	}

	/* Does the rest begin with word?  Errors unless it is word's beginning. */
	inside(word) {
		if (this.rest.startsWith(word))
			return true;
		if (!word.startsWith(this.rest))
			fail(`no ${word}`, this.rest);
		return false;
	}

	prologue() {}

	end() {
		if (this.rest !== '')
			fail('text after the last event', this.rest);
	}
}

/* p_format=xml-strict: one document <pushlet>...</pushlet> */
export class XmlStrictReader extends XmlReader {
	prologue() {
		const skip = (pattern, next) => {
			const match = pattern.exec(this.rest);
			if (match) {
				this.rest = this.rest.slice(match[0].length);
				this.state = next;
			}
		};

		if (this.state === undefined)
			skip(/^<\?xml version="1\.0"[^<>]*\?>\s*/, undefined);
		if (this.state === undefined)
			skip(/^<pushlet>\s*/, 'open');
		if (this.state === 'open')
			skip(/^<\/pushlet>\s*/, 'closed');
	}

	inside(word) {
		if (this.state === 'open')
			return !'</pushlet>'.startsWith(this.rest) && super.inside(word);
		if (this.state === 'closed')
			super.end();	/* nothing may follow */
		else if (!this.rest.startsWith('<?'))
			super.inside('<pushlet>');
		return false;
	}

	end() {
		super.end();
		if (this.state !== 'closed')
			fail('the document is not closed', `state ${this.state}`);
	}
}

/* What a page of p_format=js may contain between its scripts. */
const PAGE = new RegExp('^(?:\\s|<!DOCTYPE html>|<html>|<head>|<meta [^<>]*>'
	+ '|<title>[^<>]*</title>|</head>|<body[^<>]*>|</body>|</html>)*$', 'i');

/* p_format=js: a page whose scripts call parent.push(name, value, ...) */
export class JsReader {
	constructor() {
		this.rest = '';
		this.page = '';
	}

	push(text) {
		const events = [];

		this.rest += text;
		for (;;) {
			const match = /<script[^<>]*>([^]*?)<\/script>/.exec(this.rest);
			if (!match)
				break;
			this.#page(this.rest.slice(0, match.index));
			events.push(...this.#execute(match[1]));
			this.rest = this.rest.slice(match.index + match[0].length);
		}
		return events;
	}

	#page(text) {
		this.page += text;
		if (!PAGE.test(this.page))
			fail('text outside of the scripts', text);
	}

	/* Runs a script as the browser would, and gives what it pushed. */
	#execute(script) {
		const events = [];
		const timers = [];

		/* These end a script or a line inside a page, whatever quotes
		 * stand around them. */
		if (/<!--|<script|<\/script|[\u2028\u2029]/i.test(script))
			fail('a script that a browser reads differently', script);
		this.context ??= vm.createContext({ document: { location: {} } });
		Object.assign(this.context, {
			parent: { push: (...args) => events.push(pushed(args)) },
			setTimeout: (what, ms) => timers.push([what, ms]),
		});
		this.context.window = this.context;
		vm.runInContext(script, this.context);
		for (const [what, ms] of timers)
			events.push(this.#refresh(what, ms));
		return events;
	}

	#refresh(what, ms) {
		if (typeof what === 'function')
			what();
		else
			vm.runInContext(what, this.context);
		const url = this.context.document.location.href
			?? this.context.document.location;
		return new Map([['p_event', 'refresh'], ['p_wait', String(ms)],
			['p_url', String(url)]]);
	}

	end() {
		this.#page(this.rest);
		if (!/<\/body>\s*<\/html>\s*$/i.test(this.page))
			fail('the page is not closed', this.page);
	}
}

function pushed(args) {
	const event = new Map();

	if (args.length === 0 || args.length % 2 !== 0)
		fail('parent.push() without pairs', JSON.stringify(args));
	for (let i = 0; i < args.length; i += 2) {
		if (typeof args[i] !== 'string' || typeof args[i + 1] !== 'string')
			fail('parent.push() of something else than text', JSON.stringify(args));
		if (event.has(args[i]))
			fail(`the name ${args[i]} twice`, JSON.stringify(args));
		event.set(args[i], args[i + 1]);
	}
	return event;
}

const STRING = '"(?:[^"\\\\\\0-\\x1f]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*"';
const MEMBER = new RegExp(`(${STRING}):(${STRING})([,}])`, 'y');

/* Where the object at the start of text ends, or -1. */
function objectEnd(text) {
	let quoted = false;

	for (let i = 0; i < text.length; i++)
		if (quoted && text[i] === '\\')
			i++;
		else if (text[i] === '"')
			quoted = !quoted;
		else if (text[i] === '}' && !quoted)
			return i + 1;
	return -1;
}

/* A JSON object whose values are all text, as an event: nothing in it may end
 * a script around it. */
function jsonEvent(text) {
	const event = new Map();
	let next = ',';

	if (text[0] !== '{' || /[<\u2028\u2029]/.test(text))
		fail('not an object for a script', text);
	MEMBER.lastIndex = 1;
	for (let at = 1; next === ','; at = MEMBER.lastIndex) {
		const match = MEMBER.exec(text);
		if (!match)
			fail('not "name":"value"', text.slice(at));
		const [name, value] = [JSON.parse(match[1]), JSON.parse(match[2])];
		if (event.has(name))
			fail(`the name ${name} twice`, text);
		event.set(name, value);
		next = match[3];
	}
	if (MEMBER.lastIndex !== text.length)
		fail('text behind an object', text);
	return event;
}

/* p_format=json: one array, that grows */
export class JsonReader {
	constructor() {
		this.rest = '';
		this.whole = '';
		this.count = 0;
		this.expected = /^\[/;
	}

	push(text) {
		const events = [];

		this.whole += text;
		this.rest += text;
		for (;;) {
			this.rest = this.rest.replace(/^[ \t\r\n]+/, '');
			if (this.rest === '')
				return events;
			if (this.expected) {
				if (!this.expected.test(this.rest))
					fail(`no ${this.expected}`, this.rest);
				this.expected = this.rest[0] === ']' ? /^$/ : undefined;
				this.rest = this.rest.slice(1);
				continue;
			}
			const end = objectEnd(this.rest);
			if (end < 0)
				return events;
			events.push(jsonEvent(this.rest.slice(0, end)));
			this.count++;
			this.rest = this.rest.slice(end);
			this.expected = /^[,\]]/;
		}
	}

	end() {
		if (JSON.parse(this.whole).length !== this.count)
			fail('not what JSON.parse() reads', this.whole);
	}
}

/* p_format=json with p_callback: a script, run when it is whole */
export class CallbackReader {
	constructor() {
		this.rest = '';
	}

	push(text) {
		this.rest += text;
		if (!this.rest.endsWith(');\n'))
			return [];
		const script = this.rest;
		const [, name] = /^\/\*\*\/([\w$]+(?:\.[\w$]+)*)\(/.exec(script)
			?? fail('no call', script);
		const calls = [];
		const path = name.split('.');
		const last = path.pop();
		const context = {};
		let place = context;

		for (const part of path)
			place = place[part] = {};
		place[last] = (...args) => calls.push(args);
		if (/[<\u2028\u2029]/.test(script))
			fail('a script that a browser reads differently', script);
		vm.runInNewContext(script, context);
		if (calls.length !== 1 || calls[0].length !== 1)
			fail('not one call with an array', script);
		this.callback = name;
		this.rest = '';
		return calls[0][0].map((object) => jsonEvent(JSON.stringify(object)
			.replace(/[<\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)
				.padStart(4, '0')}`)));
	}

	end() {
		if (this.callback === undefined || this.rest !== '')
			fail('a script that is cut', this.rest);
	}
}

/* p_format=sse, as EventSource reads it (but it knows no more fields than we
 * may send) */
export class SseReader {
	constructor() {
		this.rest = '';
		this.block = {};
	}

	push(text) {
		const events = [];

		this.rest += text;
		for (;;) {
			const end = this.rest.indexOf('\n');
			if (end < 0)
				return events;
			const line = this.rest.slice(0, end);
			this.rest = this.rest.slice(end + 1);
			if (line === '')
				events.push(this.#event());
			else if (line[0] !== ':')
				this.#field(line);
		}
	}

	#field(line) {
		const [, name, value] = /^(data|id|retry): ([^\r\0]*)$/.exec(line)
			?? fail('not a line of an event', line);

		if (this.block[name] !== undefined)
			fail(`${name} twice`, line);
		this.block[name] = value;
	}

	#event() {
		const { data, id, retry } = this.block;
		const event = jsonEvent(data ?? fail('an event without data', this.rest));

		this.block = {};
		if (id !== event.get('p_eid'))
			fail(`id ${id} of another event`, data);
		if (retry !== event.get('p_wait'))
			fail(`retry ${retry} of another event`, data);
		this.lastEventId = id ?? this.lastEventId;
		return event;
	}

	end() {
		if (this.rest !== '' || Object.keys(this.block).length > 0)
			fail('an event that is cut', this.rest);
	}
}

/* p_format=multipart: a part an event, each known to be whole by the boundary
 * behind it */
export class MultipartReader {
	constructor() {
		this.rest = '';
		this.boundary = '--pushlet-event';
	}

	push(text) {
		const events = [];

		this.rest += text;
		this.#start();
		for (;;) {
			const end = this.rest.indexOf(`\r\n${this.boundary}`);
			if (!this.started || end < 0)
				return events;
			const part = /^[ \t]*\r\nContent-Type: application\/json\r\n\r\n(.*)$/s
				.exec(this.rest.slice(0, end)) ?? fail('not a part', this.rest);
			events.push(jsonEvent(part[1]));
			this.rest = this.rest.slice(end + 2 + this.boundary.length);
		}
	}

	#start() {
		if (this.started || this.rest.length < this.boundary.length)
			return;
		if (!this.rest.startsWith(this.boundary))
			fail('no boundary', this.rest);
		this.rest = this.rest.slice(this.boundary.length);
		this.started = true;
	}

	end() {
		if (!this.started || !/^[ \t]*--\r\n$/.test(this.rest))
			fail('no end', this.rest);
	}
}

/* The text of an HTTP error, which has no events. */
export class TextReader {
	push() { return []; }
	end() {}
}

const READERS = {
	'text/plain;charset=utf-8': XmlReader,
	'text/xml;charset=utf-8': XmlStrictReader,
	'text/html;charset=utf-8': JsReader,
	'application/json': JsonReader,
	'text/javascript;charset=utf-8': CallbackReader,
	'text/event-stream;charset=utf-8': SseReader,
	'multipart/x-mixed-replace;boundary=pushlet-event': MultipartReader,
};

/* The reader for an answer's status and content type. */
export function readerFor(status, contentType) {
	const type = String(contentType).toLowerCase().replace(/;\s+/g, ';');

	if (status !== 200)
		return new TextReader();
	if (!READERS[type])
		throw new Error(`an answer of content type ${contentType}`);
	return new READERS[type]();
}

/* Events as plain objects, for assertions and messages. */
export const plain = (event) => Object.fromEntries(event);
