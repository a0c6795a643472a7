// SPDX-License-Identifier: MIT
//
// inspection.test.mjs - /metrics and /health over HTTP, behind each front

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseExposition } from '../lib/exposition.mjs';
import { Lab } from '../lib/lab.mjs';

const ON = { props: { 'metrics.http': 'on' } };
const FRONTS = {
	nginx: async (lab) => lab.nginx(await lab.pushletd(ON)),
	lighttpd: async (lab) => lab.lighttpd(await lab.pushletd(ON)),
	'Apache with mod_proxy_fcgi': async (lab) => lab.apacheProxy(await lab.pushletd(ON)),
	'Apache with mod_fcgid': (lab) => lab.apacheFcgid(ON),
	'Apache with relays': (lab) => lab.apacheRelay(ON),
};

const get = async (front, name) => {
	const response = await fetch(new URL(name, front.url));

	return { status: response.status, type: response.headers.get('content-type'),
		text: await response.text() };
};

for (const [name, start] of Object.entries(FRONTS))
	describe(`behind ${name}`, () => {
		const lab = new Lab();

		after(() => lab.close());

		it('metrics and health are answered', async () => {
			const front = await start(lab);
			const metrics = await get(front, 'metrics');
			const health = await get(front, 'health');

			assert.equal(metrics.status, 200, metrics.text);
			assert.match(metrics.type, /^text\/plain; version=0\.0\.4/);
			assert.equal(parseExposition(metrics.text).get('pushlet_sessions'), 0);
			assert.deepEqual([health.status, health.text], [200, 'ok\n']);
			await front.client().join();
			assert.equal(parseExposition((await get(front, 'metrics')).text)
				.get('pushlet_joins_total'), 1);
		});
	});

describe('health and metrics', () => {
	const lab = new Lab();

	after(() => lab.close());

	it('are off unless they are switched on', async () => {
		const front = await lab.nginx(await lab.pushletd());

		assert.equal((await get(front, 'metrics')).status, 400);
		assert.equal((await get(front, 'health')).status, 400);
	});
});

describe('a server without room', () => {
	const lab = new Lab();

	after(() => lab.close());

	it('is not healthy, and says why', async () => {
		const front = await lab.nginx(await lab.pushletd({
			props: { 'metrics.http': 'on', 'sessionmanager.maxsessions': 1 } }));
		const ann = await front.client().join();
		const ill = await get(front, 'health');

		assert.equal(ill.status, 503);
		assert.match(ill.text, /sessionmanager\.maxsessions/);
		await ann.leave();
		assert.equal((await get(front, 'health')).status, 200);
	});
});
