// SPDX-License-Identifier: MIT
//
// users.test.mjs - rules about users: each front says whom it has checked
//
// With the example configurations, changed as their comments or the manuals of
// the web servers say.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';

/* ann:secret, as all of them read it. */
const HTPASSWD = `ann:{SHA}${createHash('sha1').update('secret').digest('base64')}\n`;
const login = (who) => ({ Authorization: `Basic ${Buffer.from(who).toString('base64')}` });

const PROPS = { rule: ['allow subscribe below /private user ann',
	'allow subscribe below /bob user bob', 'deny subscribe'] };

const nginx = (file) => ({ replace: [['#auth_basic pushlet', 'auth_basic pushlet'],
	['#auth_basic_user_file /etc/nginx/pushlet.htpasswd', `auth_basic_user_file ${file}`],
	['#fastcgi_param REMOTE_USER', 'fastcgi_param REMOTE_USER']] });
const apache = (file) => ({ modules: ['auth_basic', 'authn_core', 'authn_file', 'authz_user'],
	replace: [['Require all granted', ['AuthType Basic', 'AuthName pushlet',
		`AuthUserFile ${file}`, 'Require valid-user'].join('\n')]] });
const lighttpd = (file) => ({ replace: [
	['"mod_access", "mod_fastcgi"', '"mod_access", "mod_auth", "mod_authn_file", "mod_fastcgi"'],
	['\tfastcgi.server = (', ['auth.backend = "htpasswd"',
		`auth.backend.htpasswd.userfile = "${file}"`,
		'auth.require = ( "" => ( "method" => "basic", "realm" => "pushlet",',
		'"require" => "valid-user" ) )', '\tfastcgi.server = ('].join('\n')]] });
const nothing = () => ({});

/* How each begins, and what makes it ask for passwords. */
const FRONTS = {
	nginx: [async (lab, options) => lab.nginx(await lab.pushletd({ props: PROPS }), options), nginx],
	lighttpd: [async (lab, options) => lab.lighttpd(await lab.pushletd({ props: PROPS }), options),
		lighttpd],
	'Apache with mod_proxy_fcgi': [async (lab, options) =>
		lab.apacheProxy(await lab.pushletd({ props: PROPS }), options), apache],
	'Apache with mod_fcgid': [(lab, options) =>
		lab.apacheFcgid({ props: PROPS, ...options }), apache],
	'Apache with relays': [(lab, options) => lab.apacheRelay({ props: PROPS, ...options }), apache],
};

async function start([begin], lab, passwords) {
	return begin(lab, passwords(lab.write('htpasswd', HTPASSWD)));
}

for (const [name, way] of Object.entries(FRONTS))
	describe(`behind ${name} the user of a rule`, () => {
		const lab = new Lab();
		const plain = new Lab();

		after(() => lab.close());
		after(() => plain.close());

		it('is whom it has checked', async () => {
			const front = await start(way, lab, way[1]);
			const join = (headers) => front.client({ headers }).ask(
				{ p_event: 'join', p_format: 'xml' });
			assert.equal((await join({})).status, 401);
			assert.equal((await join(login('ann:wrong'))).status, 401);

			const ann = await front.client({ headers: login('ann:secret') }).join();
			assert.equal((await ann.ask('subscribe', { p_subject: '/private' })).get('p_event'),
				'subscribe-ack');
			assert.match((await ann.ask('subscribe', { p_subject: '/bob' })).get('p_reason'),
				/not allowed to subscribe to '\/bob' \(rule 3\)/);
			assert.equal((await lab.status()).counts.refused, 1);
		});

		it('is nobody as it is shipped, whatever a browser says', async () => {
			const front = await start(way, plain, nothing);
			const { id } = await front.client().join();

			for (const headers of [{}, login('ann:secret'), { 'Remote-User': 'ann' },
				{ Remote_User: 'ann' }, { REMOTE_USER: 'ann', ...login('ann:secret') }])
				assert.match((await front.client({ headers }).ask({ p_event: 'subscribe',
					p_id: id, p_subject: '/private' })).get('p_reason'), /rule 3/);
		});
	});
