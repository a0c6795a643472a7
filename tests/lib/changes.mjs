// SPDX-License-Identifier: MIT
//
// changes.mjs - the verbs of differences.mjs
//
// Each changes a recorded exchange into what is right here and returns true
// when it did.

const map = (fields) => new Map(Object.entries(fields));

export const ack = (name) => map({ p_event: name, p_time: '{TIME}' });
export const heartbeat = () => map({ p_event: 'hb', p_time: '{TIME}', p_seq: '' });
export const data = (fields) => map({ p_event: 'data', p_subject: '/a',
	p_from: '{HANDLE2}', p_sid: '{SID1}', p_time: '{TIME}', p_seq: '', ...fields });

/* The exchanges a row is about. */
export function meant(where, scenario) {
	if (where === undefined)
		return scenario.exchanges;
	return where.split(/,\s*/).map((part) => part.split(' '))
		.filter(([name]) => scenario.name.split('-')[0] === name)
		.flatMap(([, ...names]) => names.map((name) => exchange(scenario, name)));
}

export function exchange(scenario, name) {
	const found = scenario.exchanges.find((x) => x.name === name);

	if (!found)
		throw new Error(`${scenario.name} has no exchange ${name}`);
	return found;
}

/* For every event with that p_event: change(event, scenario). */
export function eachEvent(name, change) {
	return (x, scenario) => x.events.filter(({ event }) => event.get('p_event') === name)
		.map(({ event }) => Boolean(change(event, scenario))).includes(true);
}

/* p_sid -> p_label, by the acks of a recording */
export function labels(scenario) {
	return new Map(scenario.exchanges.flatMap((x) => x.events).map((e) => e.event)
		.filter((e) => e.has('p_label') && /ack$/.test(e.get('p_event')))
		.map((e) => [e.get('p_sid'), e.get('p_label')]));
}

export function removeHeader(x, name, value) {
	const before = x.answerHeaders.length;

	x.answerHeaders = x.answerHeaders.filter(([n, v]) => n !== name || !value.test(v));
	return x.answerHeaders.length < before;
}

function answer(x, fields) {
	Object.assign(x, { status: 200, events: [], text: undefined, open: false,
		answerHeaders: [], binary: false, endsAt: x.endsAt ?? x.at, ...fields });
	return true;
}

export const skip = (x) => { x.skip = true; return true; };
export const refused = (x, status, text) => answer(x, { status, text,
	endsAt: x.at + 0.001 });

/* A whole answer with these events, at once. */
export function events(x, list) {
	return answer(x, { endsAt: x.at + 0.001,
		events: list.map((event) => ({ at: x.at + 0.001, event })) });
}

export const alive = (x) => events(x, [ack('hb-ack')]);

/* p_id is in a nack when the request named a session. */
export function nack(x, reason) {
	const [, id] = /p_id=(\{\w+\})/.exec(x.target) ?? [];

	return events(x, [map({ p_event: 'nack', p_time: '{TIME}', p_reason: reason,
		...(id && !/p_event=join/.test(x.target) ? { p_id: id } : {}) })]);
}

export function keep(x, wanted) {
	const before = x.events.length;

	x.events = x.events.filter(({ event, at }) => wanted(event, at));
	return x.events.length < before;
}

export function insert(x, index, at, event) {
	x.events.splice(index, 0, { at, event });
	return true;
}

/* After its first n events x has this one and a refresh, at once, and ends. */
export function atOnce(x, n, event) {
	const at = x.at + 0.002;

	x.events = x.events.slice(0, n).concat([event, refresh(x)].map((e) =>
		({ at, event: e })));
	return Object.assign(x, { open: false, endsAt: at }) && true;
}

/* x ends when other begins, after its first n events. */
export function endsWith(x, other, n) {
	x.events = x.events.slice(0, n);
	return Object.assign(x, { open: false, endsAt: other.at + 0.001 }) && true;
}

/* The leave of the session whose stream x is. */
export function leaving(x, scenario) {
	const id = x.events[0].event.get('p_id');

	return scenario.exchanges.find((other) =>
		other.target.includes(`p_event=leave&p_id=${id}`));
}

