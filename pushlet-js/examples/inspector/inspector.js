/* SPDX-License-Identifier: MIT */
/*
 * inspector.js - the protocol inspector: a form for commands, and connections
 * side by side, each with a session of its own and a log of all it saw
 *
 * The setting of the connections is kept in the page's #fragment, to be shared.
 */
import { Connection } from './connection.js';
import { $, chips, chosen, copy, make } from './elements.js';
import { COMMANDS, drawFields, form, formFields, suggest } from './form.js';
import { view } from './log.js';
import * as wire from './wire.js';

const MOST = 5;				/* connections; a browser has six */

const connections = [];

/* What each connection needs of the page. */
const host = {
	get url() { return $('url').value; },
	request: (fields) => wire.request($('how').value, host.url, fields),
	changed, remove, suggest,
};

/* -- the set of connections ------------------------------------------------ */

function add(settings) {
	const name = ['A', 'B', 'C', 'D', 'E'].find((letter) =>
		!connections.some((one) => one.name === letter));

	connections.push(new Connection(name, settings, host));
	arrange();
}

function remove(connection) {
	connection.leave();
	connection.cut();
	connections.splice(connections.indexOf(connection), 1);
	connection.box.remove();
	arrange();
}

/* The connections are others now: offer them as targets. */
function arrange() {
	const names = connections.map((one) => one.name);
	const before = chosen('targets');
	const all = names.length > 1 ? ['all'] : [];
	const keep = $('targets').children.length > 1 && names.includes(before);

	chips($('targets'), [...all, ...names],
		keep ? before : all[0] || names[0], changed);
	$('add').disabled = names.length >= MOST;
	connections.forEach((one) => {
		one.control('remove').disabled = names.length === 1;
	});
	changed();
}

function targets() {
	const name = chosen('targets');

	return connections.filter((one) => name === 'all' || name === one.name);
}

/* Something that the next request depends on has changed. */
function changed() {
	const command = chosen('commands');

	if (!command || !connections.length)
		return;
	$('curl').textContent = targets().map((one) =>
		wire.curl(one.requestFor(one.fieldsFor(command, formFields())))).join('\n');
	$('send').textContent = targets().length > 1 ?
		`Send to ${targets().length}` : 'Send';
	history.replaceState(null, '', `#${connections.map((one) =>
		one.settings.join('.')).join(',')}`);
}

/* -- tools ----------------------------------------------------------------- */

function showPause() {
	const n = connections.reduce((sum, one) => sum + one.log.waiting.length, 0);

	$('pause').textContent = view.paused ? `Resume (${n} new)` : 'Pause';
	$('pause').ariaPressed = String(view.paused);
}

function save() {
	const text = connections.map((one) => `connection ${one.name}: ${
		one.settings.join(', ')}\n${one.log.entries.map((entry) =>
		[entry.at.toISOString(), entry.way || '', entry.name || 'text',
			JSON.stringify(entry.fields || entry.chunk || entry.words || ''),
			entry.alarm || entry.aside || ''].join('  ')).join('\n')}\n`)
		.join('\n');
	const link = make('a');

	link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
	link.download = 'pushlet-log.txt';
	link.click();
	URL.revokeObjectURL(link.href);
}

function filter() {
	view.words = $('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
	connections.forEach((one) => one.log.filter());
}

$('form').addEventListener('submit', (event) => {
	event.preventDefault();
	for (const one of targets())
		one.command(chosen('commands'), formFields());
});
$('how').addEventListener('change', changed);
$('url').addEventListener('input', changed);
$('copy').onclick = () => copy($('curl').textContent, $('copy'));
$('filter').addEventListener('input', filter);
$('pause').onclick = () => {
	view.paused = !view.paused;
	showPause();
	connections.forEach((one) => one.log.flush());
};
$('clear').onclick = () => {
	connections.forEach((one) => one.log.clear());
	showPause();
};
$('save').onclick = save;
$('add').onclick = () => add(connections[connections.length - 1].settings);
window.addEventListener('pagehide', (event) => {
	if (!event.persisted)
		connections.forEach((one) => one.leave());
});

view.told = showPause;
form.changed = changed;
$('url').value = new URL('../pushlet.srv', location).href;
chips($('commands'), Object.keys(COMMANDS), 'join-listen', drawFields);
chips($('views'), ['events', 'raw', 'both'], 'events', () => {
	$('connections').dataset.view = chosen('views');
});
$('connections').dataset.view = 'events';
(location.hash.slice(1) || 'xml.stream.fetch,json.pull.fetch').split(',')
	.slice(0, MOST).forEach((one) => add(one.split('.')));
drawFields();
