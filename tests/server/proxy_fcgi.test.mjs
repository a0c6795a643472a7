// SPDX-License-Identifier: MIT
//
// proxy_fcgi.test.mjs - conf/apache-proxy_fcgi.conf as shipped

import { after, before, describe } from 'node:test';
import { frontTests, PROPS } from '../lib/front-tests.mjs';
import { Lab } from '../lib/lab.mjs';

describe('Apache mod_proxy_fcgi', () => {
	const lab = new Lab();
	const site = { lab };

	before(async () => {
		site.front = await lab.apacheProxy(await lab.pushletd({ props: PROPS }));
		site.web = site.front.client();
	});
	after(() => lab.close());
	frontTests(() => site);
});
