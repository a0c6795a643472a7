// SPDX-License-Identifier: MIT
//
// chart.mjs - cost against size, a panel for each kind of size, as SVG
//
// Both axes are logarithmic: what does not grow is a level line, what grows
// with the size has a slope of one.

const WIDTH = 360, HEIGHT = 240, COLUMNS = 3;
const LEFT = 46, TOP = 34, RIGHT = 14, BOTTOM = 40;
const COLOURS = { ours: '#c0392b', reference: '#7f8c8d' };

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, string, more = '') =>
	`<text x="${x}" y="${y}" ${more}>${escape(string)}</text>`;

/* From a value to its place on an axis from a to b. */
function scale(values, a, b) {
	const low = Math.log10(Math.min(...values)), high = Math.log10(Math.max(...values));
	const span = high - low || 1;

	return (value) => a + (Math.log10(value) - low) / span * (b - a);
}

function line(points, key, x, y) {
	const known = points.filter((p) => p[key] > 0);
	const at = known.map((p) => `${x(p.size).toFixed(1)},${y(p[key]).toFixed(1)}`);

	return `<polyline points="${at.join(' ')}" fill="none" stroke="${
		COLOURS[key]}" stroke-width="2"/>${known.map((p, i) => `<circle cx="${
		at[i].split(',')[0]}" cy="${at[i].split(',')[1]}" r="3" fill="${
		COLOURS[key]}"/>`).join('')}`;
}

const brief = (n) => (n >= 1000 ? `${n / 1000}k` : String(n));

function panel(name, points) {
	const costs = points.flatMap((p) => [p.ours, p.reference]).filter((v) => v > 0);
	/* A decade at least, so that noise does not look like growth. */
	const middle = Math.sqrt(Math.min(...costs) * Math.max(...costs));
	const range = [...costs, middle / 3.2, middle * 3.2];
	const x = scale(points.map((p) => p.size), LEFT, WIDTH - RIGHT);
	const y = scale(range, HEIGHT - BOTTOM, TOP);
	const ticks = [0.01, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000].filter((v) =>
		v >= Math.min(...range) && v <= Math.max(...range));

	return [
		...ticks.map((v) => `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(v)}" y2="${
			y(v)}" stroke="#ddd"/>${text(LEFT - 6, y(v) + 4, `${v}`, 'text-anchor="end"')}`),
		...points.map((p) => text(x(p.size), HEIGHT - BOTTOM + 16, brief(p.size),
			'text-anchor="middle"')),
		text(WIDTH / 2, HEIGHT - 8, name, 'text-anchor="middle" font-weight="bold"'),
		line(points, 'reference', x, y), line(points, 'ours', x, y),
	].join('\n');
}

/* points: { chart, size, ours, reference }, in microseconds. */
export function chart(points) {
	const names = [...new Set(points.map((p) => p.chart))];
	const rows = Math.ceil(names.length / COLUMNS);
	const panels = names.map((name, i) => `<g transform="translate(${
		i % COLUMNS * WIDTH} ${30 + Math.floor(i / COLUMNS) * HEIGHT})">${
		panel(name, points.filter((p) => p.chart === name))}</g>`);

	return `<svg xmlns="http://www.w3.org/2000/svg" width="${COLUMNS * WIDTH}" height="${
		30 + rows * HEIGHT}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
${text(12, 20, 'microseconds of processor time, by size; pushletd', `fill="${COLOURS.ours}"`)}
${text(340, 20, 'the null responder', `fill="${COLOURS.reference}"`)}
${panels.join('\n')}
</svg>
`;
}
