/* SPDX-License-Identifier: MIT */
/*
 * chart.js - a small live chart: the last two minutes of some values, as SVG
 *
 *	var c = new Chart(element, { lines: ['one', 'two'], most: 4 });
 *	c.add([0.2, 1.5]);
 *
 * lines: one class name for each value, the main one first; stack: values are
 * parts of a whole; most: the scale reaches at least this far; text: formats a
 * value.  A pause of some seconds is shown as a gap, not bridged.
 */

function Chart(element, options) {
	this.box = element;
	this.lines = options.lines;
	this.stack = !!options.stack;
	this.most = options.most || 0;
	this.text = options.text || String;
	this.points = [];		/* {at, values}, values added up for a stack */
	this.pointer = null;		/* x of the pointer, 0..1 */
	this.svg = this.make('svg', element, { preserveAspectRatio: 'none',
	    viewBox: '0 0 1000 100', 'aria-hidden': 'true' });
	this.grid = this.make('path', this.svg, { 'class': 'grid',
	    d: 'M0 0.5H1000M0 50H1000M0 99.5H1000' });
	this.areas = this.paths('area');
	this.strokes = this.paths('stroke');
	this.mark = this.make('path', this.svg, { 'class': 'mark' });
	this.scale = document.createElement('span');
	this.scale.className = 'scale';
	element.appendChild(this.scale);
	this.note = document.createElement('span');
	this.note.className = 'note';
	element.appendChild(this.note);
	element.addEventListener('pointermove', this.point.bind(this));
	element.addEventListener('pointerleave', this.point.bind(this, null));
}

Chart.SPAN = 120000;			/* ms shown */
Chart.GAP = 3500;			/* ms without a value that make a gap */

Chart.prototype.make = function (name, parent, attributes) {
	var element = document.createElementNS('http://www.w3.org/2000/svg', name);
	Object.keys(attributes).forEach(function (key) {
		element.setAttribute(key, attributes[key]);
	});
	return parent.appendChild(element);
};

/* One path for each line, the main one on top. */
Chart.prototype.paths = function (kind) {
	return this.lines.slice().reverse().map(function (name) {
		return this.make('path', this.svg, { 'class': kind + ' ' + name });
	}, this).reverse();
};

Chart.prototype.add = function (values) {
	var now = Date.now(), sum = 0, stack = this.stack;
	this.points.push({ at: now, own: values, values: values.map(function (v) {
		sum += v;
		return stack ? sum : v;
	}) });
	while (this.points[0].at < now - Chart.SPAN - Chart.GAP)
		this.points.shift();
	this.draw();
};

/* A round number at or above the highest value. */
Chart.prototype.top = function () {
	var most = this.points.reduce(function (top, point) {
		return Math.max.apply(null, point.values.concat(top));
	}, this.most), step;
	if (most === this.most)
		return most || 1;
	step = Math.pow(10, Math.floor(Math.log(most) / Math.LN10));
	return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(function (n) {
		return n * step;
	}).filter(function (n) { return n >= most * 0.999; })[0];
};

/* Runs of points without a gap. */
Chart.prototype.runs = function () {
	var runs = [], before = -Infinity;
	this.points.forEach(function (point) {
		if (point.at - before > Chart.GAP)
			runs.push([]);
		before = point.at;
		runs[runs.length - 1].push(point);
	});
	return runs;
};

/* The outlines of value i: of the line, and of the area below it. */
Chart.prototype.outlines = function (i, top, end) {
	var line = '', area = '', stack = this.stack;
	function way(run, value) {
		return run.map(function (point) {
			return (1000 - (end - point.at) * 1000 / Chart.SPAN).toFixed(1) +
			    ' ' + (99 - 97 * value(point) / top).toFixed(2);
		});
	}
	this.runs().forEach(function (run) {
		var upper = way(run, function (point) { return point.values[i]; });
		var lower = way(run, function (point) {
			return stack && i > 0 ? point.values[i - 1] : 0;
		});
		line += 'M' + upper.join('L') + (run.length > 1 ? '' : 'h0.1');
		area += 'M' + upper.concat(lower.reverse()).join('L') + 'Z';
	});
	return { line: line, area: stack || i === 0 ? area : '' };
};

Chart.prototype.draw = function () {
	var last = this.points[this.points.length - 1], top = this.top();
	if (!last)
		return;
	this.lines.forEach(function (name, i) {
		var outlines = this.outlines(i, top, last.at);
		this.strokes[i].setAttribute('d', outlines.line);
		this.areas[i].setAttribute('d', outlines.area);
	}, this);
	this.scale.textContent = this.text(top);
	this.tell(last.at);
};

/* What was under the pointer. */
Chart.prototype.tell = function (end) {
	var at = end - (1 - this.pointer) * Chart.SPAN, best = null;
	if (this.pointer !== null)
		this.points.forEach(function (point) {
			if (!best || Math.abs(point.at - at) < Math.abs(best.at - at))
				best = point;
		});
	this.mark.setAttribute('d', best ? 'M' + (1000 - (end - best.at) * 1000 /
	    Chart.SPAN) + ' 0V100' : '');
	this.note.textContent = best ? Math.round((end - best.at) / 1000) +
	    ' s ago: ' + best.own.map(this.text).join(', ') : '';
};

Chart.prototype.point = function (event) {
	var box = this.box.getBoundingClientRect();
	this.pointer = event ? Math.min(1, Math.max(0,
	    (event.clientX - box.left) / box.width)) : null;
	if (this.points.length)
		this.tell(this.points[this.points.length - 1].at);
};
