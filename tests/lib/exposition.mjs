// SPDX-License-Identifier: MIT
//
// exposition.mjs - reads the Prometheus text exposition format 0.0.4, strictly
//
// What promtool check metrics would complain about is an error here: a metric
// without HELP or TYPE, a family in two places, a counter that does not end in
// _total or a gauge that does, a sample twice, a line that is none.

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/y;

function fail(number, line, why) {
	throw new Error(`line ${number}: ${why}: ${line}`);
}

/* Throws unless these are labels and nothing else. */
function checkLabels(text, number, line) {
	LABEL.lastIndex = 0;
	while (LABEL.lastIndex < text.length)
		if (!LABEL.test(text))
			fail(number, line, 'labels that are none');
}

function comment(line, number, family) {
	const [, kind, name, text] = line.match(/^# (HELP|TYPE) (\S+) (.+)$/)
		?? fail(number, line, 'neither HELP nor TYPE');

	if (!NAME.test(name))
		fail(number, line, 'a name that is none');
	if (kind === 'HELP')
		return { name, help: text };
	if (family?.name !== name || family.type)
		fail(number, line, 'a TYPE that is not right behind its HELP');
	if (!['counter', 'gauge'].includes(text))
		fail(number, line, 'no type of ours');
	if (name.endsWith('_total') !== (text === 'counter'))
		fail(number, line, 'counters, and only they, end in _total');
	return { ...family, type: text };
}

/* A map of every sample, as 'name{labels}', to its number. */
export function parseExposition(text) {
	const samples = new Map();
	const families = new Set();
	let family;

	if (!text.endsWith('\n'))
		throw new Error('the last line has no end');
	text.slice(0, -1).split('\n').forEach((line, i) => {
		if (line.startsWith('#')) {
			family = comment(line, i + 1, family);
			if (!family.type && families.has(family.name))
				fail(i + 1, line, 'a family in two places');
			families.add(family.name);
			return;
		}
		const [, name, labels, value] = line.match(SAMPLE)
			?? fail(i + 1, line, 'no sample');
		if (name !== family?.name || !family.type)
			fail(i + 1, line, 'a sample outside of its family');
		if (labels !== undefined)
			checkLabels(labels, i + 1, line);
		const key = labels === undefined ? name : `${name}{${labels}}`;
		if (samples.has(key))
			fail(i + 1, line, 'a sample twice');
		samples.set(key, Number(value));
	});
	return samples;
}
