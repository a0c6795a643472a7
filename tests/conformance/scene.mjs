// SPDX-License-Identifier: MIT
//
// scene.mjs - what one case plays with: sessions and subjects of its own
//
//	const ann = await s.listener('stream');
//	await s.publish(ann.subject, { n: 1 });
//	check(await ann.channel.event('data'), { n: 1 });
//
// finish() closes what is open and leaves the sessions, however the case ended.

import { check, ensure, Trouble, Unseen } from './words.mjs';
import { formEncode } from './talk.mjs';

export class Session {
	constructor(scene, ack, format) {
		check(ack, { p_id: /./ });
		Object.assign(this, { scene, ack, format, id: ack.get('p_id') });
	}

	/* The answer has begun. */
	open(command, params = {}, options = {}) {
		return this.scene.open({ p_event: command, p_id: this.id, ...params },
			{ format: this.format, ...options });
	}

	/* A command whose answer is one event of this kind. */
	async ask(kind, command, params, options) {
		const reply = await this.open(command, params, options);
		const event = await reply.event(kind);

		await reply.rest();
		if (kind === 'leave-ack')
			this.gone = true;
		return event;
	}

	listen(params) { return this.open('listen', params); }
	refresh(params) { return this.open('refresh', params); }
	follow(refresh) {
		return this.scene.open('', { path: this.scene.talk.target(refresh.get('p_url')),
			format: this.format });
	}
	subscribe(subject, label) {
		return this.ask('subscribe-ack', 'subscribe',
			{ p_subject: subject, p_label: label });
	}
	publish(subject, attributes = {}) {
		return this.ask('publish-ack', 'publish', { p_subject: subject, ...attributes });
	}
	leave() { return this.ask('leave-ack', 'leave'); }

	/* Does the server know it? */
	async alive() {
		const reply = await this.open('hb');

		await reply.done();
		return reply.status === 200 && reply.events[0]?.get('p_event') === 'hb-ack';
	}
}

export class Scene {
	/* wait: milliseconds to wait for what the server's clock brings; demand:
	 * it has to come within them */
	constructor(talk, { base, wait, demand }) {
		Object.assign(this, { talk, base, wait, demand, sessions: [], replies: [],
			measured: {} });
	}

	/* A subject that nobody else uses. */
	subject(rest = '') { return `${this.base}${rest}`; }

	async open(params, options) {
		if (this.over)
			throw new Unseen('the run was broken off');
		const reply = await this.talk.open(params, options);

		this.replies.push(reply);
		return reply;
	}

	/* A request that ends by itself. */
	async whole(params, options) {
		const reply = await this.open(params, options);

		await reply.done();
		return reply;
	}

	#session(ack, format) {
		const session = new Session(this, ack, format);

		this.sessions.push(session);
		return session;
	}

	async join(format = 'xml', more = {}) {
		const reply = await this.whole({ p_event: 'join', p_format: format, ...more },
			{ format });

		return this.#session(await reply.event('join-ack'), format);
	}

	/* A session with its channel, whose ack is taken. */
	async joinListen(mode, { format = 'xml', subject, label, ...more } = {}) {
		const channel = await this.open({ p_event: 'join-listen', p_format: format,
			p_mode: mode, p_subject: subject, p_label: label, ...more }, { format });
		const ack = await channel.event('join-listen-ack');
		const session = this.#session(ack, format);

		return Object.assign(session, { channel, subject });
	}

	/* One that is subscribed to a subject of its own; of a pull or poll the
	 * first answer is read. */
	async listener(mode = 'stream', options = {}) {
		const session = await this.joinListen(mode, { subject: this.subject(), ...options });

		if (session.ack.get('p_mode') !== mode)
			throw new Trouble(`a listener asked for p_mode=${mode} and got ${
				session.ack.get('p_mode')}`);
		if (mode !== 'stream')
			await session.channel.rest();
		return session;
	}

	/* By a publisher of this scene. */
	async publish(subject, attributes) {
		this.publisher ??= await this.join();
		return this.publisher.publish(subject, attributes);
	}

	/* POST with a form, or with an XML element. */
	form(values, format = 'xml') {
		return this.whole('', { method: 'POST', body: formEncode(values), format,
			headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
	}

	xml(body, format = 'xml') {
		return this.whole('', { method: 'POST', body, format,
			headers: { 'Content-Type': 'text/xml' } });
	}

	/* A play that goes on after this may do it again. */
	async finish() {
		this.over = true;
		this.replies.filter((r) => !r.ended).forEach((r) => r.close());
		for (const session of this.sessions.filter((one) => !one.gone)) {
			session.gone = true;
			await this.talk.open({ p_event: 'leave', p_id: session.id },
				{ format: 'text', always: true })
				.then((reply) => reply.done())
				.catch(() => {});	/* the case has said what is wrong */
		}
	}
}

/* The status and the text of an error. */
export function refused(reply, status, text) {
	ensure(reply.status === status, `the status is ${reply.status} and should be ${status}`);
	ensure(text.test(reply.text.trim()), `the text is ${
		JSON.stringify(reply.text.slice(0, 120))} and should look like ${text}`);
}

/* The only event of an answer is a nack with such a reason. */
export async function nacked(session, command, params, reason) {
	const nack = await session.ask('nack', command, params);

	check(nack, { p_reason: reason, p_id: session.id });
}

/* As the original answers what it does not understand. */
export function empty(reply) {
	ensure(reply.status === 200 && reply.text === '',
		`the answer is ${reply.status} ${JSON.stringify(reply.text.slice(0, 80))
		} and should be an empty one`);
}
