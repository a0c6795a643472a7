/* SPDX-License-Identifier: MIT */
/*
 * commands.mjs - a queue of commands, sent one at a time, in order
 *
 * A command that fails for a while (no network, 502, restart) is sent again
 * after a pause; one whose answer was lost may be carried out twice.  Joining
 * is up to Link: enter() is called when there is no session.
 */
import { after, cancel } from './timers.mjs';
import { byFetch, byScript, PushletError } from './requests.mjs';

const RETRY_MIN = 400, RETRY_MAX = 30000;	/* ms; pauses after failures */
const BUSY_MAX = 3;	/* pauses grow so often when asked too often */
const ANSWER_MAX = 30000;	/* ms; a command's answer takes no longer */
const ERRORS_MAX = 8;		/* HTTP 500 in a row: the command is to blame */

export class Commands {
	constructor(url, options) {
		Object.assign(this, { url, options, glue: /\?/.test(url) ? '&' : '?',
			id: null, last: 0, acked: 0, queue: [], pauses: new Set(),
			script: false });
	}

	after(ms, f) { return after(ms, f, this.options.worker); }

	pause(ms) {
		return new Promise((done) => {
			const go = () => {
				this.pauses.delete(go);
				cancel(timer);
				done();
			};
			const timer = this.after(ms, go);
			this.pauses.add(go);
		});
	}

	/* Ends all pauses. */
	wake() {
		for (const go of [...this.pauses])
			go();
	}

	backoff(failures) {
		return Math.min(RETRY_MAX, RETRY_MIN * Math.pow(2, failures - 1))
			* (0.5 + Math.random() / 2);
	}

	/* How long to wait after an error.  Who asked too often has his turn
	 * within seconds, however often he was told. */
	waitAfter(error, failures) {
		return this.backoff(error.status === 429
			? Math.min(failures, BUSY_MAX) : failures);
	}

	/* fields: a function, asked when it is really sent; once: one attempt */
	send(event, fields = () => ({}), once = false) {
		return new Promise((done, fail) => {
			this.queue.push({ event, fields, done, fail, once, tries: 0 });
			this.pump();
		});
	}

	/* Is the server there, does it know us?  And what have we received? */
	hb() {
		if (!this.queue.some(({ event }) => event === 'hb'))
			this.send('hb').catch((error) => this.sink.tell('error', error));
	}

	async pump() {
		if (this.pumping)
			return;
		this.pumping = true;
		while (this.queue.length > 0)
			await this.next(this.queue[0]);
		this.pumping = false;
	}

	async next(command) {
		const over = (how, value) => {
			if (this.queue[0] === command)
				this.queue.shift();
			how(value);
		};
		try {
			if (!this.id)
				await this.tryEnter();
			const ack = await this.ask(command.event, command.fields());
			if (command.tries > 0)
				this.wake();
			over(command.done, ack);
		} catch (error) {
			const hopeless = error.status === 500 && this.id
				&& command.tries >= ERRORS_MAX;
			if (this.queue[0] !== command)
				return;		/* closed meanwhile */
			if (error.kind === 'gone')
				this.forget(true);
			if (error.kind === 'refused' || hopeless || command.once)
				return over(command.fail, error);
			this.trouble(error);
			await this.pause(this.waitAfter(error, ++command.tries));
		}
	}

	/* Whoever had a session once gets another one, sooner or later. */
	tryEnter() {
		return this.enter().catch((error) => {
			error.kind = this.rejoining ? 'retry' : error.kind;
			throw error;
		});
	}

	/* One command and its answer. */
	async ask(event, fields) {
		const abort = new AbortController(), ack = this.last, answers = [];
		const timer = this.after(ANSWER_MAX, () => abort.abort());
		const how = this.script ? byScript : byFetch;
		const reliable = event === 'hb' && this.options.reliable;
		try {
			await how(this, { ...fields, p_event: event,
				...(this.id && { p_id: this.id }),
				...(reliable && { p_ack: ack }) },
			(e) => answers.push(e), abort.signal);
		} finally {
			cancel(timer);
		}
		if (answers.length === 0)
			throw new PushletError('an empty answer', 'retry');
		if (answers[0].p_event === 'nack')
			throw new PushletError(answers[0].p_reason, 'refused',
				{ event: answers[0] });
		if (reliable)
			this.acked = Math.max(this.acked, ack);
		return answers[0];
	}
}
