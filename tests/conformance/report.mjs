// SPDX-License-Identifier: MIT
//
// report.mjs - what an operator reads, and what a program reads

const MARKS = { ok: 'ok', FAIL: 'FAIL', differs: 'differs', skip: 'skip' };
const INDENT = ' '.repeat(10);

const short = (text) => (text.length > 400 ? `${text.slice(0, 400)}...` : text);

/* Text in lines of at most 80 columns, all but the first indented. */
function fold(text, indent) {
	const lines = [''];

	for (const word of text.split(/\s+/))
		if (lines.at(-1) && (indent + lines.at(-1) + word).length > 79)
			lines.push(word);
		else
			lines[lines.length - 1] += (lines.at(-1) && ' ') + word;
	return lines.join(`\n${indent}`);
}

/* The lines of one case; group is that of the case before. */
export function lines(result, group, profile) {
	const { how, name, source, why, row } = result;
	const other = row && (profile === 'original'
		? `on purpose, in pushlet-fcgi: ${row.here} (${row.why})`
		: `as the original server: ${row.original}`);
	const head = result.group === group ? '' : `\n${result.group}\n`;
	const text = fold(`${name} [${source}]`, INDENT);
	const more = [why && short(why), other].filter(Boolean)
		.map((reason) => `\n${INDENT}- ${fold(reason, `${INDENT}  `)}`);

	return `${head}  ${MARKS[how].padEnd(8)}${text}${more.join('')}`;
}

export function sums(results) {
	const count = (how) => results.filter((r) => r.how === how).length;

	return { hold: count('ok'), fail: count('FAIL'), differ: count('differs'),
		skipped: count('skip') };
}

const OTHER = { original: 'pushlet-fcgi', 'pushlet-fcgi': 'the original server' };

/* The last lines. */
export function sum({ profile, results, heartbeat, seconds, requests }) {
	const { hold, fail, differ, skipped } = sums(results);

	return `\n${requests} requests in ${seconds.toFixed(0)} s; ${heartbeat === undefined
		? 'no heartbeat seen' : `a heartbeat after ${(heartbeat / 1000).toFixed(1)} s`}\n`
		+ `${hold} hold, ${fail} fail, ${differ} differ as ${OTHER[profile]} does, ${
			skipped} skipped`;
}

/* All that could be told holds, and nothing was cut short. */
export const holds = ({ results }) =>
	results.every(({ how, cut }) => how === 'ok' || how === 'skip' && !cut);

export const asJson = (outcome) => `${JSON.stringify({ ...outcome,
	sums: sums(outcome.results), holds: holds(outcome) }, (key, value) =>
	(key === 'change' ? undefined : value), 2)}\n`;
