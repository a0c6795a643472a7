// SPDX-License-Identifier: MIT
//
// doctor.test.mjs - pushletctl doctor, and fronts with one thing wrong each

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createServer } from 'node:net';
import { Lab } from '../lib/lab.mjs';
import { binary } from '../lib/paths.mjs';
import { Guarded, tool } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

/* What it says of an address, as JSON. */
async function doctor(url, ...options) {
	const { status, stdout, stderr } = await tool('pushletctl',
		['doctor', url, '--json', '--seconds', '3', ...options]);

	assert.equal(stderr, '');
	const report = JSON.parse(stdout);
	assert.equal(status, report.well ? 0 : 1);
	return { ...report, whats: report.findings.map((f) => f.what),
		advice: report.findings.flatMap((f) => f.advice).join('\n'),
		text: report.findings.map((f) => f.text).join('\n') };
}

/* A laboratory for one test, in which no session is left behind. */
async function inLab(test) {
	const lab = new Lab();

	try {
		await test(lab);
	} finally {
		await lab.close();
	}
}

async function nobodyStays(lab) {
	assert.deepEqual(await lab.sessions(), []);
}

describe('behind nginx', () => {
	let lab, pushletd, nginx;

	before(async () => {
		lab = new Lab();
		pushletd = await lab.pushletd();
		nginx = await lab.nginx(pushletd);
	});
	after(() => lab.close());

	it('as it is shipped, all is well', async () => {
		const report = await doctor(nginx.url);

		assert.deepEqual(report.whats, []);
		assert.match(report.server, /^nginx/);
		assert.deepEqual(report.steps.map((s) => s.step),
			['join', 'subscribe', 'pull', 'stream', 'events', 'listen', 'leave']);
		assert.equal(report.steps.find((s) => s.step === 'events').text.slice(0, 6), '4 of 4');
		await nobodyStays(lab);
	});

	it('it says so in words', async () => {
		const { status, stdout } = await tool('pushletctl',
			['doctor', nginx.url, '--seconds', '3']);

		assert.equal(status, 0);
		assert.match(stdout, /by nginx/);
		assert.match(stdout, /\nall is well\n$/);
	});

	it('interrupted while it listens, it leaves no session', async () => {
		const doctor = new Guarded('doctor', binary('pushletctl'), ['doctor', nginx.url],
			{ statuses: [1] });

		await until('its stream', async () => (await lab.sessions())
			.some((s) => s.mode === 'stream' && s.listening));
		await doctor.stop();
		assert.match(doctor.output, /interrupted/);
		await nobodyStays(lab);
	});

	it('a wrong path is told, and who answered', async () => {
		const report = await doctor(nginx.url.replace('pushlet.srv', 'pushlets'));

		assert.deepEqual(report.whats, ['path']);
		assert.match(report.text, /status 404.*nginx/);
		assert.match(report.advice, /location/);
	});
});

/* nginx with [shipped, ours], a pushletd with props. */
const behind = (replace, props, test) => inLab(async (lab) => {
	const pushletd = await lab.pushletd({ props });
	const nginx = await lab.nginx(pushletd, { replace });

	await test(nginx, lab, pushletd);
	await nobodyStays(lab);
});

