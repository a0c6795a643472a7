// SPDX-License-Identifier: MIT
//
// listeners.mjs - clients that are careful, whatever becomes of their answers
//
// A reliable one drops each p_eid it has seen and says p_ack when it comes
// back.  A plain one follows p_url, and believes an answer only when it is
// whole: the refresh at its end is what says so.  Both ask again when there is
// no answer, a broken one, or an error of the web server.

import { until } from '../lib/wait.mjs';

const PATIENCE = 30;		/* ms before a failed request is made again */
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

export class Listener {
	/* options: client, name, mode, format, reliable, subject, hears(publisher),
	 * more (fields of its join) */
	constructor(options) {
		Object.assign(this, options);
		this.has = new Set();		/* in the order of arrival */
		this.repeated = [];
		this.problems = [];
		this.eid = 0;			/* the last one seen */
		this.trips = 0;			/* data answers */
		this.failures = 0;		/* of these, broken */
		this.whole = 0;			/* and those that were not */
	}

	/* Joins while there is no weather yet. */
	async join() {
		const ack = await this.client.ask({ p_event: 'join', p_format: this.format,
			p_reliable: this.reliable ? 1 : undefined, ...this.more });

		this.id = ack.get('p_id');
		await this.#subscribe();
		this.running = this.#run().catch((error) => this.problems.push(error.stack));
	}

	async #subscribe() {
		const stream = await this.client.open({ p_event: 'listen', p_id: this.id,
			p_mode: this.mode, p_subject: this.subject });

		if (this.mode === 'stream') {
			await stream.next({ p_event: 'listen-ack' });
			stream.close();
		} else {
			const refresh = (await stream.rest()).at(-1);
			this.path = refresh.get('p_url');
		}
	}

	#open() {
		if (!this.reliable)
			return this.client.open('', { path: this.path });
		return this.client.open({ p_event: 'refresh', p_id: this.id, p_ack: this.eid });
	}

	async #run() {
		while (!this.stopped) {
			this.trips++;
			const stream = await this.#open().catch(() => undefined);
			const ending = stream && await this.#read(stream);
			if (ending)
				this.whole++;
			else
				this.failures++;
			await pause(ending ? Number(ending.get('p_wait')) : PATIENCE);
		}
	}

	/* Reads an answer; the refresh at its end, or nothing if it broke. */
	async #read(stream) {
		const events = [];
		let ending;

		this.stream = stream;
		if (stream.status === 400)
			this.problems.push(`the session is gone: ${stream.text}`);
		if (this.stopped)
			stream.close();
		try {
			while (stream.status === 200 && !ending) {
				const event = await stream.next();
				if (event.get('p_event') === 'refresh')
					ending = event;
				else if (this.reliable)
					this.#take(event);
				else
					events.push(event);
			}
			await stream.rest();
		} catch {
			ending = undefined;
		}
		stream.close();
		if (ending)
			this.#believe(events, ending);
		return ending;
	}

	#believe(events, ending) {
		for (const event of events)
			this.#take(event);
		this.path = ending.get('p_url');
	}

	#take(event) {
		if (event.get('p_event') === 'abort' || event.get('p_event') === 'nack')
			this.problems.push(`${event.get('p_event')}: ${event.get('p_reason')}`);
		if (event.get('p_event') !== 'data')
			return;
		if (this.reliable && !this.#fresh(Number(event.get('p_eid'))))
			return;
		const name = event.get('e');
		if (this.has.has(name))
			this.repeated.push(name);
		this.has.add(name);
	}

	#fresh(eid) {
		if (eid <= this.eid)
			return false;
		if (eid !== this.eid + 1)
			this.problems.push(`p_eid ${eid} after ${this.eid}`);
		this.eid = eid;
		return true;
	}

	/* One more answer from the beginning to the end: what comes twice would
	 * be there. */
	async comeBack() {
		const whole = this.whole;
		const trips = this.trips;

		if (this.mode === 'stream') {
			this.stream?.close();
			await until(`${this.name} to be back`, () => this.trips > trips
				&& this.stream?.events.length > 1);
		} else {
			await until(`${this.name} to ask again`, () => this.whole > whole + 1);
		}
	}

	async leave() {
		this.stopped = true;
		this.stream?.close();
		await this.running;
		await until(`${this.name} to leave`, () => this.client.ask({ p_event: 'leave',
			p_id: this.id }).then((answer) => answer.status !== 502 && answer.status !== 503,
			() => false));
	}

	check() {}
	kill() { this.stopped = true; }
	async stop() { this.stopped = true; this.stream?.close(); await this.running; }
}
