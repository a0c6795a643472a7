/* SPDX-License-Identifier: MIT */
/*
 * chart.js - a live chart: the last two minutes of some values, by uPlot
 *
 *	var c = new Chart(element, { text: String, most: 4,
 *	    lines: [{ label: 'busy', color: 'one' }] });
 *	c.add(event.p_time, [0.2]);
 *
 * color: of a line, a variable of style.css; stack: values are parts of a whole;
 * most: the scale reaches at least this far; text: a value with its unit; axis:
 * the width of such texts.  The legend has the last values, or those below the
 * pointer, of the same moment in all charts of the page.  A pause is shown as a
 * gap, not bridged.
 */

function Chart(element, options) {
	this.box = element;
	this.lines = options.lines;
	this.stack = !!options.stack;
	this.most = options.most || 0;
	this.text = options.text;
	this.width = options.axis || 50;
	this.points = [];		/* {at, own, values}, values added up */
	this.waiting = false;		/* for the next frame */
	this.plot = new uPlot(this.options(), this.data(), element);
	new ResizeObserver(this.draw.bind(this)).observe(element);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change',
	    this.plot.redraw.bind(this.plot, false, true));
}

Chart.SPAN = 120;			/* s shown */
Chart.GAP = 3.5;			/* s without a value that make a gap */
Chart.HEIGHT = 190;			/* px */

Chart.clock = uPlot.fmtDate('{HH}:{mm}:{ss}');

/* A colour of style.css as it is now; uPlot asks whenever it draws. */
Chart.color = function (name, opacity) {
	return getComputedStyle(document.documentElement)
	    .getPropertyValue('--' + name).trim() + (opacity || '');
};

Chart.prototype.options = function () {
	return {
		width: this.box.clientWidth,
		height: Chart.HEIGHT,
		padding: [8, 8, 0, 0],
		scales: {
			x: { range: this.span.bind(this) },
			y: { range: this.range.bind(this) }
		},
		axes: [this.axis({ space: 76, size: 26,
			values: this.clocks.bind(this) }),
		    this.axis({ space: 34, size: this.width,
			values: this.texts.bind(this) })],
		series: [{ label: 'Time', value: this.when.bind(this) }].concat(
		    this.lines.map(this.series, this)),
		bands: this.stack ? this.lines.slice(1).map(function (line, i) {
			return { series: [i + 2, i + 1] };
		}) : [],
		legend: { markers: { width: 0, fill: function (plot, i) {
			return i && this.variable(i);
		}.bind(this) } },
		cursor: {
			y: false,
			drag: { x: false, y: false },
			sync: { key: 'page' },
			points: { size: 8, width: 0, fill: function (plot, i) {
				return this.variable(i);
			}.bind(this) }
		}
	};
};

Chart.prototype.axis = function (options) {
	options.font = '12px ' + Chart.color('sans');
	options.stroke = function () { return Chart.color('soft'); };
	options.grid = { stroke: function () { return Chart.color('line'); },
	    width: 1 };
	options.ticks = { show: false };
	options.gap = 6;
	return options;
};

Chart.prototype.series = function (line, i) {
	var filled = this.stack ? 'c8' : i === 0 && '28';

	return {
		label: line.label,
		stroke: function () { return Chart.color(line.color); },
		fill: filled && function () {
			return Chart.color(line.color, filled);
		},
		width: this.stack ? 0 : 1.75,
		points: { show: false },
		value: this.value.bind(this)
	};
};

/* For what is no canvas: it follows the style sheet by itself. */
Chart.prototype.variable = function (i) {
	return 'var(--' + this.lines[i - 1].color + ')';
};

/* -- what uPlot asks for ---------------------------------------------------- */

Chart.prototype.last = function () {
	return this.points[this.points.length - 1];
};

Chart.prototype.span = function () {
	var end = this.last() ? this.last().at : Date.now() / 1000;

	return [end - Chart.SPAN, end];
};

Chart.prototype.range = function (plot, low, high) {
	return uPlot.rangeNum(0, Math.max(high || 0, this.most || 1), {
		min: { pad: 0, hard: 0 },
		max: { pad: high > this.most ? 0.1 : 0, soft: this.most, mode: 1 }
	});
};

/* A time that would not fit beside the right edge is left out. */
Chart.prototype.clocks = function (plot, splits) {
	var room = this.box.clientWidth - this.width;
	var last = plot.scales.x.max - Chart.SPAN * 20 / Math.max(room, 1);

	return splits.map(function (at) {
		return at > last ? null : Chart.clock(new Date(at * 1000));
	});
};

Chart.prototype.texts = function (plot, splits) {
	return splits.map(this.text);
};

Chart.prototype.when = function (plot, at) {
	return at === null ? 'now' : Chart.clock(new Date(at * 1000));
};

/* In the legend: own values, also of a stack. */
Chart.prototype.value = function (plot, sum, i, index) {
	var point = index === null ? this.last() : this.points[index];
	var value = point && point.own[i - 1];

	return value === undefined || value === null ? '–' : this.text(value);
};

Chart.prototype.data = function () {
	var points = this.points;

	return [points.map(function (point) { return point.at; })].concat(
	    this.lines.map(function (line, i) {
		return points.map(function (point) { return point.values[i]; });
	}));
};

/* -- what the page does ----------------------------------------------------- */

/* at: seconds since 1970, of the server */
Chart.prototype.add = function (at, own) {
	var before = this.last() ? this.last().at : Infinity, sum = 0;
	var none = own.map(function () { return null; });

	at = Math.max(Number(at), this.last() ? before : 0);
	if (at - before > Chart.GAP)
		this.points.push({ at: (at + before) / 2, own: none, values: none });
	this.points.push({ at: at, own: own, values: own.map(function (value) {
		sum += value;
		return this.stack ? sum : value;
	}, this) });
	while (this.points[0].at < at - Chart.SPAN - Chart.GAP)
		this.points.shift();
	this.draw();
};

/* Once a frame, however much has come; in the width of this moment. */
Chart.prototype.draw = function () {
	if (this.waiting)
		return;
	this.waiting = true;
	requestAnimationFrame(function () {
		this.waiting = false;
		if (this.plot.width !== this.box.clientWidth)
			this.plot.setSize({ width: this.box.clientWidth,
			    height: Chart.HEIGHT });
		this.plot.setData(this.data());
	}.bind(this));
};
