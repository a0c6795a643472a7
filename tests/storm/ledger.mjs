// SPDX-License-Identifier: MIT
//
// ledger.mjs - what was published, what arrived, and what is wrong with that
//
// An event is "PUBLISHER.NUMBER", each publisher counts from 1.  It is
// reported when its publisher said that it is published, and "perhaps" when
// the publisher, or the answer to it, died before it could say so: then it may
// be there once or not at all, but for all listeners alike.

export class Ledger {
	constructor() {
		this.reported = new Map();	/* publisher -> highest number */
		this.skipped = new Set();	/* below it, not reported */
		this.perhaps = new Set();
		this.count = 0;
		this.watchers = new Set();
	}

	report(who, n) {
		const last = this.reported.get(who) ?? 0;

		for (let i = last + 1; i < n; i++)
			this.skipped.add(`${who}.${i}`);
		this.reported.set(who, n);
		this.count++;
		for (const watcher of this.watchers)
			watcher();
	}

	doubt(who, n) { this.perhaps.add(`${who}.${n}`); }

	/* Every event that must arrive at listeners who hear this publisher. */
	due(hears) {
		return [...this.reported].filter(([who]) => hears(who)).flatMap(([who, last]) =>
			Array.from({ length: last }, (_, i) => `${who}.${i + 1}`)
				.filter((event) => !this.skipped.has(event)));
	}

	/* Has it all arrived?  Asked often. */
	complete(listener) {
		return this.due(listener.hears).every((event) => listener.has.has(event));
	}

	/* The account of one listener: numbers, and problems in words. */
	judge(listener) {
		const due = this.due(listener.hears);
		const lost = due.filter((event) => !listener.has.has(event));
		const wanted = new Set(due);
		const strange = [...listener.has].filter((event) =>
			!wanted.has(event) && !this.perhaps.has(event));

		return {
			published: due.length,
			received: due.length - lost.length,
			perhaps: [...listener.has].filter((event) => this.perhaps.has(event)).length,
			lost: lost.length,
			repeated: listener.repeated.length,
			problems: [
				...lost.map((event) => `${event} is lost`),
				...listener.repeated.map((event) => `${event} came twice`),
				...strange.map((event) => `${event} was never published`),
				...this.disorder(listener),
				...listener.problems,
			].map((what) => `${listener.name}: ${what}`),
		};
	}

	/* Those of one publisher that were reported come in their order. */
	disorder(listener) {
		const last = new Map();
		const wrong = [];

		for (const event of listener.has) {
			const at = event.lastIndexOf('.');
			const [who, n] = [event.slice(0, at), Number(event.slice(at + 1))];
			if (this.perhaps.has(event))
				continue;
			if (n < (last.get(who) ?? 0))
				wrong.push(`${event} came after ${who}.${last.get(who)}`);
			last.set(who, n);
		}
		return wrong;
	}

	/* All listeners saw the same events in the same order, whoever sent
	 * them, as far as they hear the same: also of the perhaps. */
	disagreement(listeners) {
		const [first, ...others] = listeners;
		const problems = [];

		for (const other of others) {
			const mine = [...first.has].filter((e) => other.hears(e) && first.hears(e));
			const theirs = [...other.has].filter((e) => other.hears(e) && first.hears(e));
			const at = mine.findIndex((event, i) => event !== theirs[i]);
			if (at >= 0 || mine.length !== theirs.length)
				problems.push(`${other.name} and ${first.name} differ from event ${at}: ${
					theirs[at]} and ${mine[at]}`);
		}
		return problems;
	}
}
