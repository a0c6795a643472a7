// SPDX-License-Identifier: MIT
//
// transcript.mjs - reads the recorded exchanges of tests/data/transcripts/
//
// A recording is text, one file per scenario; its grammar is in the README next
// to the files.  What comes out of here is what a client could rely on: status,
// headers, and events with the time each was complete.  Container artefacts
// (chunk borders, HTML around an error message) are gone.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DATA } from './paths.mjs';

export const DIRECTORY = join(DATA, 'transcripts');

export const names = () => readdirSync(DIRECTORY)
	.filter((f) => f.endsWith('.txt')).map((f) => f.slice(0, -4)).sort();

/* The original does not escape, so its events are told apart by their shape
 * and not by a grammar.  Each gives [name, value] pairs of one event. */
const SHAPES = [
	/* <event a="v" b="v" /> */
	[/<event (.*?) \/>/gs, (match) => [...match[1].matchAll(
		/([^\s=]*)="(.*?)"(?=\s[^\s=]*="|$)/gs)].map(([, n, v]) => [n, v])],
	/* parent.push('a', "v",'b', "v"); */
	[/parent\.push\((.*?)\);<\/script>/gs, (match) => [...match[1].matchAll(
		/'([^']*)', "(.*?)"(?=,'\w+', "|$)/gs)].map(([, n, v]) => [n, v])],
	/* the timed location that js has for a refresh event */
	[/url='([^']+)';\s*setTimeout\("refresh\(\)", (\S+?)\);/gs,
		([, url, wait]) => [['p_event', 'refresh'], ['p_wait', wait], ['p_url', url]]],
];

/* All events in the chunks, with the time of the chunk in which each ended. */
function events(chunks) {
	const text = chunks.map((c) => c.text).join('');
	const found = SHAPES.flatMap(([shape, read]) => [...text.matchAll(shape)]
		.map((m) => ({ end: m.index + m[0].length, event: new Map(read(m)) })));
	let length = 0;
	const ends = chunks.map((c) => ({ at: c.at, end: length += c.text.length }));

	return found.sort((a, b) => a.end - b.end).map(({ end, event }) =>
		({ at: ends.find((c) => c.end >= end).at, event }));
}

const unescapeMarkup = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>')
	.replaceAll('&quot;', '"').replaceAll('&#039;', "'").replaceAll('&#092;', '\\')
	.replaceAll('&amp;', '&');

/* The message of an error page, "" when there is none.  Pages about other
 * things than the protocol (404, 405, ...) are the container's. */
function message(status, text) {
	const [, title = ''] = /<title>Error \d+ (.*?)<\/title>/s.exec(text) ?? [];

	return status === 400 ? unescapeMarkup(title) : undefined;
}

class Exchange {
	constructor(name, at) {
		Object.assign(this, { name, at, headers: {}, answerHeaders: [], chunks: [],
			version: '1.1' });
	}

	request(line) {
		const first = /^([A-Z]+) (\S+)(?: HTTP\/1\.0)?$/.exec(line);

		if (line === 'no User-Agent')
			this.headers['User-Agent'] = undefined;
		else if (first && !this.method)
			[, this.method, this.target] = first;
		else
			this.headers[line.slice(0, line.indexOf(':'))]
				= line.slice(line.indexOf(':') + 2);
		if (line.endsWith(' HTTP/1.0'))
			this.version = '1.0';
	}

	answer(line) {
		const first = /^HTTP\/1\.1 (\d+)/.exec(line);

		if (first)
			this.status = Number(first[1]);
		else
			this.answerHeaders.push([line.slice(0, line.indexOf(':')).toLowerCase(),
				line.slice(line.indexOf(':') + 2)]);
	}

	chunk(seconds, what) {
		const at = this.at + seconds;

		if (what.startsWith('<'))
			Object.assign(this, { endsAt: at, open: what.startsWith('<open') });
		else if (what.startsWith('hex:'))
			this.binary = true;
		else
			this.chunks.push({ at, text: JSON.parse(what) });
	}

	/* Once all lines are read. */
	finish() {
		const text = this.chunks.map((c) => c.text).join('');

		this.events = this.status === 200 ? events(this.chunks) : [];
		if (this.answerHeaders.some(([, value]) => value.startsWith('text/xml')))
			for (const { event } of this.events)
				event.forEach((value, name) => event.set(name, unescapeMarkup(value)));
		this.text = message(this.status, text);
		this.answered = this.status !== undefined;
	}
}

/* Ids that stand in the file as they were: they become placeholders. */
function anonymous(text, name) {
	const ids = {
		'43-id-generation': /(?<=p_id=(?:\\")?)(?<id>[a-z]{10})|(?<=p_sid=\\")(?<sid>[a-z]{5})/g,
		'44-id-generation-uuid': new RegExp('(?<id>-6dea5cdb(?::|%3A)1a1ff8d0c0e'
			+ '(?::|%3A)-[78][0-9a-f]+)|(?<sid>tapaz)', 'g'),
	};
	const seen = new Map();

	return ids[name] ? text.replace(ids[name], (whole, ...rest) => {
		const { id } = rest.at(-1);
		const key = decodeURIComponent(whole);
		const kind = id ? 'ID' : 'SID';
		const number = [...seen.values()].filter((v) => v.startsWith(`{${kind}`)).length;
		if (!seen.has(key))
			seen.set(key, `{${kind}${number + 1}}`);
		return seen.get(key);
	}) : text;
}

/* { name, title, config, exchanges, notes: [{ at, text }] } */
export function read(name) {
	const raw = readFileSync(join(DIRECTORY, `${name}.txt`), 'utf8');
	const [title, config, ...lines] = raw.split('\n');
	const scenario = { name, title: title.slice(2), exchanges: [], notes: [],
		config: config.replace('# config: ', '') };
	let x;

	for (const line of anonymous(lines.join('\n'), name).split('\n')) {
		const start = /^= (\w+) \+([\d.]+)s ?(.*)/.exec(line);
		const note = /^# \+([\d.]+)s (.*)/.exec(line);
		const chunk = /^@\+([\d.]+)s (.*)/s.exec(line);

		if (start)
			scenario.exchanges.push(x = new Exchange(start[1], Number(start[2])));
		else if (note)
			scenario.notes.push({ at: Number(note[1]), text: note[2] });
		else if (chunk)
			x.chunk(Number(chunk[1]), chunk[2]);
		else if (line.startsWith('>> '))
			x.body = JSON.parse(line.slice(3));
		else if (line.startsWith('> '))
			x.request(line.slice(2));
		else if (line.startsWith('< '))
			x.answer(line.slice(2));
		else if (line !== '')
			throw new Error(`${name}: cannot read: ${line}`);
	}
	scenario.exchanges.forEach((exchange) => exchange.finish());
	return scenario;
}
