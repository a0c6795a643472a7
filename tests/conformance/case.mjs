// SPDX-License-Identifier: MIT
//
// case.mjs - how a case is written down
//
// A case is one sentence that holds or does not, where it is said (a recording
// and its exchange, or a section of pushlet-protocol(7)), and the play that
// shows it.  Those in which the two profiles differ name their rows of
// tests/lib/differences.mjs and have a play for each.

import { DIFFERENCES, ON_THE_WIRE } from '../lib/differences.mjs';

export const PROFILES = ['original', 'pushlet-fcgi'];

/* The row whose "original" says this. */
function row(text) {
	const found = [...DIFFERENCES, ...ON_THE_WIRE].filter((r) => r.original === text);

	if (found.length !== 1)
		throw new Error(`${found.length} rows of differences.mjs say: ${text}`);
	return found[0];
}

/* Holds in both. options: waits (for the server's clock: plays beside the
 * others, since it takes long) */
export const hold = (name, source, play, options = {}) =>
	({ name, source, plays: { original: play, 'pushlet-fcgi': play }, rows: [], ...options });

/* An extension, which the original has not. */
export const ours = (name, source, play, options = {}) =>
	({ name, source, plays: { 'pushlet-fcgi': play }, rows: [], ...options });

/*
 * A deliberate difference.  rows: what the original does, as in the table;
 * original, here: the plays.  original may be a text instead, which says why
 * nobody should try.  says: what is so here, where the row does not stand alone.
 */
export function differ(name, source, { rows, original, here, ...options }) {
	const unplayed = typeof original === 'string' ? { original } : {};

	return { name, source, rows: [rows].flat().map(row), ...options, unplayed,
		plays: { 'pushlet-fcgi': here, ...(unplayed.original ? {} : { original }) } };
}

/* A group: its name, and its cases. */
export const group = (name, ...cases) =>
	cases.flat().map((one) => ({ group: name, ...one }));
