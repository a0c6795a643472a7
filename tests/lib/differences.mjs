// SPDX-License-Identifier: MIT
//
// differences.mjs - THE table of what this server does differently
//
// Each row: in which recordings, what the original did, what we do, why, and
// change(x, scenario), which turns the recorded exchange x into the one that is
// right here and tells whether it changed anything.  A row without "in" is
// tried on every exchange.  recordings.test.mjs applies these rows, compares
// everything else as recorded, and fails when a row changed nothing.
//
// The rows of ON_THE_WIRE have no change(): a recording is read as events, which
// hides them.  The cases of tests/conformance/ name rows of both by what the
// original did.
//
// "in" is a text of words: the beginning of a recording's name, followed by
// the exchanges meant ("17 I M"), several separated by commas.

import * as to from './changes.mjs';

const NACK_LIVES = 'a mistake in a request must not cost the session';
const ONE_QUEUE = 'two channels of a session took events from each other';
const AT_ONCE = 'the client should not have to wait for a timeout';
const EXPIRED = 'Invalid or expired id: join again';
const NO_COMMAND = /^No eventType specified: p_event is missing/;
const SURVIVES = 'a lost connection is not a lost session: its client comes back';

/* --- everywhere -------------------------------------------------------- */

const GENERAL = [{
	original: 'data events carry the publisher\'s p_id, and p_from is the same',
	here: 'no p_id; p_from is a public handle',
	why: 'the id is the only credential of a session',
	change: to.eachEvent('data', (e) => {
		e.delete('p_id');
		e.set('p_from', e.get('p_from').replace('{ID', '{HANDLE'));
		return true;
	}),
}, {
	original: 'p_to of a data event is the receiver\'s id',
	here: 'its public handle',
	why: 'an event must not carry an id at all',
	change: to.eachEvent('data', (e) => e.has('p_to')
		&& e.set('p_to', e.get('p_to').replace('{ID', '{HANDLE'))),
}, {
	original: 'p_time of a data event: none by POST, any by GET',
	here: 'always the time of the publication',
	why: 'a publisher could date its events as it liked',
	change: to.eachEvent('data', (e) => {
		const changed = e.get('p_time') !== '{TIME}';
		e.set('p_time', '{TIME}');
		return changed;
	}),
}, {
	original: 'p_label, p_format, p_mode, p_wait, p_url, p_reason come from the publisher',
	here: 'every p_ field comes from the server',
	why: 'they have a meaning for the receiver\'s client',
	change: to.eachEvent('data', (e) => ['p_label', 'p_format', 'p_mode', 'p_wait',
		'p_url', 'p_reason'].filter((name) => e.delete(name)).length > 0),
}, {
	original: 'the label of a subscription is lost, or put on others\' events',
	here: 'it is on the events of its subscription, and on no others',
	why: 'it is what labels are for',
	change: to.eachEvent('data', (e, scenario) => {
		const label = to.labels(scenario).get(e.get('p_sid'));
		if (label !== undefined)
			e.set('p_label', label);
		return label !== undefined;
	}),
}, {
	original: 'Cache-Control has a second line (post-check=0, pre-check=0)',
	here: 'one line',
	why: 'a leftover of Internet Explorer 5, which no-store covers',
	change: (x) => to.removeHeader(x, 'cache-control', /^post-check/),
}, {
	original: 'status 400 with an empty body for what cannot be read',
	here: 'status 400 with a text',
	why: 'an error must say what is wrong',
	change: (x) => x.status === 400 && x.text === ''
		&& to.refused(x, 400, /^\S.{5,}/s),
}, {
	original: 'an unknown id is repeated in the error',
	here: 'it is not',
	why: 'a mistyped or expired id may be a real one',
	change: (x) => x.status === 400 && /^Invalid or expired id/.test(x.text)
		&& to.refused(x, 400, EXPIRED),
}, {
	original: 'No eventType specified; No id specified',
	here: 'the same, and which parameter that is',
	why: 'an error must say what is wrong',
	change: (x) => x.status === 400 && /^No \w+ specified$/.test(x.text)
		&& to.refused(x, 400, new RegExp(`^${x.text}: p_(event|id) is missing`)),
}];

/* --- formats ------------------------------------------------------------- */

