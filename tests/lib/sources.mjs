// SPDX-License-Identifier: MIT
//
// sources.mjs - a guarded pushlet-sources with a file of its own

import { readFileSync, writeFileSync } from 'node:fs';
import { Guarded } from './process.mjs';
import { command, SLOW } from './paths.mjs';
import { ownProgram } from './relay.mjs';

let count = 0;

/* { load: { command, subject } } as the lines of a file; all: sources.* */
function lines(sources, all) {
	const one = ([name, keys]) => Object.entries(keys).map(([key, value]) =>
		`source.${name}.${key}=${value}\n`).join('');

	return Object.entries(all).map(([key, value]) => `sources.${key}=${value}\n`).join('')
		+ Object.entries(sources).map(one).join('');
}

export class Sources {
	/* all: what belongs to all sources; uid: who it runs as */
	constructor(lab, { all = {}, uid } = {}) {
		this.lab = lab;
		this.all = { stop: 1, grace: 1, ...all };
		this.uid = uid;
		this.name = `sources-${++count}.properties`;
	}

	get file() { return this.lab.path(this.name); }
	get pid() { return this.guarded.pid; }
	get output() { return this.guarded.output; }

	write(sources) {
		this.writeText(typeof sources === 'string' ? sources : lines(sources, this.all));
	}

	writeText(text) { writeFileSync(this.file, text, { mode: 0o644 }); }

	async start(sources) {
		/* Who is not root may not get to where it was built. */
		const [program, first] = this.uid
			? [ownProgram(this.lab, 'pushlet-sources'), []] : command('pushlet-sources');

		this.write(sources);
		this.guarded = new Guarded('pushlet-sources', program,
			[...first, '-n', this.lab.segment, '-c', this.file], { uid: this.uid });
		this.lab.guard(this);
		await this.guarded.line(/ready: \d+ source/);
		return this;
	}

	/* Another file, read by SIGHUP. */
	async reload(sources, pattern = /reloaded: /) {
		const said = this.says(pattern);

		this.write(sources);
		this.signal('SIGHUP');
		return said;
	}

	/* A promise of the first log line that matches, from now on; or from the
	 * beginning. */
	says(pattern) { return this.guarded.line(pattern, { from: this.output.length }); }
	said(pattern) { return this.guarded.line(pattern); }

	/* The pid of a source as it was started last. */
	pidOf(name) {
		const all = [...this.output.matchAll(new RegExp(`: ${name}: started, pid (\\d+)`, 'g'))];

		return Number(all.at(-1)?.[1]);
	}

	signal(signal) { this.guarded.child.kill(signal); }
	killed(signal) { return this.guarded.killed(signal); }
	check() { this.guarded?.check(); }
	kill(signal) { this.guarded?.kill(signal); }
	get running() { return this.guarded?.running; }
	async stop() { await this.guarded?.stop('SIGTERM', 10_000 * SLOW); }
}

/* Does this process exist, and is it no zombie? */
export function lives(pid) {
	try {
		return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
	} catch {
		return false;
	}
}
