// SPDX-License-Identifier: MIT
//
// words.mjs - what a case may find, and the words it says it in
//
// A case holds when it returns.  It throws Trouble when something does not hold,
// Unseen when that cannot be told here and now, and Silence when the server has
// not answered.  The messages are read by whoever runs the server.

export class Trouble extends Error {}
export class Unseen extends Error {}
export class Silence extends Trouble {}

const short = (text, most = 60) => (text.length > most
	? `${text.slice(0, most)}...` : text);

/* An event in a line: data (p_seq=2 p_subject=/x ...) */
export function show(event) {
	const rest = [...event].filter(([name]) => name !== 'p_event')
		.map(([name, value]) => `${name}=${short(value)}`);

	return `${event.get('p_event') ?? 'an event without p_event'} (${
		short(rest.join(' '), 300)})`;
}

const wanted = (value) => (value instanceof RegExp ? `look like ${value}`
	: `be "${short(String(value))}"`);

function fault(event, name, value) {
	const is = event.get(name);

	if (value === undefined)
		return is === undefined ? undefined : `${name} should not be in ${show(event)}`;
	if (is === undefined)
		return `${name} is missing in ${show(event)}`;
	const right = value instanceof RegExp ? value.test(is) : is === String(value);
	return right ? undefined
		: `${name} is "${short(is)}" and should ${wanted(value)} in ${show(event)}`;
}

/* Each name has this value, or one like this RegExp; or, if undefined, is not
 * there. */
export function check(event, names) {
	if (!event)
		throw new Trouble(`no event came; one with ${Object.keys(names)} should`);
	const faults = Object.entries(names).map(([name, value]) => fault(event, name, value))
		.filter(Boolean);

	if (faults.length > 0)
		throw new Trouble(faults.join('; '));
	return event;
}

export function ensure(holds, words) {
	if (!holds)
		throw new Trouble(words);
}

export function same(what, is, should) {
	ensure(is === should, `${what} is ${JSON.stringify(is)} and should be ${
		JSON.stringify(should)}`);
}