const FORMATS = [{
	original: 'ser: serialized Java objects',
	here: 'nack',
	why: 'Java clients use xml, as PushletClient does',
	in: '01 I, 08 F G, 13 O',
	change: (x) => to.nack(x, /ser/),
}, {
	original: 'answers to a session with format ser',
	here: 'there is no such session',
	why: 'see above',
	in: '01 J, 13 R S U',
	change: to.skip,
}, {
	original: 'p_format unknown or empty: empty answer',
	here: 'nack',
	why: 'an error must say what is wrong',
	in: '01 K L, 08 D',
	change: (x) => to.nack(x, /p_format/),
}, {
	original: 'characters that XML does not know are sent as they are',
	here: 'U+FFFD in their place',
	why: 'a document with one of them is refused by every parser',
	in: '25 B, 26 B',
	change: to.eachEvent('data', (e) => e.get('v') === '\x01\x7f'
		&& e.set('v', '\uFFFD\x7f')),
}];

/* --- requests ------------------------------------------------------------ */

const REQUESTS = [{
	original: 'unknown p_event: empty answer, and the session is destroyed',
	here: 'nack',
	why: NACK_LIVES,
	in: '01 O, 08 J, 30 T W Y AB AD, 31 V',
	change: (x) => to.nack(x, /p_event/),
}, {
	original: 'the session is gone after that',
	here: 'it lives',
	why: NACK_LIVES,
	in: '30 U',
	change: to.alive,
}, {
	original: 'unknown p_mode: echoed, and streams without a heartbeat',
	here: 'nack',
	why: 'the client would not get what it believes it asked for',
	in: '08 C',
	change: (x) => to.nack(x, /p_mode/),
}, {
	original: 'empty p_subject at listen: empty answer; at subscribe: a Java exception',
	here: 'nack',
	why: 'an error must say what is wrong',
	in: '08 E, 09 AF, 18 E J O',
	change: (x) => to.nack(x, /subject/),
}, {
	original: 'empty p_subject at publish: acknowledged, and reaches nobody',
	here: 'nack',
	why: 'an error must say what is wrong',
	in: '20 AL, 23 F',
	change: (x) => to.nack(x, /subject/),
}, {
	original: 'a list of no subjects is a subscription that matches nothing',
	here: 'nack',
	why: 'an error must say what is wrong',
	in: '20 U',
	change: (x) => to.nack(x, /subject/),
}, {
	original: 'an empty part of a list subscribes to everything',
	here: 'it is ignored',
	why: 'a doubled comma must not open all subjects',
	in: '20 S',
	change: (x) => to.keep(x, (e) => e.get('p_event') !== 'data'
		|| ['/x', '/y'].includes(e.get('p_subject'))),
}, {
	original: 'refresh before any listen: empty answer',
	here: 'nack',
	why: 'an error must say what is wrong',
	in: '17 B',
	change: (x) => to.nack(x, /listen/),
}, {
	original: 'an attribute without a name is published',
	here: 'it is left out',
	why: 'no format can carry it',
	in: '23 B',
	change: to.eachEvent('data', (e) => e.delete('')),
}, {
	original: 'names that are no names are published, and break the markup',
	here: 'nack, and nobody gets the event',
	why: 'no XML can carry them',
	in: '23 P',
	change: (x, s) => to.nack(x, /a b/)
		&& to.keep(to.exchange(s, 'B'), (e) => !e.has('<e>')),
}, {
	original: 'which of several matching subscriptions is named: by chance',
	here: 'any of them',
	why: 'not promised',
	in: '21 C',
	change: to.eachEvent('data', (e) => e.set('p_sid', ['{SID1}', '{SID2}', '{SID3}'])),
}, {
	original: 'methods: GET, HEAD, POST, OPTIONS, TRACE; others 405 or 501',
	here: 'GET and POST, others 405',
	why: 'HEAD would join a session that nobody gets to know',
	in: '31 E F G H I J',
	change: (x) => to.refused(x, 405, x.method === 'HEAD' ? '' : /./),
}];

/* --- bodies -------------------------------------------------------------- */

const BODIES = [{
	original: 'a POST without <, without >, or without a body spins for ever',
	here: 'a form is read as a form; the rest is a 400',
	why: 'one request per core stopped the server',
	in: '29a A, 29b A, 29c A',
	change: (x) => to.refused(x, 400, {
		'p_event=publish&p_id=x&p_subject=/x&a=b': EXPIRED,
		'': NO_COMMAND,
	}[x.body] ?? /^POST body/),
}, {
	original: 'no XML declaration, single quotes, > in values, or closing tags in a body',
	here: 'any well-formed XML',
	why: 'clients should be free to use an XML library',
	in: '28 F J L Q',
	change: to.published,
}, {
	original: 'a body may have < in values, backslashes before quotes, a second element',
	here: 'not well-formed: 400, and nobody gets the event',
	why: 'the same',
	in: '28 I M R',
	change: (x, s) => to.unpublished(x, s, /^POST body/),
}, {
	original: 'entities and line ends in a body are passed on as they are',
	here: 'read as XML has it',
	why: 'the same',
	in: '28 B',
	change: to.eachEvent('data', (e) => ({
		'a&amp;b &lt; &#65;': () => e.set('v', 'a&b < A'),
		'l1\nl2': () => e.set('v', 'l1 l2'),
	})[e.get('v')]?.()),
}, {
	original: 'a body without p_event: an empty 400',
	here: 'the text of a GET without p_event',
	why: 'one mistake, one message',
	in: '28 T U V',
	change: (x) => to.refused(x, 400, NO_COMMAND),
}];

