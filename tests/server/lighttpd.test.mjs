// SPDX-License-Identifier: MIT
//
// lighttpd.test.mjs - conf/lighttpd.conf as shipped: in front of a pushletd
// that runs, and starting one itself

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { frontTests, PROPS } from '../lib/front-tests.mjs';
import { Lab } from '../lib/lab.mjs';

describe('lighttpd', () => {
	const lab = new Lab();
	const site = { lab };

	before(async () => {
		site.front = await lab.lighttpd(await lab.pushletd({ props: PROPS }));
		site.web = site.front.client();
	});
	after(() => lab.close());
	frontTests(() => site);
});

describe('lighttpd that starts pushletd', () => {
	const lab = new Lab();
	const site = { lab };

	before(async () => {
		site.front = await lab.lighttpd(undefined, { props: PROPS });
		site.web = site.front.client();
	});
	after(() => lab.close());
	frontTests(() => site);

	it('has one process for all its streams', async () => {
		const streams = await Promise.all(Array.from({ length: 5 }, () =>
			site.web.joinListen({ mode: 'stream', subject: '/five' })));

		await lab.publish('/five', { n: 1 });
		for (const s of streams)
			await s.channel.next({ p_event: 'data', n: 1 });
		assert.equal((await lab.status()).workers.length, 1);
		streams.forEach((s) => s.channel.close());
	});
});
