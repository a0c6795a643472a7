// SPDX-License-Identifier: MIT
//
// process.mjs - programs under guard, and tools that run once
//
// A guarded program must be alive until it is stopped, must then end with the
// exit status 0, and must never have printed a sanitizer's report.  Whatever
// else it does fails the test that uses it, with its output.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { LIMIT, within } from './wait.mjs';
import { binary } from './paths.mjs';

const REPORT = /ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|^==\d+== /m;

/* What a sanitizer, or valgrind, had to say in this text, or undefined. */
export function sanitizerReport(text) {
	const at = text.search(REPORT);

	return at < 0 ? undefined : text.slice(Math.max(0, at - 200), at + 4000);
}

export class Guarded {
	/* options: env, uid, stdin ('ignore' or a descriptor), statuses (that it
	 * may exit with; [0]) */
	constructor(name, command, args, options = {}) {
		this.name = name;
		this.output = '';
		this.stopping = false;
		this.statuses = options.statuses ?? [0];
		this.watchers = new Set();
		this.child = spawn(command, args, {
			stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
			env: { ...process.env, ...options.env },
			uid: options.uid,
			detached: true,		/* a group of its own, for kill() */
		});
		for (const pipe of [this.child.stdout, this.child.stderr])
			pipe.setEncoding('utf8').on('data', (text) => this.#hear(text));
		this.exited = new Promise((done) => {
			this.child.on('error', (error) => this.#end(done, error.message));
			this.child.on('close', (code, signal) =>
				this.#end(done, signal ?? code));
		});
	}

	get pid() { return this.child.pid; }
	get alive() { return this.status === undefined; }

	#hear(text) {
		this.output += text;
		for (const watcher of this.watchers)
			watcher();
	}

	#end(done, status) {
		this.status = status;
		for (const watcher of this.watchers)
			watcher();
		done(status);
	}

	/* The match of pattern in the output from position on, as soon as it
	 * is there. */
	line(pattern, { from = 0, limit = LIMIT } = {}) {
		let watcher;
		const found = new Promise((done, fail) => {
			watcher = () => {
				const match = this.output.slice(from).match(pattern);
				if (match)
					done(match);
				else if (!this.alive)
					fail(new Error(`${this.name} ended (${this.status}) `
						+ `before it said ${pattern}:\n${this.output}`));
			};
			this.watchers.add(watcher);
			watcher();
		});

		return within(found, limit, () =>
			`${this.name} did not say ${pattern}, but:\n${this.output.slice(-3000)}`)
			.finally(() => this.watchers.delete(watcher));
	}

	/* Throws when the program is in a state that must not be. */
	check() {
		const report = sanitizerReport(this.output);

		if (report)
			throw new Error(`${this.name} printed\n${report}`);
		if (!this.alive && !this.stopping)
			throw new Error(`${this.name} died (${this.status}):\n`
				+ this.output.slice(-4000));
	}

	/* Is it there, as far as can be told without the event loop? */
	get running() {
		try {
			return this.alive && !/\) [ZX] /.test(
				readFileSync(`/proc/${this.pid}/stat`, 'latin1'));
		} catch {
			return false;
		}
	}

	/* For the last moment of a test, when nothing can be waited for: a
	 * signal to it and to all it has started. */
	kill(signal) {
		this.stopping = true;
		try {
			process.kill(-this.pid, signal);
		} catch {
			/* gone */
		}
	}

	/* The test ends it on purpose, by a way that is not stop(). */
	async killed(signal) {
		this.stopping = true;
		this.child.kill(signal);
		return within(this.exited, LIMIT, () => `${this.name} survived ${signal}`);
	}

	async stop(signal = 'SIGTERM', limit = LIMIT) {
		if (this.alive && !this.stopping) {
			this.stopping = true;
			this.child.kill(signal);
			await within(this.exited, limit, () => {
				this.kill('SIGKILL');
				return `${this.name} did not end on ${signal}:\n`
					+ this.output.slice(-4000);
			});
			if (!this.statuses.includes(this.status))
				throw new Error(`${this.name} ended with ${this.status}:\n`
					+ this.output.slice(-4000));
		}
		this.check();
	}
}

/* Runs a program to its end: { status, stdout, stderr }. */
export async function run(command, args, { input, env, limit = LIMIT } = {}) {
	const child = spawn(command, args, {
		stdio: ['pipe', 'pipe', 'pipe'],
		env: { ...process.env, ...env },
	});
	let stdout = '';
	let stderr = '';
	const ended = new Promise((done, fail) => {
		child.on('error', fail);
		child.on('close', (code, signal) => done(signal ?? code));
	});

	child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
	child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
	child.stdin.on('error', () => {});	/* it may not want to read */
	child.stdin.end(input ?? '');
	const status = await within(ended, limit, () => {
		child.kill('SIGKILL');
		return `${command} ${args.join(' ')} did not end:\n${stdout}${stderr}`;
	});
	const report = sanitizerReport(stderr);
	if (report)
		throw new Error(`${command} printed\n${report}`);
	return { status, stdout, stderr };
}

/* Runs one of our own programs. */
export const tool = (name, args, options) => run(binary(name), args, options);
