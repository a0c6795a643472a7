/* SPDX-License-Identifier: MIT */
/*
 * log.js - the rows of one connection, newest last
 */

import { bytes, clock, copy, make, size } from './elements.js';

const KEPT = 800;			/* rows of a log */

/* Of all logs; told: called when a row has to wait for the end of a pause.
 * words: of the filter. */
export const view = { paused: false, words: [], told() {} };

/* Name=value pairs: what the page's own fields say stands out. */
export function pairs(fields, skip) {
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
export class Log {
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
		if (view.paused)
			view.told();
		else if (this.waiting.length === 1)
			requestAnimationFrame(() => this.flush());
	}

	flush() {
		const { list } = this;

		if (view.paused)
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

	/* Applies the filter again. */
	filter() {
		for (const row of this.list.children)
			row.hidden = !matches(row.entry);
	}

	clear() {
		this.list.replaceChildren();
		this.waiting = [];
	}
}


/* All words of the filter, and none of those behind a minus. */
function matches(entry) {
	return view.words.every((word) => word.startsWith('-') && word.length > 1 ?
		!entry.find.includes(word.slice(1)) : entry.find.includes(word));
}
