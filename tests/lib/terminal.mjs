// SPDX-License-Identifier: MIT
//
// terminal.mjs - a program on a terminal, and what is to be seen there
//
// script(1) makes the terminal; here is what an xterm would draw of the output.
// Only what curses uses of it: anything else is an error.

import { spawn } from 'node:child_process';
import { until, within, LIMIT } from './wait.mjs';

/* A command of the terminal: ESC [ numbers letter, or a short one. */
/* eslint-disable-next-line no-control-regex */
const COMMAND = /^\x1b(?:\[([0-9;?]*)([@-~])|[()][A-Z0-9]|[78=>])/;

class Screen {
	constructor(columns, lines) {
		Object.assign(this, { columns, x: 0, y: 0, rest: '' });
		this.cells = Array.from({ length: lines }, () => this.#blank());
	}

	#blank() { return Array(this.columns).fill(' '); }

	/* Lines without the blanks at their ends. */
	get text() { return this.cells.map((line) => line.join('').trimEnd()).join('\n'); }

	draw(output) {
		this.rest += output;
		while (this.rest !== '') {
			if (this.rest[0] !== '\x1b') {
				const [char] = this.rest;

				this.#char(char);
				this.rest = this.rest.slice(char.length);
				continue;
			}
			const match = COMMAND.exec(this.rest);
			if (!match && this.rest.length < 20)
				return;		/* the rest of it has yet to come */
			if (!match)
				throw new Error(`no command: ${JSON.stringify(this.rest.slice(0, 20))}`);
			this.rest = this.rest.slice(match[0].length);
			if (match[2])
				this.#obey(match[2], match[1]);
		}
	}

	#char(char) {
		if (char === '\r')
			this.x = 0;
		else if (char === '\n')
			this.y = Math.min(this.y + 1, this.cells.length - 1);
		else if (char === '\b')
			this.x = Math.max(this.x - 1, 0);
		else if (char >= ' ')
			this.#put(char);
	}

	#put(char) {
		this.last = char;
		if (this.x < this.columns)
			this.cells[this.y][this.x++] = char;
	}

	#erase(line, from, to) { this.cells[line].fill(' ', from, to); }

	#obey(letter, text) {
		const [first, second] = text.split(';').map(Number);
		const n = first || 1;
		const commands = {
			A: () => { this.y -= n; },
			B: () => { this.y += n; },
			C: () => { this.x += n; },
			D: () => { this.x -= n; },
			G: () => { this.x = n - 1; },
			d: () => { this.y = n - 1; },
			H: () => { [this.y, this.x] = [n - 1, (second || 1) - 1]; },
			J: () => {
				this.#erase(this.y, first === 2 ? 0 : this.x);
				for (let y = first === 2 ? 0 : this.y + 1; y < this.cells.length; y++)
					this.#erase(y, 0);
			},
			K: () => (first === 1 ? this.#erase(this.y, 0, this.x + 1)
				: this.#erase(this.y, this.x)),
			X: () => this.#erase(this.y, this.x, this.x + n),
			b: () => { for (let i = 0; i < n; i++) this.#put(this.last); },
			P: () => {
				const line = this.cells[this.y];
				line.splice(this.x, n);
				while (line.length < this.columns)
					line.push(' ');
			},
			'@': () => {
				this.cells[this.y].splice(this.x, 0, ...Array(n).fill(' '));
				this.cells[this.y].length = this.columns;
			},
		};

		if ('mhlrt'.includes(letter))
			return;			/* looks and manners */
		if (!commands[letter])
			throw new Error(`a command that is not known here: ${text}${letter}`);
		commands[letter]();
	}
}

export class Terminal {
	constructor(command, { columns = 80, lines = 24 } = {}) {
		this.screen = new Screen(columns, lines);
		this.output = '';
		this.child = spawn('script', ['-qfec', command.join(' '), '/dev/null'],
			{ env: { ...process.env, TERM: 'xterm', COLUMNS: columns, LINES: lines } });
		this.child.stdout.setEncoding('utf8').on('data', (text) => {
			this.output += text;
			try {
				this.screen.draw(text);
			} catch (error) {
				this.failure ??= error;
			}
		});
		this.exit = new Promise((done) => { this.child.on('close', done); });
	}

	/* What is to be seen now. */
	get text() {
		if (this.failure)
			throw this.failure;
		return this.screen.text;
	}

	type(keys) { this.child.stdin.write(keys); }

	/* Waits for text on the screen; the match. */
	async shows(pattern) {
		try {
			return await until(`${pattern} on the terminal`, () => this.text.match(pattern));
		} catch (error) {
			throw new Error(`${error.message}:\n${this.text}`);
		}
	}

	/* How it ends. */
	ended() { return within(this.exit, LIMIT, () => `it goes on:\n${this.text}`); }

	check() {}
	kill(signal) { this.child.kill(signal); }
	get running() { return this.child.exitCode === null && !this.child.signalCode; }
	async stop() {
		this.kill('SIGKILL');
		await this.ended();
	}
}
