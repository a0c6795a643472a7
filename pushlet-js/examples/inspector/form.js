/* SPDX-License-Identifier: MIT */
/*
 * form.js - the commands, and the fields of the one that is chosen
 */

import { $, chosen, make } from './elements.js';

/* What to ask for each command; ids, format and mode come by themselves. */
export const COMMANDS = {
	'join-listen': { p_subject: '/', p_label: '', p_last: '', p_reliable: '' },
	'join': { p_reliable: '' },
	'listen': { p_subject: '/', p_label: '', p_last: '', p_ack: '' },
	'refresh': { p_ack: '' },
	'subscribe': { p_subject: '/demo', p_label: '', p_last: '' },
	'unsubscribe': { p_sid: '' },
	'publish': { p_subject: '/demo/hello', p_to: '' },
	'hb': { p_ack: '' },
	'leave': {},
	'other': { p_event: '', p_id: '' },
};
const HINTS = {
	p_label: 'comes back with events',
	p_last: 'so many older events',
	p_reliable: '1: until acknowledged',
	p_ack: 'p_eid of the last event',
	p_sid: 'empty: all',
	p_to: 'empty: all who listen',
	p_event: 'any word',
	p_id: 'empty: none',
};

/* changed: called when the fields are others. */
export const form = { changed() {} };

const values = {};		/* what was typed, by command and field */
const own = { publish: [['text', 'Hello']] };	/* further fields, by command */
const sids = Object.assign(make('datalist'), { id: 'sids' });	/* seen */

document.body.append(sids);

export function suggest(sid) {
	if (![...sids.children].some((option) => option.value === sid))
		sids.append(Object.assign(make('option'), { value: sid }));
}

function field(command, name, initial) {
	const label = make('label', 'field');
	const input = make('input');
	const key = `${command} ${name}`;

	input.name = name;
	input.value = values[key] ?? initial;
	input.placeholder = HINTS[name] || '';
	if (name === 'p_sid')
		input.setAttribute('list', sids.id);
	input.addEventListener('input', () => {
		values[key] = input.value;
		form.changed();
	});
	label.append(make('span', 'label', name), input);
	return label;
}

function ownField(command, pair) {
	const box = make('div', 'field own');
	const label = make('span', 'label', 'own field');
	const drop = make('button', '', '×');

	drop.type = 'button';
	drop.title = 'Remove this field';
	drop.onclick = () => {
		own[command] = own[command].filter((other) => other !== pair);
		drawFields();
	};
	label.append(drop);
	box.append(label, ...['name', 'value'].map((what, i) => {
		const input = make('input', what);

		input.value = pair[i];
		input.placeholder = what;
		input.ariaLabel = what;
		input.addEventListener('input', () => {
			pair[i] = input.value;
			form.changed();
		});
		return input;
	}));
	return box;
}

export function drawFields() {
	const command = chosen('commands');
	const more = make('button', 'quiet', 'Add field');

	more.type = 'button';
	more.onclick = () => {
		own[command] = [...own[command] || [], ['', '']];
		drawFields();
		$('fields').querySelector('.own:last-of-type .name').focus();
	};
	$('fields').replaceChildren(
		...Object.entries(COMMANDS[command]).map(([name, initial]) =>
			field(command, name, initial)),
		...(own[command] || []).map((pair) => ownField(command, pair)), more);
	form.changed();
}

/* Empty fields of ours are left out; further ones are sent as they are. */
export function formFields() {
	const command = chosen('commands');
	const fields = {};

	for (const [name, initial] of Object.entries(COMMANDS[command] || {})) {
		const value = values[`${command} ${name}`] ?? initial;
		if (value)
			fields[name] = value;
	}
	for (const [name, value] of own[command] || [])
		if (name)
			fields[name] = value;
	return fields;
}
