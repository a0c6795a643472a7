// SPDX-License-Identifier: MIT
//
// lossless.test.mjs - what is published every 50 ms arrives, once and in order
//
// Both clients of old in all their modes, while all goes wrong that can.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Counter } from './counter.mjs';
import { Cutter } from './cutter.mjs';
import { Site } from './site.mjs';

const CLIENTS = {
	'ajax-pushlet-client.js': { open: 'legacyPage', listen: 'PL.joinListen' },
	'js-pushlet-client.js': { open: 'framePage', listen: 'p_join_listen' },
};

/* Under mod_fcgid every waiting request is a process that may end. */
const PLACES = [['pull', 'nginx'], ['stream', 'nginx'], ['poll', 'nginx'],
	['pull', 'Apache with mod_fcgid'], ['stream', 'Apache with mod_fcgid']];

for (const [client, { open, listen }] of Object.entries(CLIENTS))
	for (const [mode, front] of PLACES)
		describe(`${client} in ${mode} mode behind ${front} loses nothing`, () => {
			let site;
			let cutter;
			let page;
			let counter;
			let tests = 0;

			before(async () => {
				site = await Site.open({ front });
				cutter = await Cutter.start(site);
				site.browser.outages = true;
			});
			after(() => site?.close());

			beforeEach(async () => {
				const subject = `/count/${++tests}`;

				page = await site[open]();
				await page.page.evaluate(() => {
					window.states = [];
					window.rejoins = 0;
					window.onConnection = (event) =>
						states.push(event.get('p_state'));
					window.onRejoin = () => { rejoins++; };
				});
				await page.call(listen, subject, mode);
				await page.next({ p_event: 'join-listen-ack', p_mode: mode });
				await page.page.clock.install();
				counter = await Counter.start(site, page, subject);
			});
			afterEach(async () => {
				await counter?.stop();
				await page?.page.close();
			});

			async function complete() {
				await counter.complete();
				assert.equal(await page.get('rejoins'), 0);
			}

			it('when servers end and return', async () => {
				await counter.restarts();
				await complete();
			});

			it('when answers are lost', async () => {
				await counter.cuts(cutter);
				await complete();
			});

			if (front !== 'nginx')
				return;		/* it has no part in what follows */

			it('when the machine slept for ten minutes', async () => {
				await page.page.clock.fastForward('10:00');
				await page.page.evaluate(() => {
					const net = document.querySelector('iframe');
					(net ? net.contentWindow : window).dispatchEvent(
						new Event('visibilitychange'));
				});
				await counter.shown(20);
				await complete();
			});

			it('when the network is away for a while', async () => {
				await page.page.context().setOffline(true);
				cutter.drop();
				await page.until('states[states.length - 1] === "reconnecting"');
				await counter.counted(20);
				await page.page.context().setOffline(false);
				await counter.shown(5);
				await complete();
			});
		});
