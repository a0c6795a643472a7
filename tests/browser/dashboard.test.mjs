// SPDX-License-Identifier: MIT
//
// dashboard.test.mjs - pushlet-js/admin: the numbers of the server, live

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { everyLook } from './looks.mjs';
import { Site } from './site.mjs';
import { until } from '../lib/wait.mjs';

const PAGE = 'admin/dashboard.html';
let site;

before(async () => { site = await Site.open({ props: { 'metrics.http': 'on' } }); });
after(() => site?.close());

const tile = (page, name, text) => until(`${name}: ${text}`, async () =>
	await page.textContent(`#${name} b`) === text);

describe('dashboard', () => {
	it('shows what there is, and follows it', async () => {
		const page = await site.page(PAGE);

		await page.locator('#state[data-state=ok]').waitFor();
		await tile(page, 'sessions', '0');
		for (const chart of ['events', 'sessions'])
			assert.equal(await page.locator(`#${chart}-chart canvas`).count(), 1);
		assert.equal(await page.locator('.tile canvas').count(), 0);
		const ann = await site.front.client().joinListen({ mode: 'stream', subject: '/d' });
		await tile(page, 'sessions', '1');
		await tile(page, 'subscriptions', '1');
		await site.lab.publish('/d', { n: 1 });
		await page.waitForFunction(() => events.points.some((p) => p.own[0] > 0));
		await ann.leave();
		await tile(page, 'sessions', '0');
		await page.context().close();
	});

	it('is legible on a phone and on a desk', async () => {
		await everyLook(site, PAGE, async (page) => {
			await page.locator('#state[data-state=ok]').waitFor();
			await page.waitForFunction(() => events.points.length > 1);
		});
	});

	it('says when the server does not tell', async () => {
		site.lab.properties({ ...site.pushletd.options, 'metrics.http': 'off' });
		site.pushletd.signal('SIGHUP');
		await site.pushletd.says(/properties reloaded/);
		site.browser.outages = true;
		const page = await site.page(PAGE);

		await page.locator('#state[data-state=gone]').waitFor();
		await until('the reason', async () =>
			(await page.textContent('#state')).includes('metrics.http'));
		await page.context().close();
	});
});
