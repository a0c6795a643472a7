// SPDX-License-Identifier: MIT
//
// conformance.test.mjs - the cases of make conformance, played against us
//
// All hold through each front; in the profile of the original server just those
// do not that the table of differences has.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { CASES, UNSEEN } from '../conformance/cases.mjs';
import { OldServer } from '../conformance/old.mjs';
import { asJson, holds } from '../conformance/report.mjs';
import { sentence, Suite } from '../conformance/suite.mjs';
import { DIFFERENCES, ON_THE_WIRE } from '../lib/differences.mjs';
import { Lab } from '../lib/lab.mjs';
import { ROOT, SLOW } from '../lib/paths.mjs';
import { Guarded, run } from '../lib/process.mjs';
import { LIMIT, until } from '../lib/wait.mjs';

/* A queue that the cases can fill, heartbeats that they need not wait for. */
const PROPS = { 'queue.read.timeout.millis': 1500 * SLOW, 'queue.size': 40 };
const TIMES = { wait: 5 * SLOW, demand: true, limit: LIMIT / 1000 };

const play = (url, options) => new Suite(url, { ...TIMES, ...options }).run();
const not = (how, { results }) => results.filter((r) => r.how !== how)
	.map((r) => `${r.how}: ${r.name}: ${r.why}`);

const FRONTS = {
	nginx: async (lab) => lab.nginx(await lab.pushletd({ props: PROPS })),
	'Apache mod_fcgid': (lab) => lab.apacheFcgid({ props: PROPS }),
	lighttpd: async (lab) => lab.lighttpd(await lab.pushletd({ props: PROPS })),
};

/* What a front itself answers, before we see it. */
const CONTROLS = 'it refuses %0A and the like in a URL';
const EXCUSED = {
	lighttpd: {
		'line ends and tabs in xml-strict: they are references, and arrive': CONTROLS,
		'characters that XML does not know: U+FFFD in their place': CONTROLS,
		'an id with line ends and markup gets no header and no markup into the answer':
			CONTROLS,
		'a % without two digits is a 400': 'it makes %25 of such a %',
	},
};

for (const [name, start] of Object.entries(FRONTS))
	describe(`through ${name}`, () => {
		const lab = new Lab();
		let front, outcome;

		before(async () => {
			front = await start(lab);
			outcome = await play(front.url);
		});
		after(() => lab.close());

		for (const group of new Set(CASES.map((one) => one.group)))
			it(group, () => {
				const excused = Object.keys(EXCUSED[name] ?? {});
				const results = outcome.results.filter((r) => r.group === group
					&& !excused.includes(r.name));

				assert.ok(results.length > 0);
				assert.deepEqual(not('ok', { results }), []);
			});

		it('has no excuse for what holds', () => {
			const failed = outcome.results.filter((r) => r.how !== 'ok').map((r) => r.name);

			assert.deepEqual(Object.keys(EXCUSED[name] ?? {}).sort(), failed.sort());
		});

		it('leaves no session', async () => until('all sessions to be gone', async () =>
			(await lab.sessions()).length === 0));
	});

describe('the profile original', () => {
	const lab = new Lab();
	let front;

	before(async () => { front = await FRONTS.nginx(lab); });
	after(() => lab.close());

	it('differs in what the table of differences has, and nowhere else', async () => {
		const { results } = await play(front.url, { profile: 'original' });
		const differ = (how) => results.filter((r) => r.how === how).map((r) => r.name);
		const cases = CASES.filter((one) => one.rows.length > 0);
		const names = (list) => list.map((one) => sentence(one, 'original'));

		assert.deepEqual(differ('FAIL'), []);
		assert.deepEqual(differ('skip'), names(cases.filter((one) => !one.plays.original)));
		assert.deepEqual(differ('differs'), names([...cases.filter((one) => !one.waits),
			...cases.filter((one) => one.waits)].filter((one) => one.plays.original)));
	});

	it('holds of a server that answers as the recordings do', async () => {
		const old = lab.guard(new OldServer());
		await old.start();
		const { results } = await play(old.url, { profile: 'original' });

		assert.deepEqual(not('ok', { results }).map((line) => line.split(':')[0]), ['skip']);
	});

	it('is what such a server does where the other profile differs', async () => {
		const old = lab.guard(new OldServer());
		await old.start();
		const { results } = await play(old.url, { only: 'Listening', limit: 1 });
		const rows = CASES.filter((one) => one.group === 'Listening' && one.rows.length > 0);

		assert.deepEqual(results.filter((r) => r.how === 'differs').map((r) => r.name),
			rows.map((one) => sentence(one, 'pushlet-fcgi')));
	});

	it('ends when it has asked as much as it may, and does not say that all holds',
		async () => {
			const old = lab.guard(new OldServer());
			await old.start();
			const outcome = await play(old.url, { profile: 'original', requests: 30 });

			assert.ok(outcome.requests <= 100 && !holds(outcome));
			await until('its sessions to be gone', () => old.sessions.size === 0);
			assert.ok(outcome.results.some((r) => /as many requests as it may/.test(r.why)));
		});

	it('has a case for each row of the table, or says why not', () => {
		const shown = new Set(CASES.flatMap((one) => one.rows));
		const rows = [...DIFFERENCES, ...ON_THE_WIRE];
		const unseen = rows.filter((row) => !shown.has(row)).map((row) => row.original);

		assert.deepEqual(unseen.sort(), Object.keys(UNSEEN).sort());
	});
});