/* --- channels ------------------------------------------------------------ */

const CHANNELS = [{
	original: 'two channels of a session share its events',
	here: 'the newer replaces the older, which ends',
	why: ONE_QUEUE,
	in: '10 B',
	change: (x, s) => to.endsWith(x, to.exchange(s, 'E'), 3),
}, {
	original: 'the newer of two channels gets its share of the events',
	here: 'all of them',
	why: ONE_QUEUE,
	in: '10 E',
	change: (x, s) => to.becomes(x, s, 2, [...'FGHIJKLMNOPQRS'].map((name, i) =>
		[name, to.data({ n: String(i + 2) })])),
}, {
	original: 'the session dies when a replaced channel hangs up',
	here: 'it lives',
	why: SURVIVES,
	in: '10 T',
	change: to.alive,
}, {
	original: 'after a change to pull the stream delivers one more event',
	here: 'it ends at once, and the event waits for the refresh',
	why: ONE_QUEUE,
	in: '11 B',
	change: (x, s) => to.endsWith(x, to.exchange(s, 'C'), 2)
		&& to.atOnce(to.exchange(s, 'F'), 1, to.data({ n: '1' }))
		&& to.gets(to.exchange(s, 'H'), s, 2, [['H', to.data({ n: '2' })]]),
}, {
	original: 'after poll a stream has no heartbeats',
	here: 'it has',
	why: 'a front cuts a silent stream',
	in: '11 K',
	change: (x) => to.insert(x, 2, x.at + 2, to.heartbeat())
		&& to.insert(x, 3, x.at + 4, to.heartbeat()),
}, {
	original: 'a poll refresh with an empty queue waits without limit',
	here: 'it is answered at once',
	why: 'it is what poll means; the waiting requests held threads for good',
	in: '15 E, 16 K, 48 D',
	change: (x) => to.atOnce(x, 1, to.heartbeat()),
}, {
	original: 'the next poll refresh waits as well',
	here: 'it brings the event published in between',
	why: 'see above',
	in: '15 G',
	change: (x) => to.atOnce(x, 1, to.data({ n: '2' })),
}, {
	original: 'a refresh of a stream whose client hung up is taken for the dead stream',
	here: 'it is a new stream, and brings the events',
	why: SURVIVES,
	in: '17 E',
	change: (x, s) => to.staysOpen(x, s)
		&& to.becomes(x, s, 2, [...'GKQ'].map((name, i) =>
			[name, to.data({ n: String(i + 1), p_from: '{HANDLE3}' })])),
}, {
	original: 'of two refreshes one gets the event, the other a heartbeat',
	here: 'the newer replaces the older, which ends, and gets it',
	why: ONE_QUEUE,
	in: '17 I',
	change: (x, s) => {
		const { at, event } = x.events[1];
		to.exchange(s, 'J').events[1] = { at, event };
		return to.endsWith(x, to.exchange(s, 'J'), 1);
	},
}, {
	original: 'leave during a refresh: heartbeat and refresh after the read timeout',
	here: 'the refresh ends',
	why: AT_ONCE,
	in: '17 M',
	change: (x, s) => to.endsWith(x, to.exchange(s, 'N'), 1),
}, {
	original: 'a client that hangs up during its refresh loses the event and the session',
	here: 'neither',
	why: SURVIVES,
	in: '17 R',
	change: (x) => to.events(x, [to.ack('refresh-ack'),
		to.data({ n: '3', p_from: '{HANDLE3}', p_sid: '{SID4}' }), to.refresh(x)]),
}, {
	original: 'and the session is gone',
	here: 'it lives',
	why: SURVIVES,
	in: '17 S, 38 H J L, 39 E F G, 40 I',
	change: to.alive,
}, {
	original: 'a new stream takes one event, and dies with the old connection',
	here: 'it gets all',
	why: SURVIVES,
	in: '40 C',
	change: (x, s) => to.staysOpen(x, s) && to.becomes(x, s, 3, [...'EFGH'].map((name, i) =>
		[name, to.data({ n: String(i + 2) })])),
}, {
	original: 'leave ends an open stream at the next read timeout, after a heartbeat',
	here: 'at once',
	why: AT_ONCE,
	in: '03 A, 04 A, 05 A, 41 A F',
	change: (x, s) => to.endsWith(x, to.leaving(x, s), x.events.length - 1),
}, {
	original: 'matching events before the first listen are dropped',
	here: 'they wait in the queue',
	why: 'a client subscribes in order to get them',
	in: '36 E',
	change: (x, s) => to.gets(x, s, 2, [['E', to.data({ n: '1' })]]),
}];

