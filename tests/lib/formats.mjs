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

/* The text of an HTTP error, which has no events. */
export class TextReader {
	push() { return []; }
	end() {}
}

const READERS = {
	'text/plain;charset=utf-8': XmlReader,
	'text/xml;charset=utf-8': XmlStrictReader,
	'text/html;charset=utf-8': JsReader,
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
