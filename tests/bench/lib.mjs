// SPDX-License-Identifier: MIT
//
// lib.mjs - what the benches share: the kernel's figures of a process, the
// publisher as a tool that stays, and tables

import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { within, LIMIT } from '../lib/wait.mjs';
import { binary } from '../lib/paths.mjs';

const TICKS = 100;		/* USER_HZ, the unit of /proc/PID/stat */

export const now = () => performance.now();

/* utime, stime, cutime and cstime in seconds. */
function times(pid) {
	const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');

	return fields.slice(11, 15).map((t) => Number(t) / TICKS);
}

/* CPU seconds that these processes have used so far. */
export function cpu(...pids) {
	return pids.map((pid) => times(pid).slice(0, 2))
		.flat().reduce((sum, t) => sum + t, 0);
}

/* CPU seconds of our own children that have ended. */
export function cpuOfEnded() {
	const [, , user, system] = times('self');

	return user + system;
}

/*
 * Bytes.  anonymous is heap, stacks and written data: the process's own.  rss
 * and dirty also count the pages of the segment that it alone has mapped.
 */
export function memory(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
	const field = (name) =>
		1024 * Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)[1]);

	return { rss: field('Rss'), dirty: field('Private_Dirty'),
		anonymous: field('Anonymous') };
}

export function childrenOf(pid) {
	return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
		.trim().split(' ').filter(Boolean).map(Number);
}

/* Of a segment: its size, and what of it is backed by memory. */
export function segmentSize(lab) {
	const { size, blocks } = statSync(lab.shmFile);

	return { size, used: blocks * 512 };
}

/* pushlet-publish --lines: each line of what is written is one event. */
export class Publisher {
	constructor(lab, subject, ...attributes) {
		this.child = spawn(binary('pushlet-publish'),
			['-n', lab.segment, '--lines', 'n', subject, ...attributes],
			{ stdio: ['pipe', 'ignore', 'pipe'] });
		this.errors = '';
		this.child.stderr.setEncoding('utf8')
			.on('data', (text) => { this.errors += text; });
		this.child.stdin.on('error', () => {});	/* the status tells */
		this.ended = new Promise((done, fail) => {
			this.child.on('error', fail);
			this.child.on('close', (code, signal) => done(signal ?? code));
		});
		lab.guard({ check() {}, stop: () => this.child.kill('SIGKILL'),
			kill: () => this.child.kill('SIGKILL') });
	}

	/* Publishes the numbers from, from + 1, ... below end. */
	numbers(from, end) {
		let text = '';

		for (let n = from; n < end; n++)
			text += `${n}\n`;
		this.child.stdin.write(text);
	}

	/* Lets it publish what was written, to the end. */
	async finish() {
		this.child.stdin.end();
		const status = await within(this.ended, 3 * LIMIT,
			() => 'pushlet-publish --lines does not end');
		if (status !== 0)
			throw new Error(`pushlet-publish: ${status}: ${this.errors}`);
	}
}

/* The value below which share of the sorted values lie. */
export function quantile(sorted, share) {
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export function spread(values) {
	const sorted = [...values].sort((a, b) => a - b);

	return { min: sorted[0], median: quantile(sorted, 0.5),
		p99: quantile(sorted, 0.99), max: sorted.at(-1) };
}

/* ---- tables ---- */

export const MS = (ms) => `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
export const US = (seconds) => `${(seconds * 1e6).toFixed(2)} us`;
export const KB = (bytes) => `${(bytes / 1024).toFixed(bytes < 102400 ? 2 : 0)} KiB`;
export const MB = (bytes) => `${(bytes / 1048576).toFixed(2)} MiB`;
export const COUNT = (n) => Math.round(n).toLocaleString('en-US');
export const PERCENT = (share) => `${(100 * share).toFixed(1)} %`;

function lines(rows) {
	const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
	const line = (row) => row.map((cell, i) =>
		(i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');

	return { text: rows.map(line), rule: widths.map((w) => '-'.repeat(w)).join('  ') };
}

const print = (title, text) =>
	process.stdout.write(`\n${title}\n\n${text.map((l) => `  ${l}\n`).join('')}`);

/* Rows of cells; the first column to the left, the others to the right. */
export function table(title, head, rows) {
	const { text, rule } = lines([head, ...rows].map((row) => row.map(String)));

	print(title, [text[0], rule, ...text.slice(1)]);
}

/* Rows of a name and a value. */
export function facts(title, rows) {
	print(title, lines(rows.map((row) => row.map(String))).text);
}
