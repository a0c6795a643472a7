/* SPDX-License-Identifier: MIT */
/*
 * elements.js - what the inspector makes its page and its texts of
 */

export const $ = (id) => document.getElementById(id);

export function make(name, className, text) {
	const element = document.createElement(name);

	element.className = className || '';
	if (text !== undefined)
		element.textContent = text;
	return element;
}

/* Makes box a group of radio buttons. */
export function chips(box, names, selected, change) {
	box.replaceChildren(...names.map((name) => {
		const label = make('label');
		const input = make('input');

		input.type = 'radio';
		input.name = box.id;
		input.value = name;
		input.checked = name === selected;
		input.addEventListener('change', change);
		label.append(input, make('span', '', name));
		return label;
	}));
}

export function chosen(id) {
	return $(id).querySelector(':checked')?.value;
}

export function amount(events) {
	return `${events} ${events === 1 ? 'event' : 'events'}`;
}

export function bytes(n) {
	return n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(1)} kB` :
		`${(n / 1e6).toFixed(1)} MB`;
}

export function duration(ms) {
	return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` :
		`${(ms / 1000).toFixed(1)} s`;
}

/* 14:03:07.042, local */
export function clock(date) {
	return new Date(date - date.getTimezoneOffset() * 60000).toISOString()
		.slice(11, 23);
}

export async function copy(text, button) {
	const before = button.textContent;

	try {
		await navigator.clipboard.writeText(text);
		button.textContent = 'Copied';
	} catch {		/* plain http of another host: no clipboard */
		prompt('Copy this:', text);
	}
	setTimeout(() => { button.textContent = before; }, 1200);
}

export function size(text) {
	return new TextEncoder().encode(text).length;
}
