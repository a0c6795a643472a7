// SPDX-License-Identifier: MIT
//
// binding.mjs - what the placeholders of a recording stand for in this run
//
// {ID1}, {SID1}, {HANDLE1} stand for the same text wherever they occur; the
// first answer that shows one binds it.  {TIME} is now, {WAIT} what the caller
// allows.

const PLACEHOLDER = /(\{(?:ID|SID|HANDLE)\d+\}|\{TIME\}|\{WAIT\})/;
const quote = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/* What an id may look like here; the recorded ones were shorter. */
const SHAPE = { ID: '([0-9a-f]{38})', HANDLE: '([0-9a-f]{18})', SID: '([0-9a-z]+)' };

export class Binding {
	constructor() {
		this.values = new Map();
		this.born = Math.floor(Date.now() / 1000);
	}

	/* A request with the placeholders filled in. */
	fill(text) {
		return text.split(PLACEHOLDER).map((part, i) => {
			if (i % 2 === 0)
				return part;
			if (!this.values.has(part))
				throw new Error(`no answer has shown ${part} yet`);
			return this.values.get(part);
		}).join('');
	}

	/* Does actual fit the template?  wait(ms) judges a {WAIT}. */
	match(template, actual, wait) {
		if (template instanceof RegExp)
			return template.test(actual);
		if (Array.isArray(template))
			return template.some((t) => this.match(t, actual, wait));

		const parts = template.split(PLACEHOLDER);
		const pattern = parts.map((part, i) => (i % 2 === 0 ? quote(part)
			: this.values.has(part) ? quote(this.values.get(part))
				: SHAPE[part.replace(/[{\d}]/g, '')] ?? '(\\d+)')).join('');
		const found = new RegExp(`^${pattern}$`, 's').exec(actual);
		const open = parts.filter((part, i) => i % 2 === 1 && !this.values.has(part));

		return found !== null && open.every((part, i) =>
			this.#bind(part, found[i + 1], wait));
	}

	#bind(part, value, wait) {
		if (part === '{TIME}') {
			const now = Math.floor(Date.now() / 1000);
			return value >= this.born - 1 && value <= now + 1;
		}
		if (part === '{WAIT}')
			return wait(Number(value));
		if ([...this.values.values()].includes(value))
			return false;	/* two names for one thing */
		this.values.set(part, value);
		return true;
	}

	/* A session id that stands in this text, or undefined. */
	secretIn(text) {
		return [...this.values].find(([part, value]) =>
			part.startsWith('{ID') && text.includes(value))?.[0];
	}
}