describe('behind nginx', () => {
	it('that buffers, fastcgi_buffering is to be changed', () =>
		behind([['fastcgi_buffering off;',
			'fastcgi_buffering on; fastcgi_ignore_headers X-Accel-Buffering;']],
		{}, async ({ url }) => {
			const report = await doctor(url);

			assert.deepEqual(report.whats, ['buffers']);
			assert.match(report.advice, /fastcgi_buffering off/);
		}));

	it('that cuts after 2 s, fastcgi_read_timeout is', () =>
		behind([['fastcgi_read_timeout 120s;', 'fastcgi_read_timeout 2s;']],
			{}, async ({ url }) => {
				const report = await doctor(url, '--seconds', '20');

				assert.deepEqual(report.whats, ['cuts']);
				/* nginx counts from when it read, the doctor from when it did */
				assert.match(report.text, /(1\.9|[23]\.\d) s after anything/);
				assert.match(report.advice, /fastcgi_read_timeout/);
			}));

	it('that compresses, gzip is', () =>
		behind([['gzip off;', 'gzip on;']], {}, async ({ url }) => {
			const report = await doctor(url);

			assert.deepEqual(report.whats, ['compresses']);
			assert.match(report.advice, /gzip off/);
		}));

	it('that lets nobody in, Require and its like are', () =>
		behind([['fastcgi_buffering off;', 'deny all; fastcgi_buffering off;']],
			{}, async ({ url }) => {
				const report = await doctor(url);

				assert.deepEqual(report.whats, ['refused']);
				assert.match(report.text, /403/);
			}));

	it('a rule against it is quoted', () =>
		behind([], { rule: 'deny publish' }, async ({ url }) => {
			const report = await doctor(url);

			assert.deepEqual(report.whats, ['refused']);
			assert.match(report.text, /not allowed to publish/);
		}));

	it('without pushletd, that is missed', () => inLab(async (lab) => {
		const nginx = await lab.nginx({ address: `unix:${lab.path('none.sock')}` });
		const report = await doctor(nginx.url);

		assert.deepEqual(report.whats, ['responder']);
		assert.match(report.text, /status 502/);
		assert.match(report.advice, /is pushletd running/);
	}));

	it('a stream that the server ends is no fault', () =>
		behind([], { 'stream.max.seconds': 1 }, async ({ url }) => {
			assert.deepEqual((await doctor(url)).whats, []);
		}));

	it('a server that lets nobody stream is no fault', () =>
		behind([], { 'listen.force.pull.all': true }, async ({ url }) => {
			const report = await doctor(url);

			assert.deepEqual(report.whats, []);
			assert.ok(report.steps.some((s) => /with pull/.test(s.text)));
		}));
});

describe('behind Apache with mod_fcgid', () => {
	it('as it is shipped, all is well', () => inLab(async (lab) => {
		const apache = await lab.apacheFcgid();

		assert.deepEqual((await doctor(apache.url)).whats, []);
		await nobodyStays(lab);
	}));

	it('with its usual FcgidOutputBufferSize, that is to be changed', () => inLab(async (lab) => {
		const apache = await lab.apacheFcgid({ replace: [['FcgidOutputBufferSize 0', '']] });
		const report = await doctor(apache.url);

		assert.deepEqual(report.whats, ['buffers']);
		assert.match(report.advice, /FcgidOutputBufferSize 0/);
		await nobodyStays(lab);
	}));

	it('that cuts after 2 s, FcgidIOTimeout is', () => inLab(async (lab) => {
		const apache = await lab.apacheFcgid({ replace: [['FcgidIOTimeout 120', 'FcgidIOTimeout 2']] });
		const report = await doctor(apache.url, '--seconds', '20');

		assert.deepEqual(report.whats, ['cuts']);
		assert.match(report.advice, /FcgidIOTimeout/);
		await nobodyStays(lab);
	}));
});

describe('without a web server', () => {
	it('nothing listens', async () => {
		const server = createServer();
		const port = await new Promise((done) => server.listen(0, '127.0.0.1',
			() => done(server.address().port)));

		await new Promise((done) => server.close(done));
		const report = await doctor(`http://127.0.0.1:${port}/pushlet/pushlet.srv`);
		assert.deepEqual(report.whats, ['unreachable']);
		assert.match(report.text, /Connection refused/);
	});

	for (const [what, args, reason] of [
		['https', ['https://example.org/x'], /speaks no TLS.*socat/],
		['a word', ['pushlet.srv'], /must begin with http:\/\//],
		['a query', ['http://localhost/x?y=1'], /no query/],
		['no host', ['http://:80/x'], /needs a host/],
		['a blank', ['http://local host/x'], /no blank/],
		['no time', ['http://localhost/x', '--seconds', '0'], /must be 3 to 3600/],
	])
		it(`${what} is refused`, async () => {
			const { status, stderr } = await tool('pushletctl', ['doctor', ...args]);

			assert.equal(status, 1);
			assert.match(stderr, reason);
		});
});