describe('the command', () => {
	const lab = new Lab();
	const servers = [];
	const command = (...args) => run(process.execPath,
		[`${ROOT}/tests/conformance/run.mjs`, ...args], { limit: 6 * LIMIT });

	/* A server that is none of ours, on a free port. */
	async function server(made) {
		servers.push(made);
		await new Promise((done) => { made.listen(0, '127.0.0.1', done); });
		return `http://127.0.0.1:${made.address().port}/pushlet/pushlet.srv`;
	}

	const answers = (status, headers, text) => server(http.createServer((_, answer) => {
		answer.writeHead(status, headers);
		answer.end(text);
	}));

	/* It ends with 3, and says this of the URL. */
	async function none(url, message) {
		const { status, stderr } = await command('--limit=1', url);

		assert.equal(status, 3, stderr);
		assert.match(stderr, message);
		assert.ok(stderr.includes(url), stderr);
	}

	after(async () => {
		servers.forEach((one) => { one.closeAllConnections?.(); one.close(); });
		await lab.close();
	});

	it('says that nothing listens there', async () => {
		const url = await server(createServer());
		await new Promise((done) => { servers.pop().close(done); });
		await none(url, /nothing listens there/);
	});

	it('says that the server answers 404', async () => none(
		await answers(404, { 'Content-Type': 'text/html' }, '<h1>Not Found</h1>'),
		/status 404; is this the URL of a Pushlet server\?/));

	it('follows no redirection', async () => none(
		await answers(302, { Location: 'http://other.invalid/' }, ''), /status 302/));

	it('says that the server answers a web page', async () => none(
		await answers(200, { 'Content-Type': 'text/html' }, '<html><body>Hello</body></html>'),
		/a web page; is this/));

	it('says that the server answers nothing', async () => none(
		await answers(200, {}, ''), /no event/));

	it('says that the server hangs', async () => {
		const sockets = [];
		const url = await server(createServer((socket) => {
			sockets.push(socket.on('error', () => {}));
		}));

		await none(url, /the connection was taken, but no answer to join within 1 s/);
		sockets.forEach((socket) => socket.destroy());
	});

	it('says that the connection was cut', async () => none(
		await server(createServer((socket) => socket.destroy())), /was cut/));

	for (const [what, args, message] of [
		['no URL', [], /URL is missing/],
		['two URLs', ['http://a', 'http://b'], /more than one URL/],
		['no such scheme', ['ftp://a/'], /"ftp:\/\/a\/" is no URL that begins with http/],
		['an unknown profile', ['--profile=x', 'http://a'], /only original and pushlet-fcgi/],
		['no number of seconds', ['--wait=0', 'http://a'], /--wait=0 is not a number/],
		['an unknown option', ['--nosuch', 'http://a'], /nosuch/],
		['a word that no case has', ['--only=nosuch', 'http://a'], /no case has "nosuch"/],
	])
		it(`ends with 2 for ${what}`, async () => {
			const { status, stdout, stderr } = await command(...args);

			assert.equal(status, 2, stderr);
			assert.match(stderr, message);
			assert.equal(stdout, '');
		});

	it('prints a line a case and a sum, and ends with 0 when all holds', async () => {
		const front = await FRONTS.nginx(lab);
		const file = lab.path('report.json');
		const { status, stdout, stderr } = await command(`--wait=${TIMES.wait}`,
			'--only=Joining', `--json=${file}`, front.url);

		assert.equal(status, 0, stdout + stderr);
		assert.match(stdout, /^http:.*, profile pushlet-fcgi\n.*\n\nJoining and leaving\n {2}ok /);
		assert.match(stdout, /\n\d+ hold, 0 fail, 0 differ .*, 0 skipped\n$/);
		assert.ok(stdout.split('\n').every((line) => line.length < 81), stdout);

		const json = await command('--only=Joining', '--json', '--profile=original', front.url);
		assert.equal(json.status, 1, json.stderr);
		const report = JSON.parse(json.stdout);
		assert.equal(report.profile, 'original');
		assert.equal(report.holds, false);
		assert.equal(report.sums.differ, 2);
		assert.equal(report.sums.hold, report.results.filter((r) => r.how === 'ok').length);
		assert.equal(asJson(report), asJson(JSON.parse(asJson(report))));
	});

	it('asks no faster than the server wants to be asked', async () => {
		const strict = new Lab();
		const front = await strict.nginx(await strict.pushletd({ props: { ...PROPS,
			'address.max.requests.second': 20 } }));

		try {
			const { status, stdout } = await command('--only=Joining', front.url);
			assert.equal(status, 0, stdout);
			assert.match(readFileSync(front.accessLog, 'utf8'), / 429 /);
		} finally {
			await strict.close();
		}
	});

	it('leaves its sessions when it is broken off', async () => {
		const old = lab.guard(new OldServer());
		await old.start();
		const child = lab.guard(new Guarded('conformance', process.execPath,
			[`${ROOT}/tests/conformance/run.mjs`, '--only=silent', '--wait=600', old.url],
			{ statuses: [130] }));

		old.timeout = 0x7fffffff;
		await until('a session', () => old.sessions.size > 0);
		await child.stop('SIGINT');
		assert.equal(old.sessions.size, 0);
	});
});
