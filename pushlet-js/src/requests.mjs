/* SPDX-License-Identifier: MIT */
/*
 * requests.mjs - one request to the server, in three ways
 *
 * Each takes the fields of a request, calls each() with every event as soon as
 * it is here, and is fulfilled at the end of the response.
 */

const SCRIPT_MAX = 6000;	/* characters in the address of a script */

/* kind: retry (may work later), gone (no such session) or refused */
export class PushletError extends Error {
	constructor(message, kind = 'refused', more = {}) {
		super(message);
		this.name = 'PushletError';
		Object.assign(this, { kind }, more);
	}
}

/* The next whole event in a text of json or of sse: values are strings. */
const EVENT = /[^{]*(\{(?:"[^"\\]*(?:\\.[^"\\]*)*"[:,]?)*\})/gy;

/* Takes the whole events from the front of text; returns what is left. */
function takeEvents(text, each) {
	let end = 0;
	for (const found of text.matchAll(EVENT)) {
		end = found.index + found[0].length;
		each(JSON.parse(found[1]));
	}
	return text.slice(end);
}

/* An error may be an event, too, which says why. */
function reasonIn(type, text) {
	let reason = text;
	if (/json|event-stream/.test(type))
		takeEvents(text, (e) => { reason = e.p_reason || reason; });
	return reason;
}

export function statusError(status, text) {
	const kind = status === 400 && /expired id/i.test(text) ? 'gone' :
		status >= 500 || status === 408 || status === 429 ? 'retry' :
		'refused';
	return new PushletError(`HTTP ${status} ${text.trim().slice(0, 200)}`,
		kind, { status });
}

/* The address for a request with a body.  A web server in front of several
 * nodes does not see the id in there; its first part says whose it is. */
export function addressFor(url, id) {
	const node = /^[a-z0-9]+(?=-)/.exec(id || '');
	return node ? `${url}${/\?/.test(url) ? '&' : '?'}p_node=${node}` : url;
}

export async function byFetch(link, fields, each, signal) {
	const cut = (e) => { throw new PushletError(e.message, 'retry',
		{ network: true }); };
	const response = await fetch(addressFor(link.url, fields.p_id), {
		method: 'POST', signal, body: new URLSearchParams(fields),
		cache: 'no-store', credentials: link.options.credentials ? 'include' : 'same-origin',
	}).catch(cut);
	const type = response.headers.get('Content-Type') || '';
	if (response.status !== 200)
		throw statusError(response.status,
			reasonIn(type, await response.text().catch(cut)));
	if (!/json|event-stream/.test(type))
		throw new PushletError(`${link.url} answers with ${type || 'no type'}`,
			'retry');
	const reader = response.body.getReader(), decoder = new TextDecoder();
	for (let rest = ''; ;) {
		const { done, value } = await reader.read().catch(cut);
		if (done)
			return;
		rest = takeEvents(rest + decoder.decode(value, { stream: true }),
			each);
	}
}

/* each() returns true when the server is about to end the stream: a source
 * would come back at once, with its old address. */
export function bySource(link, fields, each, signal) {
	return new Promise((done, fail) => {
		const source = new EventSource(
			`${link.url}${link.glue}${new URLSearchParams(fields)}`,
			{ withCredentials: Boolean(link.options.credentials) });
		const end = (how, value) => { source.close(); how(value); };
		const lost = () => end(fail,
			new PushletError('the stream was cut', 'retry'));
		source.onmessage = ({ data }) => {
			if (each(JSON.parse(data)))
				end(done);
		};
		source.onerror = lost;
		signal.addEventListener('abort', lost);
	});
}

let scripts = 0;

/* For servers of another domain that do not allow fetch(). */
export function byScript(link, fields, each, signal) {
	return new Promise((done, fail) => {
		const name = `__pushlet${++scripts}`;
		const script = document.createElement('script');
		const lost = () => fail(new PushletError('no answer to a script',
			'retry', { network: true }));
		script.src = `${link.url}${link.glue}${new URLSearchParams(
			{ ...fields, p_callback: name })}`;
		if (script.src.length > SCRIPT_MAX)
			return fail(new PushletError(`${script.src.length} characters`
				+ ' are too many for a request across domains;'
				+ ` ${SCRIPT_MAX} are allowed`));
		window[name] = (events) => {
			const refusal = events.find((e) => e.p_status);
			if (signal.aborted)
				return;
			if (refusal)
				return fail(statusError(Number(refusal.p_status),
					refusal.p_reason));
			events.forEach((e) => each(e));
			done();
		};
		script.onload = script.onerror = () => {
			delete window[name];
			script.remove();
			lost();		/* unless it has called the function */
		};
		signal.addEventListener('abort', lost);
		document.head.append(script);
	});
}
