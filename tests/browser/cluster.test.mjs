// SPDX-License-Identifier: MIT
//
// cluster.test.mjs - what a page does when the node of its session is gone: it
// joins at another one by itself, and with history sees all there was

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Site } from './site.mjs';

const LIVE = 'p.state === "live"';

/* Both clients, spoken to alike. */
const CLIENTS = {
	'pushlet.js': {
		modes: ['sse', 'stream', 'pull', 'poll'],
		async open(site, mode) {
			const page = await site.page('tab.html');
			await page.evaluate((transport) => {
				start('pushlet.srv', { transports: [transport], shared: false });
				subscribe('/count', { last: 100 });
			}, mode);
			await page.waitForFunction(LIVE);
			return page;
		},
		id: () => log.filter((e) => e.p_id).pop().p_id,
		numbers: () => boxes[0].events.map((e) => Number(e.n)),
		publish: (n) => { p.publish('/count', { n }); },
	},
	'ajax-pushlet-client.js': {
		modes: ['stream', 'pull', 'poll'],
		async open(site, mode) {
			const page = await site.page('legacy.html');
			await page.evaluate((how) => PL.joinListen('/count', how), mode);
			await page.waitForFunction('PL.connection === "live"');
			return page;
		},
		id: () => PL.sessionId,
		numbers: () => events.filter((e) => e.p_event === 'data').map((e) => Number(e.n)),
		publish: (n) => { p_publish('/count', 'n', n); },
	},
};

for (const [name, client] of Object.entries(CLIENTS))
	for (const mode of client.modes)
		describe(`${name} in ${mode} mode`, () => {
			let site, page;

			before(async () => {
				site = await Site.open({ front: 'nginx before a cluster' });
				page = await client.open(site, mode);
				site.browser.outages = true;
			});
			after(() => site?.close());

			const has = (n) => page.waitForFunction(
				([list, wanted]) => eval(list)().includes(wanted),
				[`(${client.numbers})`, n]);

			it('goes on at another node when its own is gone', async () => {
				const home = (await page.evaluate(client.id)).split('-')[0];
				const other = site.cluster.nodes.find((n) => n.name !== home);

				await other.publish('/count', { n: 1 });
				await has(1);
				const gone = site.cluster.node(home).down();
				await other.publish('/count', { n: 2 });
				await gone;
				await other.publish('/count', { n: 3 });
				await page.waitForFunction(([id, was]) =>
					eval(id)() && !eval(id)().startsWith(was), [`(${client.id})`, home]);
				await page.evaluate(client.publish, 4);
				await has(4);
				/* The old client has no history. */
				if (name === 'pushlet.js')
					for (const n of [1, 2, 3])
						await has(n);
				assert.notEqual((await page.evaluate(client.id)).split('-')[0], home);
			});
		});
