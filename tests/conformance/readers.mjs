// SPDX-License-Identifier: MIT
//
// readers.mjs - reads what any Pushlet server answers, and runs none of it
//
// As lib/formats.mjs, whose readers run the scripts of a server that the tests
// started.  Whose server this one is nobody knows: scripts are taken apart, and
// what is no call of parent.push() with plain strings is no event.
//
// A reader takes text as it comes and gives events, each a Map.  A strict one
// refuses raw markup in values, as a parser would; the original server writes
// it in the formats xml and js.

import { JsonReader, MultipartReader, SseReader } from '../lib/formats.mjs';

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const NOT_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\uFFFE\uFFFF]/;
const VALUE = /\s+([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ELEMENT = /^<event((?:\s+[^\s=<>"'/]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*\/>/;

const some = (text) => JSON.stringify(text.length > 160
	? `${text.slice(0, 160)}...` : text);

function fail(what, near) {
	throw new Error(`${what}: ${some(near)}`);
}

/* A value as an XML parser reports it. */
function xmlValue(raw, strict) {
	if (strict && raw.includes('<'))
		fail('a raw < in a value', raw);
	if (strict && /&(?!(?:#\d+|#x[0-9a-fA-F]+|amp|lt|gt|quot|apos);)/.test(raw))
		fail('a raw & in a value', raw);
	if (strict && NOT_XML.test(raw))
		fail('a character that XML does not know in a value', raw);
	return raw.replace(/\r\n|[\t\r\n]/g, ' ')
		.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(amp|lt|gt|quot|apos));/g,
			(_, hex, decimal, name) => (name ? ENTITIES[name]
				: String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal))));
}

/* p_format=xml; root is '' for it, and what stands around the events of
 * xml-strict. */
class XmlReader {
	constructor({ strict, root = '' }) {
		Object.assign(this, { strict, root, rest: '', opened: root === '' });
	}

	push(text) {
		const events = [];

		this.rest += text;
		for (;;) {
			this.rest = this.rest.trimStart();
			this.#open();
			const match = ELEMENT.exec(this.rest);
			if (!match)
				break;
			events.push(this.#event(match[1]));
			this.rest = this.rest.slice(match[0].length);
		}
		this.#stuck();
		return events;
	}

	#open() {
		const match = !this.opened && new RegExp(
			`^(?:<\\?xml[^>]*\\?>)?\\s*<${this.root}>\\s*`).exec(this.rest);

		if (match) {
			this.opened = true;
			this.rest = this.rest.slice(match[0].length);
		}
	}

	/* An element is over, but it is none. */
	#stuck() {
		const next = this.rest.indexOf('<event', 1);

		if (this.opened && (next > 0 && /\/>\s*$/.test(this.rest.slice(0, next))
			|| !'<event'.startsWith(this.rest.slice(0, 6))
			&& !this.#closing(this.rest)))
			fail('this is no element <event name="value" />', this.rest);
	}

	#closing(text) {
		const end = `</${this.root}>`;

		return this.root !== '' && end.startsWith(text.trimEnd());
	}

	#event(attributes) {
		const event = new Map();

		for (const [, name, double, single] of attributes.matchAll(VALUE)) {
			if (event.has(name))
				fail(`the name ${name} twice in one event`, attributes);
			event.set(name, xmlValue(double ?? single, this.strict));
		}
		return event;
	}

	end() {
		if (this.root !== '' && this.rest.trimEnd() !== `</${this.root}>`)
			fail(`the document does not end with </${this.root}>`, this.rest);
		if (this.root === '' && this.rest !== '')
			fail('text behind the last event', this.rest);
	}
}

const LITERAL = /\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")\s*(,|$)/y;
const ESCAPES = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', 0: '\0' };

const jsValue = (raw) => raw.replace(
	/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^]))/g, (_, wide, narrow, one) =>
		(one ? ESCAPES[one] ?? one : String.fromCharCode(parseInt(wide ?? narrow, 16))));

/* The strings of a call's arguments. */
function literals(text) {
	const found = [];
	let more = ',';

	LITERAL.lastIndex = 0;
	while (more === ',') {
		const match = LITERAL.exec(text);
		if (!match)
			fail('parent.push() of something else than strings', text);
		found.push(jsValue(match[1] ?? match[2]));
		more = match[3];
	}
	return found;
}

/* p_format=js */
class JsReader {
	constructor() {
		this.rest = '';
	}

	push(text) {
		const events = [];

		this.rest += text;
		for (;;) {
			const match = /<script[^<>]*>([^]*?)<\/script>/i.exec(this.rest);
			if (!match)
				return events;
			const event = this.#script(match[1].trim());
			if (event)
				events.push(event);
			this.rest = this.rest.slice(match.index + match[0].length);
		}
	}

	#script(script) {
		const [, call] = /^parent\.push\(([^]*)\);?$/.exec(script) ?? [];
		const [, wait] = /setTimeout\([^]*?,\s*(\d+)\s*\)/.exec(script) ?? [];
		const [, , url] = /url\s*=\s*(['"])([^]*?)\1/.exec(script) ?? [];

		if (call !== undefined)
			return this.#pushed(literals(call));
		if (wait !== undefined && url !== undefined)
			return new Map([['p_event', 'refresh'], ['p_wait', wait],
				['p_url', jsValue(url)]]);
		if (/parent\.push/.test(script))
			fail('this is no call of parent.push()', script);
		return undefined;
	}

	#pushed(strings) {
		const event = new Map();

		if (strings.length % 2 !== 0)
			fail('parent.push() without pairs', strings.join(' '));
		for (let i = 0; i < strings.length; i += 2)
			event.set(strings[i], strings[i + 1]);
		return event;
	}

	end() {
		if (/<script/i.test(this.rest))
			fail('a script that is cut', this.rest);
	}
}

/* p_format=json with p_callback */
class CallbackReader {
	constructor({ callback }) {
		Object.assign(this, { callback, text: '' });
	}

	push(text) {
		this.text += text;
		const [, list] = new RegExp(`^(?:/\\*\\*/)?${
			this.callback.replace(/[.$]/g, '\\$&')}\\((\\[[^]*\\])\\);\\s*$`)
			.exec(this.text) ?? [];
		if (list === undefined)
			return [];
		this.whole = true;
		return JSON.parse(list).map((o) => new Map(Object.entries(o)));
	}

	end() {
		if (!this.whole)
			fail(`this is no call ${this.callback}([...]);`, this.text);
	}
}

class AnyMultipart extends MultipartReader {
	constructor({ type }) {
		super();
		const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type) ?? [];
		this.boundary = `--${quoted ?? plain ?? 'pushlet-event'}`;
	}
}

/* What is not events: an error, or an answer that a case reads as text. */
class TextReader {
	push() { return []; }
	end() {}
}

const READERS = {
	xml: XmlReader, js: JsReader, json: JsonReader, sse: SseReader,
	multipart: AnyMultipart, text: TextReader, callback: CallbackReader,
	'xml-strict': class extends XmlReader {
		constructor() { super({ strict: true, root: 'pushlet' }); }
	},
};

/* options: strict, callback, type (the content type) */
export function reader(format, options) {
	return new READERS[format](options);
}
