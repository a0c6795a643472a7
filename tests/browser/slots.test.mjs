// SPDX-License-Identifier: MIT
//
// slots.test.mjs - the browser libraries when there is no room for a stream

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Site } from './site.mjs';
import { Tabs } from './tabs.mjs';
import { until } from '../lib/wait.mjs';

/* Sessions that take the one stream and all slots that a test says. */
async function occupy(lab, web, waiting) {
	const bob = await web.joinListen({ mode: 'stream' });
	const others = [];

	for (let i = 0; i < waiting; i++) {
		const one = await web.joinListen({ mode: 'pull' });
		await one.channel.rest();
		others.push(one);
		(await one.refresh()).when('its end', () => false, 60_000).catch(() => {});
	}
	await until('the slots to be taken', async () => {
		const { stream, pull } = (await lab.status()).channels;
		return stream === 1 && pull === waiting;
	});
	return () => Promise.all([bob, ...others].map((s) => s.leave()));
}

const CASES = [['pull', 2, 0], ['poll', 2, 1]];
const PROPS = { 'queue.read.timeout.millis': 60000 };

for (const [library, make] of [['ajax-pushlet-client.js', 'legacyPage'],
	['js-pushlet-client.js', 'framePage']])
	describe(library, () => {
		for (const [mode, slots, waiting] of CASES)
			it(`copes with ${mode} instead of a stream`, async (t) => {
				const site = await Site.open({
					props: { ...PROPS, 'listen.slots': slots } });
				t.after(() => site.close());
				await occupy(site.lab, site.front.client(), waiting);
				const page = await site[make]();

				await page.call(make === 'legacyPage' ? 'PL.join' : 'p_join');
				await page.call(make === 'legacyPage' ? 'PL.listen' : 'p_listen',
					'/slots', 'stream');
				await page.next({ p_event: 'join-ack' });
				await page.next({ p_event: 'listen-ack', p_mode: mode });
				for (let n = 1; n <= 3; n++) {
					await site.lab.publish('/slots', { n });
					await page.next({ p_event: 'data', n: String(n) });
				}
			});
	});

describe('pushlet.js', () => {
	let tabs;

	before(async () => {
		tabs = await Tabs.open({ props: { ...PROPS, 'listen.slots': 2 } });
	});
	after(() => tabs?.close());

	for (const transport of ['sse', 'stream'])
		for (const [mode, , waiting] of CASES)
			it(`copes with ${mode} instead of ${transport}, and streams later`, async () => {
				const release = await occupy(tabs.lab, tabs.front.client(), waiting);
				const tab = await tabs.tab({ transports: [transport] });
				const subject = `/${transport}/${mode}`;
				const box = await tab.subscribe(subject);

				assert.equal((await tab.logged('fallback')).transport, mode);
				for (let n = 1; n <= 3; n++) {
					await tabs.lab.publish(subject, { n });
					await tab.heard(box, n);
				}
				await release();
				/* As if it were a good while later. */
				await tab.run(() => {
					const { now } = Date;
					Date.now = () => now() + 40000;
				});
				await tab.until((t) => p.transport === t, transport);
				await until('a stream', async () =>
					(await tabs.lab.status()).channels.stream === 1);
				await tabs.lab.publish(subject, { n: 4 });
				const events = await tab.heard(box, 4);
				assert.deepEqual(events.map((e) => e.n), ['1', '2', '3', '4']);
				await tab.page.close();
				await until('its slot to be free', async () =>
					(await tabs.lab.status()).channels.stream === 0);
			});
});