/* x is still open when the recording is over. */
export function staysOpen(x, scenario) {
	const last = Math.max(...scenario.exchanges.map((other) => other.at));

	return Object.assign(x, { open: true, endsAt: last + 0.1 }) && true;
}

/* The session an exchange belongs to, as its placeholder. */
function sessionOf(x) {
	return /p_id=(\{\w+\})/.exec(x.target)?.[1] ?? x.events[0]?.event.get('p_id');
}

export const refresh = (x, id = sessionOf(x)) => map({ p_event: 'refresh',
	p_time: '{TIME}', p_wait: '{WAIT}',
	p_url: `/pushlet/pushlet.srv?p_id=${id}&p_event=refresh` });

/* [exchange, event] pairs: each event comes when that exchange, its cause,
 * begins, but not before x itself does. */
function caused(x, scenario, list) {
	return list.map(([name, event]) => ({ event,
		at: Math.max(exchange(scenario, name).at, x.at) + 0.001 }));
}

/* How many events the session of x has been sent until then, with the lost. */
function sent(x, scenario, until) {
	return scenario.exchanges.filter((y) => !y.skip && sessionOf(y) === sessionOf(x))
		.flatMap((y) => y.events).filter(({ at, event }) => at <= until
			&& event.get('p_event') === 'data')
		.reduce((n, { event }) => n + 1 + Number(event.get('p_lost') ?? 0), 0);
}

/* The refresh of x names the last event that its session was sent. */
export function acknowledges(x, scenario) {
	const last = x.events.at(-1);

	if (last?.event.get('p_event') !== 'refresh')
		return false;
	last.event.set('p_url', `${last.event.get('p_url')}&p_ack=${
		sent(x, scenario, last.at)}`);
	return true;
}

/* From index on, x has these events instead of the recorded ones. */
export function becomes(x, scenario, index, list) {
	x.events = x.events.slice(0, index).concat(caused(x, scenario, list));
	return true;
}

/* At index, x has these events besides the recorded ones. */
export function gets(x, scenario, index, list) {
	x.events.splice(index, 0, ...caused(x, scenario, list));
	return true;
}

/* The last attribute of a POST body, as an XML parser reads it: [name, value] */
function attributeOf(x) {
	return /(\w+)=["']?(.*?)["']?(?:\/>|><\/event>)$/.exec(x.body.match(
		/^.*?(?:\/>|<\/event>)$/)[0].replace(/^.* (?=\w+=)/, '')).slice(1);
}

/* A publish that was refused is acknowledged, and reaches exchange B. */
export function published(x, scenario) {
	const stream = exchange(scenario, 'B');
	const [name, value] = attributeOf(x);
	const event = data({ p_subject: '/x', [name]: value });

	return events(x, [ack('publish-ack')]) && insert(stream,
		stream.events.filter(({ at }) => at <= x.at).length, x.at + 0.0005, event);
}

/* A publish is refused, and its event does not reach exchange B. */
export function unpublished(x, scenario, text) {
	const stream = exchange(scenario, 'B');
	const index = stream.events.findIndex(({ at }) => at > x.at);

	stream.events.splice(index, 1);
	return refused(x, 400, text);
}

/* The refresh after a queue overflow: the newest events, and how many are lost. */
export function overflowed(x, scenario, capacity) {
	const total = scenario.exchanges.filter((other) =>
		other.target.includes('p_event=publish')).length;
	const kept = Array.from({ length: capacity }, (_, i) => total - capacity + 1 + i);

	return events(x, [ack('refresh-ack'), ...kept.map((n, i) => data({ n: String(n),
		...(i === 0 ? { p_lost: String(total - capacity) } : {}) })), refresh(x)]);
}

/* The server is stopped and started again where a note says that it was
 * stopped; the channel x ends with a refresh then. */
export function sentBack(x, scenario) {
	const note = scenario.notes.find(({ text }) => /stopped|SIGTERM/.test(text));
	const event = refresh(x);

	note.restart = true;
	if (/p_format=js/.test(x.target))
		event.delete('p_time');	/* a script has no attributes */
	x.events = x.events.filter(({ at }) => at < note.at);
	x.events.push({ at: note.at + 0.001, event });
	return Object.assign(x, { open: false, endsAt: note.at + 0.002 }) && true;
}
