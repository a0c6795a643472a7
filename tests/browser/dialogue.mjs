// SPDX-License-Identifier: MIT
//
// dialogue.mjs - what two pages say to each other, whatever they are made with

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LIBRARIES } from './clients.mjs';

/* None of these may run, and all must arrive. */
export const HOSTILE = [
	'</script><script>alert(1)</script>"\'\\',
	'\u2028</script><script>alert(1)</script>\u2029',
	`"'\\ & < > &amp; &#39; %41 + = # ; 100% {}[], <!-- ]]>`,
	'two\nlines, a\ttab and a\r\nreturn',
	'你好，世界 🙂 ünïcödé \u2028 \u2029 \u007f',
	' leading and trailing ',
	'',
	'long {"a":"b"} </script> 中文 '.repeat(400),
];

/* What goes into the address of a script is limited. */
const fits = (mode, text) => mode !== 'script' || text.length < 500;

let subjects = 0;
const fresh = () => `/dialogue/${++subjects}`;
const pick = (events, ...names) => events.map((e) => names.map((n) => e[n]));

/* bob: gives the page that publishes */
function dialogue(tabs, bob, { mode, open }) {
	let ann;

	before(async () => { ann = await open(tabs()); });
	after(() => ann?.close());

	it('is given what another page and pushlet-publish publish, in order',
		async () => {
			const subject = fresh();

			await ann.subscribe(subject);
			for (const n of ['1', '2', '3', '4', '5'])
				await bob().publish(`${subject}/sub`, { n });
			await ann.heard(5);
			await tabs().lab.publish(subject, { n: '6', a: 'zwei' });
			assert.deepEqual(pick(await ann.heard(6), 'n', 'p_subject'),
				[...['1', '2', '3', '4', '5'].map((n) =>
					[n, `${subject}/sub`]), ['6', subject]]);
			await ann.fresh();
		});

	it('carries every text unchanged, and runs none', async () => {
		const subject = fresh();

		await ann.subscribe(subject);
		for (const text of HOSTILE)
			if (fits(mode, text))
				await bob().publish(subject, { text });
			else
				await tabs().lab.publish(subject, { text });
		const events = await ann.heard(HOSTILE.length);
		assert.deepEqual(events.map((e) => e.text), HOSTILE);
		await ann.fresh();
	});

	it('has labels, and hears no more when it has unsubscribed', async () => {
		const [one, two] = [fresh(), fresh()];
		const first = await ann.subscribe(one, 'mine & "yours" 中');

		await ann.subscribe(two);
		await bob().publish(one, { n: '1' });
		assert.deepEqual(pick(await ann.heard(1), 'n', 'p_label'),
			[['1', 'mine & "yours" 中']]);
		await ann.unsubscribe(first);
		await bob().publish(one, { n: '2' });
		await bob().publish(two, { n: '3' });
		assert.deepEqual(pick(await ann.heard(2), 'n', 'p_label').slice(1),
			[['3', undefined]]);
		await ann.fresh();
	});

	it('leaves, and comes again', async () => {
		const subject = fresh();
		const id = await ann.id;
		const server = tabs().lab;

		await ann.leave();
		assert.equal(await ann.id, null);
		assert.ok(!(await server.sessions()).some((s) => s.id === id));
		await ann.join();
		assert.notEqual(await ann.id, id);
		await ann.subscribe(subject);
		await bob().publish(subject, { n: '1' });
		assert.deepEqual(pick(await ann.heard(1), 'n'), [['1']]);
		await ann.fresh();
	});

	it('joins again when its session is over', async () => {
		const subject = fresh();

		tabs().browser.outages = true;		/* HTTP 400 */
		await ann.subscribe(subject, 'still mine');
		await tabs().front.client().ask({ p_event: 'leave',
			p_id: await ann.id });
		await ann.rejoined();
		await bob().publish(subject, { n: '1' });
		assert.deepEqual(pick(await ann.heard(1), 'n', 'p_label'),
			[['1', 'still mine']]);
		tabs().browser.outages = false;
	});
}

/* tabs: gives the place once it is open */
export function dialogues(tabs) {
	for (const [library, ways] of Object.entries(LIBRARIES))
		describe(library, () => {
			let bob;

			before(async () => { bob = await ways[0].open(tabs()); });
			after(() => bob?.close());

			for (const way of ways)
				describe(`by ${way.mode}`,
					() => dialogue(tabs, () => bob, way));
		});
}
