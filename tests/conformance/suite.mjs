// SPDX-License-Identifier: MIT
//
// suite.mjs - plays the cases against a server, and says how each went
//
// Cases play one after the other; those that wait for the server's clock play
// beside them, and are reported last.  How a case went:
//
//	ok	it holds
//	FAIL	it does not, and why
//	differs	it does not, but the server does what the other profile says: a
//		deliberate difference between the two
//	skip	it could not be told, and why

import { randomBytes } from 'node:crypto';
import { CASES } from './cases.mjs';
import { PROFILES } from './case.mjs';
import { Scene } from './scene.mjs';
import { OverBudget, Talk } from './talk.mjs';
import { Silence, Unseen } from './words.mjs';

export class NoServer extends Error {}

const SILENT = 4;	/* cases in a row without any answer: it is gone */

/* How each of these ends is for people to read. */
const REASONS = {
	ECONNREFUSED: 'nothing listens there (connection refused)',
	ENOTFOUND: 'there is no host of that name',
	ECONNRESET: 'the connection was cut before there was an answer',
	EPROTO: 'it does not speak TLS there',
};

const kind = (reply) => (/html/i.test(reply.type) ? 'a web page'
	: `what is no event, of type ${reply.type || 'none'}`);

/* Throws NoServer unless a Pushlet server answers. */
async function probe(talk) {
	const url = talk.name;
	let reply;

	try {
		reply = await talk.open({ p_event: 'join', p_format: 'xml' });
		const ack = await reply.event('join-ack');
		await (await talk.open({ p_event: 'leave', p_id: ack.get('p_id') })).done();
	} catch (error) {
		if (error.code)
			throw new NoServer(`${url}: ${REASONS[error.code] ?? error.message}`);
		if (error instanceof Silence)
			throw new NoServer(`${url}: the connection was taken, but ${error.message}`);
		if (reply && reply.status !== 200)
			throw new NoServer(`${url}: join is answered with status ${reply.status}; `
				+ 'is this the URL of a Pushlet server?');
		if (reply && reply.events.length === 0)
			throw new NoServer(`${url}: join is answered with ${kind(reply)}; `
				+ 'is this the URL of a Pushlet server?');
		throw new NoServer(`${url}: ${error.message}`);
	}
}

const other = (profile) => PROFILES.find((p) => p !== profile);

/* What a case says of this profile. */
export function sentence(one, profile) {
	if (one.rows.length === 0)
		return one.name;
	const [row] = one.rows;

	return `${one.name}: ${profile === 'original' ? row.original : one.says ?? row.here}`;
}

export class Suite {
	/*
	 * options: profile; wait (seconds for what the server's clock brings);
	 * demand (it has to come within them); limit (seconds an answer may take);
	 * subject (all subjects begin with it); only (a word of the cases to play);
	 * requests (how many at most, of each profile)
	 */
	constructor(url, { profile = 'pushlet-fcgi', wait = 25, demand = false, limit = 5,
		subject = '/conformance', only = '', requests = 3000 } = {}) {
		Object.assign(this, { url, profile, wait, demand, silent: 0, played: 0,
			measured: {}, scenes: new Set() });
		this.base = `${subject}/${randomBytes(6).toString('hex')}`;
		this.talk = this.#talk(profile, limit, requests);
		this.otherTalk = this.#talk(other(profile), limit, requests);
		this.cases = CASES.filter((one) => sentence(one, profile).includes(only)
			|| one.group.includes(only))
			.filter((one) => one.plays[profile] || one.unplayed?.[profile]);
	}

	#talk(profile, limit, requests) {
		return new Talk(this.url, { strict: profile !== 'original', limit: limit * 1000,
			requests, until: Date.now() + 1000 * (300 + 4 * this.wait) });
	}

	/* Plays all; tell(result) is called for each, in their order.  Throws
	 * NoServer when there is nobody to play with. */
	async run(tell = () => {}) {
		const began = Date.now();
		await probe(this.talk);

		const beside = this.cases.filter((one) => one.waits)
			.map((one) => [one, this.play(one)]);
		const results = [];
		const add = (result) => {
			results.push(result);
			tell(result);
		};
		for (const one of this.cases.filter((c) => !c.waits))
			add(await this.play(one));
		for (const [, result] of beside)
			add(await result);
		return { url: this.talk.name, profile: this.profile, wait: this.wait, results,
			heartbeat: this.measured.heartbeat, seconds: (Date.now() - began) / 1000,
			requests: this.talk.asked + this.otherTalk.asked };
	}

	/* How one case went. */
	async play(one) {
		const result = { group: one.group, name: sentence(one, this.profile),
			source: one.source };
		const play = one.plays[this.profile];

		if (!play)
			return { ...result, how: 'skip',
				why: `not played: ${one.unplayed[this.profile]}` };
		if (this.silent >= SILENT)
			return { ...result, how: 'FAIL',
				why: 'not played: the server answers no more' };
		return { ...result, ...await this.#outcome(one, play) };
	}

	async #outcome(one, play) {
		const error = await this.#scene(play, this.talk);

		if (!one.waits)
			this.silent = error?.dead ? this.silent + 1 : 0;
		if (!error)
			return { how: 'ok' };
		if (error instanceof OverBudget)
			return { how: 'skip', why: error.message, cut: true };
		if (error instanceof Unseen)
			return { how: 'skip', why: error.message };
		const instead = one.rows.length > 0 && one.plays[other(this.profile)];
		if (instead && !await this.#scene(instead, this.otherTalk))
			return { how: 'differs', why: error.message, row: one.rows[0] };
		return { how: 'FAIL', why: error.message };
	}

	/* The error that a play ended with, if any. */
	async #scene(play, talk) {
		/* Of one length, or one would be the beginning of another. */
		const number = String(++this.played).padStart(4, '0');
		const scene = new Scene(talk, { base: `${this.base}/${number}`,
			wait: this.wait * 1000, demand: this.demand });

		if (this.abandoned)
			return new OverBudget('the run was broken off');
		this.scenes.add(scene);
		try {
			await play(scene);
			return undefined;
		} catch (error) {
			/* What a play did not expect at all is the server's, too. */
			return error;
		} finally {
			await scene.finish();
			this.scenes.delete(scene);
			Object.assign(this.measured, scene.measured);
		}
	}

	/* Ends what plays, and begins no more. */
	async abandon() {
		this.abandoned = true;
		await Promise.all([...this.scenes].map((scene) => scene.finish()));
		while (this.scenes.size > 0)
			await new Promise((done) => { setTimeout(done, 20); });
	}
}