/* --- queues, leases, shutdown ---------------------------------------------- */

const LIVES = [{
	original: 'a full queue destroys its session',
	here: 'the oldest events are lost, and counted',
	why: 'the client is slow, not gone',
	in: '34a AC, 34b I',
	change: (x, s) => to.overflowed(x, s, s.config === 'short' ? 4 : 24),
}, {
	original: 'a stream after a full queue blocks for ever',
	here: 'it brings the queue',
	why: 'one slow client held a thread for good',
	in: '34d F',
	change: (x, s) => to.becomes(x, s, 1, [['F', to.heartbeat()],
		['F', to.data({ n: '1' })], ['F', to.data({ n: '2' })],
		['F', to.data({ n: '3' })], ['G', to.data({ n: '4' })]]),
}, {
	original: 'and the session behind that stream is gone',
	here: 'it lives',
	why: 'see above',
	in: '34d H',
	change: to.alive,
}, {
	original: 'the one who knows p_from acts as that session',
	here: 'p_from is no id',
	why: 'the id is the only credential of a session',
	in: '45 D E F',
	change: (x, s) => {
		x.target = x.target.replace('{ID2}', '{HANDLE2}');
		to.keep(to.exchange(s, 'A'), (e) => !e.has('text'));
		return to.refused(x, 400, EXPIRED);
	},
}, {
	original: 'and its session is gone',
	here: 'it lives',
	why: 'see above',
	in: '45 G',
	change: to.alive,
}, {
	original: 'a stop of the application aborts the sessions, a stop of the server cuts them',
	here: 'each channel ends with refresh, and the sessions live on',
	why: 'a restart should be seen by nobody',
	in: '46 A B C E, 47 A C',
	change: to.sentBack,
}, {
	original: 'after the stop there is no server (404)',
	here: 'the next process serves the same session',
	why: 'see above',
	in: '46 F',
	change: to.alive,
}, {
	original: 'the lease runs in ticks of a minute, so sessions end up to a minute early',
	here: 'it is exact',
	why: 'what the property says',
	in: '48 I M, 49 G H I J',
	change: to.alive,
}, {
	original: 'a tick ends even a busy stream',
	here: 'an open channel keeps its session',
	why: 'see above',
	in: '49 A',
	change: to.staysOpen,
}];

/* --- after all others: it counts the events they leave ---------------------- */

const LAST = [{
	original: 'p_url of a refresh is always the same',
	here: 'it has p_ack, the number of the last event before it',
	why: 'whoever fetches it has that; whoever does not gets it again',
	change: to.acknowledges,
}];

/* --- what is not in the recorded events but in the bytes around them --------- */

export const ON_THE_WIRE = [{
	original: 'values are written raw in xml and js',
	here: 'they are escaped for the format',
	why: 'any publisher could break the document, or run scripts in the page',
}, {
	original: 'line ends in values of xml and xml-strict are raw, which a parser turns into blanks',
	here: 'they are references, and arrive',
	why: 'a value should arrive as it was published',
}, {
	original: 'an xml-strict stream never closes its root',
	here: 'it is closed when the server ends the answer',
	why: 'a parser calls the document broken',
}, {
	original: 'control answers and streams in js never close their page',
	here: 'it is closed when the server ends the answer',
	why: 'a page should be whole',
}];

/* --- recordings that cannot be replayed ------------------------------------ */

export const LEFT_OUT = {
	'50-slow-stream-reader': 'a summary without the requests; nginx.test.mjs '
		+ 'has a slow reader whose session survives',
	'51-many-streams': 'a summary about the threads of a servlet container; '
		+ 'nginx.test.mjs opens more streams than it had threads',
};

export const DIFFERENCES = [...GENERAL, ...FORMATS, ...REQUESTS, ...BODIES,
	...CHANNELS, ...LIVES, ...LAST];

/* One recording is played slower, so that seconds of its leases do not shrink
 * to less than a busy machine can keep. */
const SCALES = { '48-session-expiry-default': 10 };

/* Applies the table to a recording; returns the rows that changed something. */
export function applyDifferences(scenario) {
	const used = new Set();

	scenario.scale = SCALES[scenario.name];
	for (const row of DIFFERENCES)
		for (const x of to.meant(row.in, scenario))
			if (row.change(x, scenario))
				used.add(row);
	return used;
}
