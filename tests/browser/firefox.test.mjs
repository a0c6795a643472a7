// SPDX-License-Identifier: MIT
//
// firefox.test.mjs - a Firefox as it is released: each library in each mode

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { LIBRARIES } from './clients.mjs';
import { dialogues } from './dialogue.mjs';
import { program } from '../lib/paths.mjs';
import { Tabs } from './tabs.mjs';

/* From this one on it knows all of WebDriver BiDi that playwright-core asks
 * for (network.addDataCollector). */
const LEAST = 143;

const version = execFileSync(program('firefox-esr'), ['--version'], { encoding: 'utf8' }).trim();
const tooOld = Number(/(\d+)/.exec(version)[1]) < LEAST
	&& `${version} is too old for playwright-core: ${LEAST} or later`;

/* A suite that is skipped counts as nothing; a test as one. */
(tooOld ? it : describe)('Firefox', { skip: tooOld }, () => {
	let tabs;

	before(async () => {
		tabs = await Tabs.open({ browser: 'firefox' });
	});
	after(() => tabs?.close());

	dialogues(() => tabs);

	it('returns to a server that was away, and has missed nothing', async () => {
		const all = [];

		for (const { open } of Object.values(LIBRARIES).flat())
			all.push(await open(tabs));
		for (const page of all)
			await page.subscribe('/restart');
		await tabs.lab.publish('/restart', { n: '1' });
		for (const page of all)
			await page.heard(1);
		tabs.browser.outages = true;
		await tabs.pushletd.stop();
		await tabs.lab.publish('/restart', { n: '2' });
		for (const page of all)
			await page.away();
		await tabs.pushletd.start();
		for (const page of all) {
			const events = await page.heard(2);
			assert.deepEqual(events.map((e) => e.n), ['1', '2']);
			await page.close();
		}
	});

	for (const name of ['legacy-ajax', 'legacy-frame', 'monitor'])
		it(`shows the example ${name}.html`, async () => {
			const page = await tabs.page(`examples/${name}.html`);

			await page.locator('#status[data-state=live]').waitFor();
			await page.close();
		});
});
