/* SPDX-License-Identifier: MIT */
/*
 * dashboard.js - the metrics of a pushletd, live
 *
 * Every second it reads /metrics and /health next to the pushlet URL, which
 * answer when metrics.http is on and the web server lets us.  It keeps nothing
 * but the last two minutes, and speaks to nobody else.
 */
'use strict';

var PERIOD = 1000;			/* ms between two looks */

/* What a tile shows: its name, the metric, and that of its limit, if any. */
var TILES = [
	['Sessions', 'sessions', 'sessions_limit'],
	['Subscriptions', 'subscriptions', 'subscriptions_limit'],
	['Processes', 'workers', 'workers_limit'],
	['Waiting events', 'events_waiting'],
	['Fullest queue', 'queue_fullest', 'queue_limit'],
	['Log bytes', 'log_bytes', 'log_limit_bytes'],
	['Lost', 'lost_total'],
	['Refused', 'refused_total'],
	['Aborted', 'aborts_total'],
	['Repairs', 'repairs_total']
];

var events, sessions;			/* charts */
var before = null;			/* { at, values } of the last look */

function element(id) {
	return document.getElementById(id);
}

/* The samples of a text in Prometheus' format, without "pushlet_". */
function parse(text) {
	var values = {};

	text.split('\n').forEach(function (line) {
		var found = /^pushlet_(\S+) (\S+)$/.exec(line);

		if (found)
			values[found[1]] = Number(found[2]);
	});
	return values;
}

function digits(n) {
	return n.toLocaleString('en', { maximumFractionDigits: 1 });
}

function makeTiles() {
	TILES.forEach(function (tile) {
		var box = document.createElement('article');

		box.className = 'tile';
		box.innerHTML = '<span></span><b>–</b>' +
		    (tile[2] ? '<meter min="0"></meter>' : '');
		box.firstChild.textContent = tile[0];
		box.id = tile[1];
		element('tiles').append(box);
	});
}

function showTiles(values) {
	TILES.forEach(function (tile) {
		var box = element(tile[1]), meter = box.querySelector('meter');

		box.querySelector('b').textContent = digits(values[tile[1]]);
		if (!meter)
			return;
		meter.max = values[tile[2]];
		meter.high = 0.9 * meter.max;
		meter.value = values[tile[1]];
		meter.title = 'of ' + digits(meter.max);
	});
}

/* How much each counter grew a second; nothing when the segment is a new one,
 * and there begins at 0. */
function showRates(at, values) {
	var then = before && before.values;

	if (then && then.created_timestamp_seconds ===
	    values.created_timestamp_seconds && at > before.at)
		events.add(at, ['published_total', 'delivered_total',
			'lost_total'].map(function (name) {
			return (values[name] - then[name]) / (at - before.at);
		}));
	before = { at: at, values: values };
}

function uptime(values) {
	var s = Math.max(0, Date.now() / 1000 -
	    values.created_timestamp_seconds);

	return Math.floor(s / 86400) + ' d ' + Math.floor(s / 3600 % 24) +
	    ' h ' + Math.floor(s / 60 % 60) + ' min';
}

function show(values) {
	var at = Date.now() / 1000;

	showTiles(values);
	showRates(at, values);
	sessions.add(at, [values.sessions, values.sessions_listening]);
	element('about').textContent = 'up ' + uptime(values);
}

function state(name, text) {
	element('state').dataset.state = name;
	element('state').textContent = text;
}

async function look() {
	var metrics = await fetch('../metrics', { cache: 'no-store' });
	var health = await fetch('../health', { cache: 'no-store' });
	var text = (await health.text()).trim();

	if (!metrics.ok)
		throw new Error('metrics: ' + metrics.status +
		    ' (is metrics.http on, and may you ask?)');
	show(parse(await metrics.text()));
	state(health.ok ? 'ok' : 'ill', text);
}

/* One look after the other: a slow server is not asked twice at once. */
function again() {
	look().catch(function (error) {
		state('gone', error.message);
	}).then(function () {
		setTimeout(again, PERIOD);
	});
}

makeTiles();
events = new Chart(element('events-chart'), { text: digits, most: 10, lines: [
	{ label: 'published', color: 'one' },
	{ label: 'delivered', color: 'good' },
	{ label: 'lost', color: 'bad' }
] });
sessions = new Chart(element('sessions-chart'), { text: digits, most: 4, lines: [
	{ label: 'all', color: 'one' },
	{ label: 'listening', color: 'good' }
] });
again();
