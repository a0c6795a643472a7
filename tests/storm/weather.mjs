// SPDX-License-Identifier: MIT
//
// weather.mjs - what is killed or reloaded next, and when
//
// A seed decides all choices; which process has which number at that moment it
// cannot.  The next blow comes when some more events were published: so a
// server that does not get up again is noticed, and none is hit while it is
// down already.

import { within } from '../lib/wait.mjs';
import { SLOW } from '../lib/paths.mjs';
import { children, descendants, programOf } from '../lib/service.mjs';

const DOWN = 20_000 * SLOW;	/* ms without any event published */
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/* mulberry32 */
export function dice(seed) {
	let state = seed >>> 0;

	return (sides) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) % sides;
	};
}

const pushletds = (apache) => descendants(apache.pid)
	.filter((pid) => programOf(pid) === 'pushletd');

export class Weather {
	/* site: { service, nginx, apache, lines, ledger } */
	constructor(site, seed) {
		Object.assign(this, { site, roll: dice(seed) });
		this.blows = new Map();
		this.restarts = 0;		/* of Apache */
	}

	/* Whom a kill may hit (pids, or things that know how to), and how likely
	 * of all the shares. */
	#victims() {
		const { service, nginx, apache, lines } = this.site;

		return [
			['pushletd worker', 8, () => service.workerPids],
			['pushletd master', 1, () => service.masters],
			['pushlet-publish', 5, () => lines],
			['nginx worker', 2, () => children(nginx.pid)],
			...(apache ? [['mod_fcgid process', 8, () => pushletds(apache)]] : []),
		];
	}

	#reloads() {
		const { service, nginx, apache } = this.site;

		return [
			['pushletd', 4, () => service.masters, 'SIGHUP'],
			['nginx', 2, () => [nginx.pid], 'SIGHUP'],
			...(apache ? [['Apache', 1, () => this.#settledApache(), 'SIGUSR1']] : []),
		];
	}

	/* mod_fcgid takes seconds to restart, and is stuck for ever when it has
	 * to once more before its process manager works. */
	#settledApache() {
		const { apache } = this.site;
		const restarts = apache.log().match(/resuming normal operations/g).length - 1;

		return restarts === this.restarts && pushletds(apache).length > 0 ? [apache.pid] : [];
	}

	#choose(kinds) {
		let at = this.roll(kinds.reduce((sum, [, share]) => sum + share, 0));

		return kinds.find(([, share]) => (at -= share) < 0);
	}

	async #strike(kinds) {
		const [name, , find, signal = 'SIGKILL'] = this.#choose(kinds);
		const which = this.roll(1 << 16);
		let found;

		while ((found = find()).length === 0)
			await pause(5);
		const victim = found[which % found.length];
		try {
			await (victim.strike?.() ?? process.kill(victim, signal));
			this.blows.set(name, (this.blows.get(name) ?? 0) + 1);
			this.restarts += name === 'Apache';
		} catch {
			/* it ended by itself meanwhile */
		}
	}

	/* Waits until n more events are reported. */
	#calm(n) {
		const { ledger } = this.site;
		const until = ledger.count + n;
		let watcher;
		const reached = new Promise((done) => {
			watcher = () => ledger.count >= until && done();
			ledger.watchers.add(watcher);
		});

		return within(reached, DOWN, () => `nothing is published any more, ${
			JSON.stringify(Object.fromEntries(this.blows))}:\n${
			this.site.service.guarded.output.slice(-2000)}`)
			.finally(() => ledger.watchers.delete(watcher));
	}

	async #storm(kinds, n) {
		const total = () => [...this.blows.values()].reduce((a, b) => a + b, 0);

		this.blows.clear();
		while (total() < n) {
			await this.#calm(1 + this.roll(10));
			await this.#strike(kinds);
		}
		await this.#calm(20);
		return [...this.blows].map(([name, count]) => `${count} ${name}`).join(', ');
	}

	quiet(n) { return this.#calm(n).then(() => 'nothing'); }
	kills(n) { return this.#storm(this.#victims(), n); }
	reloads(n) { return this.#storm(this.#reloads(), n); }
}
