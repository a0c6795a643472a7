/* SPDX-License-Identifier: MIT */
/*
 * wire.js - the Pushlet protocol bare: requests, and events out of an answer
 *
 *	import * as wire from './wire.js';
 *	const request = wire.request('POST form', url, { p_event: 'join' });
 *	const cut = wire.send(request, 'fetch', { head, text, end });
 *	const reader = wire.reader(contentType);
 *	reader.push('<event p_ev') -> []
 *	reader.push('ent="hb" />') -> [{ fields: { p_event: 'hb' }, raw: ... }]
 *
 * For looking at the protocol: nothing is tried again, nothing is left out.
 */
/* -- requests -------------------------------------------------------------- */

const FORM = 'application/x-www-form-urlencoded';

function query(fields) {
	return Object.entries(fields).map(([name, value]) =>
		`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
		.join('&');
}

function xml(fields) {
	const escape = (value) => value.replace(/[&<"\t\n\r]/g,
		(c) => `&#${c.charCodeAt(0)};`);

	return `<event ${Object.entries(fields).map(([name, value]) =>
		`${name}="${escape(value)}"`).join(' ')}/>`;
}

export function withQuery(url, text) {
	return text ? url + (url.includes('?') ? '&' : '?') + text : url;
}

/* how: GET, POST form or POST XML */
export function request(how, url, fields) {
	if (how === 'POST XML')
		return { method: 'POST', url, type: 'text/xml', body: xml(fields) };
	if (how === 'POST form')
		return { method: 'POST', url, type: FORM, body: query(fields) };
	return { method: 'GET', url: withQuery(url, query(fields)) };
}

function quoted(text) {
	return `'${text.replace(/'/g, "'\\''")}'`;
}

/* The same request for a shell.  -N: show what comes as it comes */
export function curl({ method, url, type, body }) {
	const words = ['curl', '-N', quoted(url)];

	if (method === 'POST')
		words.push('-H', quoted(`Content-Type: ${type}`),
			'--data-binary', quoted(body));
	return words.join(' ');
}

/* -- transports ------------------------------------------------------------ */

async function sendFetch({ method, url, type, body }, signal, on) {
	const answer = await fetch(url, { method, body, signal, cache: 'no-store',
		headers: type ? { 'Content-Type': type } : {} });
	const decoder = new TextDecoder();
	const stream = answer.body.getReader();

	on.head(answer.status, answer.headers.get('Content-Type') || '');
	for (;;) {
		const { done, value } = await stream.read();
		const text = decoder.decode(value, { stream: !done });

		if (text)
			on.text(text);
		if (done)
			break;
	}
}

function sendXhr({ method, url, type, body }, signal, on) {
	const xhr = new XMLHttpRequest();
	let read = 0;

	function progress() {
		const text = xhr.responseText.slice(read);

		read += text.length;
		if (text)
			on.text(text);
	}
	xhr.open(method, url);
	if (type)
		xhr.setRequestHeader('Content-Type', type);
	xhr.onreadystatechange = () => {
		if (xhr.readyState === 2 && xhr.status)
			on.head(xhr.status, xhr.getResponseHeader('Content-Type') || '');
	};
	xhr.onprogress = progress;
	signal.addEventListener('abort', () => xhr.abort());
	return new Promise((done, fail) => {
		xhr.onload = () => { progress(); done(); };
		xhr.onabort = () => fail(new DOMException('', 'AbortError'));
		xhr.onerror = () => fail(new Error('network error'));
		xhr.send(body);
	});
}

/*
 * on: head(status, content type), text(piece) and, at last, end(reason), where
 * reason is '' for a whole answer, else why it is not.  Returns what cuts the
 * connection.
 */
export function send(req, transport, on) {
	const controller = new AbortController();
	const work = transport === 'XHR' ? sendXhr : sendFetch;

	work(req, controller.signal, on).then(() => on.end(''), (error) => {
		on.end(error.name === 'AbortError' ? 'cut by this page' :
			error.message);
	});
	return () => controller.abort();
}

/* -- readers --------------------------------------------------------------- */

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const ESCAPES = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', 0: '\0' };

function entity(all, hex, dec, name) {
	return name ? ENTITIES[name] :
		String.fromCodePoint(hex ? parseInt(hex, 16) : Number(dec));
}

function escape(all, what, u, x) {
	return u || x ? String.fromCharCode(parseInt(u || x, 16)) :
		what in ESCAPES ? ESCAPES[what] : what;
}

/* An event that is at text's beginning, behind what frames it: what pattern
 * matches, and its fields; undefined if it is not there yet. */
function matched(text, pattern, fieldsOf) {
	const match = pattern.exec(text);

	return match && { end: match.index + match[0].length, raw: match[0],
		fields: fieldsOf(match[1]) };
}

function takeXml(text) {
	return matched(text, /<event((?:\s+[^\s=<>"]+\s*=\s*"[^"]*")+)\s*\/>/,
		(attributes) => {
			const fields = Object.create(null);

			for (const [, name, value] of
			    attributes.matchAll(/([^\s=]+)\s*=\s*"([^"]*)"/g))
				fields[name] = value.replace(
					/&(?:#x([\da-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi,
					entity);
			return fields;
		});
}

/* The source is read, not run. */
function scriptFields(source) {
	const strings = [...source.matchAll(
		/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gs)].map((match) =>
		(match[1] ?? match[2]).replace(
			/\\(u([\da-f]{4})|x([\da-f]{2})|[^])/gi, escape));
	const fields = Object.create(null);

	if (/^\s*(?:window\.)?parent\.push\(/.test(source)) {
		for (let i = 0; i + 1 < strings.length; i += 2)
			fields[strings[i]] = strings[i + 1];
		return fields;
	}
	const wait = /setTimeout\(refresh,\s*(\d+)\)/.exec(source);
	return wait && { p_event: 'refresh', p_wait: wait[1], p_url: strings[0] };
}

function takeJs(text) {
	return matched(text, /<script[^>]*>([^]*?)<\/script>/, scriptFields);
}

function takeJson(text) {
	return matched(text, /(\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\})/s, JSON.parse);
}

function takeSse(text) {
	return matched(text, /((?:[^\r\n]+(?:\r\n|\r(?!$)|\n))+)(?:\r\n|\r|\n)/,
		(block) => {
			const data = block.split(/\r\n|\r|\n/)
				.filter((line) => /^data:/.test(line))
				.map((line) => line.replace(/^data: ?/, ''));

			return data.length ? JSON.parse(data.join('\n')) : null;
		});
}

function takePart(boundary, text) {
	const at = text.indexOf(boundary);
	const next = text.indexOf(boundary, at + 1);
	const part = at >= 0 && next >= 0 && text.slice(at, next);

	return part && { end: next, raw: part.trim(),
		fields: JSON.parse(part.slice(part.indexOf('{'))) };
}

/* What reads one event of an answer with this content type. */
function takerFor(type) {
	const boundary = /boundary="?([^";]+)/.exec(type);

	return /^multipart/.test(type) && boundary ?
		takePart.bind(null, `--${boundary[1]}`) :
		/^text\/event-stream/.test(type) ? takeSse :
		/json|^text\/javascript/.test(type) ? takeJson :
		/^text\/html/.test(type) ? takeJs : takeXml;
}

/* push(text) gives the events that are whole: { fields, raw } */
export function reader(type) {
	const take = takerFor(type);
	let rest = '';

	function push(text) {
		const found = [];

		rest += text;
		for (;;) {
			const event = take(rest);

			if (!event)
				return found;
			rest = rest.slice(event.end);
			if (event.fields)
				found.push({ fields: event.fields, raw: event.raw });
		}
	}
	return { push };
}
