// SPDX-License-Identifier: MIT
//
// report.mjs - one table, the same as CSV, and a chart, of all parts
//
//	node tests/bench/report.mjs
//
// Writes results.csv and growth.svg beside the file the parts have written.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE, OUT } from './results.mjs';
import { chart } from './chart.mjs';

const records = readFileSync(FILE, 'utf8').trim().split('\n')
	.map((line) => JSON.parse(line));
const rows = records.filter(({ kind }) => kind === 'row');
const points = records.filter(({ kind }) => kind === 'point');
const charts = [...new Set(points.map((p) => p.chart))];

points.sort((a, b) => charts.indexOf(a.chart) - charts.indexOf(b.chart)
	|| a.size - b.size);

/* About four digits. */
function digits(value) {
	if (value === undefined || value === null)
		return '';
	if (Math.abs(value) >= 1000)
		return Math.round(value).toLocaleString('en-US');
	return value.toFixed(Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 1 ? 2 : 3);
}

const ratio = (ours, reference) =>
	(reference ? (ours / reference).toFixed(2) : '');

function print(lines) {
	const widths = lines[0].map((_, i) => Math.max(...lines.map((l) => l[i].length)));

	for (const line of lines)
		process.stdout.write(`${line.map((cell, i) => (i === 0 || i === 6
			? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
			.trimEnd()}\n`);
}

const cells = ({ what, unit, ours, reference, runs, limit }) => [what,
	digits(ours), unit, digits(reference), ratio(ours, reference),
	String(runs), limit];

/* The power of the size that a cost grows with, from the first point to the
 * last: 0 is not at all, 1 is as much as the size. */
function power(list, key) {
	const [a, b] = [list[0], list.at(-1)];

	return a?.[key] > 0 && b.size > a.size
		? Math.log(b[key] / a[key]) / Math.log(b.size / a.size) : undefined;
}

/* A chart as lines, and how its cost grows. */
function growthOf(name) {
	const list = points.filter((p) => p.chart === name);

	return [...list.map(({ size, ...p }) => cells({ ...p, unit: 'us', limit: '',
		what: `by ${name}: ${size.toLocaleString('en-US')}` })),
	['  grows with the power of', digits(power(list, 'ours')), '',
		digits(power(list, 'reference')), '', '', '']];
}

const growth = () => (charts.length
	? [['', '', '', '', '', '', ''], ...charts.flatMap(growthOf)] : []);

const quote = (value) => `"${String(value ?? '').replaceAll('"', '""')}"`;

function csv() {
	const head = ['measure', 'size', 'unit', 'pushletd', 'reference', 'runs',
		'wanted'];
	const lines = [
		...rows.map((r) => [r.what, '', r.unit, r.ours, r.reference, r.runs,
			r.limit]),
		...points.map((p) => [`by ${p.chart}`, p.size, 'us', p.ours,
			p.reference, p.runs, '']),
	];

	return [head, ...lines].map((line) => `${line.map(quote).join(',')}\n`).join('');
}

process.stdout.write('\n');
print([['', 'pushletd', '', 'reference', 'ratio', 'runs', 'wanted'], ...rows.map(cells),
	...growth()]);
for (const { text } of records.filter(({ kind }) => kind === 'remark'))
	process.stdout.write(`${text}\n`);
writeFileSync(join(OUT, 'results.csv'), csv());
writeFileSync(join(OUT, 'growth.svg'), chart(points));
process.stdout.write(`\nAlso in ${OUT}: results.csv, growth.svg\n`);
