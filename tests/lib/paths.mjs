// SPDX-License-Identifier: MIT
//
// paths.mjs - where the tests find what they test
//
// PUSHLET_BUILD names another directory with the binaries (default build/),
// PUSHLET_TEST_SLOW a factor for every time limit (for sanitizers, valgrind).

import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
export const BUILD = resolve(ROOT, process.env.PUSHLET_BUILD || 'build');
export const CONF = join(ROOT, 'conf');
export const DATA = join(ROOT, 'tests/data');
export const SLOW = Number(process.env.PUSHLET_TEST_SLOW || 1);
export const IS_ROOT = process.getuid() === 0;

export function binary(name) {
	const path = join(BUILD, name);

	if (!existsSync(path))
		throw new Error(`${path} does not exist: run make first`);
	return path;
}

/* A program of ours as spawn() wants it, run by valgrind if that is asked for. */
export function command(name) {
	const words = (process.env.VALGRIND || '').split(' ').filter(Boolean);
	const [first, ...args] = [...words, binary(name)];

	return [first, args];
}

/* Web servers live in directories that a user's PATH often lacks. */
export function program(name) {
	const directories = (process.env.PATH || '').split(delimiter)
		.concat('/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/bin');
	const found = directories.map((d) => join(d, name)).find(existsSync);

	if (!found)
		throw new Error(`${name} is not installed: run build-aux/deps check`);
	return found;
}
