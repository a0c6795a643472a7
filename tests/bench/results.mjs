// SPDX-License-Identifier: MIT
//
// results.mjs - what the parts of the bench found out, kept until the end
//
// Each part appends to one file; report.mjs makes a table, CSV and a chart.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD } from '../lib/paths.mjs';
import { median } from './meter.mjs';

export const OUT = process.env.BENCH_OUT || join(BUILD, 'bench-out');
export const FILE = join(OUT, 'results.jsonl');

const note = (record) =>
	appendFileSync(FILE, `${JSON.stringify(record)}\n`);

/* Of several runs the median counts. */
const figure = (runs) => (Array.isArray(runs) ? median(runs) : runs);
const figures = (ours, reference) => ({ ours: figure(ours),
	reference: figure(reference), runs: Array.isArray(ours) ? ours.length : 1 });

/*
 * One line of the table: what was measured, of ours and (optional) of the null
 * responder or whatever it is compared with, numbers or a list of what each
 * run said; unit; limit: what it has to be, in words.
 */
export function row(what, unit, ours, reference, limit = '') {
	note({ kind: 'row', what, unit, limit, ...figures(ours, reference) });
}

/* One point of the chart: a cost, in microseconds, at a size; lists as above. */
export function point(chart, size, ours, reference) {
	note({ kind: 'point', chart, size, ...figures(ours, reference) });
}

/* Something to know about this run. */
export const remark = (text) => note({ kind: 'remark', text });
